"""What a vendor with a trusted key could sign, and what a hostile place can put in the way."""

import json

import pytest

from support.carry import Carrier
from support.forge import Forged, Signer, blob
from support.images import image, index, layer, sha256
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
