"""Charts out of classic repositories and out of registries (PROTOCOL 14, 15)."""

import hashlib
import json

import pytest

from support.carry import Carrier, HOST, blobs
from support.images import Blob, Image, blob, gzip_bytes, sha256, tar_bytes
from support.scripted import Answer, Listener, Scripted, error, html, redirect, say

TGZ = gzip_bytes(tar_bytes({
    "app/Chart.yaml": b"apiVersion: v2\nname: app\nversion: 1.2.3\nappVersion: 1.10\n",
    "app/values.yaml": b"image: {registry: r.test}\n", "app/templates/a.yaml": b"a: b\n"}))
DIGEST = hashlib.sha256(TGZ).hexdigest()


def index(url="app-1.2.3.tgz", digest=DIGEST, version="1.2.3"):
    return (f'apiVersion: v1\nentries:\n  app:\n  - name: app\n    version: {version}\n    urls: ["{url}"]\n'
            + (f"    digest: {digest}\n" if digest else "")).encode()


class Charts(Listener):
    """A static folder; files {path: bytes}; users: Basic is wanted."""

    def __init__(self, files=None, users=None):
        self.files, self.users = files or {}, users
        super().__init__()

    @property
    def login(self):
        return next(iter(self.users.items()))

    def decide(self, request):
        if self.users and (request.login is None or self.users.get(request.login[0]) != request.login[1]):
            return Answer(401, {"WWW-Authenticate": 'Basic realm="charts"'}, b"<html>401</html>")
        data = self.files.get(request.path)
        return Answer(200, {}, data) if data is not None else say(404, b"<html>404</html>", "text/html")(request, None)


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


def export(carrier, url, *more, version="1.2.3", name="app"):
    version = ("--version", version) if version else ()
    return carrier.program("export", "--chart", name, *(("--repo", url) if url else ()), *version, *more,
                           *carrier.keys.signing(), "-o", carrier.bundle, "--retries", "1", "--retry-wait", "10",
                           "--no-progress")


def good(carrier, result):
    assert result.rc == 0, result
    assert blobs(carrier.bundle)["sha256:" + DIGEST] == TGZ


@pytest.mark.parametrize("base, path", [("/charts", "/charts/"), ("/charts/", "/charts/"), ("/charts//", "/charts/"), ("", "/")])
def test_HLM_01_index_is_below_the_repository(carrier, base, path):
    with Charts({path + "index.yaml": index(), path + "app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url + base))
        assert [r.path for r in repo.journal] == [path + "index.yaml", path + "app-1.2.3.tgz"]


def test_HLM_01_query_of_the_repository_is_kept(carrier):
    with Charts({"/c/index.yaml": index(), "/c/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url + "/c?token=a%2Bb"))
        assert [r.target for r in repo.journal] == ["/c/index.yaml?token=a%2Bb", "/c/app-1.2.3.tgz?token=a%2Bb"]


@pytest.mark.parametrize("url, path", [
    ("sub/app.tgz", "/charts/sub/app.tgz"), ("../other/app.tgz", "/other/app.tgz"), ("/root/app.tgz", "/root/app.tgz"),
    ("{}/x/app.tgz?sig=%2B", "/x/app.tgz"), ("//{host}/y/app+1.tgz", "/y/app+1.tgz")])
def test_HLM_02_shapes_of_a_chart_address(carrier, url, path):
    with Charts() as repo:
        repo.files = {"/charts/index.yaml": index(url.format(repo.url, host=repo.host)), path: TGZ}
        good(carrier, export(carrier, repo.url + "/charts"))


def test_HLM_03_basic_login_and_mirror(carrier, make_authfile):
    with Charts({"/charts/index.yaml": index(), "/charts/app-1.2.3.tgz": TGZ}, users={"me": "p:w"}) as repo:
        result = export(carrier, "https://charts.test/charts", "--mirror", f"charts.test={repo.url}",
                        "--authfile", make_authfile(repo))
        good(carrier, result)
        assert repo.journal[0].login is None and repo.journal[-1].login == ("me", "p:w")


def test_HLM_03_chart_at_another_host_gets_no_login(carrier, make_authfile):
    with Charts(users={"me": "pw"}) as repo, Charts({"/app.tgz": TGZ}) as other:
        repo.files = {"/index.yaml": index(other.url + "/app.tgz")}
        good(carrier, export(carrier, repo.url, "--authfile", make_authfile(repo)))
        assert other.journal and not [r for r in other.journal if r.header("Authorization")]


def test_HLM_03_redirected_chart_gets_no_login(carrier, make_authfile):
    with Charts({"/index.yaml": index()}, users={"me": "pw"}) as repo, Charts({"/app-1.2.3.tgz": TGZ}) as other:
        repo.on("GET", "tgz", redirect(302, lambda r: other.url + r.target), when=lambda r: r.login)
        good(carrier, export(carrier, repo.url, "--authfile", make_authfile(repo)))


def test_HLM_21_no_login(carrier):
    with Charts(users={"me": "pw"}) as repo:
        carrier.failed(export(carrier, repo.url), 6, repo.host, "no credentials found")


@pytest.mark.parametrize("digest", [DIGEST, DIGEST.upper(), "sha256:" + DIGEST, None])
def test_HLM_10_digest_of_the_index(carrier, digest):
    with Charts({"/index.yaml": index(digest=digest), "/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url))


def test_HLM_10_another_digest(carrier):
    with Charts({"/index.yaml": index(digest="0" * 64), "/app-1.2.3.tgz": TGZ}) as repo:
        carrier.failed(export(carrier, repo.url), 4, "0" * 64, DIGEST)


@pytest.mark.parametrize("where", ["index.yaml", "tgz"])
def test_HLM_13_RTY_08_a_login_page(carrier, where):
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ}) as repo:
        repo.on("GET", where, html())
        carrier.failed(export(carrier, repo.url), 5, "HTML page", where)


@pytest.mark.parametrize("body", [b"", b"{}", b"not a chart"])
def test_HLM_13_no_chart(carrier, body):
    with Charts({"/index.yaml": index(digest=None), "/app-1.2.3.tgz": body}) as repo:
        carrier.failed(export(carrier, repo.url), 1, "expected a chart", "app-1.2.3.tgz")


def test_version_that_is_not_there(carrier):
    with Charts({"/index.yaml": index()}) as repo:
        carrier.failed(export(carrier, repo.url, version="9.9.9"), 7, "9.9.9", "1.2.3")


def test_HLM_08_no_version_means_the_highest_stable_one(carrier):
    text = index().replace(b"entries:\n  app:\n", b"entries:\n  app:\n  - {version: 2.0.0-rc1, urls: [x.tgz]}\n"
                           b"  - {version: 1.2, urls: [y.tgz]}\n")
    with Charts({"/index.yaml": text, "/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url, version=None))


def test_chart_by_its_whole_address(carrier):
    with Charts({"/c/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, None, version=None, name=f"{repo.url}/c/app-1.2.3.tgz"))


# --- OCI ---

def artifact(config_type="application/vnd.cncf.helm.config.v1+json",
             content_type="application/vnd.cncf.helm.chart.content.v1.tar+gzip"):
    config = blob(b'{"name":"app","version":"1.2.3","apiVersion":"v2"}', config_type)
    content = Blob(TGZ, content_type, sha256(TGZ))
    prov = blob(b"signed", "application/vnd.cncf.helm.chart.provenance.v1.prov")
    manifest = {"schemaVersion": 2, "config": config.descriptor(), "layers": [prov.descriptor(), content.descriptor()],
                "annotations": {"org.opencontainers.image.created": "2024-01-01T00:00:00Z"}}
    top = blob(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    return Image(top, (config, prov, content))


@pytest.mark.parametrize("content_type", [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"])
def test_HOC_01_HOC_02_HOC_03_chart_of_a_registry(carrier, content_type):
    with Scripted() as reg:
        reg.store("charts/app", "1.2.3_build", artifact(content_type=content_type))
        result = export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}", version="1.2.3+build")
        good(carrier, result)


def test_HOC_01_whole_reference_with_a_login(carrier, make_authfile):
    with Scripted(users={"me": "pw"}) as reg:
        reg.login = ("me", "pw")
        reg.store("charts/app", "1.2.3", artifact())
        result = export(carrier, None, "--mirror", f"{HOST}={reg.url}", "--authfile", make_authfile(reg), version=None,
                        name=f"oci://{HOST}/charts/app:1.2.3")
        good(carrier, result)


def test_HOC_01_an_image_is_no_chart(carrier):
    with Scripted() as reg:
        reg.store("charts/app", "1.2.3", artifact(config_type="application/vnd.oci.image.config.v1+json"))
        result = export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}")
        carrier.failed(result, 1, "expected a Helm chart")


def test_HOC_chart_that_is_not_there(carrier):
    with Scripted() as reg:
        reg.on("GET", "/manifests/", lambda r, a: error(404, "NAME_UNKNOWN", "repository name not known"))
        result = export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}")
        carrier.failed(result, 7, "NAME_UNKNOWN", "charts/app")
