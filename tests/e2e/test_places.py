"""What sealift does, on every real server of PROTOCOL 16: the table of PROTOCOL 20, cell by cell.

Images are laid into the registries' storage and looked at by a client of its own: sealift is never its own judge.
"""

import hashlib
import json
import os
import signal
import subprocess
import tarfile
import time

import pytest

from support.artifacts import EMPTY, artifact, manifest
from support.carry import HOST, QUICK, Carrier, blobs, member
from support.charts import small
from support.images import DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Image, blob, image, index, layer
from support.matrix import on
from support.places import LOGIN, Place, below
from support.registry import docker_auth
from support.relay import Relay
from support.scripted import Scripted

A, B = layer("a", 4_000), layer("b", 90_000)
ONE, ARM = image([A, B]), image([A], "linux/arm64")
BOTH = index([ONE, ARM])


def holding(*parts, **more):
    """A manifest of these layers, and of more members."""
    config = ONE.blobs[0]
    return manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(),
                     "layers": [p.descriptor() for p in parts], **more}, (config, *parts))


def nested():
    inner = manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [c.top.descriptor() for c in BOTH.children]}, (),
                     BOTH.children, OCI_INDEX)
    return manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner.top.descriptor()]}, (), (inner,), OCI_INDEX)


def foreign():
    """A layer with urls, whose bytes the registry has all the same."""
    far = blob(b"not for everybody" * 40, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    config, *rest = image([A], docker=True).blobs
    document = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config.descriptor(), "layers": [
        rest[0].descriptor(), far.descriptor(urls=["https://elsewhere.invalid/layer"])]}
    return manifest(document, (config, rest[0], far), (), DOCKER_MANIFEST)


CHART = small("app", "1.2.3+build.7")
CHART_IMAGE = manifest(
    {"schemaVersion": 2, "config": (config := blob(b'{"name":"app","version":"1.2.3+build.7","apiVersion":"v2"}',
                                                   "application/vnd.cncf.helm.config.v1+json")).descriptor(),
     "layers": [(content := blob(CHART, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")).descriptor()]}, (config, content))
PULLED = {"one": ONE, "index": BOTH, "nested": nested(), "docker": index([image([A], docker=True)], docker=True),
          "zstd": holding(blob(b"\x28\xb5\x2f\xfd" + b"\x00\x01\x00\x00", "application/vnd.oci.image.layer.v1.tar+zstd")),
          "foreign": foreign(), "artifact": artifact("application/spdx+json", [b'{"spdx":1}'])}
PUSHED = {"one": ONE, "index": BOTH, "nested": PULLED["nested"], "artifact": PULLED["artifact"], "zero": holding(),
          "empty": holding(blob(b"", "application/vnd.oci.image.layer.v1.tar"), EMPTY),
          "large": holding(ONE.blobs[1], annotations={f"k{i}": "v" * 1000 for i in range(4090)})}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """places(name): that server, filled, for as long as this file's tests run; places(name, front=...): with a front before it."""
    made = {}

    def get(name, front=None):
        if (name, front) not in made:
            place = made[name, front] = Place(name, tmp_path_factory.mktemp("places") / name, front)
            for tag, what in PULLED.items():
                place.fill("team/app", tag, what)
            place.fill("charts/app", "1.2.3_build.7", CHART_IMAGE)
        return made[name, front]

    yield get
    for place in made.values():
        place.__exit__()


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    """A folder with all.tar, a bundle of everything in PUSHED and of ONE under a second name, which can be mounted; and
    small.tar, which has no manifest of 4 MiB."""
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("carried"))
    with Scripted() as source:
        for tag, what in PUSHED.items():
            for one in (*below(what), what):
                source.store("team/app", tag, one)
        source.store("team/web", "one", ONE)
        for tags, name in ((list(PUSHED), "all.tar"), ([tag for tag in PUSHED if tag != "large"], "small.tar")):
            carrier.bundle = os.path.join(carrier.folder, name)
            names = [word for tag in tags for word in ("--image", f"{HOST}/team/app:{tag}")]
            result = carrier.export(source, *names, ref=f"{HOST}/team/web:one")
            assert result.rc == 0, result
    return carrier.folder


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def push(sealift, keys, carried, request):
    """push(place, ...): into a prefix of this test's own; result.prefix. No manifest of 4 MiB passes N3."""
    def run(place, *more, rc=0, name=None):
        bundle = os.path.join(carried, name or ("small.tar" if place.name == "N3" else "all.tar"))
        prefix = "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
        result = sealift("push", bundle, f"{place.host}/{prefix}", *keys.p256.trusting(), *place.push_words(), *QUICK, "--retries", "9", *more)
        assert result.rc == rc, result
        result.prefix = prefix
        return result
    return run


def pull(carrier, place, *more, tag="one", ref=None):
    return carrier.export(place, *place.words, "--no-referrers", *more, ref=ref or f"{HOST}/team/app:{tag}")


def whole(carrier, what):
    """Every byte that was laid into the registry is in the bundle."""
    there = blobs(carrier.bundle)
    for one in (*below(what), what):
        assert there[one.digest] == one.top.data
        assert all(there[part.digest] == part.data for part in one.blobs)


def arrived(place, prefix):
    """Every byte of what was pushed is there, as the registry itself gives it."""
    wanted = [("team/app", tag, one) for tag, one in PUSHED.items() if place.name != "N3" or tag != "large"] + [("team/web", "one", ONE)]
    for name, tag, top in wanted:
        assert place.manifest(f"{prefix}/{name}", tag) == (top.top.data, top.top.media_type)
        for one in (*below(top), top):
            assert place.manifest(f"{prefix}/{name}", one.digest) == (one.top.data, one.top.media_type)
            assert all(place.blob(f"{prefix}/{name}", part.digest) == part.data for part in one.blobs)


# --- pull ---

ALL = ("R0", "R1", "R2", "R3", "R4", "R6", "R7", "N1", "N3", "N4", "N8")
REFERENCES = {"tag": f"{HOST}/team/app:index", "digest": f"{HOST}/team/app@{BOTH.digest}", "both": f"{HOST}/team/app:index@{BOTH.digest}"}


@pytest.mark.parametrize("by", REFERENCES)
@pytest.mark.parametrize("where", on("resolve", *ALL, "R10"))
def test_MAN_01_REF_05_a_reference_is_resolved(carrier, places, where, by):
    """By tag and by digest the same document; what is asked for under a digest that it has not got is refused."""
    place = places(where)
    result = carrier.program("plan", "--image", REFERENCES[by], "--mirror", f"{HOST}={place.url}", *place.words, *QUICK[:4], "--json")
    assert result.rc == 0 and BOTH.digest in result.out, result
    assert not [r for r in place.requests() if r.method == "GET" and "/blobs/" in r.path and ONE.blobs[2].digest in r.path] or by != "tag"


@pytest.mark.fault("F-ACCEPT")
@pytest.mark.parametrize("tag", ["one", "index", "docker"])
def test_MAN_01_R0_converts_nothing(carrier, places, tag):
    """docker-registry 2.8.2 converts, or says 404, where a type is not accepted."""
    place = places("R0")
    assert pull(carrier, place, tag=tag).rc == 0
    whole(carrier, PULLED[tag])


@pytest.mark.parametrize("tag", PULLED)
@pytest.mark.parametrize("where", on("pull", *ALL))
def test_RULE_1_every_shape_comes_as_it_lies_there(carrier, places, where, tag):
    result = pull(carrier, places(where), tag=tag)
    assert result.rc == 0, result
    whole(carrier, PULLED[tag])


@pytest.mark.parametrize("where", on("pull", "R0", "R2", "R6", "R7", "N1", "N3", "N4", "N8"))
def test_PLT_01_one_platform_of_an_index(carrier, places, where):
    result = pull(carrier, places(where), "--platform", "linux/arm64", tag="index")
    assert result.rc == 0, result
    there = blobs(carrier.bundle)
    assert ARM.digest in there and ONE.digest not in there and BOTH.digest not in there


@pytest.mark.parametrize("where", [
    pytest.param(name, marks=[pytest.mark.cell("pull", name), *([pytest.mark.cell("oci charts", name)] if name in ("R0", "R2") else [])])
    for name in ("R0", "R2", "R6", "R7", "N1", "N3", "N4", "N8")])
def test_HOC_01_HOC_04_a_chart_with_a_plus(carrier, places, where):
    place = places(where)
    result = carrier.program("export", "--chart", "app", "--repo", f"oci://{HOST}/charts", "--version", "1.2.3+build.7", "--mirror",
                             f"{HOST}={place.url}", *place.words, *carrier.keys.signing(), "-o", carrier.bundle, *QUICK)
    assert result.rc == 0, result
    assert CHART in blobs(carrier.bundle).values()


# --- resume ---

HEAVY = layer("heavy", 900_000)
SIZE = len(HEAVY.data)
BLOCK = 128 * 1024  # what is there is read by


def frozen_export(carrier, place, relay, count):
    """An export that is killed when count bytes of the layer, at most, have come through the relay."""
    relay.freeze_at(count)
    process = carrier.program.start("export", "--image", f"{HOST}/team/heavy:1.0", "--mirror", f"{HOST}={place.url}", *place.words,
                                    "--no-referrers", "-j", "1", *carrier.keys.signing(), "-o", carrier.bundle, *QUICK)
    end = time.monotonic() + 30
    while not relay.frozen.wait(0.01) and process.poll() is None:
        assert time.monotonic() < end
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL) if alive else None
    process.communicate()
    relay.cut()
    return alive


def layer_at(bundle):
    with tarfile.open(bundle) as tar:
        return next(m.offset_data for m in tar if m.name.endswith(HEAVY.digest[7:]))


@pytest.fixture(params=[0, 1, 450_000, SIZE - 1, SIZE], ids=["0", "1", "middle", "all but one", "all"])
def count(request):
    return request.param


@pytest.mark.fault("KILL")
@pytest.mark.parametrize("where", on("resume", "R0", "R2", "R7"))
def test_DL_07_DL_10_killed_and_begun_again(carrier, tmp_path, where, count):
    """The wire stands still after so many bytes; then kill -9; then the same command, which asks R7 for a new address."""
    what = image([HEAVY])
    with Place(where, tmp_path / "place") as place:
        place.fill("team/heavy", "1.0", what)
        relay = Relay(place.store.nginx.port if place.store else place.registry.port)
        if place.store:
            place.store.by_way_of = relay.port
        else:
            place.host, place.url = relay.host, relay.url
            place.words = ["--authfile", place.authfile(relay.host)] if place.tokens else place.words
        killed = frozen_export(carrier, place, relay, count)
        held = os.stat(carrier.bundle + ".partial").st_blocks * 512 if os.path.exists(carrier.bundle + ".partial") else 0
        result = pull(carrier, place, "-j", "1", ref=f"{HOST}/team/heavy:1.0")
        again = relay.passed
        relay.stop()
        assert killed and result.rc == 0, result
        whole(carrier, what)
        kept = max(0, held - layer_at(carrier.bundle) - BLOCK - 16_384)  # but for small members, and what the last block lacks
        assert again < SIZE - kept + 32_768, "what was on the disk is not fetched again"
        if place.store:
            addresses = [r.path for r in place.store.nginx.requests() if HEAVY.digest[7:] in r.path]
            assert len(addresses) == len(set(addresses)), "no address that was given out before is used again"


# --- push ---

PUSHES = ("R0", "R1", "R2", "R3", "R4", "R7", "N1", "N3", "N4", "N8", "R10")


def skopeo_agrees(place, prefix, tmp_path):
    """skopeo reads what is there: each document by its tag, and all of an index, byte for byte."""
    if place.name not in ("R0", "R1", "R3", "R4", "N4"):
        return  # as the registry itself was asked above; skopeo needs the login's token service, or follows to a store
    user = [f"--creds={LOGIN[0]}:{LOGIN[1]}"] if place.name == "R1" else []
    certificate = [f"--cert-dir={place.path('registry', 'certs')}"] if place.name in ("R3", "R4") else ["--tls-verify=false"]
    if place.name in ("R3", "R4"):
        os.makedirs(place.path("registry", "certs"), exist_ok=True)
        for name, end in (("ca.pem", "ca.crt"), ("server.pem", "me.cert"), ("server.key", "me.key")):
            with open(place.path("registry", "tls", name)) as f, open(place.path("registry", "certs", end), "w") as out:
                out.write(f.read())
    for tag, what in PUSHED.items():
        done = subprocess.run(["skopeo", "inspect", "--raw", *user, *certificate, f"docker://{place.host}/{prefix}/team/app:{tag}"], capture_output=True)
        assert done.returncode == 0 and done.stdout == what.top.data, done.stderr
    copied = tmp_path / "copied"
    words = [w.replace("--", "--src-") for w in (*user, *certificate)]
    done = subprocess.run(["skopeo", "copy", "-q", "--all", "--preserve-digests", *words, f"docker://{place.host}/{prefix}/team/app:index",
                           f"dir:{copied}"], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (copied / "manifest.json").read_bytes() == BOTH.top.data
    assert all((copied / part.digest[7:]).read_bytes() == part.data for part in BOTH.all_blobs())


@pytest.mark.parametrize("where", [
    pytest.param(name, id=name, marks=[pytest.mark.cell("push", name), *([pytest.mark.cell("push again", name)] if name != "R7" else [])])
    for name in PUSHES])
def test_PSH_01_PSH_19_every_shape_and_the_same_again(push, places, tmp_path, carrier, where):
    """All is there byte for byte; the same command again writes nothing; and what is pulled from there is what was pushed."""
    place = places(where)
    result = push(place)
    arrived(place, result.prefix)
    skopeo_agrees(place, result.prefix, tmp_path)
    before = len(place.requests())
    push(place)
    assert {r.method for r in place.requests()[before:]} <= {"GET", "HEAD"}, "a second push writes nothing"
    assert pull(carrier, place, ref=f"{HOST}/{result.prefix}/team/app:index").rc == 0
    whole(carrier, BOTH)


@pytest.mark.fault("F-413")
@pytest.mark.parametrize("where", on("push", "N3"))
def test_UPL_24_N3_a_manifest_cannot_be_parted(push, places, where):
    result = push(places(where), rc=1, name="all.tar")
    assert "413" in result.err and "limits the size" in result.err, result


@pytest.mark.parametrize("where", on("push", "R6"))
def test_PSH_16_R6_a_cache_takes_nothing(push, places, where):
    place = places(where)
    result = push(place, rc=5)
    assert "405" in result.err and "UNSUPPORTED" in result.err, result
    assert len([r for r in place.requests() if r.method == "POST"]) <= 8, "final: no worker asks again"


WAYS = {"put": {"PUT"}, "patch-chunk": {"PATCH", "PUT"}, "patch-whole": {"PATCH", "PUT"}}
UPLOADS = ("R0", "R2", "N1", "N3", "N4", "N8", "R10")


@pytest.mark.parametrize("where, way", [pytest.param(where, way, id=f"{where}-{way}", marks=pytest.mark.cell("upload", where))
                                        for where in UPLOADS for way in WAYS if where != "R10" or way == "put"])
def test_UPL_08_each_way_of_uploading(push, places, tmp_path, where, way):
    """What settings say is done, and layers of two names are mounted. (Where each request goes to another replica, as
    behind R10, no session lives for as long as chunks take.)"""
    place = places(where)
    (tmp_path / "settings.yaml").write_text(f"registries:\n  {place.host}:\n    upload: {way}\n")
    before = len(place.requests())
    result = push(place, "--config", "settings.yaml", "-j", "1")
    arrived(place, result.prefix)
    asked = place.requests()[before:]
    assert {r.method for r in asked if "/uploads/" in r.path and r.method in ("PUT", "PATCH")} == WAYS[way]
    assert [r for r in asked if r.method == "POST" and "mount=" in r.path and r.status == 201]


@pytest.mark.parametrize("where", on("upload", "R10"))
def test_UPL_18_R10_chunks_that_no_replica_gathers(push, places, tmp_path, where):
    """A replica is chosen by the method: a chunk never meets its session."""
    place = places(where, "by method")
    (tmp_path / "settings.yaml").write_text(f"registries:\n  {place.host}:\n    upload: patch-chunk\n")
    result = push(place, "--config", "settings.yaml", "-j", "1", rc=5)
    assert "BLOB_UPLOAD_INVALID" in result.err and "replicas" in result.err, result


@pytest.mark.fault("F-MOUNT")
@pytest.mark.parametrize("where", on("upload", "R0", "R2", "R10"))
def test_UPL_02_a_mount_that_is_refused_is_an_upload(push, places, where):
    place = places(where, "no mounts")
    result = push(place, "-j", "1")
    arrived(place, result.prefix)
    mounts = [r for r in place.nginx.requests() if "mount=" in r.path]
    assert mounts and {r.status for r in mounts} == {405}


# --- logins ---

def docker_config(place, home):
    return {}, _write(home / ".docker/config.json", docker_auth({place.host: LOGIN}))


def podman_config(place, home):
    return {}, _write(home / ".config/containers/auth.json", docker_auth({place.host: LOGIN}))


def helper(place, home):
    words = json.dumps({"ServerURL": place.host, "Username": LOGIN[0], "Secret": LOGIN[1]})
    path = _write(home / "bin/docker-credential-test", f"#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{words}\nEND\n", 0o755)
    _write(home / ".docker/config.json", json.dumps({"credHelpers": {place.host: "test"}}))
    return {"PATH": f"{os.path.dirname(path)}:/usr/bin:/bin"}, path


def environment(place, home):
    return {"DOCKER_AUTH_CONFIG": docker_auth({place.host: LOGIN})}, None


def named_file(place, home):
    path = _write(home / "named.json", docker_auth({place.host: LOGIN}))
    return {"REGISTRY_AUTH_FILE": path}, path


def _write(path, text, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


SOURCES = {"docker": docker_config, "podman": podman_config, "helper": helper, "environment": environment, "file": named_file}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("where", on("login", "R1", "R2", "N8"))
def test_CRD_01_CRD_07_CRD_11_a_login_from_everywhere(carrier, places, tmp_path, keys, carried, where, source):
    """Without it denied; with it pulled and pushed."""
    place = places(where)
    kept, place.words = place.words, []
    try:
        denied = pull(carrier, place)
        assert denied.rc == 6 and "no credentials" in denied.err, denied
        env, _ = SOURCES[source](place, tmp_path)
        result = pull(carrier, place, ref=f"{HOST}/team/app:one") if not env else carrier.export(place, "--no-referrers", ref=f"{HOST}/team/app:one", env=env)
        assert result.rc == 0, result
        pushed = carrier.program("push", carrier.bundle, f"{place.host}/by-{source}", *carrier.keys.trusting(), "--plain-http", *QUICK, env=env)
        assert pushed.rc == 0, pushed
    finally:
        place.words = kept


@pytest.mark.parametrize("where", on("login", "R1", "R2", "N8"))
def test_CRD_01_a_login_of_the_command_line(carrier, places, where):
    place = places(where)
    words = "export", "--image", f"{place.host}/team/app:one", "--plain-http", "-u", LOGIN[0], "--password-stdin", *carrier.keys.signing(), "-o", carrier.bundle
    assert carrier.program(*words, input="wrong\n").rc == 6
    result = carrier.program(*words, input=LOGIN[1] + "\n")
    assert result.rc == 0, result
    assert LOGIN[1] not in result.out + result.err
