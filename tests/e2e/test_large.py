"""R14, R13 and the rate of verify: members at the edges where other programs' numbers end, in sparse files."""

import os
import subprocess
import tarfile

import pytest

from support import images, measure, sparse
from support.carry import Carrier
from support.drain import Drain
from support.figures import figure, measured
from support.forge import Forged, Signer, blob
from support.program import binary
from support.scripted import Scripted

MIB, GIB = 1 << 20, 1 << 30
EDGES = [edge + more for edge in (2 * GIB, 4 * GIB, 8 * GIB) for more in (-512, 0, 512)] + [9 * GIB]
pytestmark = [pytest.mark.torture, pytest.mark.usefixtures("plain_build")]


@pytest.fixture(scope="module")
def honest(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("large"))
    with Scripted() as server:
        server.store("team/app", "1.0", images.image([images.layer("large", 100)]))
        assert carrier.export(server).rc == 0
    return carrier.bundle


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"))


# ---- who else reads such a file ------------------------------------------------------------

def by_python(path):
    with tarfile.open(path) as tar:
        return {m.name: m.size for m in tar}


def by_listing(column, *command):
    """{name: size} of what `tar -tv` prints; sizes stand in that column."""
    def listed(path):
        out = subprocess.run([*command, path], check=True, capture_output=True, text=True).stdout
        rows = [line.split() for line in out.splitlines()]
        assert all(row[0] == "-rw-r--r--" for row in rows)
        return {row[-1]: int(row[column]) for row in rows}
    return listed


READERS = {"Python": by_python, "GNU tar": by_listing(2, "tar", "--numeric-owner", "-tvf"),
           "bsdtar": by_listing(4, "bsdtar", "--numeric-owner", "-tvf"), "BusyBox": by_listing(2, "busybox", "tar", "-tvf")}


def agree(path, members):
    """How many names and sizes each reader finds as the inventory has them."""
    found = 0
    for name, read in READERS.items():
        listed = read(path)
        there = {k: v for k, v in listed.items() if not k.startswith("bundle/")}
        assert there == members, f"{name}: {set(there.items()) ^ set(members.items())}"
        found += len(there)
    return found


def test_R14_members_at_the_edges_of_numbers(honest, signer, sealift, tmp_path):
    """Their offsets are beyond 2^33 too, and each ends in bytes of its own."""
    path = tmp_path / "b.tar"
    members = sparse.write(path, signer, honest, EDGES)
    total = path.stat().st_size
    result = sealift("verify", path, *signer.trusting(), timeout=900)
    assert result.rc == 0 and f"{total} bytes" in result.out, result
    figure("R14", f"verified, {total // GIB} GiB: members of 2, 4, 8 GiB, a block less and more, and one of 9 GiB; names and sizes "
           f"in {', '.join(READERS)}", agree(path, members), len(members) * len(READERS), "agree")


def test_R14_as_many_members_as_there_may_be(honest, signer, sealift, tmp_path):
    """16,384 are verified and read by others; one more is refused."""
    def bundle(count):
        forged = Forged(honest)
        files = [blob(b"file %d" % i) for i in range(count - len(forged.members))]
        forged.inventory["files"] = sorted(({"name": data.decode().replace(" ", "-"), "blob": "sha256:" + name.rpartition("/")[2],
                                             "size": len(data), "mediaType": "text/plain"} for name, data in files),
                                           key=lambda f: f["name"])
        forged.members += files
        forged.write(tmp_path / "b.tar", signer)
        return {name: len(data) for name, data in forged.members}

    members = bundle(16_384)
    result = sealift("verify", "b.tar", *signer.trusting())
    assert result.rc == 0 and "16384 members" in result.out, result
    figure("R14", f"16,384 members: names and sizes in {', '.join(READERS)}", agree(tmp_path / "b.tar", members), len(members) * len(READERS),
           "agree")
    bundle(16_385)
    result = sealift("verify", "b.tar", *signer.trusting())
    assert result.rc == 4 and "at most 16384" in result.err, result


# ---- memory --------------------------------------------------------------------------------

class Costs:
    """Peak memory of verify and push, by the size of the bundle."""

    def __init__(self, sealift, signer, folder):
        self.environment, self.signer, self.folder, self.peaks = sealift.environment(), signer, folder, {}

    def of(self, verb, *args):
        cost = measure.run([binary(), verb, *args, *self.signer.trusting(), "-q"], env=self.environment, cwd=self.folder, timeout=900)
        assert cost.rc == 0, cost.out
        self.peaks.setdefault(verb, []).append(cost.peak)


def test_R13_memory_does_not_grow_with_the_bundle(honest, signer, sealift, tmp_path):
    costs, sizes = Costs(sealift, signer, tmp_path), [MIB, 9 * GIB]
    for size in sizes:
        path = tmp_path / "b.tar"
        layers = [name for name, length in sparse.write(path, signer, honest, [size]).items() if length == size]
        costs.of("verify", path)
        with Drain() as drain:
            costs.of("push", path, drain.host, "--plain-http")
            assert drain.taken["sha256:" + layers[0][-64:]] == size and drain.tags == ["1.0"]
    for verb, (small, large) in costs.peaks.items():
        measured("R13", f"peak memory of {verb}, a layer of 1 MiB and one of 9 GiB", f"{small / MIB:.1f} MiB and {large / MIB:.1f} MiB")
        assert large <= 32 * MIB and large - small <= 4 * MIB
    with open(path, "r+b") as f:
        f.seek(path.stat().st_size - 1024 - 1)  # 9 GiB is whole blocks: the layer's last byte
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))
    result = sealift("verify", path, *signer.trusting(), timeout=900)
    assert result.rc == 4 and layers[0] in result.err and "digest" in result.err, result
