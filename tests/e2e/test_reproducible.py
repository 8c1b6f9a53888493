"""R17: the same inputs give the same bytes, wherever, whenever and by whomever they are put together.

With an Ed25519 key that is the whole file; with P-256, whose signatures hold a random number, all but the
signature area.
"""

import os
import subprocess

import pytest

from support.figures import figure
from support import images, processes, reader
from support.carry import HOST
from support.program import Program, binary
from support.scripted import Scripted

NAMES = ["zebra/app", "team/app", "team/docker", "team/index"]
FILES = {"values.yaml": "a: 1\n", "Setup.sh": "#!/bin/sh\n"}
STAMP = {"SOURCE_DATE_EPOCH": "1700000000"}


class Bench:
    """A registry, files, and runs of export that differ in what must not matter."""

    def __init__(self, folder, server, pair):
        self.folder, self.server, self.pair = folder, server, pair
        self.program = Program(folder)

    def words(self, turned):
        lists = [[("--image", f"{HOST}/{name}:1.0") for name in NAMES], [("--label", v) for v in ("b=2", "a=1", "change=CHG-7")],
                 [("--file", str(self.folder / name)) for name in FILES]]
        if turned:
            lists = [list(reversed(one)) for one in reversed(lists)]
        return [word for one in lists for pair in one for word in pair]

    def run(self, out, turned=False, umask=0o022, cwd=None, more=(), env=None):
        """The bytes of a bundle."""
        argv = [binary(), "export", *self.words(turned), "--name", "trio", "--release-version", "1.0", "--mirror",
                f"{HOST}={self.server.url}", *self.pair.signing(), "-o", str(out), "--no-progress", *more]
        done = subprocess.run(**processes.child(argv), cwd=cwd or self.folder, env=self.program.environment({**STAMP, **(env or {})}),
                              timeout=120, capture_output=True, text=True, stdin=subprocess.DEVNULL, umask=umask)
        assert done.returncode == 0, done
        with open(os.path.join(cwd or self.folder, out), "rb") as f:
            return f.read()


def variations(folder):
    """{what differs: the words of a run}"""
    other = folder / "elsewhere" / "ö"
    other.mkdir(parents=True)
    zones = ["Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "UTC-14", ":/nonexistent"]
    locales = ["C", "POSIX", "tr_TR.UTF-8", "de_DE.ISO-8859-1", "ar_EG.UTF-8", "xx_XX"]
    return {
        **{f"TZ={zone}": dict(env={"TZ": zone}) for zone in zones},
        **{f"LC_ALL={name}": dict(env={"LC_ALL": name, "LANG": name, "LANGUAGE": name}) for name in locales},
        **{f"umask {mask:03o}": dict(umask=mask) for mask in (0o000, 0o077, 0o777 & ~0o700)},
        "another folder": dict(cwd=str(other)),
        "another name of the file": dict(out="another-name.tar"),
        "another HOME": dict(env={"HOME": str(other)}),
        "arguments in another order": dict(turned=True),
        "no jobs beside one another": dict(more=["--jobs", "1"]),
        "many jobs": dict(more=["--jobs", "16"]),
        "again": {},
        "all at once": dict(env={"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "HOME": str(other)}, umask=0o077, cwd=str(other),
                            turned=True, more=["--jobs", "2"]),
    }


def without_area(data):
    at = reader.split(data)[1]
    return data[:at] + data[at + reader.AREA:]


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_R17_same_inputs_same_bytes(keys, tmp_path, kind):
    pair = getattr(keys, kind)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    equal = total = 0
    with Scripted() as server:
        one, other = images.image([images.layer("r17-1", 9000)]), images.image([images.layer("r17-2", 900)], "linux/arm64")
        for name, image in zip(NAMES, (one, other, images.image([images.layer("r17-3", 90)], docker=True), images.index([one, other]))):
            server.store(name, "1.0", image)
        bench = Bench(tmp_path, server, pair)
        first = bench.run("first.tar")
        assert reader.verdict(first, pair.public) == "good"
        for what, run in variations(tmp_path).items():
            data = bench.run(**{"out": f"{total}.tar", **run})
            total += 1
            same = data == first if kind == "ed25519" else without_area(data) == without_area(first)
            assert same, what
            equal += same
    figure("R17", "reproducible", equal, total, "equal")


def test_R17_another_input_is_another_bundle(keys, tmp_path):
    """The comparison can fail: another time, a label more, another file."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with Scripted() as server:
        for name in NAMES:
            server.store(name, "1.0", images.image([images.layer("r17", 900)]))
        bench = Bench(tmp_path, server, keys.ed25519)
        made = [bench.run("0.tar"), bench.run("1.tar", env={"SOURCE_DATE_EPOCH": "1700000001"}),
                bench.run("2.tar", more=["--label", "c=3"])]
        (tmp_path / "values.yaml").write_text("a: 2\n")
        made.append(bench.run("3.tar"))
    assert len(set(made)) == 4
