"""keygen, judged by openssl and by a terminal; and keys that openssl made."""

import os
import subprocess

import pytest

from support import images
from support.program import binary
from support.terminal import run as on_a_terminal


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True)


@pytest.fixture
def passphrase(tmp_path):
    path = tmp_path / "pass"
    path.write_text("correct horse\n")
    return path


@pytest.fixture
def image(registry, make_authfile):
    """Arguments that export one small image."""
    images.push(registry.client(), "app", "1", images.image([images.layer("x", 1000)]))
    return ["--image", f"{registry.host}/app:1", "--plain-http", "--authfile", make_authfile(registry)]


@pytest.mark.parametrize("kind, named", [("p256", "prime256v1"), ("ed25519", "ED25519")])
def test_openssl_reads_both_files(sealift, tmp_path, passphrase, kind, named):
    sealift.ok("keygen", "-o", "k", "--type", kind, "--passphrase-file", passphrase)
    private = openssl("pkey", "-in", tmp_path / "k.key", "-passin", f"file:{passphrase}", "-noout", "-text")
    public = openssl("pkey", "-pubin", "-in", tmp_path / "k.pub", "-noout", "-text_pub")
    assert private.returncode == 0 and named in private.stdout, private.stderr
    assert public.returncode == 0 and named in public.stdout, public.stderr
    derived = openssl("pkey", "-in", tmp_path / "k.key", "-passin", f"file:{passphrase}", "-pubout")
    assert derived.stdout == (tmp_path / "k.pub").read_text()
    assert openssl("pkey", "-in", tmp_path / "k.key", "-passin", "pass:wrong", "-noout").returncode != 0
    assert (tmp_path / "k.key").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert (tmp_path / "k.key").stat().st_mode & 0o777 == 0o600


def test_p256_is_the_default(sealift, tmp_path, passphrase):
    sealift.ok("keygen", "-o", "k", "--passphrase-file", passphrase)
    assert "prime256v1" in openssl("pkey", "-pubin", "-in", tmp_path / "k.pub", "-noout", "-text_pub").stdout


@pytest.mark.parametrize("taken", ["k.key", "k.pub"])
def test_nothing_is_overwritten(sealift, tmp_path, passphrase, taken):
    (tmp_path / taken).write_text("precious")
    result = sealift("keygen", "-o", "k", "--passphrase-file", passphrase)
    assert result.rc == 1 and taken in result.err, repr(result)
    assert (tmp_path / taken).read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == sorted([taken, "pass"])


def test_no_passphrase_must_be_said(sealift, tmp_path):
    """Without a terminal, a file or the word, there is no key."""
    done = subprocess.run(["setsid", "-w", binary(), "keygen", "-o", "k"], cwd=tmp_path, env=sealift.environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and not (tmp_path / "k.key").exists(), done.stderr
    sealift.ok("keygen", "-o", "k", "--no-passphrase")
    assert openssl("pkey", "-in", tmp_path / "k.key", "-noout").returncode == 0


def test_passphrase_from_a_descriptor(sealift, tmp_path):
    inside, outside = os.pipe()
    os.write(outside, b"by descriptor\n")
    os.close(outside)
    done = subprocess.run([binary(), "keygen", "-o", "k", "--passphrase-fd", str(inside)], cwd=tmp_path,
                          env=sealift.environment(), pass_fds=[inside], capture_output=True, text=True, timeout=30)
    os.close(inside)
    assert done.returncode == 0, done.stderr
    assert openssl("pkey", "-in", tmp_path / "k.key", "-passin", "pass:by descriptor", "-noout").returncode == 0


def test_passphrase_typed_on_a_terminal_is_not_shown(sealift, tmp_path):
    status, screen = on_a_terminal([binary(), "keygen", "-o", "k"], tmp_path, sealift.environment(),
                                   ["typed secret", "typed secret"])
    assert status == 0, screen
    assert "typed secret" not in screen
    assert openssl("pkey", "-in", tmp_path / "k.key", "-passin", "pass:typed secret", "-noout").returncode == 0


def test_two_different_answers_make_no_key(sealift, tmp_path):
    status, screen = on_a_terminal([binary(), "keygen", "-o", "k"], tmp_path, sealift.environment(), ["one", "two"])
    assert status == 2 and not (tmp_path / "k.key").exists(), screen


@pytest.mark.parametrize("options", [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                                     ["-algorithm", "ED25519"]], ids=["p256", "ed25519"])
@pytest.mark.parametrize("cipher", [[], ["-aes256", "-pass", "pass:by openssl"]], ids=["plain", "encrypted"])
def test_keys_made_by_openssl_sign(sealift, tmp_path, image, options, cipher):
    assert openssl("genpkey", *options, *cipher, "-out", tmp_path / "o.key").returncode == 0
    openssl("pkey", "-in", tmp_path / "o.key", "-passin", "pass:by openssl", "-pubout", "-out", tmp_path / "o.pub")
    (tmp_path / "pass").write_text("by openssl\n")
    unlock = ["--passphrase-file", "pass"] if cipher else ["--no-passphrase"]
    sealift.ok("export", *image, "--sign-key", "o.key", *unlock, "-o", "b.tar")
    sealift.ok("verify", "b.tar", "--trust", "o.pub")


def test_other_kinds_of_keys_are_refused_by_name(sealift, tmp_path, image):
    assert openssl("genpkey", "-algorithm", "RSA", "-out", tmp_path / "rsa.key").returncode == 0
    result = sealift("export", *image, "--sign-key", "rsa.key", "--no-passphrase", "-o", "b.tar")
    assert result.rc != 0 and "rsa" in result.err.lower(), repr(result)
    assert not (tmp_path / "b.tar").exists()


def test_ed25519_signature_holds_by_openssl(sealift, tmp_path, image, keys):
    """BUNDLE.md 1.8, the line for Ed25519."""
    sealift.ok("export", *image, *keys.ed25519.signing(), "-o", "b.tar")
    script = (
        "tar -xf b.tar --occurrence=1 --wildcards bundle/inventory.json 'bundle/sig/*.sig' &&"
        " base64 -d bundle/sig/*.sig > s.raw &&"
        f" openssl pkeyutl -verify -rawin -pubin -inkey {keys.ed25519.public} -in bundle/inventory.json -sigfile s.raw")
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "Verified Successfully" in done.stdout, done.stdout + done.stderr
