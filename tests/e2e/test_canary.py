"""A canary in every place that a login comes from: afterwards it is in nothing that the program wrote, said or started."""

import base64
import json
import os
import re
import urllib.parse

import pytest

from support.carry import Carrier
from support.images import image, layer
from support.program import binary
from support.scripted import Answer, Scripted, TokenService, error, redirect, say, vanish
from support.tinyproxy import Tinyproxy
from test_credentials import Helper, config, knows, write

CANARY = "c4nary:s3cret/+\"ü"
PLAIN = "c4naryplain"  # where a form of its own allows no more than letters
WHAT = image([layer("canary", 4_000)])


def entry(secret=CANARY):
    return {"auth": base64.b64encode(f"me:{secret}".encode()).decode()}


def forms(secret):
    """A secret as it stands, as JSON and addresses write it, and in base64 alone and behind its user."""
    return {form.encode() for form in (
        secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(), base64.b64encode(f"me:{secret}".encode()).decode().rstrip("="))}


FORMS = forms(CANARY) | forms(PLAIN)

# name -> (folder, registry) -> (words, environment, standard input); what holds the secret for the program lies in folder/given
SOURCES = {
    "--password-stdin": lambda f, r: (["-u", "me", "--password-stdin"], {}, CANARY + "\n"),
    "--authfile": lambda f, r: (["--authfile", write(f / "given/a.json", {"auths": {r.host: entry()}})], {}, None),
    "docker's file": lambda f, r: ([], {"DOCKER_CONFIG": os.path.dirname(write(f / "given/config.json", {"auths": {r.host: entry()}}))}, None),
    "docker's old file": lambda f, r: ([], {"HOME": os.path.dirname(write(f / "given/.dockercfg", {r.host: entry()}))}, None),
    "podman's file": lambda f, r: ([], {"XDG_RUNTIME_DIR": os.path.dirname(os.path.dirname(
        write(f / "given/containers/auth.json", {"auths": {f"{r.host}/team": entry()}})))}, None),
    "REGISTRY_AUTH_FILE": lambda f, r: ([], {"REGISTRY_AUTH_FILE": write(f / "given/a.json", {"auths": {r.host: entry()}})}, None),
    "DOCKER_AUTH_CONFIG": lambda f, r: ([], {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {r.host: entry()}})}, None),
    "a helper": lambda f, r: (config(f / "given", credHelpers={r.host: "fake"}) and [], {
        **Helper(str(f / "given"), knows(**{r.host: ("me", CANARY)})).env, "HOME": str(f / "given")}, None),
    "a store": lambda f, r: (config(f / "given", credsStore="fake") and [], {
        **Helper(str(f / "given"), knows(**{r.host: ("me", CANARY)})).env, "HOME": str(f / "given")}, None),
    "helm's registries": lambda f, r: ([], {"HELM_REGISTRY_CONFIG": write(f / "given/h.json", {"auths": {r.host: entry()}})}, None),
}


ENDS = {
    "well": (None, 0),
    "401": (lambda r, a: error(401, "UNAUTHORIZED", "no", **{"WWW-Authenticate": 'Basic realm="r"'}), 6),
    "403": (lambda r, a: error(403, "DENIED", "no"), 6),
    "500": (say(500), 5),
    "a broken line": (vanish, 5),
}


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "given").mkdir()
    return Carrier(sealift, keys.ed25519, tmp_path / "work")


def leaks(folder, *texts):
    """Where the canary is: in texts, or in a file below the folder that was not given to the program."""
    found = [text for text in texts if any(form in text for form in FORMS)]
    for path in folder.rglob("*"):
        if path.is_file() and folder / "given" not in path.parents and any(form in path.read_bytes() for form in FORMS):
            found.append(str(path))
    return found


def started(folder):
    """The words of every program that was started, as strace saw them."""
    trace = (folder / "given/trace").read_text(errors="replace")
    return "\n".join(re.findall(r"execve\((.*?)\], (?:0x|\[)", trace)).encode()


@pytest.mark.parametrize("leak", sorted(FORMS))
def test_the_judge_sees_a_leak(tmp_path, leak):
    (tmp_path / "given").mkdir()
    (tmp_path / "temporary").write_bytes(b"..." + leak + b"...")
    assert leaks(tmp_path) and leaks(tmp_path / "given", b"x" + leak)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("source", SOURCES)
def test_TOK_20_CRD_14_no_secret_of_any_source_is_left(carrier, tmp_path, source, end):
    rule, status = ENDS[end]
    with Scripted(users={"me": CANARY}) as registry:
        registry.store("team/app", "1.0", WHAT)
        if rule:
            registry.on("GET", "/blobs/", rule)
        words, env, input = SOURCES[source](tmp_path, registry)
        (tmp_path / "temp").mkdir()
        env = {**env, "TMPDIR": str(tmp_path / "temp"), "XDG_STATE_HOME": str(tmp_path / "state"), "ASAN_OPTIONS": "detect_leaks=0"}
        result = carrier.program(
            "-f", "-qq", "-s", "8192", "-e", "trace=execve", "-o", tmp_path / "given/trace", binary(), "export", "-v", "--image",
            f"{registry.host}/team/app:1.0", "--plain-http", *carrier.keys.signing(), "-o", carrier.bundle, "--retries", "1",
            "--retry-wait", "10", *words, env=env, input=input, cwd=tmp_path / "work", binary_path="strace")
        assert result.rc == status, result
        assert any(r.login == ("me", CANARY) for r in registry.journal), "the secret was used"
        assert b"export" in started(tmp_path)
        assert not leaks(tmp_path, result.out.encode(), result.err.encode(), started(tmp_path))


@pytest.mark.parametrize("end", ["403", "500", "a broken line"])
@pytest.mark.parametrize("what", ["a token", "an identity token", "a signed address", "a proxy", "a chart's repository"])
def test_TOK_20_DL_05_no_secret_of_the_network_is_told(carrier, tmp_path, what, end):
    rule, status = ENDS[end]
    with TokenService(anonymous=("pull",)) as tokens, Scripted() as store, Scripted() as far:
        words, env = ["--image", f"{store.host}/team/app:1.0"], {}
        store.store("team/app", "1.0", WHAT)
        if what == "a token":
            store.bearer = tokens
            tokens.on("GET", "", lambda r, a: Answer(200, {}, json.dumps({"token": PLAIN, "expires_in": 300}).encode()))
            tokens.tokens[PLAIN] = {"repository:team/app": {"pull"}}
        elif what == "an identity token":
            store.bearer = tokens
            env = {"DOCKER_CONFIG": os.path.dirname(write(tmp_path / "given/config.json", {"auths": {store.host: {"identitytoken": PLAIN}}}))}
            tokens.on("POST", "", rule)
        elif what == "a signed address":
            store.on("GET", "/blobs/", redirect(307, lambda r: f"{far.url}/x?X-Amz-Signature={PLAIN}&AWSAccessKeyId={PLAIN}"))
        elif what == "a chart's repository":
            words = ["--chart", "demo", "--version", "1.0.0", "--repo", f"{store.url}/charts"]
            env = {"HELM_REPOSITORY_CONFIG": write(
                tmp_path / "given/r.yaml", f"repositories:\n- name: a\n  url: {store.url}/charts\n  username: me\n  password: {PLAIN}\n")}
        for server in (store, far):
            server.on("GET", "/charts/" if what.startswith("a chart") else "/x" if server is far else "/blobs/", rule)
        if what == "a proxy":
            with Tinyproxy(tmp_path / "given/proxy", login=("me", PLAIN)) as proxy:
                env = {"http_proxy": f"http://me:{PLAIN}@127.0.0.1:{proxy.port}", "no_proxy": ""}
                result = run(carrier, tmp_path, words, env)
        else:
            result = run(carrier, tmp_path, words, env)
        assert result.rc in (status, 5, 6), result
        assert not leaks(tmp_path, result.out.encode(), result.err.encode())


def run(carrier, tmp_path, words, env):
    return carrier.program("export", "-v", *words, "--plain-http", *carrier.keys.signing(), "-o", carrier.bundle, "--retries", "1",
                           "--retry-wait", "10", env={**env, "TMPDIR": str(tmp_path / "work")}, cwd=tmp_path / "work")
