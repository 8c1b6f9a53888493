"""What a run may cost: memory, bytes written, room beside the bundle (the figures of README and bench)."""

import filecmp
import os
import subprocess

import pytest

from support import images, measure
from support.figures import measured
from support.program import binary
from support.scripted import Scripted
from support.storefront import Storefront

MIB = 1024 * 1024
pytestmark = pytest.mark.usefixtures("plain_build")


def fill(registry, count, per, large=0):
    """Images of `per` blobs each (a manifest, a config, layers), `count` blobs in all; one layer of
    each has `large` bytes. Returns their references."""
    references = []
    for i, first in enumerate(range(0, count, per)):
        small = min(per, count - first) - 2 - bool(large)
        layers = [images.layer(f"{i}-{n}", 200) for n in range(small)]
        layers += [images.layer(f"{i}-large", large)] * bool(large)
        registry.plant(f"many/image-{i}", "1.0", images.image(layers))
        references.append(f"{registry.host}/many/image-{i}:1.0")
    return references


class Costs:
    def __init__(self, sealift, tmp_path):
        self.environment = sealift.environment({"TMPDIR": str(tmp_path / "tmp")})
        self.folder = tmp_path
        self.peaks = []
        (tmp_path / "tmp").mkdir()

    def said(self):
        return ", ".join(self.peaks) + " MiB"

    def piped(self, limit, path, *args):
        """With the file coming through a pipe."""
        with subprocess.Popen(["cat", self.folder / path], stdout=subprocess.PIPE) as cat:
            return self.of(limit, *args, stdin=cat.stdout)

    def of(self, limit, *args, **how):
        cost = measure.run([binary(), *args, "-q"], env=self.environment, cwd=self.folder, **how)
        self.peaks.append(f"{args[0]} {cost.peak / MIB:.1f}")
        print(f"{args[0]}: {cost.peak / MIB:.1f} MiB peak, {cost.written:,} bytes written, {cost.seconds:.1f} s")
        assert cost.rc == 0, cost.out
        assert cost.peak <= limit * MIB
        assert os.listdir(self.folder / "tmp") == [], "there were temporary files"
        return cost


@pytest.fixture
def costs(sealift, tmp_path):
    return Costs(sealift, tmp_path)


@pytest.mark.parametrize("tls", [False, pytest.param(True, marks=pytest.mark.torture)], ids=["plain", "TLS"])
def test_thousand_members_in_32_MiB(costs, make_registry, keys, tmp_path, tls):
    source, target = make_registry(tls=tls), make_registry(tls=tls)
    (tmp_path / "list").write_text("\n".join(fill(source, 1000, 100, 4_000_000)))
    (tmp_path / "sticks").mkdir()
    there, here = (["--ca-file", r.ca] if tls else ["--plain-http"] for r in (source, target))
    written = costs.of(32, "export", "--images", "list", *there, "-j", "4", *keys.p256.signing(), "-o", "b.tar").written
    size = (tmp_path / "b.tar").stat().st_size
    if written:  # a tmpfs counts nothing
        assert 0.98 * size <= written <= 1.02 * size + 64 * 1024, f"{written} bytes written for a bundle of {size}"
    costs.of(32, "verify", "b.tar", *keys.p256.trusting())
    costs.of(32, "push", "b.tar", target.host, *keys.p256.trusting(), *here, "-j", "4")
    costs.of(32, "push", "b.tar", target.host, *keys.p256.trusting(), *here, "-j", "4")
    costs.piped(32, "b.tar", "verify", "-", *keys.p256.trusting())
    costs.piped(32, "b.tar", "push", "-", f"{target.host}/piped", *keys.p256.trusting(), *here)
    costs.of(32, "split", "b.tar", "--split", "1M", "-o", "sticks")
    costs.of(32, "verify", "sticks", *keys.p256.trusting())
    costs.of(32, "parts", "need", "sticks")
    measured("R13", f"peak memory, 1,000 members, {'TLS' if tls else 'plain'}", costs.said())


def test_16384_members_in_40_MiB(costs, make_registry, keys, tmp_path):
    registry = make_registry()
    front = Storefront(str(tmp_path / "front"), registry)
    references = fill(registry, 16_370, 500)
    (tmp_path / "list").write_text("\n".join(references).replace(registry.host, front.host))
    words = ["export", "--images", "list", "--plain-http", "-j", "4", *keys.p256.signing(), "-o", "b.tar"]
    whole = costs.of(40, *words).written
    cut_off(tmp_path / "b.tar", 2)
    continued = costs.of(40, *words).written
    assert not whole or 0.2 * whole < continued < 0.8 * whole, "it did not go on where it was"
    front.stop()
    costs.of(40, "verify", "b.tar", *keys.p256.trusting())
    costs.of(40, "inspect", "b.tar", *keys.p256.trusting())
    costs.piped(40, "b.tar", "verify", "-", *keys.p256.trusting())
    costs.of(40, "push", "b.tar", registry.host, *keys.p256.trusting(), "--plain-http", "-j", "4")
    measured("R13", "peak memory, 16,384 members; the second export continues the first", costs.said())


def cut_off(path, parts):
    """What a run leaves that ended there: the unfinished file, as long as it will be, holds the first of so many parts."""
    size = path.stat().st_size
    os.rename(path, f"{path}.partial")
    os.truncate(f"{path}.partial", size // parts)
    os.truncate(f"{path}.partial", size)


def test_a_large_file_goes_through_in_16_MiB(costs, make_registry, keys, tmp_path):
    """In and out again: hashed, copied and verified without ever being held, and written once each time."""
    source, size = make_registry(), 400 * MIB
    source.plant("team/app", "1.0", images.image([images.layer("small", 1000)]))
    with open(tmp_path / "driver.run", "wb") as f:
        f.truncate(size)
        f.seek(size - 3)
        f.write(b"end")
    costs.of(16, "export", "--image", f"{source.host}/team/app:1.0", "--plain-http", "--file", "driver.run",
             *keys.p256.signing(), "-o", "b.tar")
    cost = costs.of(16, "extract", "b.tar", "--files", "-o", "out", *keys.p256.trusting())
    assert cost.written <= size * 1.01
    assert filecmp.cmp(tmp_path / "driver.run", tmp_path / "out/driver.run", shallow=False)


def wide(what):
    """A manifest of about 8 MiB with so much of one thing in it."""
    one, base = what, images.image([images.layer("wide", 2_000)])
    text = base.top.data[:-1] + b',"x":'
    room = 8 * MIB - len(text) - 100
    if one == "texts":
        more = b"[" + b",".join([b'"' + b"a" * 60_000 + b'"'] * (room // 60_003)) + b"]"
    elif one == "text":
        more = b'"' + b"a" * room + b'"'
    elif one == "keys":
        more = b"{" + b",".join(b'"%06x":1' % i for i in range(room // 11)) + b"}"
    else:
        more = b"[" + b",".join([one.encode()] * (room // (len(one) + 1))) + b"]"
    return images.Image(images.blob(text + more + b"}", base.top.media_type), base.blobs)


@pytest.mark.parametrize("what, rc", [("texts", 0), ("text", 1), ("0", 1), ("{}", 1), ("[]", 1), ('"a"', 1), ("keys", 1)])
def test_MAN_14_no_manifest_takes_more_than_32_MiB(sealift, tmp_path, what, rc):
    """A tree takes up to a hundred times what its text does: what would is refused before it is made."""
    with Scripted() as server:
        server.store("team/app", "1.0", wide(what))
        cost = measure.run([binary(), "plan", "--image", f"{server.host}/team/app:1.0", "--plain-http", "-q", "--retries", "0"],
                           env=sealift.environment(), cwd=tmp_path)
        assert cost.rc == rc and (rc == 0 or "takes at most 18 MiB of memory" in cost.out), cost.out
        assert cost.peak <= 32 * MIB, cost.peak / MIB
