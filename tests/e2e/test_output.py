"""Where a bundle cannot be written: one clear sentence, no final name, status 1."""

import os
import subprocess

import pytest

from support.program import binary


def in_a_mount(script, cwd, environment, *argv):
    """Runs argv by `script` in a mount namespace of its own, so that no mount outlives it."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*unshare, "sh", "-c", "mkdir -p probe && mount -t tmpfs none probe"], cwd=cwd,
                      capture_output=True).returncode:
        pytest.skip("this kernel lets nobody mount a tmpfs here (tried unshare -m)")
    return subprocess.run([*unshare, "sh", "-c", script, "sh", *map(str, argv)], cwd=cwd, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


@pytest.fixture
def export(export_arguments, keys):
    """The argv of an export, less its output."""
    return [binary(), "export", "immuta", *export_arguments, *keys.p256.signing(), "-q", "--no-progress", "-o"]


def one_sentence(err):
    lines = err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("sealift: ") and not lines[0].endswith("."), err
    return lines[0]


def test_full_disk(sealift, export, tmp_path):
    script = 'mkdir -p small && mount -t tmpfs -o size=1m none small || exit 90; "$@"; rc=$?; ls -A small; exit $rc'
    done = in_a_mount(script, tmp_path, sealift.environment(), *export, "small/b.tar")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "b.tar" not in done.stdout.split()
    assert "disk is full" in one_sentence(done.stderr)


def test_disk_that_fills_up_while_writing(sealift, export, tmp_path):
    """There was room when the export began; the twentieth write finds none (strace says so to it)."""
    done = sealift.traced(["-qq", "-o", "/dev/null", "-e", "inject=pwrite64:error=ENOSPC:when=20+"], *export[1:], "b.tar")
    assert done.rc == 1, done
    assert "disk is full" in one_sentence(done.err)
    assert [f for f in os.listdir(tmp_path) if f.endswith(".tar")] == []
    again = sealift(*export[1:], "b.tar", cwd=tmp_path)
    assert again.rc == 0, again


def test_read_only_mount(sealift, export, tmp_path):
    script = 'mkdir -p ro && mount -t tmpfs -o ro none ro || exit 90; "$@"; rc=$?; ls -A ro; exit $rc'
    done = in_a_mount(script, tmp_path, sealift.environment(), *export, "ro/b.tar")
    assert done.returncode == 1 and done.stdout.strip() == "", done.stdout + done.stderr
    assert "read-only" in one_sentence(done.stderr).lower()


def test_file_size_limit(sealift, export, tmp_path):
    """As on FAT, where a file ends at 4 GiB: SIGXFSZ must not kill, EFBIG must be explained."""
    done = subprocess.run(["sh", "-c", 'ulimit -f 1000; exec "$@"', "sh", *export, "b.tar"], cwd=tmp_path,
                          env=sealift.environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert not (tmp_path / "b.tar").exists()
    assert "large" in one_sentence(done.stderr).lower()


def test_existing_file_is_refused_without_force(sealift, export, keys, vendor, tmp_path):
    (tmp_path / "b.tar").write_text("precious")
    before = len(vendor.requests())
    result = sealift(*export[1:], "b.tar")
    assert result.rc == 1 and "b.tar" in one_sentence(result.err), repr(result)
    assert "--force" in result.err
    assert (tmp_path / "b.tar").read_text() == "precious"
    assert len(vendor.requests()) == before, "the network was asked before the name was"
    sealift.ok(*export[1:], "b.tar", "--force")
    sealift.ok("verify", "b.tar", *keys.p256.trusting())


def test_link_is_not_followed(sealift, export, tmp_path):
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "b.tar").symlink_to("elsewhere")
    (tmp_path / "c.tar.partial").symlink_to("elsewhere")
    assert sealift(*export[1:], "b.tar").rc == 1
    assert sealift(*export[1:], "c.tar").rc == 1
    assert (tmp_path / "elsewhere").read_text() == "precious"


def test_missing_folder(sealift, export):
    result = sealift(*export[1:], "no/such/folder/b.tar")
    assert result.rc == 1 and "no/such/folder" in one_sentence(result.err), repr(result)


def test_modes(sealift, export, tmp_path, keys):
    """The bundle has the mode of any new file; the private key is its owner's alone."""
    sealift.ok(*export[1:], "b.tar")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o666 & ~mask
    assert os.stat(keys.p256.private).st_mode & 0o777 == 0o600
    assert not (tmp_path / "b.tar.partial").exists()
