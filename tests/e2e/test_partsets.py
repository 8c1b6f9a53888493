"""R21: sets of parts, each part of which is missing, swapped, foreign or damaged, is named right, and healed."""

import os
import shutil
import subprocess

import pytest

from support import images
from support.figures import figure
from support.program import Program
from support.scripted import Scripted

MIB = 1 << 20
SIZES = [2 * MIB, 5 * MIB, 9 * MIB + 77]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return Program(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def whole(program, keys):
    """A bundle of 21 MiB, and another with layers of the same sizes."""
    paths = []
    with Scripted() as server:
        for name in ("one", "other"):
            layers = [images.layer(f"{name}-{i}", 7 * MIB) for i in range(3)]
            server.store(f"team/{name}", "1.0", images.image(layers))
            program.ok("export", "--image", f"{server.host}/team/{name}:1.0", "--plain-http", *keys.p256.signing(), "-o",
                       f"{name}.tar")
            paths.append(os.path.join(program.folder, f"{name}.tar"))
    return paths


@pytest.fixture(scope="module")
def tally():
    counts = {"named": [0, 0], "healed": [0, 0]}
    yield counts
    figure("R21", "parts missing, swapped, foreign, damaged", *counts["named"], "named right")
    figure("R21", "parts damaged", *counts["healed"], "healed by a patch")


@pytest.fixture(scope="module", params=SIZES)
def case(request, program, whole, tmp_path_factory):
    """A set of that size, the foreign set of the same name, and the bytes of each part."""
    folder = tmp_path_factory.mktemp("set")
    for path, name in zip(whole, ("set", "foreign")):
        (folder / name).mkdir()
        shutil.copy(path, folder / "b.tar")
        program.ok("split", folder / "b.tar", "--split", str(request.param), "-o", folder / name)
    parts = sorted((folder / "set").glob("b.tar.[0-9]*"))
    return folder / "set", folder / "foreign", {part: part.read_bytes() for part in parts}


def spoil(kind, part, parts, foreign):
    """Does that to the part."""
    data = parts[part]
    if kind == "missing":
        part.unlink()
    elif kind == "foreign":
        shutil.copy(foreign / part.name, part)
    elif kind == "swapped":
        others = [p for p in parts if p != part and len(parts[p]) == len(data)]
        if not others:
            return False
        part.write_bytes(parts[others[0]])
    else:
        changed = bytearray(data)
        changed[len(data) // 2] ^= 0x20
        part.write_bytes(changed)
    return True


@pytest.mark.parametrize("kind", ["missing", "swapped", "foreign", "damaged"])
def test_R21_every_part_is_named(program, keys, case, tally, kind):
    folder, foreign, parts = case
    for number, part in enumerate(parts, 1):
        if not spoil(kind, part, parts, foreign):
            continue
        done = program("verify", folder, *keys.p256.trusting()) if number > 1 or kind != "missing" else \
            program("verify", folder / "b.tar.001", *keys.p256.trusting())
        if number == 1 and kind in ("swapped", "foreign"):
            # another bundle's beginning, or none: what is wrong is said of the set
            right = done.rc in (3, 4) and ("another bundle" in done.err or "no signed bundle" in done.err
                                           or "expected a bundle" in done.err)
        else:
            said = f"part {number} (b.tar.{number:03})" if kind == "missing" else f"damaged: part {number},"
            right = done.rc == (7 if kind == "missing" else 4) and said in done.err
            right = right and (kind == "missing" or done.err.count("damaged: part") == 1)
        tally["named"][0] += right
        tally["named"][1] += 1
        assert right, (kind, number, done)
        part.write_bytes(parts[part])
    program.ok("verify", folder, *keys.p256.trusting())


def test_R21_a_patch_heals_every_part(program, keys, case, whole, tally, tmp_path):
    folder, _, parts = case
    for number, part in enumerate(parts, 1):
        spoil("damaged", part, parts, None)
        line = program.ok("parts", "need", folder).out.strip()
        program.ok("parts", "patch", whole[0], line, "-o", tmp_path / str(number))
        program.ok("parts", "apply", folder, tmp_path / str(number))
        tally["healed"][0] += part.read_bytes() == parts[part]
        tally["healed"][1] += 1
        assert part.read_bytes() == parts[part]
    program.ok("verify", folder, *keys.p256.trusting())


def test_R21_par2_heals_a_part(case, tmp_path):
    """Parity that was made beside the parts, by Debian's par2."""
    _, _, parts = case
    part = list(parts)[-1]
    copy = tmp_path / part.name
    copy.write_bytes(parts[part])
    subprocess.run(["par2", "create", "-q", "-q", "-r10", "-n1", copy.name], cwd=tmp_path, check=True, capture_output=True)
    changed = bytearray(parts[part])
    changed[1000:1100] = bytes(100)
    copy.write_bytes(changed)
    subprocess.run(["par2", "repair", "-q", "-q", copy.name], cwd=tmp_path, check=True, capture_output=True)
    assert copy.read_bytes() == parts[part]
