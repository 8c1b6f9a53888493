"""Everything that a registry can hold goes through and comes out byte for byte: odd manifests, artifacts, nested indexes,
layers that nobody knows (PROTOCOL 6, 7, 8). Debian's docker-registry and skopeo are the judges."""

import json
import os
import subprocess

import pytest

from support.artifacts import EMPTY, artifact, dump, manifest
from support.carry import HOST, Carrier, blobs, carries
from support.images import (DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Image, blob, image, index, layer,
                            sha256)
from support.scripted import Answer, Listener, Scripted, change, error, headers, html, say

SMALL, LARGE = layer("small", 5_000), layer("large", 60_000)
APP, ARM = image([SMALL, LARGE]), image([SMALL], "linux/arm64")
ZSTD = blob(b"\x28\xb5\x2f\xfd" + b"\x00\x01\x00\x00", "application/vnd.oci.image.layer.v1.tar+zstd")


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


def with_layers(*layers, media_type=OCI_MANIFEST, **more):
    config = APP.blobs[0]
    return manifest({"schemaVersion": 2, "mediaType": media_type, "config": config.descriptor(),
                     "layers": [part.descriptor() for part in layers], **more}, (config, *layers), (), media_type)


def over(*children, media_type=OCI_INDEX, **more):
    return manifest({"schemaVersion": 2, "mediaType": media_type, "manifests": [c.top.descriptor() for c in children], **more},
                    (), children, media_type)


def bare(what, **changes):
    """Without its mediaType."""
    document = {k: v for k, v in json.loads(what.top.data).items() if k != "mediaType"}
    return Image(blob(json.dumps({**document, **changes}, indent=3).encode() + b"\n\n", what.top.media_type), what.blobs,
                 what.children)


NESTED = over(over(APP, ARM), over(image([layer("s390", 900)], "linux/s390x"), annotations={"level": "two"}))
LIST = index([image([SMALL], docker=True), image([SMALL], "linux/arm64", docker=True)], docker=True)
THIN = Image(blob(APP.top.data.replace(b'"layers"', b'\r\n\t "x":[1.0,1e3,-0,"\\u003c\\/"],  "layers"') + b" \n", OCI_MANIFEST), APP.blobs)
SHAPES = {
    "MAN-09 unknown artifactType": artifact("application/x.something+yaml", [b"a: b\n"], layer_type="text/vnd.odd+x"),
    "MAN-09 unknown config type": artifact(..., [b"x"], config=blob(b"not json", "application/x.config")),
    "MAN-09 zero layers": with_layers(),
    "MAN-09 unknown members": with_layers(APP.blobs[1], x={"layers": [1e3]}),
    "MAN-09 duplicate layers": with_layers(APP.blobs[1], APP.blobs[1], APP.blobs[2]),
    "MAN-09 nested indexes": NESTED,
    "MAN-09 empty index": over(),
    "MAN-09 annotations null": with_layers(APP.blobs[1], annotations=None),
    "MAN-09 subject that is not there": artifact("a/b", [b"x"], subject=ARM),
    "MAN-07 no mediaType": bare(APP), "MAN-07 index without mediaType": bare(index([APP, ARM])),
    "MAN-08 RULE-1 odd bytes": THIN, "MAN-08 Docker list": LIST,
    "DL-19 the empty descriptor": artifact("a/b", [EMPTY], config=EMPTY),
    "DL-19 data in the descriptor": artifact("a/b", [], layers=[EMPTY.descriptor(data="e30=")]),
    "UPL-23 an empty blob": with_layers(APP.blobs[1], blob(b"", "application/vnd.oci.image.layer.v1.tar")),
    "PSH-13 zstd": with_layers(ZSTD, APP.blobs[1]),
    "PSH-12 nondistributable without urls": with_layers(blob(b"bytes", "application/vnd.oci.image.layer.nondistributable.v1.tar")),
    "PLT-05 attestations": manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        APP.top.descriptor(platform={"os": "linux", "architecture": "amd64"}),
        ARM.top.descriptor(platform={"os": "unknown", "architecture": "unknown"},
                           annotations={"vnd.docker.reference.type": "attestation-manifest",
                                        "vnd.docker.reference.digest": APP.digest})]}, (), (APP, ARM), OCI_INDEX),
    "MAN-09 many annotations": with_layers(APP.blobs[1], annotations={f"k{i}": "v" * 100 for i in range(2000)}),
}


def below(what):
    return [one for child in what.children for one in (*below(child), child)]


def fill(client, repository, tag, what):
    for one in (*below(what), what):
        for part in one.blobs:
            client.put_blob(repository, part)
    for child in below(what):
        client.put_manifest(repository, child.digest, child.top.data, child.top.media_type)
    client.put_manifest(repository, tag, what.top.data, what.top.media_type)


@pytest.fixture(scope="module")
def yards(tmp_path_factory):
    from support.registry import Registry
    folder = tmp_path_factory.mktemp("artifacts")
    with Registry(str(folder / "source")) as source, Registry(str(folder / "target")) as target:
        for at, what in enumerate(SHAPES.values()):
            fill(source.client(), f"shapes/number-{at}", "1.0", what)
        yield source, target


def raw(server, name):
    done = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{server.host}/{name}"],
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.cell("pull", "R0")
@pytest.mark.cell("push", "R0")
@pytest.mark.parametrize("shape", SHAPES)
def test_RULE_1_round_trip(carrier, yards, shape):
    """Out of a real registry, through a bundle, into another: the same bytes and types."""
    (source, target), what = yards, SHAPES[shape]
    path = f"shapes/number-{list(SHAPES).index(shape)}"
    result = carrier.export(source, "--no-referrers", ref=f"{HOST}/{path}:1.0")
    assert result.rc == 0, result
    assert carrier.push(target, carrier.bundle).rc == 0
    assert raw(target, f"apps/{path}:1.0") == what.top.data
    client = target.client()
    for one in (*below(what), what):
        assert client.manifest(f"apps/{path}", one.digest) == (one.top.data, one.top.media_type)
        for part in one.blobs:
            assert client.ask("GET", f"/v2/apps/{path}/blobs/{part.digest}")[2] == part.data
    carrier.program.ok("verify", carrier.bundle, *carrier.keys.trusting())


# --- what is refused, and how it is said ---

SIGNED_1 = dump({"schemaVersion": 1, "name": "team/app", "tag": "1.0", "architecture": "amd64", "fsLayers": [], "history": [],
                 "signatures": [{"header": {}, "signature": "x", "protected": "y"}]})


@pytest.mark.fault("F-SCHEMA1")
@pytest.mark.parametrize("content_type", ["application/vnd.docker.distribution.manifest.v1+prettyjws", "text/plain",
                                          "application/vnd.docker.distribution.manifest.v1+json", "application/json"])
def test_MAN_02_schema_1(carrier, content_type):
    with Scripted() as server:
        server.on("GET", "/manifests/", say(200, SIGNED_1, content_type))
        carrier.failed(carrier.export(server), 1, "schema 1", "team/app")


def nested(depth):
    what = over(APP)
    for _ in range(depth - 1):
        what = over(what)
    return what


@pytest.mark.parametrize("depth, ok", [(7, True), (8, False)])
def test_MAN_10_depth(carrier, depth, ok):
    what = nested(depth)
    with Scripted() as server:
        for one in (*below(what), what):
            server.store("team/app", one.digest, one)
        server.store("team/app", "1.0", what)
        result = carrier.export(server, "--no-referrers")
        if ok:
            assert result.rc == 0 and carries(carrier.bundle, what), result
        else:
            carrier.failed(result, 1, "at most 8 levels")


@pytest.mark.parametrize("size", [1 << 60, (1 << 63) - 1, 1 << 62])
def test_MAN_10_the_total_that_is_declared(carrier, size):
    """Manifests that promise more than any disk holds are refused before a layer is asked for."""
    huge = [{**APP.blobs[1].descriptor(), "digest": "sha256:" + f"{i:064x}", "size": size} for i in range(3)]
    config = APP.blobs[0]
    what = manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(), "layers": huge}, (config,), (), OCI_MANIFEST)
    with Scripted() as server:
        server.store("team/app", "1.0", what)
        result = carrier.export(server, "--no-referrers")
        assert result.rc == 1 and not [r for r in server.asked("GET", "/blobs/") if config.digest not in r.path], result
        assert not os.path.exists(carrier.bundle)


@pytest.mark.cell("push", "R0")
def test_MAN_11_a_blob_as_a_child_of_an_index(carrier, make_registry):
    """docker-registry takes it, so it must go through (L)."""
    note = blob(b"just a note", "text/plain")
    what = manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [APP.top.descriptor(), note.descriptor()]},
                    (note,), (APP,), OCI_INDEX)
    source, target = make_registry(), make_registry()
    fill(source.client(), "team/app", "1.0", what)
    assert carrier.export(source).rc == 0
    assert carrier.push(target, carrier.bundle).rc == 0
    assert raw(target, "apps/team/app:1.0") == what.top.data
    assert target.client().has_blob("apps/team/app", note.digest)


@pytest.mark.cell("push", "R0")
def test_MAN_14_a_manifest_of_4_MiB(carrier, make_registry):
    """docker-registry takes up to 4 MiB."""
    what = with_layers(APP.blobs[1], annotations={"long": "x" * (4 * 1024 * 1024 - 2000)})
    source, target = make_registry(), make_registry()
    fill(source.client(), "team/app", "1.0", what)
    assert carrier.export(source).rc == 0
    assert carrier.push(target, carrier.bundle).rc == 0
    assert raw(target, "apps/team/app:1.0") == what.top.data


def test_MAN_14_one_byte_too_many(carrier):
    with Scripted() as server:
        for size, status in ((8 * 1024 * 1024, 0), (8 * 1024 * 1024 + 1, 1)):
            notes = {f"note-{i}": "x" * 65_000 for i in range(128)}
            text = with_layers(APP.blobs[1], annotations={**notes, "long": ""}).top.data
            what = Image(blob(text.replace(b'"long":""', b'"long":"%s"' % (b"x" * (size - len(text)))), OCI_MANIFEST), APP.blobs)
            server.store("team/app", "1.0", what)
            result = carrier.plan(server)
            assert result.rc == status, result
            assert status == 0 or "8388608" in result.err


@pytest.mark.parametrize("answer", [
    lambda r, a: error(404, "MANIFEST_UNKNOWN"), lambda r, a: error(404, "NAME_UNKNOWN"), lambda r, a: error(404, "NOT_FOUND"),
    lambda r, a: error(404, "UNKNOWN", "not found"), say(404), say(404, b"not here"), html(404), say(404, b"{", "application/json")],
    ids=["manifest", "name", "not-found", "unknown", "empty", "text", "html", "broken"])
def test_MAN_15_every_404_means_not_there(carrier, answer):
    with Scripted() as server:
        server.on("GET", "/manifests/", answer)
        carrier.failed(carrier.export(server), 7, "404", "team/app")
        assert len(server.asked("GET", "/manifests/")) == 1


@pytest.mark.parametrize("where", ["layer", "reference", "child"])
def test_MAN_17_sha512(carrier, where):
    other = "sha512:" + "0" * 128
    text = APP.top.data.replace(LARGE.digest.encode(), other.encode())
    if where == "child":
        text = over(APP).top.data.replace(APP.digest.encode(), other.encode())
    with Scripted() as server:
        server.manifests["team/app", "1.0"] = blob(text, OCI_INDEX if where == "child" else OCI_MANIFEST)
        ref = f"{HOST}/team/app@{other}" if where == "reference" else f"{HOST}/team/app:1.0"
        result = carrier.export(server, ref=ref)
        carrier.failed(result, 2 if where == "reference" else 1, "sha512")


@pytest.mark.fault("F-HEAD")
@pytest.mark.parametrize("head", [say(403), say(405), say(406), say(501), say(500), headers(Docker_Content_Digest=None),
                                  headers(Docker_Content_Digest="nonsense")],
                         ids=["403", "405", "406", "501", "500", "no-digest", "no-digest-in-it"])
def test_MAN_12_HEAD_does_not_tell(carrier, head):
    """What is there is found out by its bytes."""
    with Scripted() as server, Scripted() as target:
        server.store("team/app", "1.0", APP)
        target.store("apps/team/app", "1.0", APP)
        target.on("HEAD", "/manifests/", head)
        assert carrier.export(server, "--no-referrers").rc == 0
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 0 and "was there" in result.out and not target.asked("PUT"), result


@pytest.mark.fault("F-HEAD")
def test_MAN_12_HEAD_says_no(carrier):
    with Scripted() as server, Scripted() as target:
        server.store("team/app", "1.0", APP)
        assert carrier.export(server, "--no-referrers").rc == 0
        assert carrier.push(target, carrier.bundle).rc == 0
        assert not target.asked("GET", "/manifests/"), "a 404 is an answer"


# --- transfers ---

@pytest.mark.fault("F-HEAD")
@pytest.mark.parametrize("length", [None, "0", "7"])
def test_DL_13_HEAD_says_nothing_of_length(carrier, length):
    """What a HEAD says of a length is nothing to a push either: the tag is there."""
    with Scripted() as server, Scripted() as target:
        server.store("team/app", "1.0", APP)
        target.store("apps/team/app", "1.0", APP)
        target.on("HEAD", "/manifests/", headers(Content_Length=length))
        assert carrier.export(server).rc == 0
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 0 and "was there" in result.out, result


@pytest.mark.cell("pull", "Q")
def test_DL_17_a_shared_layer_is_fetched_once(carrier, tmp_path):
    images = {f"team/app-{i}": image([SMALL, LARGE, layer(f"own-{i}", 900)]) for i in range(6)}
    (tmp_path / "list").write_text("\n".join(f"{HOST}/{name}:1.0" for name in images))
    with Scripted() as server:
        for name, what in images.items():
            server.store(name, "1.0", what)
        done = carrier.export(server, "--images", tmp_path / "list", ref=f"{HOST}/team/app-0:1.0")
        assert done.rc == 0, done
        for shared in (SMALL, LARGE):
            assert len(server.asked("GET", shared.digest)) == 1
    assert all(carries(carrier.bundle, what) for what in images.values())


@pytest.mark.cell("pull", "Q")
@pytest.mark.parametrize("content_type", ["application/octet-stream", OCI_LAYER, "application/gzip", "text/plain",
                                          "binary/octet-stream", "APPLICATION/JSON; charset=utf-8", None, ""])
def test_DL_18_any_type_of_a_blob(carrier, content_type):
    with Scripted() as server:
        server.store("team/app", "1.0", APP)
        server.on("GET", "/blobs/", headers(Content_Type=content_type))
        assert carrier.export(server).rc == 0 and carries(carrier.bundle, APP)


def test_DL_19_data_is_no_substitute_for_the_blob(carrier):
    """What stands in a descriptor is not believed, the blob is fetched and carried."""
    what = artifact("a/b", [], config=EMPTY, layers=[EMPTY.descriptor(data="bGllcw==")])
    with Scripted() as server:
        server.store("team/app", "1.0", what)
        assert carrier.export(server).rc == 0
        assert server.asked("GET", EMPTY.digest) and blobs(carrier.bundle)[EMPTY.digest] == b"{}"


class Elsewhere(Listener):
    """A host that nobody may be sent to."""


@pytest.mark.fault("F-FOREIGN")
@pytest.mark.cell("pull", "Q")
@pytest.mark.parametrize("kind", ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                                  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", OCI_LAYER])
@pytest.mark.parametrize("there", [True, False])
def test_DL_16_urls_are_never_followed(carrier, kind, there):
    foreign = blob(b"not for everybody", kind)
    with Scripted() as server, Elsewhere() as elsewhere:
        urls = [f"{elsewhere.url}/windows/layer.tgz?sig=1", "https://go.example/second"]
        config = APP.blobs[0]
        what = manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(), "layers": [
            APP.blobs[1].descriptor(), foreign.descriptor(urls=urls)]}, (config, APP.blobs[1], *([foreign] if there else [])))
        server.store("team/app", "1.0", what)
        result = carrier.export(server)
        if there:
            assert result.rc == 0 and blobs(carrier.bundle)[foreign.digest] == foreign.data
        else:
            carrier.failed(result, 7, foreign.digest, "team/app", "/windows/layer.tgz", "https://go.example/second")
            assert not server.asked("GET", APP.blobs[1].digest), "said before anything is fetched"
        assert not elsewhere.journal


# --- platforms ---

def windows(*versions):
    children = [image([layer(f"w{v}", 900)], "windows/amd64") for v in versions]
    entries = [c.top.descriptor(platform={"os": "windows", "architecture": "amd64", "os.version": v})
               for c, v in zip(children, versions)]
    return children, manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}, (), children, OCI_INDEX)


@pytest.mark.parametrize("ask, at", [
    ("windows(10.0.17763)/amd64", 0), ("windows(10.0.17763.4851)/amd64", 0), ("windows(10.0.20348.1)/amd64", 1),
    ("windows(10.0.20348)/x86_64", 1), ("windows(10.0)/amd64", None), ("windows/amd64", None), ("windows(10.0.1776)/amd64", None),
    ("windows(10.0.17763.9)/amd64", 0)])
def test_PLT_04_windows_versions(carrier, ask, at):
    children, what = windows("10.0.17763.4851", "10.0.20348.1")
    with Scripted() as server:
        server.store("team/app", "1.0", what)
        result = carrier.export(server, "--platform", ask)
        if at is not None:
            assert result.rc == 0 and carries(carrier.bundle, children[at]), result
            assert children[1 - at].digest not in blobs(carrier.bundle)
        else:
            carrier.failed(result, 7, "10.0.17763.4851", "10.0.20348.1")


def test_PLT_04_all_are_kept_when_none_is_asked_for(carrier):
    _, what = windows("10.0.17763.4851", "10.0.20348.1")
    with Scripted() as server:
        server.store("team/app", "1.0", what)
        assert carrier.export(server).rc == 0 and carries(carrier.bundle, what)


def test_PLT_04_one_windows_needs_no_version(carrier):
    children, what = windows("10.0.17763.4851")
    with Scripted() as server:
        server.store("team/app", "1.0", what)
        assert carrier.export(server, "--platform", "windows/amd64").rc == 0 and carries(carrier.bundle, children[0])


@pytest.mark.cell("pull", "Q")
@pytest.mark.parametrize("ask, ok", [("linux/amd64", True), ("linux/arm64", False)])
def test_PLT_06_no_index_and_no_image(carrier, ask, ok):
    """A single image says its platform in its config; an artifact has none and always goes."""
    note = artifact("a/b", [b"x"])
    with Scripted() as server:
        server.store("team/app", "1.0", APP)
        server.store("team/note", "1.0", note)
        result = carrier.plan(server, "--platform", ask)
        assert result.rc == (0 if ok else 7), result
        assert ok or "linux/amd64" in result.err
        assert carrier.export(server, "--platform", ask, ref=f"{HOST}/team/note:1.0").rc == 0
        assert carries(carrier.bundle, note)


@pytest.mark.cell("pull", "Q")
def test_PLT_05_entries_without_a_platform_are_read(carrier):
    """An index whose entries say no platform: the configs say it."""
    what = over(APP, ARM)
    with Scripted() as server:
        server.store("team/app", "1.0", what)
        result = carrier.export(server, "--platform", "linux/arm64")
        assert result.rc == 0 and carries(carrier.bundle, ARM), result
        assert APP.blobs[2].digest not in blobs(carrier.bundle)
