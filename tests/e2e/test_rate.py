"""V: what verify costs beside hashing alone, out of memory; and beside reading alone, out of a file that memory does not hold.

Pairs are taken in turn, and the floors are low: other programs use the machine too.
"""

import hashlib
import os
import resource
import statistics
import subprocess
import time

import pytest

from support import images, sparse
from support.carry import Carrier
from support.figures import measured
from support.forge import Signer
from support.program import binary
from support.scripted import Scripted

MIB = 1 << 20
PAIRS, FLOOR = 5, 0.70
pytestmark = [pytest.mark.torture, pytest.mark.usefixtures("plain_build")]


@pytest.fixture(scope="module")
def bundle(session_sealift, keys, tmp_path_factory):
    """(path, signer) of a bundle of 2 GiB, balanced, every page of it real."""
    folder = tmp_path_factory.mktemp("rate")
    carrier, signer = Carrier(session_sealift, keys.p256, folder), Signer(folder)
    with Scripted() as server:
        server.store("team/app", "1.0", images.image([images.layer("rate", 100)]))
        assert carrier.export(server).rc == 0
    sparse.write(folder / "sparse.tar", signer, carrier.bundle, [256 * MIB] * 8)
    subprocess.run(["cp", "--sparse=never", folder / "sparse.tar", folder / "b.tar"], check=True)
    yield folder / "b.tar", signer
    os.unlink(folder / "b.tar")


def cost(run):
    """(seconds, processor seconds) of run() and its children."""
    def used():
        return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    began, before = time.monotonic(), used()
    run()
    return time.monotonic() - began, used() - before


def verify(path, signer, jobs):
    def run():
        done = subprocess.run([binary(), "verify", path, *signer.trusting(), "-j", str(jobs), "-q"], capture_output=True, text=True)
        assert done.returncode == 0, done
    return run


def openssl_rate(cores):
    """Bytes a second of SHA-256 over 16 KiB that never leave the nearest memory."""
    out = subprocess.run(["openssl", "speed", "-mr", "-evp", "sha256", "-bytes", "16384", "-seconds", "1", "-multi", str(cores)],
                         capture_output=True, text=True, check=True).stdout
    return float([line for line in out.splitlines() if line.startswith("+F")][-1].split(":")[-1])


def read_and_hash(path):
    """The least that a reader of a file can do: read, and SHA-256 (openssl's, by way of Python)."""
    def run():
        running, room = hashlib.sha256(), memoryview(bytearray(MIB))
        with open(path, "rb", buffering=0) as f:
            while got := f.readinto(room):
                running.update(room[:got])
    return run


def test_V_verify_is_as_fast_as_hashing(bundle):
    """The file is in the page cache: it was just written, and is read once before."""
    cores, (path, signer) = len(os.sched_getaffinity(0)), bundle
    size, shares, least, rates = os.path.getsize(path), [], [], []
    for _ in range(PAIRS):
        _, loop = cost(read_and_hash(path))
        rate = openssl_rate(cores)
        seconds, used = cost(verify(path, signer, cores))
        rates.append(size / seconds)
        shares.append(size / seconds / rate)
        least.append(loop / used)
    measured("V", f"verify out of memory, {cores} cores", f"{max(rates) / 1e9:.2f} GB/s, {max(shares):.2f} of the rate of openssl speed "
             f"-multi {cores}, which reads nothing (the best of {PAIRS}; the median is {statistics.median(shares):.2f})")
    measured("V", "processor time of a loop that only reads the file and hashes it", f"{statistics.median(least):.2f} of verify's")
    assert max(shares) >= FLOOR and statistics.median(least) >= FLOOR


def test_V_verify_is_as_fast_as_the_disk(bundle):
    """Out of a file that is not in memory, beside dd."""
    (path, signer), ratios, rates = bundle, [], []
    size = os.path.getsize(path)

    def cold(run):
        with open(path, "rb") as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return cost(run)[0]

    for _ in range(3):
        plain = cold(lambda: subprocess.run(["dd", f"if={path}", "of=/dev/null", "bs=1M", "status=none"], check=True))
        seconds = cold(verify(path, signer, len(os.sched_getaffinity(0))))
        rates.append(size / seconds)
        ratios.append(plain / seconds)
    measured("V", "verify out of a file that is not in memory", f"{statistics.median(rates) / 1e9:.2f} GB/s, "
             f"{statistics.median(ratios):.2f} of the rate of dd")
    assert statistics.median(ratios) >= 0.3
