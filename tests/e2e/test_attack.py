"""What a vendor with a trusted key could sign, and what a hostile place can put in the way."""

import json
import os
import signal
import subprocess
import time

import pytest

from support.carry import Carrier
from support.forge import Forged, Signer, blob
from support.images import image, index, layer, sha256
from support.program import binary
from support.scripted import Scripted

LAYERS = [layer("attack-1", 3000), layer("attack-2", 700)]


@pytest.fixture(scope="module")
def honest(session_sealift, keys, tmp_path_factory):
    """(path, image) of a bundle with an index of two manifests."""
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("attack"))
    made = index([image([LAYERS[0]]), image([LAYERS[1]], "linux/arm64")])
    with Scripted() as server:
        server.store("team/app", "1.0", made)
        result = carrier.export(server)
        assert result.rc == 0, result
    return carrier.bundle, made


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture
def forged(honest):
    return Forged(honest[0])


# ---- signed lies ---------------------------------------------------------------------------

def test_an_honest_forgery_is_believed(forged, signer, sealift, tmp_path):
    sealift.ok("verify", forged.write(tmp_path / "b.tar", signer), *signer.trusting())


@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
def test_a_signed_bundle_that_lacks_a_blob(honest, forged, signer, sealift, tmp_path, what):
    child = honest[1].children[0]
    lost = {"layer": LAYERS[0].digest, "config": child.blobs[0].digest, "manifest": child.digest}[what]
    forged.drop(lost)
    path = forged.write(tmp_path / "b.tar", signer)
    result = sealift("verify", path, *signer.trusting())
    assert result.rc == 4 and lost in result.err and "found none" in result.err, result
    with Scripted() as server:
        pushed = sealift("push", path, server.host, *signer.trusting(), "--plain-http")
        assert pushed.rc == 4, pushed
        assert not [r for r in server.journal if r.method in ("PUT", "POST", "PATCH")]


def test_signatures_that_nobody_checks_are_named(forged, signer, sealift, tmp_path):
    """A signature by an unknown key, or of an unknown form, beside one that holds."""
    more = [("bundle/sig/0123456789abcdef.sig", b"AAAA\n"), (f"bundle/sig/{signer.kid}.p7s", b"x")]
    path = forged.write(tmp_path / "b.tar", signer, more=more)
    for verb in ("verify", "inspect"):
        said = sealift.ok(verb, path, *signer.trusting()).out
        assert [name in said for name in ("0123456789abcdef.sig", signer.kid + ".p7s", signer.kid + ".sig")] == [
            True, True, False], said
        told = sealift.ok(verb, path, *signer.trusting(), "--json").events[0]
        assert sorted(told["unchecked"]) == sorted(["0123456789abcdef.sig", signer.kid + ".p7s"])


def test_a_signed_manifest_that_lies_about_a_size(honest, forged, signer, sealift, tmp_path):
    child = honest[1].children[0]
    document = json.loads(child.top.data)
    document["layers"][0]["size"] += 1
    text = json.dumps(document).encode()
    forged.members.append(blob(text))
    listed = forged.inventory["images"][0]
    listed.update(size=len(text), digest=sha256(text), mediaType=document["mediaType"], blobs=[])
    forged.remake("index.json", lambda d: d["manifests"][0].update(
        size=len(text), digest=sha256(text), mediaType=document["mediaType"]))
    result = sealift("verify", forged.write(tmp_path / "b.tar", signer), *signer.trusting())
    assert result.rc == 4 and f"{len(LAYERS[0].data) + 1} bytes in {LAYERS[0].digest}" in result.err, result


# ---- keys and inputs that are none -----------------------------------------------------------

OTHER_KEYS = {"RSA": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
              "P-521": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
              "P-256 spelled out": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                                    "ec_param_enc:explicit"]}


@pytest.mark.parametrize("kind", OTHER_KEYS)
def test_keys_of_other_kinds_are_refused_by_name(honest, sealift, tmp_path, kind):
    subprocess.run(["openssl", *OTHER_KEYS[kind], "-out", tmp_path / "k.key"], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", tmp_path / "k.key", "-pubout", "-out", tmp_path / "k.pub"], check=True)
    trusted = sealift("verify", honest[0], "--trust", tmp_path / "k.pub")
    signed = sealift("export", "--image", "registry.test/a:1", "--sign-key", tmp_path / "k.key", "--no-passphrase",
                     "-o", tmp_path / "x.tar")
    for result in (trusted, signed):
        assert result.rc == 1 and "expected an ECDSA P-256, P-384 or Ed25519 key" in result.err, result


def waits(sealift, tmp_path, keys, honest, where):
    """Arguments of a run that waits for input in that place, and its standard input."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    export = ["export", "--image", "registry.test/a:1", "-o", "x.tar", "--sign-key"]
    return {"trust": ["verify", honest[0], "--trust", pipe],
            "list": ["plan", "--images", "-"],
            "key": [*export, pipe],
            "passphrase file": [*export, keys.locked.private, "--passphrase-file", pipe],
            "passphrase descriptor": [*export, keys.locked.private, "--passphrase-fd", "0"]}[where]


@pytest.mark.parametrize("where", ["trust", "list", "key", "passphrase file", "passphrase descriptor"])
def test_an_interrupt_ends_waiting_for_input(honest, keys, sealift, tmp_path, where):
    run = sealift.start(*waits(sealift, tmp_path, keys, honest, where), stdin=subprocess.PIPE)
    try:
        time.sleep(0.3)
        assert run.poll() is None
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=1) == 130
        assert b"interrupted" in run.stderr.read()
    finally:
        run.kill()
        run.communicate()


# ---- standard streams ------------------------------------------------------------------------

@pytest.mark.parametrize("args", [["--version"], ["verify", "--help"], ["verify"]], ids=["version", "help", "verify"])
@pytest.mark.parametrize("stream", [">/dev/full", ">&-"], ids=["full", "closed"])
def test_what_cannot_be_said_is_a_failure(honest, keys, args, stream):
    words = [*args, honest[0], *keys.p256.trusting()] if args == ["verify"] else args
    done = subprocess.run(["sh", "-c", f'"$@" {stream}', "sh", binary(), *words], capture_output=True, text=True)
    assert done.returncode == 1 and "standard output" in done.stderr, done


def test_closed_streams_do_not_end_in_the_bundle(keys, tmp_path):
    with Scripted() as server:
        server.store("team/app", "1.0", image(LAYERS))
        words = ["export", "--image", f"{server.host}/team/app:1.0", "--plain-http", *keys.p256.signing(), "-o", "b.tar"]
        subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", binary(), *words], cwd=tmp_path, timeout=60)
    checked = subprocess.run([binary(), "verify", "b.tar", *keys.p256.trusting()], cwd=tmp_path, capture_output=True)
    assert checked.returncode == 0, checked
