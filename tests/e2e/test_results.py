"""What a verb says: the bundle's id first, and with --json lines of JSON alone, the last of which is the result."""

import hashlib
import json
import shutil
import subprocess

import pytest

MIB = 1024 * 1024


@pytest.fixture
def desk(sealift, tmp_path, keys, bundle):
    """A folder with all that the verbs below work on; the bundle's id."""
    shutil.copy(bundle.path, tmp_path / "b.tar")
    shutil.copy(keys.other.public, tmp_path / "other.pub")
    (tmp_path / "sticks").mkdir()
    inventory = subprocess.check_output(["tar", "-xOf", "b.tar", "--occurrence=1", "bundle/inventory.json"], cwd=tmp_path)
    (tmp_path / "inventory.json").write_bytes(inventory)
    damaged = bytearray((tmp_path / "b.tar").read_bytes())
    damaged[2 * MIB] ^= 1
    (tmp_path / "bad.tar").write_bytes(damaged)
    sealift.ok("sign", "--inventory", "inventory.json", *keys.other.signing(), "-o", "sticks")
    line = sealift.ok("parts", "need", "bad.tar").out.strip()
    sealift.ok("parts", "patch", "b.tar", line, "-o", "patch0")
    fingerprint = subprocess.run(["openssl", "pkey", "-pubin", "-in", "other.pub", "-outform", "der"], cwd=tmp_path,
                                 capture_output=True, check=True).stdout
    return {"id": "sha256:" + hashlib.sha256(inventory).hexdigest(), "line": line,
            "fingerprint": hashlib.sha256(fingerprint).hexdigest()}


def signature(folder):
    return next(str(path) for path in (folder / "sticks").iterdir() if path.suffix == ".sig")


# a verb -> its words, and a pair of its result
ABOUT_A_BUNDLE = {
    "inspect": lambda d, k, f: (["b.tar", *k.p256.trusting()], ("verified", True)),
    "verify": lambda d, k, f: (["b.tar", *k.p256.trusting()], ("checked", "all")),
    "sign": lambda d, k, f: (["b.tar", "--add", *k.other.signing()], ("signer", d["fingerprint"][:16])),
    "attach": lambda d, k, f: (["b.tar", signature(f), "--pub", k.other.public], ("signer", d["fingerprint"][:16])),
    "head": lambda d, k, f: (["b.tar", "-o", "h"], ("head", "h")),
    "approve": lambda d, k, f: (["b.tar", *k.p256.trusting(), *k.other.signing(), "--note", "x", "-o", "a"], ("approval", "a")),
    "split": lambda d, k, f: (["b.tar", "--split", "1G", "-o", "sticks"], ("parts", 1)),
    "parts need": lambda d, k, f: (["bad.tar"], ("line", d["line"])),
    "parts patch": lambda d, k, f: (["b.tar", d["line"], "-o", "patch"], ("chunks", 1)),
    "parts apply": lambda d, k, f: (["bad.tar", "patch0"], ("chunks", 1)),
}
OTHERS = {
    "keygen": lambda d, k, f: (["-o", "new", "--no-passphrase"], ("key", "new.pub")),
    "trust add": lambda d, k, f: (["other.pub", "--fingerprint", d["fingerprint"]], ("fingerprint", d["fingerprint"])),
    "trust list": lambda d, k, f: ([], ("threshold", 1)),
    "state reset": lambda d, k, f: ([], ("forgotten", 0)),
}


@pytest.mark.parametrize("verb", [*ABOUT_A_BUNDLE, *OTHERS])
def test_json_is_lines_of_json_and_ends_with_the_result(sealift, tmp_path, keys, desk, verb):
    words, (key, value) = {**ABOUT_A_BUNDLE, **OTHERS}[verb](desk, keys, tmp_path)
    events = [json.loads(line) for line in sealift.ok(*verb.split(), *words, "--json").out.splitlines()]
    assert events[-1]["event"] == "result" and events[-1][key] == value, events
    if verb in ABOUT_A_BUNDLE:
        assert events[0]["id"] == events[-1].get("id", desk["id"]) == desk["id"], events


@pytest.mark.parametrize("verb", ABOUT_A_BUNDLE)
def test_the_id_is_said_first(sealift, tmp_path, keys, desk, verb):
    words, _ = ABOUT_A_BUNDLE[verb](desk, keys, tmp_path)
    done = sealift.ok(*verb.split(), *words)
    said = (done.err if verb == "parts need" else done.out).splitlines()
    assert said[0].startswith(f"{words[0]}: {desk['id']}"), repr(done)


def test_a_key_is_removed_with_json(sealift, desk):
    sealift.ok("trust", "add", "other.pub", "--fingerprint", desk["fingerprint"])
    removed = sealift.ok("trust", "remove", desk["fingerprint"], "--json")
    assert json.loads(removed.out) == {"event": "result", "fingerprint": desk["fingerprint"]}


def test_an_approval_takes_no_certificate(sealift, tmp_path, keys, desk):
    done = sealift("approve", "b.tar", *keys.p256.trusting(), *keys.other.signing(), "--note", "x", "-o", "a",
                   "--sign-cert", keys.other.public)
    assert done.rc == 2 and "certificate" in done.err and not (tmp_path / "a").exists(), repr(done)


def test_export_says_the_id_first(sealift, export_arguments, keys):
    said = sealift.ok("export", "immuta", *export_arguments, *keys.p256.signing(), "-o", "e.tar").out.splitlines()
    assert said[0].startswith("e.tar: sha256:") and ", signed by " in said[0], said
    assert said[1].startswith("wrote e.tar: "), said
