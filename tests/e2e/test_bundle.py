"""The bundle, judged by other people's tools; and whom it refuses to believe."""

import os
import shutil
import subprocess
import tarfile

import pytest

from support import reader
from support.carry import Carrier
from support.images import image, layer
from support.scripted import Scripted


@pytest.fixture(scope="module")
def bundles(session_sealift, keys, tmp_path_factory):
    """{kind of key: path of a small bundle}, and "other": one of the first key with other contents."""
    made = {}
    with Scripted() as server:
        for kind, seed in (("p256", "first"), ("ed25519", "first"), ("other", "second")):
            server.store("team/app", "1.0", image([layer(seed, 20_000), layer(seed + "2", 512)]))
            carrier = Carrier(session_sealift, keys.p256 if kind == "other" else getattr(keys, kind),
                              tmp_path_factory.mktemp(kind))
            result = carrier.export(server)
            assert result.rc == 0, result
            made[kind] = carrier.bundle
    return made


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def with_area(data, *signatures):
    """The same bundle with another signature area."""
    at = reader.split(data)[1]
    return data[:at] + reader.area(*signatures) + data[at + reader.AREA:]


# ---- other people's tools ------------------------------------------------------------------

@pytest.mark.parametrize("tool", [["tar", "-tf"], ["bsdtar", "-tf"], ["busybox", "tar", "-tf"]], ids=lambda t: t[0])
def test_R15_tar_tools_list_the_same_members(bundles, tool):
    done = subprocess.run([*tool, bundles["p256"]], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done
    with tarfile.open(bundles["p256"]) as tar:
        assert done.stdout.split() == tar.getnames()


def test_R15_skopeo_reads_it_as_an_OCI_archive(bundles, tmp_path):
    done = subprocess.run(["skopeo", "copy", "-q", "--all", f"oci-archive:{bundles['p256']}:registry.test/team/app:1.0",
                           f"dir:{tmp_path}/d"], capture_output=True, text=True)
    assert done.returncode == 0, done


# ---- trust ---------------------------------------------------------------------------------

def signature_of(data):
    return reader.signatures(data, reader.split(data)[1])[0]


def named(kid, text, suffix="sig"):
    return (f"bundle/sig/{kid}.{suffix}", text)


def refusals(bundles, keys):
    """{case: (bytes, options)}"""
    data = contents(bundles["p256"])
    kid, _, text = signature_of(data)
    ed_kid, _, ed_text = signature_of(contents(bundles["ed25519"]))
    other = signature_of(contents(bundles["other"]))[2]
    trust = keys.p256.trusting()
    return {
        "unsigned": (with_area(data), trust),
        "another key": (data, keys.other.trusting()),
        "a key of another type": (data, keys.ed25519.trusting()),
        "signature of another bundle": (with_area(data, named(kid, other)), trust),
        "signature of another type": (with_area(data, named(kid, ed_text)), trust),
        "only a signature by another key": (with_area(data, named(ed_kid, ed_text)), trust),
        "under another suffix": (with_area(data, named(kid, text, "p7s")), trust),
        "an empty signature": (with_area(data, named(kid, b"")), trust),
        "no last line feed": (with_area(data, named(kid, text[:-1])), trust),
        "broken lines": (with_area(data, named(kid, text[:40] + b"\n" + text[40:])), trust),
        "no --trust": (data, []),
    }


CASES = ["unsigned", "another key", "a key of another type", "signature of another bundle",
         "signature of another type", "only a signature by another key", "under another suffix", "an empty signature",
         "no last line feed", "broken lines", "no --trust"]


@pytest.mark.parametrize("case", CASES)
def test_R4_not_trusted_and_not_one_request(bundles, keys, sealift, tmp_path, case):
    data, trust = refusals(bundles, keys)[case]
    path = tmp_path / "b.tar"
    path.write_bytes(data)
    with Scripted() as server:
        verified = sealift("verify", path, *trust)
        pushed = sealift("push", path, f"{server.host}/apps", *trust, "--plain-http")
        assert (verified.rc, pushed.rc) == (3, 3), f"{verified}\n{pushed}"
        assert not server.journal


def test_R4_a_bad_signature_of_a_trusted_key_refuses_beside_a_good_one(bundles, keys, sealift, tmp_path):
    data = contents(bundles["p256"])
    good, other = signature_of(data), signature_of(contents(bundles["ed25519"]))
    folder, path = tmp_path / "trusted", tmp_path / "b.tar"
    folder.mkdir()
    for pair in (keys.p256, keys.ed25519):
        shutil.copy(pair.public, folder / os.path.basename(pair.public))
    bad = bytes([other[2][0] ^ 1]) + other[2][1:]
    path.write_bytes(with_area(data, *sorted([named(good[0], good[2]), named(other[0], bad)])))
    assert sealift("verify", path, "--trust", folder).rc == 3
    assert sealift("verify", path, *keys.p256.trusting()).rc == 0


def test_inspect_without_trust_says_so_first(bundles, sealift):
    result = sealift.ok("inspect", bundles["p256"])
    assert "not" in result.out.splitlines()[0] and "verified" in result.out.splitlines()[0], result


# ---- hostile areas -------------------------------------------------------------------------

def areas(kid, text):
    """{case: the bytes of an area that no writer makes}"""
    own = reader.member(*named(kid, text))
    pad = reader.AREA - len(own) - reader.BLOCK
    wrong = [reader.member(name, b"x") for name in (
        "bundle/sig/../../etc/passwd", "bundle/sig/0123456789ABCDEF.sig", "bundle/sig/0123456789abcde.sig",
        "bundle/sig/0123456789abcdef", "bundle/sig/0123456789abcdef.", "blobs/sha256/" + "0" * 64)]
    return {
        "twice": own + reader.area(named(kid, text))[:-len(own)],
        "no pad": (own + bytes(reader.AREA))[:reader.AREA],
        "pad too short": own + reader.header("bundle/pad", pad - 512) + bytes(pad),
        "pad too long": own + reader.header("bundle/pad", pad + 512) + bytes(pad),
        "pad not zero": own + reader.member("bundle/pad", bytes(pad - 1) + b"x"),
        "padding not zero": own[:-1] + b"x" + reader.member("bundle/pad", bytes(pad)),
        "signature of 9 KiB": reader.area(named(kid, b"A" * 9216)),
        "not sorted": reader.area(named("f" * 16, b"x"), named("0" * 16, b"x")),
        "link": own[:156] + b"2" + own[157:] + reader.member("bundle/pad", bytes(pad)),
        **{f"name {i}": w + reader.member("bundle/pad", bytes(reader.AREA - len(w) - 512)) for i, w in enumerate(wrong)},
    }


AREAS = list(areas("0" * 16, b"x"))


@pytest.mark.parametrize("case", AREAS)
def test_R5_hostile_areas_are_damage(bundles, keys, sealift, tmp_path, case):
    data = contents(bundles["p256"])
    at = reader.split(data)[1]
    kid, _, text = signature_of(data)
    changed = data[:at] + areas(kid, text)[case] + data[at + reader.AREA:]
    assert len(changed) == len(data)
    (tmp_path / "b.tar").write_bytes(changed)
    result = sealift("verify", tmp_path / "b.tar", *keys.p256.trusting())
    assert result.rc == 4, result
    assert reader.verdict(changed, keys.p256.public) == "damaged"
