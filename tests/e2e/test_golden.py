"""The failures that people meet most, word for word: what was asked, what came back, what it usually means, what to do.

The texts stand in tests/data/refusals.txt, one failure a paragraph: its name and status, then the sentence, in which HOST is
the host that was asked.
"""

import os
import re

import pytest

from support import ports
from support.carry import QUICK, Carrier
from support.fetch_helm import root
from support.images import image, layer
from support.scripted import Answer, Scripted, TokenService, change, cut, error, html, say
from test_charts import Charts, index

APP = image([layer("golden", 3_000)])
PATH = os.path.join(root(), "tests/data/refusals.txt")


def refuse(method, path, rule):
    return lambda server: server.on(method, path, rule)


def says(status, code="", message=""):
    return lambda request, answer: error(status, code, message)


PULLS = {
    "a tag that is not there": refuse("GET", "/manifests/1.0", says(404, "MANIFEST_UNKNOWN", "manifest unknown")),
    "a repository that is not there": refuse("GET", "/manifests/", says(404, "NAME_UNKNOWN", "repository name not known to registry")),
    "a repository that the login may not read": refuse("GET", "/manifests/", says(403, "DENIED", "requested access to the resource is denied")),
    "a login that is wanted": lambda server: setattr(server, "users", {"me": "pw"}),
    "a login page": refuse("GET", "/manifests/", html()),
    "a registry in trouble": refuse("GET", "/manifests/", says(500, "UNKNOWN", "unknown error")),
    "a gateway without its registry": refuse("GET", "/manifests/", say(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")),
    "too many requests": refuse("GET", "/manifests/", says(429, "TOOMANYREQUESTS", "You have reached your pull rate limit")),
    "an image of schema 1": refuse("GET", "/manifests/", say(200, b'{"schemaVersion":1,"name":"team/app","fsLayers":[]}',
                                                           "application/vnd.docker.distribution.manifest.v1+prettyjws")),
    "no manifest at all": refuse("GET", "/manifests/", say(200, b"{}", "application/json")),
    "a layer that is gone": refuse("GET", "/blobs/", says(404, "BLOB_UNKNOWN", "blob unknown to registry")),
    "a layer with other bytes": refuse("GET", "/blobs/", change(body=lambda a: bytes(len(a.body)))),
    "a layer that ends early": refuse("GET", "/blobs/", cut(10)),
    "an object store that refuses": refuse("GET", "/blobs/", say(403, b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code></Error>", "application/xml")),
}
PUSHES = {
    "a repository that must be made first": refuse("POST", "", says(404, "NAME_UNKNOWN", "The repository with name 'apps/team/app' does not exist")),
    "no right to push": refuse("POST", "", says(403, "DENIED", "requested access to the resource is denied")),
    "a registry that is read-only": refuse("POST", "", say(405, b"405 method not allowed")),
    "a proxy that limits the size": lambda server: [server.on(m, "/uploads/", say(413, b"<html>413 Request Entity Too Large</html>", "text/html"))
                                                    for m in ("PUT", "PATCH")],
    "an upload without a place": refuse("POST", "", lambda request, answer: Answer(202)),
    "a full disk at the registry": refuse("PUT", "/uploads/", says(507, "UNKNOWN", "no space left on device")),
    "bytes that were mangled": refuse("PUT", "/uploads/", says(400, "DIGEST_INVALID", "provided digest did not match uploaded content")),
    "a tag that is immutable (ECR)": refuse("PUT", "/manifests/1.0", says(400, "TAG_INVALID", "The image tag '1.0' already exists and is immutable")),
    "a tag that is immutable (Quay)": refuse("PUT", "/manifests/1.0", says(409, "TAG_IMMUTABLE", "tag is immutable")),
    "a tag that is immutable (Harbor)": refuse("PUT", "/manifests/1.0", says(412, "PRECONDITION", "Failed to process request due to immutable rule")),
    "a type that is not taken": refuse("PUT", "/manifests/", says(415, "UNSUPPORTED", "media type not supported")),
    "a manifest that is not taken": refuse("PUT", "/manifests/", says(400, "MANIFEST_INVALID", "manifest invalid")),
    "a tag that names another image": lambda server: server.store("apps/team/app", "1.0", image([layer("theirs", 10)])),
    "no registry": refuse("GET", "/v2/$", say(200, b"<html>Welcome to nginx!</html>", "text/html")),
}
CHARTS = {
    "a chart that is not listed": {"/index.yaml": index().replace(b"app:", b"web:").replace(b"name: app", b"name: web")},
    "a chart repository without an index": {},
    "a chart that is gone": {"/index.yaml": index()},
    "an index that is a page": {"/index.yaml": b"<html><body>Please log in</body></html>"},
}


def golden():
    """{name: (status, sentence)}"""
    with open(PATH) as f:
        paragraphs = [p for p in f.read().split("\n\n") if p and not p.startswith("#")]
    return {re.match(r"(.*): (\d+)$", p.split("\n")[0])[1]: (int(p.split("\n")[0].rpartition(" ")[2]), " ".join(p.strip().split("\n")[1:])) for p in paragraphs}


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.p256, tmp_path)


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("golden"))
    with Scripted() as source:
        source.store("team/app", "1.0", APP)
        assert carrier.export(source).rc == 0
    return carrier.bundle


def check(name, result, *hosts):
    said = result.err.strip().splitlines()[-1].removeprefix("sealift: ")
    for host in hosts:
        said = said.replace(host, "HOST")
    said = re.sub(r"HOST:\d+|127\.0\.0\.1:\d+", "HOST", said)
    said = re.sub(r"127\.0\.0\.1 port \d+ after \d+ ms", "HOST", re.sub(r"/run/containers/\d+/", "/run/containers/UID/", said))
    if os.environ.get("GOLDEN"):  # prints them all, to be read before they become the file
        print(f"\n{name}: {result.rc}\n{said}")
        return
    assert (result.rc, said) == golden()[name]


@pytest.mark.parametrize("name", PULLS)
def test_a_pull_that_fails(carrier, name):
    with Scripted() as server:
        server.store("team/app", "1.0", APP)
        PULLS[name](server)
        check(name, carrier.export(server, "--retries", "0"), server.host)


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_that_fails(carrier, carried, name):
    with Scripted() as server:
        PUSHES[name](server)
        check(name, carrier.push(server, carried, "-j", "1", "--retries", "0"), server.host)
        assert name == "a tag that names another image" or ("apps/team/app", "1.0") not in server.manifests


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_that_fails(carrier, name):
    with Charts(CHARTS[name]) as repository:
        result = carrier.program("export", "--chart", "app", "--repo", repository.url, "--version", "1.2.3", *carrier.keys.signing(),
                                 "-o", "x.tar", *QUICK[2:], "--retries", "0")
        check(name, result, repository.host)


def test_a_host_that_does_not_answer(carrier, carried):
    host = f"127.0.0.1:{ports.free_port()}"
    result = carrier.program("push", carried, host, *carrier.keys.trusting(), "--plain-http", "--retries", "0", "--no-progress")
    check("a host that does not answer", result, host)


def test_a_wrong_password(carrier, carried):
    with Scripted(users={"me": "pw"}) as server:
        result = carrier.program("push", carried, server.host, *carrier.keys.trusting(), "--plain-http", "--retries", "0", "--no-progress", "-u", "me",
                                 "--password-stdin", input="another\n")
        check("a wrong password", result, server.host)


def test_a_token_that_is_refused(carrier, carried):
    with TokenService(users={"me": "pw"}, anonymous=()) as service, Scripted(bearer=service) as server:
        service.on("GET", "", says(401, "UNAUTHORIZED", "incorrect username or password"))
        result = carrier.program("push", carried, server.host, *carrier.keys.trusting(), "--plain-http", "--retries", "0", "--no-progress", "-u", "me",
                                 "--password-stdin", input="pw\n")
        check("a token that is refused", result, server.host)


def test_each_text_is_met():
    named = {*PULLS, *PUSHES, *CHARTS, "a host that does not answer", "a wrong password", "a token that is refused"}
    assert set(golden()) == named and len(named) >= 30
