"""The bundle, judged by other people's tools and by a second reader; and whom it refuses to believe."""

import os
import random
import shutil
import subprocess
import tarfile

import pytest

from support import reader
from support.carry import Carrier
from support.images import image, layer
from support.scripted import Scripted

STATUS = {"good": 0, "untrusted": 3, "damaged": 4}
KINDS = ["p256", "ed25519"]


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


def shell(folder, line):
    return subprocess.run(["sh", "-ec", line], cwd=folder, capture_output=True, text=True)


# ---- other people's tools ------------------------------------------------------------------

@pytest.mark.parametrize("tool", [["tar", "-tf"], ["bsdtar", "-tf"], ["busybox", "tar", "-tf"]], ids=lambda t: t[0])
def test_R15_tar_tools_list_the_same_members(bundles, tool):
    done = subprocess.run([*tool, bundles["p256"]], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done
    with tarfile.open(bundles["p256"]) as tar:
        assert done.stdout.split() == tar.getnames()


@pytest.mark.parametrize("kind,check", [
    ("p256", "openssl dgst -sha256 -verify {key} -signature s.raw bundle/inventory.json"),
    ("ed25519", "openssl pkeyutl -verify -rawin -pubin -inkey {key} -in bundle/inventory.json -sigfile s.raw")])
def test_R15_signature_and_sums_by_hand(bundles, keys, tmp_path, kind, check):
    key = getattr(keys, kind).public
    by_hand = (f"tar -xf {bundles[kind]}; base64 -d bundle/sig/*.sig > s.raw; " + check.format(key=key) + "; "
               """grep -o '"path":"[^"]*","size":[0-9]*,"sha256":"[0-9a-f]*"' bundle/inventory.json"""
               """ | awk -F'"' '{print $10"  "$4}' > sums; sha256sum -c sums; sha256sum -c SHA256SUMS""")
    done = shell(tmp_path, by_hand)
    assert done.returncode == 0, done
    blob = next((tmp_path / "blobs/sha256").iterdir())
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    assert shell(tmp_path, "sha256sum -c sums").returncode != 0
    with open(tmp_path / "bundle/inventory.json", "ab") as f:
        f.write(b" ")
    assert shell(tmp_path, check.format(key=key)).returncode != 0


def test_R15_skopeo_reads_it_as_an_OCI_archive(bundles, tmp_path):
    done = subprocess.run(["skopeo", "copy", "-q", "--all", f"oci-archive:{bundles['p256']}:registry.test/team/app:1.0",
                           f"dir:{tmp_path}/d"], capture_output=True, text=True)
    assert done.returncode == 0, done


# ---- the second reader ---------------------------------------------------------------------

def mutations(data):
    """(name, changed bytes): bits all over, ends, blocks."""
    chance = random.Random(7)
    for at in sorted({chance.randrange(len(data)) for _ in range(60)} | {0, 124, 520, len(data) - 1}):
        yield f"bit at {at}", data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]
    for size in (0, 1, 511, 512, 1000, len(data) - 1, len(data) - 512, len(data) - 1024):
        yield f"cut to {size}", data[:size]
    yield "one byte more", data + b"\0"
    for at in range(0, len(data), len(data) // 10 // 512 * 512):
        yield f"block at {at} removed", data[:at] + data[at + 512:]


@pytest.mark.parametrize("kind", KINDS)
def test_R16_two_readers_agree(bundles, keys, sealift, tmp_path, kind):
    data, pair = contents(bundles[kind]), getattr(keys, kind)
    path, agreed = tmp_path / "m.tar", 0
    for name, changed in [("unchanged", data), *mutations(data)]:
        path.write_bytes(changed)
        said = reader.verdict(changed, pair.public)
        result = sealift("verify", path, *pair.trusting())
        assert (said == "good") == (changed == data), name
        assert result.rc == STATUS[said], f"{name}: the second reader says {said}\n{result}"
        agreed += 1
    print(f"readers agree ({kind}): {agreed} of {agreed}")


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
