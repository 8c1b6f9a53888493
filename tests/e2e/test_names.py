"""Names of images at both ends, and what becomes of them in a push (PROTOCOL 1, 9)."""

import json
import subprocess

import pytest

from support import ports, processes
from support.carry import HOST, REF, Carrier, member
from support.forge import Forged, Signer, blob as member_blob
from support.images import Image, blob, image, index, layer, sha256
from support.registry import Registry
from support.scripted import Scripted, error

APP = image([layer("a", 3_000)])


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.p256, tmp_path)


@pytest.fixture
def server():
    with Scripted() as registry:
        registry.store("team/app", "1.0", APP)
        yield registry


def inventory(carrier):
    return json.loads(member(carrier.bundle, "bundle/inventory.json"))


# --- references ---

def test_REF_09_a_port_is_part_of_the_key(carrier, server, tmp_path):
    """The login for HOST is not the one for HOST:PORT."""
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {"127.0.0.1": {"auth": "bWU6cHc="}, "127.0.0.1:443": {"auth": "bWU6cHc="}}}))
    server.users = {"me": "pw"}
    result = carrier.export(server, "--authfile", tmp_path / "auth.json")
    assert result.rc == 6 and "no credentials found" in result.err, result
    assert not [r for r in server.journal if r.header("Authorization")]


def test_REF_10_all_behind_the_host_is_a_name(carrier):
    deep = "org/group.name/sub_group/a--b/app"
    with Scripted() as source, Scripted() as target:
        source.store(deep, "1.0", APP)
        assert carrier.export(source, ref=f"{HOST}/{deep}:1.0").rc == 0
        result = carrier.push(target, carrier.bundle, prefix="one/two/three")
        assert result.rc == 0, result
        assert ("one/two/three/" + deep, "1.0") in target.manifests
        assert all(r.path == "/v2/" or r.path.startswith(f"/v2/one/two/three/{deep}/") for r in target.journal)
        assert all(r.path == "/v2/" or r.path.startswith(f"/v2/{deep}/") for r in source.journal)


@pytest.mark.parametrize("words", ["docker://registry.test/team/app:1.0", "registry.test/team/app:1.0"])
def test_REF_13_a_scheme_of_other_tools_is_taken_off(carrier, server, words):
    assert carrier.export(server, ref=words).rc == 0
    assert inventory(carrier)["images"][0]["ref"] == REF


def test_REF_14_lists_as_people_keep_them(carrier, server, tmp_path):
    """A mark at the beginning, carriage returns, comments, blanks; and what is no name is named with its line's text."""
    server.store("team/web", "2.0", image([layer("web", 100)]))
    (tmp_path / "list.txt").write_bytes(
        b"\xef\xbb\xbf# ours\r\n  registry.test/team/web:2.0   # why\r\n\r\n\tregistry.test/team/app:1.0\n# registry.test/team/none:1\nregistry.test/team/app:1.0")
    result = carrier.program("export", "--images", "list.txt", "--mirror", f"{HOST}={server.url}", *carrier.keys.signing(),
                             "-o", carrier.bundle, "--release-version", "1")
    assert result.rc == 0, result
    assert [i["ref"] for i in inventory(carrier)["images"]] == [REF, f"{HOST}/team/web:2.0"]
    for bad in ('"registry.test/team/app:1.0"', "/team/app:1.0", "registry.test/team/app:1.0 registry.test/team/web:2.0"):
        (tmp_path / "list.txt").write_text(bad + "\n")
        refused = carrier.program("export", "--images", "list.txt", *carrier.keys.signing(), "-o", "no.tar")
        assert refused.rc == 2 and bad.split()[0].strip('"')[:12] in refused.err, refused


def test_REF_12_two_sources_for_one_name_stop_before_the_first_request(carrier, server):
    other = image([layer("other", 50)])
    server.store("team/app", "1.0", APP)
    with Scripted() as second, Scripted() as target:
        second.store("team/app", "1.0", other)
        result = carrier.export(server, "--image", "second.test/team/app:1.0", "--mirror", f"second.test={second.url}")
        assert result.rc == 0, result
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 1 and "found two that would become" in result.err and not target.journal, result


def test_REF_12_names_that_differ_in_case_are_told(carrier, server):
    server.store("team/app", "RC1", image([layer("upper", 50)]))
    server.store("team/app", "rc1", image([layer("lower", 60)]))
    with Scripted() as target:
        assert carrier.export(server, "--image", f"{HOST}/team/app:rc1", ref=f"{HOST}/team/app:RC1").rc == 0
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 0 and result.err.count("differ in case alone") == 1, result


# --- IPv6, on the real registry ---

@pytest.fixture
def on_six(tmp_path):
    port = ports.free_port()
    config = tmp_path / "six.yml"
    config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/six}}}}\n"
                      f"http: {{addr: \"[::1]:{port}\", relativeurls: true, secret: x}}\n")
    server = processes.Server(["docker-registry", "serve", str(config)], str(tmp_path), "six",
                              env={"PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"},
                              ready=lambda: subprocess.run(["curl", "-gsf", f"http://[::1]:{port}/v2/"], capture_output=True).returncode == 0)
    yield f"[::1]:{port}"
    server.stop()


@pytest.mark.cell("network", "R0")
def test_REF_08_HST_01_R9_a_literal_of_IPv6(carrier, server, on_six, tmp_path):
    """There and back, with Locations that are relative; skopeo reads it too."""
    assert carrier.export(server).rc == 0
    result = carrier.program("push", carrier.bundle, f"{on_six}/apps", *carrier.keys.trusting(), "--plain-http")
    assert result.rc == 0, result
    raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{on_six}/apps/team/app:1.0"], capture_output=True)
    assert raw.returncode != 0 or raw.stdout == APP.top.data, "skopeo of this age may refuse the literal"
    back = Carrier(carrier.program, carrier.keys, tmp_path)
    back.bundle = str(tmp_path / "back.tar")
    again = carrier.program("export", "--image", f"{on_six}/apps/team/app:1.0", "--plain-http", *carrier.keys.signing(), "-o", back.bundle)
    assert again.rc == 0 and inventory(back)["images"][0]["digest"] == APP.digest, again
    refused = carrier.program("export", "--image", "[fe80::1%eth0]:5000/x:1", "--plain-http", *carrier.keys.signing(), "-o", "z.tar")
    assert refused.rc == 2


# --- what is pushed ---

def test_PSH_22_a_tag_that_names_another_stops_before_the_first_byte(carrier, server):
    theirs = image([layer("theirs", 10)])
    assert carrier.export(server).rc == 0
    with Scripted() as target:
        target.store("apps/team/app", "1.0", theirs)
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 1 and theirs.digest in result.err and "--on-existing-tag overwrite" in result.err, result
        assert {r.method for r in target.journal} <= {"GET", "HEAD", "POST"} and not any(r.body for r in target.journal)
        assert "1 empty upload was opened" in result.err and len(target.asked("POST")) == 1, result
        result = carrier.push(target, carrier.bundle, "--on-existing-tag", "overwrite")
        assert result.rc == 0, result
        kept = f"1.0-was-{theirs.digest[7:19]}"
        assert target.manifests["apps/team/app", kept].digest == theirs.digest and target.manifests["apps/team/app", "1.0"].digest == APP.digest
        puts = [r.path.rsplit("/", 1)[1] for r in target.asked("PUT", "/manifests/")]
        assert puts.index(kept) < puts.index("1.0"), "the way back first"


@pytest.mark.fault("F-SPARSE")
def test_PSH_06_an_index_without_a_child_is_refused_at_export(carrier, server):
    both = index([image([layer("x", 100)]), image([layer("y", 100)], "linux/arm64")])
    server.store("team/sparse", "1.0", both)
    del server.manifests["team/sparse", both.children[1].digest]
    result = carrier.export(server, ref=f"{HOST}/team/sparse:1.0")
    carrier.failed(result, 7, both.children[1].digest, "team/sparse")


@pytest.mark.fault("F-EVENTUAL")
@pytest.mark.parametrize("status, code", [(400, "MANIFEST_BLOB_UNKNOWN"), (404, "BLOB_UNKNOWN")])
def test_PSH_09_blobs_that_appear_late(carrier, server, status, code):
    assert carrier.export(server).rc == 0
    with Scripted() as target:
        target.on("PUT", "/manifests/", lambda r, a: error(status, code, "blob unknown to registry"), times=2)
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 0, result
        assert len(target.asked("PUT", "/manifests/1.0")) == 3


@pytest.mark.fault("F-EVENTUAL")
def test_PSH_09_a_blob_that_never_appears(carrier, server):
    assert carrier.export(server).rc == 0
    with Scripted() as target:
        target.on("PUT", "/manifests/", lambda r, a: error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"))
        result = carrier.push(target, carrier.bundle)
        assert result.rc in (5, 8) and "MANIFEST_BLOB_UNKNOWN" in result.err, result
        assert len(target.asked("PUT", "/manifests/1.0")) <= 5 and ("apps/team/app", "1.0") not in target.manifests


def test_PSH_15_a_wrong_digest_of_a_manifest_is_final(carrier, server):
    assert carrier.export(server).rc == 0
    with Scripted() as target:
        target.on("PUT", "/manifests/", lambda r, a: error(400, "DIGEST_INVALID", "provided digest did not match"))
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 4 and "DIGEST_INVALID" in result.err, result
        assert len(target.asked("PUT", "/manifests/")) == 1


def test_PSH_14_sizes_are_checked_before_anything_is_asked(carrier, server, tmp_path):
    """docker-registry takes a manifest whose sizes lie; a bundle that a trusted key signed with one is not pushed."""
    assert carrier.export(server).rc == 0
    forged, signer = Forged(carrier.bundle), Signer(tmp_path)
    name = "blobs/" + APP.digest.replace(":", "/")
    forged.remake(name, lambda document: document["layers"][0].update(size=document["layers"][0]["size"] + 1))
    at = [n for n, _ in forged.members].index(name)
    forged.members[at] = member_blob(forged.members[at][1])
    digest = sha256(forged.members[at][1])
    entry = forged.inventory["images"][0]
    entry.update(digest=digest, source_digest=digest, size=len(forged.members[at][1]))
    entry["blobs"] = [digest if b == APP.digest else b for b in entry["blobs"]]
    path = forged.write(tmp_path / "forged.tar", signer)
    with Scripted() as target:
        result = carrier.program("push", path, target.host, *signer.trusting(), "--plain-http")
        assert result.rc == 4 and {r.method for r in target.journal} <= {"GET", "HEAD"}, result


def test_PSH_17_PSH_18_nothing_new_is_needed_and_nothing_is_deleted(carrier, server):
    assert carrier.export(server).rc == 0
    with Scripted() as target:
        assert carrier.push(target, carrier.bundle).rc == 0
        assert not [r for r in target.journal if r.method == "DELETE" or set(r.query) - {"digest", "_state"}]


def test_PSH_20_what_became_of_each_thing(carrier, server, registry, make_authfile):
    """By name, on the real registry: the table's digest is what skopeo reads."""
    shared = layer("shared", 4_000)
    for name in ("one", "two"):
        server.store(f"team/{name}", "1.0", image([shared, layer(name, 500)]))
    assert carrier.export(server, "--image", f"{HOST}/team/two:1.0", ref=f"{HOST}/team/one:1.0").rc == 0
    words = ("push", carrier.bundle, f"{registry.host}/apps", *carrier.keys.trusting(), "--plain-http", "--authfile", make_authfile(registry), "-v", "--no-progress")
    result = carrier.program(*words)
    assert result.rc == 0, result
    for name in ("one", "two"):
        raw = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", "--creds", ":".join(registry.login),
                              f"docker://{registry.host}/apps/team/{name}:1.0"], check=True, capture_output=True).stdout
        line = next(l for l in result.out.splitlines() if f"apps/team/{name}:1.0" in l)
        assert f"-> {sha256(raw)}" in line and "pushed" in line
    said = result.out + result.err
    assert said.count("uploaded") >= 5 and said.count("mounted") == 1
    again = carrier.program(*words)
    assert again.rc == 0 and again.out.count("was there") == 2 and "uploaded" not in again.out + again.err, again
