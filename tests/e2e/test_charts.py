"""Charts out of classic repositories and out of registries (PROTOCOL 14, 15)."""

import hashlib
import json
import os
import subprocess

import pytest

from support.carry import Carrier, HOST, blobs, member
from support.images import Blob, Image, blob, gzip_bytes, image, layer, sha256, tar_bytes
from support.provenance import Signer
from support.scripted import Answer, Listener, Scripted, error, headers, html, redirect, say

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
        assert [r.path for r in repo.journal] == [path + "index.yaml", path + "app-1.2.3.tgz", path + "app-1.2.3.tgz.prov"]


def test_HLM_01_query_of_the_repository_is_kept(carrier):
    with Charts({"/c/index.yaml": index(), "/c/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url + "/c?token=a%2Bb"))
        assert [r.target for r in repo.journal] == [
            f"/c/{name}?token=a%2Bb" for name in ("index.yaml", "app-1.2.3.tgz", "app-1.2.3.tgz.prov")]


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


@pytest.mark.fault("F-HREDIR")
def test_HLM_03_redirected_chart_gets_no_login(carrier, make_authfile):
    with Charts({"/index.yaml": index()}, users={"me": "pw"}) as repo, Charts({"/app-1.2.3.tgz": TGZ}) as other:
        repo.on("GET", "tgz", redirect(302, lambda r: other.url + r.target), when=lambda r: r.login)
        good(carrier, export(carrier, repo.url, "--authfile", make_authfile(repo)))


def test_HLM_21_no_login(carrier):
    with Charts(users={"me": "pw"}) as repo:
        carrier.failed(export(carrier, repo.url), 6, repo.host, "no credentials found")


@pytest.mark.fault("F-HDIG")
@pytest.mark.parametrize("digest", [DIGEST, DIGEST.upper(), "sha256:" + DIGEST, None])
def test_HLM_10_digest_of_the_index(carrier, digest):
    with Charts({"/index.yaml": index(digest=digest), "/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url))


@pytest.mark.fault("F-HDIG")
def test_HLM_10_another_digest(carrier):
    with Charts({"/index.yaml": index(digest="0" * 64), "/app-1.2.3.tgz": TGZ}) as repo:
        carrier.failed(export(carrier, repo.url), 4, "0" * 64, DIGEST)


@pytest.mark.fault("F-HTML")
@pytest.mark.parametrize("where", ["index.yaml", "tgz"])
def test_HLM_13_RTY_08_a_login_page(carrier, where):
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ}) as repo:
        repo.on("GET", where, html())
        carrier.failed(export(carrier, repo.url), 5, "HTML page", where)


@pytest.mark.parametrize("body", [b"", b"{}", b"not a chart"])
def test_HLM_13_no_chart(carrier, body):
    with Charts({"/index.yaml": index(digest=None), "/app-1.2.3.tgz": body}) as repo:
        carrier.failed(export(carrier, repo.url), 1, "expected a chart", "app-1.2.3.tgz")


def packed(name="app", version="1.2.3", more=b""):
    return gzip_bytes(tar_bytes({f"{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode() + more,
                                 f"{name}/values.yaml": b"a: b\n"}))


def sha(data):
    return hashlib.sha256(data).hexdigest()


def charts_of(bundle):
    return json.loads(member(bundle, "bundle/inventory.json"))["charts"]


@pytest.mark.parametrize("name, version", [("other", "1.2.3"), ("app", "1.2.4")])
def test_HLM_13_another_chart_than_the_index_says(carrier, name, version):
    tgz = packed(name, version)
    with Charts({"/index.yaml": index(digest=None), "/app-1.2.3.tgz": tgz}) as repo:
        carrier.failed(export(carrier, repo.url), 1, "app-1.2.3.tgz", name if name != "app" else version)


@pytest.mark.parametrize("status", [403, 404])
def test_HLM_01_a_relative_address_with_a_query_of_its_own(carrier, status):
    """Helm puts the repository's query in its place; where that leads nowhere its own is tried."""
    with Charts({"/c/index.yaml": index("app-1.2.3.tgz?sig=own%2F"), "/c/app-1.2.3.tgz": TGZ}) as repo:
        repo.on("GET", "tgz.token=", say(status))
        good(carrier, export(carrier, repo.url + "/c?token=t"))
        assert [r.target for r in repo.asked("GET", "tgz[?]")] == ["/c/app-1.2.3.tgz?token=t", "/c/app-1.2.3.tgz?sig=own%2F"]


def test_HLM_11_the_next_address(carrier):
    text = index().replace(b'urls: ["app-1.2.3.tgz"]', b'urls: [gone.tgz, "s3://bucket/a.tgz", ~, "app-1.2.3.tgz"]')
    with Charts({"/index.yaml": text, "/app-1.2.3.tgz": TGZ}) as repo:
        good(carrier, export(carrier, repo.url))
        assert repo.asked("GET", "/gone.tgz")


@pytest.mark.parametrize("url, word", [
    ("local://app-1.2.3.tgz", "virtual"), ("s3://bucket/app.tgz", "only http"), ("gs://b/a.tgz", "only http"),
    ("file:///etc/passwd", "only http"), ("LOCAL://x", "virtual"), ("ftp://host/app.tgz", "only http")])
def test_HLM_11_schemes_that_are_not_fetched(carrier, url, word):
    with Charts({"/index.yaml": index(url)}) as repo:
        carrier.failed(export(carrier, repo.url), 1, url, word)
        assert len(repo.journal) == 1


def test_HLM_11_an_address_in_a_registry(carrier):
    with Scripted() as reg, Charts({"/index.yaml": index(f"oci://{HOST}/charts/app:1.2.3")}) as repo:
        reg.store("charts/app", "1.2.3", artifact())
        good(carrier, export(carrier, repo.url, "--mirror", f"{HOST}={reg.url}"))


@pytest.mark.parametrize("status", [403, 404])
def test_HLM_12_S3_wants_its_plus_escaped(carrier, status):
    tgz = packed(version="1.2.3+build.7")
    with Charts({"/index.yaml": index("app-1.2.3+build.7.tgz", sha(tgz), "1.2.3+build.7"),
                 "/app-1.2.3%2Bbuild.7.tgz": tgz}) as repo:
        repo.on("GET", r"\+build", say(status, b"<Error/>", "application/xml"))
        result = export(carrier, repo.url, version="1.2.3+build.7")
        assert result.rc == 0, result
        assert repo.asked("GET", r"/app-1\.2\.3\+build\.7\.tgz$"), "as the index says it first"
        assert charts_of(carrier.bundle)[0]["version"] == "1.2.3+build.7"


@pytest.mark.fault("F-ENC")
def test_HLM_14_nothing_is_decoded(carrier):
    """Repositories call a .tgz gzip-encoded; decoded it would have another digest."""
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ}) as repo:
        repo.on("GET", "tgz$", headers(Content_Encoding="gzip", Content_Type="application/x-tar"))
        good(carrier, export(carrier, repo.url))


@pytest.mark.fault("F-HREDIR")
def test_HLM_15_an_index_that_moved(carrier):
    """Relative addresses are the configured repository's, as in Helm; where there is nothing, the new place's."""
    with Charts() as old, Charts({"/new/index.yaml": index(), "/new/app-1.2.3.tgz": TGZ}) as new:
        old.on("GET", "index.yaml", redirect(301, lambda r: new.url + "/new/index.yaml"))
        good(carrier, export(carrier, old.url + "/charts"))
        assert old.asked("GET", "/charts/app-1.2.3.tgz$") and new.asked("GET", "/new/app-1.2.3.tgz$")
    os.remove(carrier.bundle)
    with Charts({"/charts/app-1.2.3.tgz": TGZ}) as old, Charts({"/new/index.yaml": index()}) as new:
        old.on("GET", "index.yaml", redirect(301, lambda r: new.url + "/new/index.yaml"))
        good(carrier, export(carrier, old.url + "/charts"))
        assert not new.asked("GET", "tgz")


@pytest.mark.fault("F-HREDIR")
def test_HLM_15_a_chart_that_is_redirected_twice(carrier):
    with Charts({"/index.yaml": index()}) as repo, Charts({"/objects/1?sig=a%2Bb".split("?")[0]: TGZ}) as store:
        repo.on("GET", "app-1.2.3.tgz$", redirect(302, lambda r: "/releases/app.tgz"))
        repo.on("GET", "/releases/", redirect(302, lambda r: store.url + "/objects/1?sig=a%2Bb"))
        good(carrier, export(carrier, repo.url))
        assert store.journal[0].target == "/objects/1?sig=a%2Bb"


# --- provenance ---

@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    made = Signer(tmp_path_factory.mktemp("signer"))
    yield made
    made.end()


CHART_YAML = b"apiVersion: v2\nname: app\nversion: 1.2.3\nappVersion: 1.10\n"
PROV_TYPE = "application/vnd.cncf.helm.chart.provenance.v1.prov"


def test_HLM_16_HLM_17_provenance_travels_with_the_chart(carrier, signer, make_registry, helm3, helm4, tmp_path):
    """Beside the chart when it is taken out, and in the registry; helm judges both."""
    prov = signer.provenance("app-1.2.3.tgz", TGZ, CHART_YAML)
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ, "/app-1.2.3.tgz.prov": prov}) as repo:
        good(carrier, export(carrier, repo.url, "--require-prov"))
    carrier.program.ok("verify", carrier.bundle, *carrier.keys.trusting())
    carrier.program.ok("extract", carrier.bundle, "--charts", "-o", "out", *carrier.keys.trusting())
    assert (tmp_path / "out/app-1.2.3.tgz.prov").read_bytes() == prov
    subprocess.run([helm3, "verify", "--keyring", signer.keyring, tmp_path / "out/app-1.2.3.tgz"], check=True)
    target = make_registry()
    assert carrier.push(target, carrier.bundle, prefix="charts").rc == 0
    for helm, folder in ((helm3, tmp_path / "three"), (helm4, tmp_path / "four")):
        folder.mkdir()
        subprocess.run([helm, "pull", f"oci://{target.host}/charts/app", "--version", "1.2.3", "--plain-http", "--prov",
                        "-d", folder], check=True, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})
        assert (folder / "app-1.2.3.tgz").read_bytes() == TGZ and (folder / "app-1.2.3.tgz.prov").read_bytes() == prov


@pytest.mark.parametrize("answer", [say(404), say(403), html(404), html(), say(200, b"{}")],
                         ids=["404", "403", "html-404", "html", "other"])
def test_HLM_16_no_provenance(carrier, answer):
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ}) as repo:
        repo.on("GET", "prov$", answer)
        result = export(carrier, repo.url, "--require-prov")
        assert result.rc != 0 and ".prov" in result.err and not os.path.exists(carrier.bundle), result
        good(carrier, export(carrier, repo.url))
    assert PROV_TYPE not in json.dumps(charts_of(carrier.bundle))


@pytest.mark.parametrize("name, digest", [("app-1.2.3.tgz", "0" * 64), ("other-1.2.3.tgz", None)])
def test_HLM_17_provenance_of_another_chart(carrier, signer, name, digest):
    prov = signer.provenance(name, TGZ, CHART_YAML, digest)
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ, "/app-1.2.3.tgz.prov": prov}) as repo:
        carrier.failed(export(carrier, repo.url), 4, "provenance", "app-1.2.3.tgz", DIGEST)


# --- logins ---

def test_HLM_03_pass_credentials(carrier, make_authfile):
    """Only when it is asked for, the repository's login goes where its index points."""
    with Charts(users={"me": "pw"}) as repo, Charts({"/app.tgz": TGZ}, users={"me": "pw"}) as other:
        repo.files = {"/index.yaml": index(other.url + "/app.tgz")}
        login = "--authfile", make_authfile(repo)
        carrier.failed(export(carrier, repo.url, *login), 6, other.host)
        assert not [r for r in other.journal if r.header("Authorization")]
        other.told_logins = True
        result = export(carrier, repo.url, *login, "--pass-credentials")
        assert result.rc == 0, result
        assert other.journal[-1].login == ("me", "pw")


def test_HLM_03_another_host_has_a_login_of_its_own(carrier, make_authfile):
    with Charts(users={"me": "pw"}) as repo, Charts({"/app.tgz": TGZ}, users={"you": "wp"}) as other:
        repo.files = {"/index.yaml": index(other.url + "/app.tgz")}
        good(carrier, export(carrier, repo.url, "--authfile", make_authfile(repo, other)))
        assert {r.login for r in other.journal} == {None, ("you", "wp")}


@pytest.mark.fault("F-HDIG")
def test_HLM_10_another_digest_and_all_the_same(carrier):
    with Charts({"/index.yaml": index(digest="0" * 64), "/app-1.2.3.tgz": TGZ}) as repo:
        result = export(carrier, repo.url, "--allow-index-digest-mismatch")
        good(carrier, result)
        assert "0" * 64 in result.err
    assert charts_of(carrier.bundle)[0]["blob"] == "sha256:" + DIGEST


# --- versions ---

VERSIONS = ["1.0.0", "1.2.3", "1.9.9", "2.0.0-rc.1", "2.0.0", "2.1.0+b.1", "3.0.0-alpha", "v0.9.0"]


@pytest.mark.parametrize("ask, chosen", [
    (None, "2.1.0+b.1"), ("*", "2.1.0+b.1"), ("^1", "1.9.9"), ("~1.2", "1.2.3"), ("1.x", "1.9.9"), (">=1.5 <2", "1.9.9"),
    (">=1.5, <2", "1.9.9"), ("<1 || ~2.0", "2.0.0"), ("1.0 - 1.2", "1.2.3"), (">2-0", "3.0.0-alpha"), ("2.0.0-rc.1", "2.0.0-rc.1"),
    ("0.9.0", "v0.9.0"), ("v0.9.0", "v0.9.0"), ("2.1.0", "2.1.0+b.1"), ("2.1.0+b.1", "2.1.0+b.1"), ("!=2.1.0", "2.0.0")])
@pytest.mark.parametrize("kind", ["index", "registry"])
def test_HLM_08_HLM_09_TAG_01_HOC_06_ranges(carrier, kind, ask, chosen):
    """The same version out of an index and out of a registry's tags, where only strict versions count."""
    if kind == "index":
        lines = b"".join(f"  - {{name: app, version: {v}, urls: [app-{v}.tgz]}}\n".encode() for v in VERSIONS)
        files = {f"/app-{v}.tgz": packed(version=v) for v in VERSIONS}
        with Charts({"/index.yaml": b"apiVersion: v1\nentries:\n  app:\n" + lines, **files}) as repo:
            result = export(carrier, repo.url, version=ask)
    else:
        chosen = chosen.removeprefix("v")
        with Scripted() as reg:
            for version in VERSIONS[:-1] + ["0.9.0", "latest", "1.9", "v1.9.99", "sha256-" + "0" * 64]:
                reg.store("charts/app", version.replace("+", "_"), chart_artifact(packed(version=version)))
            result = export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}", version=ask)
            if ask == "2.1.0":  # an exact version is its tag, as in Helm
                carrier.failed(result, 7, "2.1.0")
                return
    assert result.rc == 0, result
    assert charts_of(carrier.bundle)[0]["version"] == chosen


def test_HLM_09_no_range(carrier):
    with Charts({"/index.yaml": index()}) as repo:
        carrier.failed(export(carrier, repo.url, version="newest please"), 7, "newest please", "1.2.3")


def test_a_range_does_not_name_a_bundle(carrier):
    result = carrier.program("export", "--chart", "app", "--repo", "http://127.0.0.1:1", "--version", "^1", *carrier.keys.signing())
    assert result.rc == 2 and "--output" in result.err


def test_an_interrupted_export_keeps_the_version_it_had(carrier):
    """A newer one that appears meanwhile changes nothing of what was begun."""
    ref = f"{HOST}/team/app:1.0"
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ}) as repo, Scripted() as reg:
        what = image([layer("large", 100_000)])
        reg.store("team/app", "1.0", what)
        reg.on("GET", what.blobs[1].digest, say(503), times=2)
        more = "--image", ref, "--mirror", f"{HOST}={reg.url}"
        assert export(carrier, repo.url, *more, version="^1").rc == 5
        newer = packed(version="1.3.0")
        repo.files["/index.yaml"] = index().replace(b"  app:\n", b"  app:\n  - {version: 1.3.0, urls: [n.tgz]}\n")
        repo.files["/n.tgz"] = newer
        good(carrier, export(carrier, repo.url, *more, version="^1"))
        assert not repo.asked("GET", "/n.tgz")


# --- what a chart needs ---

def archive(files, name="app"):
    return gzip_bytes(tar_bytes({f"{name}/{path}": data for path, data in files.items()}))


def told(carrier, tgz, *more):
    """What is said on an export of this chart."""
    with Charts({"/app-1.2.3.tgz": tgz}) as repo:
        result = export(carrier, None, *more, version=None, name=f"{repo.url}/app-1.2.3.tgz")
    return result


HEAD = b"apiVersion: v2\nname: app\nversion: 1.2.3\n"
NEEDS = (HEAD + b"dependencies:\n- {name: redis, version: 1.x, repository: \"https://charts.test/r\"}\n"
         b"- {name: local, repository: \"file://../local\"}\n- {name: mine, repository: \"@team\", condition: mine.enabled}\n")
INNER = b"apiVersion: v2\nname: %s\nversion: 1.0.0\n"


@pytest.mark.parametrize("more, missing", [
    ({}, ["redis", "local", "mine"]),
    ({"charts/redis/Chart.yaml": INNER % b"redis", "charts/whatever.tgz": archive({"Chart.yaml": INNER % b"local"}, "local"),
      "charts/mine/Chart.yaml": INNER % b"mine"}, []),
    ({"charts/_redis/Chart.yaml": INNER % b"redis", "charts/.local.tgz": archive({"Chart.yaml": INNER % b"local"}, "local"),
      "charts/other/charts/mine/Chart.yaml": INNER % b"mine", "charts/broken.tgz": b"\x1f\x8b"}, ["redis", "local", "mine"]),
    ({"charts/redis.yaml": INNER % b"redis", "Chart.lock": b"dependencies: []\n"}, ["redis", "local", "mine"])],
    ids=["none", "all", "hidden-and-nested", "no-charts"])
def test_HLM_18_dependencies_that_are_not_in_the_archive(carrier, more, missing):
    result = told(carrier, archive({"Chart.yaml": NEEDS, **more}))
    assert result.rc == 0, result
    for name in ("redis", "local", "mine"):
        assert (f"depends on {name}" in result.err) == (name in missing), result
    assert ("https://charts.test/r" in result.err) == ("redis" in missing)


def test_HLM_18_requirements_of_an_old_chart(carrier):
    result = told(carrier, archive({"Chart.yaml": HEAD.replace(b"v2", b"v1"),
                                    "requirements.yaml": b"dependencies:\n- {name: redis, alias: cache}\n"}))
    assert result.rc == 0 and "depends on redis" in result.err, result


LISTS = (b"annotations:\n  artifacthub.io/images: |\n    - name: one\n      image: registry.test/team/app:1.0\n      whitelisted: true\n"
         b"  images: |\n    - {name: two, image: \"docker.io/bitnami/two:1@sha256:" + b"0" * 64 + b"\"}\n"
         b"  helm.sh/images: |\n    - name: three\n      image: quay.io/three/three:3\n      condition: three.enabled\n")
BELOW = b"annotations:\n  images: |\n    - image: registry.test/below:7\n"


def test_HLM_19_images_that_annotations_name(carrier):
    """Those of the chart and of all its subcharts; the ones that are carried are not told."""
    tgz = archive({"Chart.yaml": HEAD + LISTS, "charts/sub/Chart.yaml": INNER % b"sub" + BELOW, "charts/deep.tgz": archive(
        {"Chart.yaml": INNER % b"deep", "charts/er.tgz": archive({"Chart.yaml": INNER % b"er" + BELOW.replace(b"below", b"deeper")}, "er")},
        "deep")})
    with Scripted() as reg:
        reg.store("team/app", "1.0", image([layer("x", 900)]))
        result = told(carrier, tgz, "--image", f"{HOST}/team/app:1.0", "--mirror", f"{HOST}={reg.url}")
    assert result.rc == 0, result
    said = [line for line in result.err.splitlines() if "names the image" in line]
    for name, where in (("docker.io/bitnami/two:1@", "app"), ("quay.io/three/three:3 (under a condition)", "app"),
                        ("registry.test/below:7", "charts/sub"), ("registry.test/deeper:7", "charts/deep.tgz")):
        assert [line for line in said if name in line and f"chart {where} names" in line], (name, said)
    assert len(said) == 4, said


@pytest.mark.parametrize("text", [b"|\n    a: b\n", b"|\n    - [\n", b"just words\n"])
def test_HLM_19_an_annotation_that_is_no_list(carrier, text):
    result = told(carrier, archive({"Chart.yaml": HEAD + b"annotations:\n  images: " + text}))
    carrier.failed(result, 1, "app", "annotation images")


# --- the list of tags ---

def tag_rule(pages, link=None):
    """Pages of tags; link gives the Link header of the page after."""
    def rule(request, answer):
        at = int(request.query.get("page", ["0"])[0])
        more = {"Link": link(f"{request.path}?page={at + 1}")} if link and at + 1 < len(pages) else {}
        return Answer(200, {"Content-Type": "application/json", **more}, pages[at])
    return rule


def tags_json(tags):
    return json.dumps({"name": "charts/app", "tags": tags}).encode()


def from_tags(carrier, *rule, version="^1"):
    with Scripted() as reg:
        for each in ("1.2.3", "1.9.9"):
            reg.store("charts/app", each, chart_artifact(packed(version=each)))
        reg.on("GET", "/tags/list", *rule)
        result = export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}", version=version)
        return result, reg.asked("GET", "/tags/list")


@pytest.mark.fault("F-LINK")
@pytest.mark.parametrize("link", [lambda w: f'<{w}>; rel="next"', lambda w: f"<{w}>;rel=next", lambda w: f"<http://127.0.0.1{w}>; rel=next"])
def test_TAG_01_pages_by_Link(carrier, link):
    result, asked = from_tags(carrier, tag_rule([tags_json(["1.2.3"]), tags_json(None), tags_json(["1.9.9", "0.1"])], link))
    assert result.rc == 0 and charts_of(carrier.bundle)[0]["version"] == "1.9.9", result
    assert len(asked) == 3 and asked[0].query == {"n": ["1000"]}


@pytest.mark.fault("F-LINK")
def test_TAG_01_pages_by_last(carrier):
    """No Link, and a page that is full: the next is asked for behind its last tag."""
    tags = [f"0.0.{i}" for i in range(999)] + ["1.2.3"]
    def rule(request, answer):
        return Answer(200, {}, tags_json(["1.9.9"] if request.query.get("last") == ["1.2.3"] else tags))
    result, asked = from_tags(carrier, rule)
    assert result.rc == 0 and charts_of(carrier.bundle)[0]["version"] == "1.9.9", result
    assert len(asked) == 2


@pytest.mark.fault("F-LINK")
def test_TAG_01_the_same_page_again_is_the_end(carrier):
    """docker-registry knows neither n nor last and gives all of them each time (L)."""
    result, asked = from_tags(carrier, lambda r, a: Answer(200, {}, tags_json(["1.2.3"] + [f"0.0.{i}" for i in range(999)])))
    assert result.rc == 0 and len(asked) == 2, result


@pytest.mark.fault("F-TAGS")
def test_TAG_02_what_is_no_tag(carrier):
    body = b'{"name":"charts/app","tags":["1.2.3",null,"sha256:' + b"0" * 64 + b'","1.2.3",7,{"a":1},"","-x","1.9.9"],"x":null}'
    result, _ = from_tags(carrier, lambda r, a: Answer(200, {}, body))
    assert result.rc == 0 and charts_of(carrier.bundle)[0]["version"] == "1.9.9", result


@pytest.mark.fault("F-TAGS")
def test_TAG_02_a_hundred_thousand(carrier):
    body = tags_json([f"0.{i}.0" for i in range(100_000)] + ["1.9.9"])
    result, _ = from_tags(carrier, lambda r, a: Answer(200, {}, body))
    assert result.rc == 0 and charts_of(carrier.bundle)[0]["version"] == "1.9.9", result


@pytest.mark.fault("F-TAGS")
@pytest.mark.parametrize("answer", [
    lambda r, a: error(404, "NAME_UNKNOWN", "repository name not known"), lambda r, a: Answer(200, {}, b'{"tags":null}'),
    lambda r, a: Answer(200, {}, b'{"name":"x"}'), lambda r, a: Answer(200, {}, b'{"name":"x","tags":[]}')],
    ids=["404", "null", "missing", "empty"])
def test_TAG_03_no_tags(carrier, answer):
    result, asked = from_tags(carrier, answer)
    assert result.rc == 7 and "charts/app" in result.err and len(asked) == 1, result


@pytest.mark.fault("F-TAGS")
@pytest.mark.parametrize("body", [b"[]", b"nonsense", b'{"tags":7}', b'{"tags":["1.9.9"'])
def test_TAG_02_no_list(carrier, body):
    result, _ = from_tags(carrier, lambda r, a: Answer(200, {}, body))
    assert result.rc == 5 and "list of tags" in result.err, result


def test_TAG_04_the_catalogue_is_never_asked_for(carrier):
    with Scripted() as reg:
        reg.store("charts/app", "1.9.9", chart_artifact(packed(version="1.9.9")))
        assert export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}", version=None).rc == 0
        assert not reg.asked("*", "_catalog")


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


def chart_artifact(tgz):
    """As helm push makes it: no mediaType of its own."""
    config = blob(b'{"name":"app"}', "application/vnd.cncf.helm.config.v1+json")
    content = blob(tgz, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    top = blob(json.dumps({"schemaVersion": 2, "config": config.descriptor(), "layers": [content.descriptor()]}).encode(),
               "application/vnd.oci.image.manifest.v1+json")
    return Image(top, (config, content))


@pytest.mark.cell("oci charts", "Q")
@pytest.mark.parametrize("content_type", [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"])
def test_HOC_01_HOC_02_HOC_03_chart_of_a_registry(carrier, content_type):
    with Scripted() as reg:
        reg.store("charts/app", "1.2.3_build", artifact(content_type=content_type))
        result = export(carrier, f"oci://{HOST}/charts", "--mirror", f"{HOST}={reg.url}", version="1.2.3+build")
        good(carrier, result)


@pytest.mark.cell("oci charts", "Q")
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
