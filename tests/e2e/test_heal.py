"""A damaged copy is healed by one line and a small file: judged by cmp against the copy that was good."""

import fcntl
import hashlib
import os
import random
import re
import signal
import subprocess
import time

import pytest

from support import images
from support.program import Program
from support.scripted import Scripted

MIB = 1024 * 1024
CHUNK = 8 * MIB


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return Program(tmp_path_factory.mktemp("heal"))


@pytest.fixture(scope="module")
def good(program, keys):
    """(path, bytes) of a good bundle of 6 chunks, and of another one."""
    made = []
    with Scripted() as server:
        for name, seed in (("good", "a"), ("other", "z")):
            layers = [images.layer(f"{seed}-{i}", size) for i, size in enumerate((18 * MIB, 3 * MIB, 20 * MIB))]
            server.store(f"team/{name}", "1.0", images.image(layers))
            program.ok("export", "--image", f"{server.host}/team/{name}:1.0", "--plain-http", *keys.p256.signing(), "-o",
                       f"{name}.tar")
            path = os.path.join(program.folder, f"{name}.tar")
            with open(path, "rb") as f:
                made.append((path, f.read()))
    return made


def damage(path, data, offsets):
    """A copy of data with changed bytes at those offsets."""
    changed = bytearray(data)
    for at in offsets:
        changed[at] ^= 0x55
    path.write_bytes(changed)
    return path


def need(program, *words):
    return program.ok("parts", "need", *words).out.strip()


def chunks(line):
    """The chunks that a line names, by a reading of our own, with its check (sealift-bundle(5))."""
    said, check = line.rsplit(":", 1)
    bits = int.from_bytes(hashlib.sha256(said.encode()).digest()[:3], "big")
    assert check == "".join("0123456789abcdefghjkmnpqrstvwxyz"[bits >> 5 * i & 31] for i in range(4))
    found = set()
    for part in line.split(":")[1].split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def split(program, path, folder, size="5M"):
    folder.mkdir()
    program.ok("split", path, "--split", size, "-o", folder)
    return folder


def corrupt(folder, name, part_size, offset):
    """Changes the byte of a set of parts that stands at that offset of the whole."""
    path = folder / f"{name}.tar.{offset // part_size + 1:03}"
    with open(path, "r+b") as f:
        f.seek(offset % part_size)
        was = f.read(1)
        f.seek(offset % part_size)
        f.write(bytes([was[0] ^ 0x55]))


@pytest.mark.parametrize("where", [[0], [600], [9 * MIB], [CHUNK - 1, CHUNK], [5 * MIB, 30 * MIB], [-1], [-700, 3]],
                         ids=str)
def test_parts_are_healed(program, keys, good, tmp_path, where):
    path, data = good[0]
    sticks = split(program, path, tmp_path / "stick")
    offsets = [at % len(data) for at in where]
    for at in offsets:
        corrupt(sticks, "good", 5 * MIB, at)
    assert program("verify", sticks, *keys.p256.trusting()).rc in (3, 4)
    line = need(program, sticks)
    assert chunks(line) == {at // CHUNK + 1 for at in offsets}
    program.ok("parts", "patch", path, line, "-o", tmp_path / "patch")
    assert (tmp_path / "patch").stat().st_size <= len(chunks(line)) * (CHUNK + 1000)
    program.ok("parts", "apply", sticks, tmp_path / "patch")
    program.ok("verify", sticks, *keys.p256.trusting())
    assert subprocess.run(["cat", *sorted(sticks.glob("*.tar.*"))], capture_output=True, check=True).stdout == data
    assert need(program, sticks) == ""


def test_a_bundle_without_a_list_asks_for_whole_members(program, keys, good, tmp_path):
    path, data = good[0]
    bad = damage(tmp_path / "bad.tar", data, [30 * MIB])
    line = need(program, bad)
    assert chunks(line) >= {30 * MIB // CHUNK + 1} and len(chunks(line)) <= 4
    program.ok("parts", "patch", path, line, "-o", tmp_path / "patch")
    program.ok("parts", "apply", bad, tmp_path / "patch")
    assert bad.read_bytes() == data


def test_a_truncated_copy_is_healed(program, good, tmp_path):
    path, data = good[0]
    bad = tmp_path / "bad.tar"
    bad.write_bytes(data[:len(data) - 5 * MIB])
    program.ok("parts", "patch", path, need(program, bad), "-o", tmp_path / "patch")
    program.ok("parts", "apply", bad, tmp_path / "patch")
    assert bad.read_bytes() == data


def test_random_damage_is_healed(program, keys, good, tmp_path):
    path, data = good[0]
    source = random.Random(5)
    for attempt in range(5):
        folder = split(program, path, tmp_path / f"stick-{attempt}", f"{source.randrange(1, 30)}M")
        size = int(re.search(r'"partSize":(\d+)', (folder / "good.parts.json").read_text())[1])
        for at in [source.randrange(len(data)) for _ in range(source.randrange(1, 5))]:
            corrupt(folder, "good", size, at)
        program.ok("parts", "patch", path, need(program, folder), "-o", tmp_path / f"patch-{attempt}")
        program.ok("parts", "apply", folder, tmp_path / f"patch-{attempt}")
        program.ok("verify", folder, *keys.p256.trusting())


# ---- the line --------------------------------------------------------------------------------

def test_the_line_is_short_and_every_slip_is_seen(program, good, tmp_path):
    path, data = good[0]
    line = need(program, damage(tmp_path / "bad.tar", data, [20 * MIB, 40 * MIB]))
    assert len(line) < 40 and re.fullmatch(r"[0-9a-f]{8}:[0-9,-]+:[0-9a-hjkmnp-tv-z]{4}", line)
    slips = {line[:i] + other + line[i + 1:] for i in range(len(line)) for other in "0127ac:,-z" if other != line[i]}
    slips |= {line[:i] + line[i + 1] + line[i] + line[i + 2:] for i in range(len(line) - 1) if line[i] != line[i + 1]}
    slips |= {line[:i] + line[i + 1:] for i in range(len(line))}
    sample = sorted(slips - {line})
    for slip in sample[::max(1, len(sample) // 80)]:
        refused = program("parts", "patch", path, slip, "-o", tmp_path / "patch")
        assert refused.rc == 2 and not (tmp_path / "patch").exists(), (slip, refused)


@pytest.mark.parametrize("text", ["", ":", "::", "a:b:c", "1" * 5000, "00000000:1:0000", "-1:1:1"])
def test_what_is_no_line_is_refused(program, good, tmp_path, text):
    assert program("parts", "patch", good[0][0], "--output", tmp_path / "patch", "--", text).rc == 2
    assert os.listdir(tmp_path) == []


def test_a_line_for_another_bundle_is_refused(program, good, tmp_path):
    line = need(program, damage(tmp_path / "bad.tar", good[0][1], [20 * MIB]))
    refused = program("parts", "patch", good[1][0], line, "-o", tmp_path / "patch")
    assert refused.rc == 2 and "another" not in refused.out and line[:8] in refused.err
    assert not (tmp_path / "patch").exists()


def test_nothing_is_needed_of_a_good_copy(program, good):
    done = program.ok("parts", "need", good[0][0])
    assert done.out == "" and "nothing is needed" in done.err


@pytest.mark.parametrize("held", ["whole", "parts"])
def test_one_run_heals_at_a_time(program, good, tmp_path, held):
    """Another run has the copy, or the part that is healed."""
    path, data = good[0]
    bad = damage(tmp_path / "bad.tar", data, [20 * MIB])
    program.ok("parts", "patch", path, need(program, bad), "-o", tmp_path / "patch")
    if held == "parts":
        subprocess.run(["split", "-b", "16M", "-d", "-a", "3", "--numeric-suffixes=1", bad, f"{bad}."], check=True)
        bad.unlink()
        bad = tmp_path / "bad.tar.002"
    with open(bad, "rb") as other:
        before = other.read()
        fcntl.flock(other, fcntl.LOCK_EX)
        done = program("parts", "apply", str(bad).replace(".002", ".001"), tmp_path / "patch")
        assert done.rc == 1 and "another run" in done.err and bad.read_bytes() == before, repr(done)
    program.ok("parts", "apply", str(bad).replace(".002", ".001"), tmp_path / "patch")
    assert bad.read_bytes() != before


# ---- patches that do not heal ------------------------------------------------------------------

def test_bytes_behind_the_end_are_no_chunk_to_ask_for(program, keys, good, tmp_path):
    """No patch takes them away, and verify does not take them."""
    path, data = good[0]
    (tmp_path / "long.tar").write_bytes(data + b"x")
    refused = program("parts", "need", tmp_path / "long.tar")
    assert refused.rc == 4 and refused.out == "" and str(len(data)) in refused.err
    split(program, path, tmp_path / "set")
    with open(tmp_path / "set/good.tar.002", "ab") as f:
        f.write(b"x")
    refused = program("parts", "need", tmp_path / "set/good.tar.001")
    assert refused.rc == 4 and refused.out == "" and "good.tar.002" in refused.err


@pytest.fixture
def sick(program, good, tmp_path):
    """(damaged copy, its bytes, the right patch)"""
    path, data = good[0]
    bad = damage(tmp_path / "bad.tar", data, [20 * MIB])
    program.ok("parts", "patch", path, need(program, bad), "-o", tmp_path / "patch")
    return bad, bad.read_bytes(), tmp_path / "patch"


@pytest.mark.parametrize("content, rc, word", [(None, 7, "No such file"), ("pw\n", 1, "expected a patch"), ("[]\n", 1, "expected a patch"),
                                               ("", 1, "expected a patch")])
def test_what_is_no_patch_is_said_so(program, sick, tmp_path, content, rc, word):
    bad, before, _ = sick
    if content is not None:
        (tmp_path / "other").write_text(content)
    done = program("parts", "apply", bad, tmp_path / "other")
    assert done.rc == rc and word in done.err and bad.read_bytes() == before, repr(done)


def test_a_patch_is_refused_when_any_byte_of_it_is_wrong(program, sick, good, tmp_path):
    bad, before, patch = sick
    data = patch.read_bytes()
    end = data.index(b"\n") + 1
    places = [*range(0, end, 7), end, len(data) - 1, len(data) // 2]
    for at in places:
        damage(tmp_path / "wrong", data, [at])
        assert program("parts", "apply", bad, tmp_path / "wrong").rc != 0 and bad.read_bytes() == before, at
    for size in (0, 10, end - 1, end, end + 5, len(data) - 1):
        (tmp_path / "wrong").write_bytes(data[:size])
        assert program("parts", "apply", bad, tmp_path / "wrong").rc != 0
        assert bad.read_bytes() == before


def test_a_patch_that_lies_changes_nothing(program, sick, good, tmp_path):
    """Chunks whose own hashes hold, but which are not what the inventory signed."""
    bad, before, patch = sick
    head, _, body = patch.read_bytes().partition(b"\n")
    body = bytearray(body)
    body[100] ^= 1
    sums = re.findall(rb'"sha256":"([0-9a-f]{64})"', head)
    at = 0
    for size, old in zip(re.findall(rb'"size":(\d+)', head), sums):
        chunk = bytes(body[at:at + int(size)])
        head = head.replace(old, hashlib.sha256(chunk).hexdigest().encode())
        at += int(size)
    (tmp_path / "lie").write_bytes(head + b"\n" + body)
    refused = program("parts", "apply", bad, tmp_path / "lie")
    assert refused.rc == 4 and "does not heal" in refused.err and bad.read_bytes() == before


def test_a_patch_that_is_no_file_is_refused(program, sick, tmp_path):
    """A pipe that nobody writes to would be waited for without end."""
    bad, before, _ = sick
    os.mkfifo(tmp_path / "pipe")
    refused = program("parts", "apply", bad, tmp_path / "pipe", timeout=20)
    assert refused.rc == 1 and "patch" in refused.err and bad.read_bytes() == before


def test_a_part_that_is_elsewhere_is_not_the_fault_of_the_patch(program, good, tmp_path):
    path, data = good[0]
    parts = split(program, path, tmp_path / "set")
    corrupt(parts, "good", 5 * MIB, 20 * MIB)
    program.ok("parts", "patch", path, need(program, parts / "good.tar.001"), "-o", tmp_path / "patch")
    (parts / "good.tar.004").rename(tmp_path / "away")
    refused = program("parts", "apply", parts / "good.tar.001", tmp_path / "patch")
    assert refused.rc == 7 and "good.tar.004" in refused.err and "does not heal" not in refused.err


def test_a_patch_for_another_bundle_changes_nothing(program, sick, good, tmp_path):
    _, _, patch = sick
    other = damage(tmp_path / "other.tar", good[1][1], [20 * MIB])
    before = other.read_bytes()
    refused = program("parts", "apply", other, patch)
    assert refused.rc == 2 and "another" in refused.err and other.read_bytes() == before


def test_a_patch_for_less_than_the_damage_changes_nothing(program, good, tmp_path):
    path, data = good[0]
    line = need(program, damage(tmp_path / "one.tar", data, [2 * MIB]))
    program.ok("parts", "patch", path, line, "-o", tmp_path / "patch")
    worse = damage(tmp_path / "worse.tar", data, [2 * MIB, 25 * MIB, 17 * MIB])
    before = worse.read_bytes()
    done = program("parts", "apply", worse, tmp_path / "patch")
    assert done.rc == 4 and worse.read_bytes() == before, done


def test_a_killed_healing_is_completed_by_the_same_command(program, good, tmp_path):
    path, data = good[0]
    places = [at for at in range(1 * MIB, len(data), 6 * MIB)]
    for attempt in range(4):
        bad = damage(tmp_path / f"bad-{attempt}.tar", data, places)
        patch = tmp_path / "patch"
        if not patch.exists():
            program.ok("parts", "patch", path, need(program, bad), "-o", patch)
        run = program.start("parts", "apply", bad, patch)
        time.sleep(0.03 * attempt)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        program.ok("parts", "apply", bad, patch)
        assert bad.read_bytes() == data
