"""trust list, trust add and trust remove: the folder of whom the program believes, kept by hand."""

import hashlib
import json
import os
import stat
import subprocess

import pytest

from support import terminal
from support.program import binary
from support.yard import Signer, openssl, read, write


@pytest.fixture
def config(sealift):
    return os.path.join(sealift.folder, ".sealift")


def fingerprint(signer):
    return hashlib.sha256(openssl("pkey", "-pubin", "-in", signer.public, "-outform", "DER")).hexdigest()


def add(sealift, signer, *more):
    return sealift("trust", "add", signer.public, "--fingerprint", fingerprint(signer), *more)


def test_a_key_is_added_listed_and_removed(sealift, tmp_path, config):
    signer = Signer(tmp_path, "vendor")
    os.umask(0o077)
    try:
        assert add(sealift, signer).rc == 0
    finally:
        os.umask(0o022)
    path = os.path.join(config, "trusted.d", "vendor.pub")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644 and read(path) == read(signer.public)
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o755
    listed = json.loads(sealift.ok("trust", "list", "--json").out)
    assert listed["keys"] == [{"role": "sign", "path": path, "kid": signer.kid, "fingerprint": fingerprint(signer),
                               "scope": ""}]
    assert fingerprint(signer) in sealift.ok("trust", "list").out
    sealift.ok("trust", "remove", signer.kid)
    assert not os.path.exists(path) and json.loads(sealift.ok("trust", "list", "--json").out)["keys"] == []


def spelt(text):
    """As fingerprints are read out: upper case, in groups."""
    return ":".join(text[i:i + 4] for i in range(0, 64, 4)).upper()


ADD = {  # what is given as --fingerprint -> status
    "right": (lambda f: f, 0), "in upper case with colons": (spelt, 0),
    "one digit wrong": (lambda f: ("0" if f[0] != "0" else "1") + f[1:], 3), "its beginning": (lambda f: f[:16], 3),
    "empty": (lambda f: "", 3), "with more behind it": (lambda f: f + "00", 3),
}


@pytest.mark.parametrize("case", ADD)
def test_a_fingerprint_must_be_right_and_whole(sealift, tmp_path, config, case):
    signer, (change, rc) = Signer(tmp_path, "vendor"), ADD[case]
    result = sealift("trust", "add", signer.public, "--fingerprint", change(fingerprint(signer)))
    assert result.rc == rc, repr(result)
    assert os.path.exists(os.path.join(config, "trusted.d", "vendor.pub")) == (rc == 0)


@pytest.mark.parametrize("typed, rc", [(lambda f: f, 0), (spelt, 0), (lambda f: f[:-1], 3), (lambda f: "yes", 3)],
                         ids=["right", "in groups", "cut", "yes"])
def test_a_fingerprint_is_typed_on_a_terminal(sealift, tmp_path, config, typed, rc):
    signer = Signer(tmp_path, "vendor")
    status, screen = terminal.run([binary(), "trust", "add", signer.public], tmp_path, sealift.environment(),
                                  [typed(fingerprint(signer))])
    assert status == rc, screen
    assert f"fingerprint {fingerprint(signer)}" in screen
    assert os.path.exists(os.path.join(config, "trusted.d", "vendor.pub")) == (rc == 0)


def test_without_terminal_and_fingerprint_nothing_is_added(sealift, tmp_path, config):
    done = subprocess.run(["setsid", "-w", binary(), "trust", "add", Signer(tmp_path, "vendor").public], cwd=tmp_path,
                          env=sealift.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2 and "--fingerprint" in done.stderr, done.stderr
    assert not os.path.exists(config)


def test_nothing_is_overwritten(sealift, tmp_path, config):
    first, second = Signer(tmp_path, "vendor"), Signer(tmp_path, "other")
    assert add(sealift, first).rc == 0
    os.rename(second.public, first.public)
    result = sealift("trust", "add", first.public, "--fingerprint", fingerprint(Named(second, first.public)))
    assert result.rc == 1 and "vendor.pub" in result.err, repr(result)
    listed = json.loads(sealift.ok("trust", "list", "--json").out)["keys"]
    assert [k["kid"] for k in listed] == [first.kid]


class Named:
    def __init__(self, signer, public):
        self.kid, self.public = signer.kid, public


def test_a_key_is_added_once(sealift, tmp_path):
    signer = Signer(tmp_path, "vendor")
    assert add(sealift, signer).rc == 0
    again = Named(signer, write(os.path.join(tmp_path, "again.pub"), read(signer.public)))
    result = add(sealift, again)
    assert result.rc == 2 and "already" in result.err, repr(result)


BAD_FILES = {
    "a private key": lambda s: read(s.private), "a key and a private key": lambda s: read(s.public) + read(s.private),
    "text before it": lambda s: "secret\n" + read(s.public), "text behind it": lambda s: read(s.public) + "secret\n",
    "two keys": lambda s: read(s.public) * 2, "nothing": lambda s: "", "no PEM": lambda s: "hello\n",
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_only_a_public_key_alone_is_copied(sealift, tmp_path, config, case):
    signer = Signer(tmp_path, "vendor")
    path = write(os.path.join(tmp_path, "new.pub"), BAD_FILES[case](signer))
    result = sealift("trust", "add", path, "--fingerprint", fingerprint(signer))
    assert result.rc == 1 and "new.pub" in result.err, repr(result)
    assert not os.path.exists(os.path.join(config, "trusted.d"))


@pytest.mark.parametrize("name", [".hidden.pub", "a key.pub", "schlüssel.pub", ".pub"])
def test_a_file_name_that_would_mislead_is_refused(sealift, tmp_path, config, name):
    signer = Signer(tmp_path, "vendor")
    os.rename(signer.public, os.path.join(tmp_path, name))
    assert add(sealift, Named(signer, os.path.join(tmp_path, name))).rc == 2
    assert not os.path.exists(config)


def test_a_sidecar_that_waits_is_not_taken_up(sealift, tmp_path, config):
    signer = Signer(tmp_path, "vendor")
    os.makedirs(os.path.join(config, "trusted.d"))
    write(os.path.join(config, "trusted.d", "vendor.scope"), "bundle-name = x\n")
    result = add(sealift, signer)
    assert result.rc == 2 and "vendor.scope" in result.err, repr(result)


@pytest.fixture
def three(tmp_path, config):
    """Three keys in trusted.d: one in two files, one with a scope."""
    signers = [Signer(tmp_path, name) for name in "abc"]
    folder = os.path.join(config, "trusted.d")
    os.makedirs(folder)
    for name, signer in zip("abc", signers):
        write(os.path.join(folder, name + ".pub"), read(signer.public))
    write(os.path.join(folder, "a2.pem"), read(signers[0].public))
    write(os.path.join(folder, "b.scope"), "bundle-name = x\nnot-after = 2030-01-01\n")
    return signers, folder


REMOVE = {  # the KID given -> status, files that are left
    "a key in two files": (lambda a, b, c: a, 0, ["b.pub", "b.scope", "c.pub"]),
    "a key with a scope": (lambda a, b, c: b, 0, ["a.pub", "a2.pem", "c.pub"]),
    "16 digits": (lambda a, b, c: c[:16], 0, ["a.pub", "a2.pem", "b.pub", "b.scope"]),
    "20 digits": (lambda a, b, c: c[:20].upper(), 0, ["a.pub", "a2.pem", "b.pub", "b.scope"]),
    "15 digits": (lambda a, b, c: c[:15], 2, None), "65 digits": (lambda a, b, c: c + "0", 2, None),
    "no hex": (lambda a, b, c: "g" * 16, 2, None), "a file's name": (lambda a, b, c: "c.pub", 2, None),
    "a key that is not there": (lambda a, b, c: c[:16] + "0" * 48, 7, None), "nothing": (lambda a, b, c: "", 2, None),
}


@pytest.mark.parametrize("case", REMOVE)
def test_a_key_is_removed_by_its_fingerprint(sealift, three, case):
    (signers, folder), (kid, rc, left) = three, REMOVE[case]
    result = sealift("trust", "remove", kid(*map(fingerprint, signers)))
    assert result.rc == rc, repr(result)
    assert sorted(os.listdir(folder)) == (left or ["a.pub", "a2.pem", "b.pub", "b.scope", "c.pub"])


def test_list_tells_scopes_refusals_and_what_is_wanted(sealift, three, config):
    signers, folder = three
    write(os.path.join(config, "trust.conf"), "threshold = 2\napprovals = 1\n")
    listed = sealift.ok("trust", "list").out
    assert "bundles x, until 2030-01-01T23:59:59Z" in listed and "2 signatures and 1 approval" in listed
    os.chmod(os.path.join(folder, "c.pub"), 0o666)
    result = sealift("trust", "list")
    assert result.rc == 3 and "REFUSED" in result.out and "c.pub" in result.err, repr(result)
    assert fingerprint(signers[0]) in result.out
    keys = sealift("trust", "list", "--json").events[0]["keys"]
    assert "mode 0666" in [k for k in keys if k["path"].endswith("c.pub")][0]["error"]


MISFITS = {  # what spoils the folder -> a word of the sentence
    "a scope without its key": (lambda folder: write(os.path.join(folder, "gone.scope"), "bundle-name = x\n"), "gone.scope"),
    "a key twice, once with a scope": (lambda folder: write(os.path.join(folder, "b2.pub"), read(os.path.join(folder, "b.pub"))),
                                       "b2.pub"),
    "a link to nowhere": (lambda folder: os.symlink("nowhere", os.path.join(folder, "d.pub")), "d.pub"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_list_fails_as_every_use_of_the_folder_does(sealift, bundle, three, case):
    (spoil, word), (_, folder) = MISFITS[case], three
    sealift.ok("trust", "list")
    spoil(folder)
    used, listed = sealift("verify", bundle.path), sealift("trust", "list")
    assert used.rc == listed.rc == 3 and word in used.err, repr(used)
    assert listed.err == used.err and "every bundle" in listed.out, repr(listed)


def test_approvers_are_a_folder_of_their_own(sealift, tmp_path, config):
    signer = Signer(tmp_path, "officer")
    assert add(sealift, signer, "--as-approver").rc == 0
    assert os.listdir(config) == ["approvers.d"]
    assert [k["role"] for k in json.loads(sealift.ok("trust", "list", "--json").out)["keys"]] == ["approve"]
    assert sealift("trust", "remove", signer.kid).rc == 7
    sealift.ok("trust", "remove", signer.kid, "--as-approver")
    assert os.listdir(os.path.join(config, "approvers.d")) == []
