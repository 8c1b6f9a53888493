"""Parts in several folders, pipes, and reading back from the medium: judged by cat, sha256sum, tar and strace."""

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from support import images, processes, terminal as terminals
from support.program import Program, binary
from support.scripted import Scripted

MIB = 1024 * 1024
LAYERS = [images.layer("large", 9 * MIB), images.layer("shared", 9 * MIB), images.layer("small", 500)]


@pytest.fixture(scope="module")
def server():
    """Two images that share a layer which no pipe holds."""
    with Scripted() as made:
        made.store("team/app", "1.0", images.image(LAYERS))
        made.store("team/web", "1.0", images.image(LAYERS[1:]))
        yield made


@pytest.fixture(scope="module")
def arguments(server, keys):
    wanted = [word for name in ("app", "web") for word in ("--image", f"{server.host}/team/{name}:1.0")]
    return ["export", *wanted, "--plain-http", "--file", keys.ed25519.public, *keys.ed25519.signing()]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Runs in the module's folder, with one time for all bundles."""
    made = Program(tmp_path_factory.mktemp("media"))
    plain = made.environment
    made.environment = lambda more=None: plain({"SOURCE_DATE_EPOCH": "1790000000", **(more or {})})
    return made


@pytest.fixture(scope="module")
def whole(program, arguments):
    """(path, bytes) of the bundle in one file."""
    program.ok(*arguments, "-o", "whole.tar")
    path = os.path.join(program.folder, "whole.tar")
    with open(path, "rb") as f:
        return path, f.read()


def folders(where, count):
    made = [where / f"stick-{i}" for i in range(count)]
    for folder in made:
        folder.mkdir(parents=True)
    return made


def outputs(made):
    return [word for folder in made for word in ("-o", folder)]


def elsewhere(made):
    return [word for folder in made[1:] for word in ("--media", folder)]


def parts_of(made):
    """The parts, in order of their numbers."""
    return sorted((p for folder in made for p in folder.glob("*.tar.[0-9][0-9][0-9]")), key=lambda p: p.name)


def joined(made):
    return subprocess.run(["cat", *parts_of(made)], capture_output=True, check=True).stdout


# ---- parts -----------------------------------------------------------------------------------

@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("size, limit", [("64K", 65536), ("1000000", 10**6), ("7M", 7 * MIB), ("1G", 1 << 30)])
def test_parts_join_to_the_whole(program, arguments, keys, whole, tmp_path, count, size, limit):
    made = folders(tmp_path, count)
    program.ok(*arguments, "--split", size, *outputs(made), "--name", "whole", "--release-version", "1")
    program.ok(*arguments, "--name", "whole", "--release-version", "1", "-o", tmp_path / "whole.tar")
    assert joined(made) == (tmp_path / "whole.tar").read_bytes()
    sizes = [p.stat().st_size for p in parts_of(made)]
    assert set(sizes[:-1]) <= {limit} and 0 < sizes[-1] <= limit
    checked = program.ok("verify", parts_of(made)[-1], *keys.ed25519.trusting(),
                         *[w for folder in made for w in ("--media", folder)])
    assert "verified" in checked.out


def test_list_and_head_stand_beside_each_part(program, arguments, whole, tmp_path):
    made = folders(tmp_path, 2)
    program.ok("split", whole[0], "--split", "3M", *outputs(made))
    lists = [json.loads((folder / "whole.parts.json").read_text()) for folder in made]
    assert lists[0] == lists[1]
    inventory = subprocess.run(["tar", "-xOf", whole[0], "--occurrence=1", "bundle/inventory.json"],
                               capture_output=True, check=True).stdout
    assert lists[0]["inventory"] == "sha256:" + hashlib.sha256(inventory).hexdigest()
    for part in lists[0]["parts"]:
        data = next(folder / part["name"] for folder in made if (folder / part["name"]).exists()).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (part["size"], part["sha256"])
    chunks = [hashlib.sha256(whole[1][at:at + 8 * MIB]).hexdigest() for at in range(0, len(whole[1]), 8 * MIB)]
    assert lists[0]["chunks"] == chunks and len(chunks) == 3
    head = (made[0] / "whole.head").read_bytes()
    assert whole[1].startswith(head) and len(head) == 512 + -(-len(inventory) // 512) * 512 + 32768


@pytest.mark.parametrize("verb", [["verify"], ["inspect"], ["push", "--dry-run"], ["extract", "--files"]],
                         ids=lambda verb: verb[0])
def test_every_verb_reads_parts_in_place(program, keys, whole, registry, make_authfile, tmp_path, verb):
    made = folders(tmp_path, 3)
    program.ok("split", whole[0], "--split", "4M", *outputs(made))
    before = {p: p.stat().st_mtime_ns for folder in made for p in folder.iterdir()}
    target = [registry.host, "--plain-http", "--authfile", make_authfile(registry)] if verb[0] == "push" else []
    program.ok(verb[0], made[0] / "whole.tar.001", *target, *verb[1:], *elsewhere(made), *keys.ed25519.trusting(),
               cwd=tmp_path)
    assert {p: p.stat().st_mtime_ns for folder in made for p in folder.iterdir()} == before


def test_push_from_parts_brings_what_was_exported(program, keys, whole, registry, make_authfile, tmp_path):
    made = folders(tmp_path, 2)
    program.ok("split", whole[0], "--split", "2M", *outputs(made))
    program.ok("push", made[0], *elsewhere(made), f"{registry.host}/from-parts", "--plain-http", "--authfile",
               make_authfile(registry), *keys.ed25519.trusting())
    raw, _ = registry.client().manifest("from-parts/team/app", "1.0")
    assert raw == images.image(LAYERS).top.data


@pytest.mark.parametrize("gone, named", [((2,), "part 3 "), ((1, 4), "part 2 .*part 5 ")])
def test_missing_parts_are_named(program, keys, whole, tmp_path, gone, named):
    made = folders(tmp_path, 1)
    program.ok("split", whole[0], "--split", "4M", "-o", made[0])
    for i, part in [(i, parts_of(made)[i]) for i in gone]:
        part.rename(tmp_path / f"away-{i}")
    for path in (made[0], made[0] / "whole.tar.001", made[0] / "whole.tar"):
        refused = program("verify", path, *keys.ed25519.trusting())
        assert refused.rc == 7 and re.search(named, refused.err) and "--media" in refused.err, refused


def test_one_part_of_another_bundle_is_named(program, keys, whole, tmp_path):
    made = folders(tmp_path, 1)
    program.ok("split", whole[0], "--split", "4M", "-o", made[0])
    foreign = parts_of(made)[2]
    foreign.write_bytes(os.urandom(foreign.stat().st_size))
    refused = program("verify", made[0], *keys.ed25519.trusting())
    assert refused.rc == 4 and "damaged: part 3," in refused.err and "another bundle" in refused.err, refused
    assert len(re.findall("damaged: part", refused.err)) == 1


def test_swapped_and_cut_and_surplus_parts_are_named(program, keys, whole, tmp_path):
    made = folders(tmp_path, 1)
    program.ok("split", whole[0], "--split", "4M", "-o", made[0])
    second, third = parts_of(made)[1:3]
    a, b = second.read_bytes(), third.read_bytes()
    second.write_bytes(b)
    third.write_bytes(a)
    refused = program("verify", made[0], *keys.ed25519.trusting())
    assert refused.rc == 4 and "damaged: part 2," in refused.err and "damaged: part 3," in refused.err, refused
    second.write_bytes(a[:-7])
    third.write_bytes(b)
    refused = program("verify", made[0], *keys.ed25519.trusting())
    assert refused.rc == 4 and f"part 2 (whole.tar.002): expected {len(a)} bytes, found {len(a) - 7}" in refused.err
    second.write_bytes(a)
    (made[0] / f"whole.tar.{len(parts_of(made)) + 1:03}").write_bytes(b"more")
    refused = program("verify", made[0], *keys.ed25519.trusting())
    assert refused.rc == 4 and "found part 6 " in refused.err, refused


def test_parts_without_their_list_are_read_too(program, keys, whole, tmp_path):
    made = folders(tmp_path, 2)
    program.ok("split", whole[0], "--split", "4M", *outputs(made))
    for folder in made:
        (folder / "whole.parts.json").unlink()
    assert program.ok("verify", made[0], *elsewhere(made), *keys.ed25519.trusting())


def test_parts_of_any_name_are_known_by_their_bytes(program, keys, whole, tmp_path):
    """As on a device, which has no names, and is longer than the part that was written to it."""
    for size in ("5M", "9M"):
        made = folders(tmp_path / size, 1)
        program.ok("split", whole[0], "--split", size, "-o", made[0])
        there = parts_of(made)
        away = []
        for i, part in list(enumerate(there))[1:]:
            away.append(part.rename(tmp_path / size / f"anything-{i}"))
        words = [w for path in reversed(away) for w in ("--media", path)]
        assert program.ok("verify", there[0], *words, *keys.ed25519.trusting())
        away[0].write_bytes(os.urandom(away[0].stat().st_size))
        refused = program("verify", there[0], *words, *keys.ed25519.trusting())
        assert refused.rc == 7 and "part 2 " in refused.err


@pytest.mark.parametrize("text", ["0", "63K", "-1", "4T", "fat", "", "1 M", "99999999999999999999"])
def test_a_size_that_is_none_is_refused(program, whole, tmp_path, text):
    refused = program("split", whole[0], "--split", text, "-o", tmp_path)
    assert refused.rc == 2 and "--split" in refused.err and os.listdir(tmp_path) == []


def test_four_GiB_is_warned_of(program, arguments, tmp_path):
    assert "FAT32" in program.ok(*arguments, "--split", "4G", "-o", tmp_path).err
    assert "FAT32" not in program.ok(*arguments, "--split", "fat32", "-o", tmp_path, "--force").err


@pytest.fixture(scope="module")
def larger(program, keys):
    """A bundle of 1,000 parts and more, of the smallest size."""
    with Scripted() as server:
        server.store("team/large", "1.0", images.image([images.layer("larger", 66 * MIB)]))
        program.ok("export", "--image", f"{server.host}/team/large:1.0", "--plain-http", *keys.ed25519.signing(), "-o",
                   "larger.tar")
    return os.path.join(program.folder, "larger.tar")


def test_too_many_parts_are_refused_before_any_is_written(program, larger, tmp_path):
    refused = program("split", larger, "--split", "64K", "-o", tmp_path)
    assert refused.rc == 2 and "999" in refused.err and os.listdir(tmp_path) == []


@pytest.mark.torture
def test_nearly_a_thousand_parts(program, keys, larger, tmp_path):
    """More than the descriptors that a process usually has are open at once."""
    program.ok("split", larger, "--split", "68K", "-o", tmp_path)
    assert 980 <= len(parts_of([tmp_path])) <= 999
    program.ok("verify", tmp_path, *keys.ed25519.trusting())


@pytest.mark.parametrize("output, word", [("absent", "No such file"), ("file", "expected a folder")])
def test_an_output_that_is_no_folder_is_named(program, whole, tmp_path, output, word):
    (tmp_path / "file").write_text("")
    done = program("split", whole[0], "--split", "8M", "-o", tmp_path / output)
    assert done.rc != 0 and word in done.err and str(tmp_path / output) in done.err and "full" not in done.err, done
    assert done.out == "" and os.listdir(tmp_path) == ["file"]


def test_split_continues_what_a_killed_run_left(program, whole, tmp_path):
    made = folders(tmp_path, 2)
    run = program.start("split", whole[0], "--split", "1M", *outputs(made))
    while not any(parts_of(made)):
        assert run.poll() is None
        time.sleep(0.001)
    run.kill()
    run.communicate()
    there = {p: p.stat().st_ino for p in parts_of(made)}
    program.ok("split", whole[0], "--split", "1M", *outputs(made))
    assert joined(made) == whole[1]
    assert {p: p.stat().st_ino for p in there} == there, "a whole part was written again"


def test_export_into_parts_continues_after_a_kill(program, arguments, server, keys, tmp_path):
    made = folders(tmp_path, 2)
    words = [*arguments, "--split", "2M", *outputs(made)]
    run = program.start(*words)
    while not any(folder.glob("*.partial") for folder in made) or sum(
            p.stat().st_size for folder in made for p in folder.glob("*.partial")) < 6 * MIB:
        assert run.poll() is None
        time.sleep(0.001)
    run.kill()
    run.communicate()
    assert parts_of(made) == [] or not any(p.name.endswith(".001") for p in parts_of(made))
    program.ok(*words)
    program.ok(*arguments, "-o", tmp_path / "one.tar")
    assert joined(made) == (tmp_path / "one.tar").read_bytes()
    assert not list(tmp_path.glob("*/*.partial"))


def test_parts_are_asked_for_on_a_terminal(keys, whole, program, tmp_path):
    """One drive, two sticks: the second one is put in when it is asked for."""
    made = folders(tmp_path, 2)
    program.ok("split", whole[0], "--split", "8M", *outputs(made))
    child, terminal = pty.fork()
    if child == 0:
        os.execve(binary(), ["sealift", "verify", str(made[0] / "whole.tar.001"), *map(str, keys.ed25519.trusting())],
                  program.environment())
    seen = b""
    try:
        while b"part 2 (whole.tar.002)" not in seen:
            seen += os.read(terminal, 1000)
        os.rename(made[1] / "whole.tar.002", made[0] / "whole.tar.002")
        os.write(terminal, b"\n")
        while b"verified:" not in seen:
            seen += os.read(terminal, 1000)
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert b"press Enter" in seen


@pytest.mark.parametrize("name", ["whole.parts.json", "whole.head"])
def test_a_pipe_beside_a_part_is_not_waited_for(program, keys, whole, tmp_path, name):
    """Nobody writes to it: who opens it would wait without end."""
    for folder in folders(tmp_path, 2):
        os.mkfifo(folder / name)
    refused = program("split", whole[0], "--split", "8M", "-o", tmp_path / "stick-0", timeout=20)
    assert refused.rc == 1 and name in refused.err and not parts_of([tmp_path / "stick-0"])
    for part in ("whole.tar.001", "whole.tar.002", "whole.tar.003"):
        at = (int(part[-3:]) - 1) * 8 * MIB
        (tmp_path / "stick-1" / part).write_bytes(whole[1][at:at + 8 * MIB])
    program.ok("verify", tmp_path / "stick-1/whole.tar.001", *keys.ed25519.trusting(), timeout=20)
    program.ok("parts", "need", tmp_path / "stick-1/whole.tar.001", timeout=20)


@pytest.mark.parametrize("path", ["in/whole.tar.001", "in/whole.tar", "in", "in/"])
def test_parts_are_called_as_the_bundle(program, keys, whole, tmp_path, path):
    """Whatever names the bundle: its folder, its first part, or what its parts have in common."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    program.ok("split", whole[0], "--split", "5M", "-o", source)
    program.ok("split", f"{tmp_path}/{path}", "--split", "8M", "-o", target)
    assert {p.name for p in target.iterdir()} == {"whole.head", "whole.parts.json", *(f"whole.tar.00{i}" for i in (1, 2, 3))}
    program.ok("verify", target, *keys.ed25519.trusting())


def test_fewer_parts_do_not_go_beside_more(program, keys, whole, tmp_path):
    """The last of the old ones would make the new set unreadable."""
    program.ok("split", whole[0], "--split", "4M", "-o", tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    refused = program("split", whole[0], "--split", "8M", "-o", tmp_path, "--force")
    assert refused.rc == 1 and "part 4" in refused.err and "move it away" in refused.err
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    for i in (4, 5):
        (tmp_path / f"whole.tar.00{i}").unlink()
    program.ok("split", whole[0], "--split", "8M", "-o", tmp_path, "--force")
    program.ok("verify", tmp_path / "whole.tar.001", *keys.ed25519.trusting())


# ---- pipes -----------------------------------------------------------------------------------

def wait_for_block(process, call):
    """Until the process waits in that call for the other end of a pipe."""
    deadline = time.monotonic() + 60
    while True:
        with open(f"/proc/{process.pid}/wchan") as f:
            if f"pipe_{call}" in f.read():
                return
        assert process.poll() is None and time.monotonic() < deadline, "it does not wait"
        time.sleep(0.05)


def piped(program, path, *words):
    """Runs the program with the file coming through a pipe."""
    with subprocess.Popen(**processes.child(["cat", path]), stdout=subprocess.PIPE) as cat:
        done = subprocess.run([binary(), *map(str, words)], stdin=cat.stdout, capture_output=True, text=True,
                              env=program.environment(), cwd=program.folder, timeout=120)
        cat.stdout.close()
    return done


def test_export_into_a_pipe_writes_the_same_bytes(program, arguments, whole):
    done = subprocess.run([binary(), *map(str, arguments), "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=program.environment(), cwd=program.folder, timeout=120)
    assert done.returncode == 0 and done.stdout == whole[1]
    assert b"wrote -" in done.stderr


def test_verify_reads_a_pipe(program, keys, whole, tmp_path):
    assert piped(program, whole[0], "verify", "-", *keys.ed25519.trusting()).returncode == 0
    bad = bytearray(whole[1])
    for at in (len(bad) // 2, len(bad) - 1, len(bad) - 2000):
        bad[at] ^= 1
        (tmp_path / "bad.tar").write_bytes(bad)
        assert piped(program, tmp_path / "bad.tar", "verify", "-", *keys.ed25519.trusting()).returncode == 4
        bad[at] ^= 1
    for data in (whole[1][:-1], whole[1] + b"x", whole[1][:len(bad) // 3]):
        (tmp_path / "bad.tar").write_bytes(data)
        assert piped(program, tmp_path / "bad.tar", "verify", "-", *keys.ed25519.trusting()).returncode == 4
    assert piped(program, whole[0], "verify", "-", *keys.other.trusting()).returncode == 3


def test_push_out_of_a_pipe(program, keys, whole, registry, make_authfile):
    words = ["push", "-", f"{registry.host}/piped", "--plain-http", "--authfile", make_authfile(registry),
             *keys.ed25519.trusting()]
    done = piped(program, whole[0], *words)
    assert done.returncode == 0, done
    for name, layers in (("app", LAYERS), ("web", LAYERS[1:])):
        raw, _ = registry.client().manifest(f"piped/team/{name}", "1.0")
        assert raw == images.image(layers).top.data
    before = len(registry.requests())
    assert piped(program, whole[0], *words).returncode == 0
    assert {r.method for r in registry.requests(since=before)} <= {"GET", "HEAD"}


def test_a_registry_that_mounts_nothing_is_filled_by_the_same_command(program, keys, whole):
    """A layer of two images passes once a run, and goes into one more repository each time."""
    with Scripted() as target:
        target.mounts = False
        words = ["push", "-", target.host, "--plain-http", *keys.ed25519.trusting()]
        first = piped(program, whole[0], *words)
        assert first.returncode == 8 and "run the same command again" in first.stderr
        assert all(f"missing: {target.host}/team/{name}:1.0" in first.stderr for name in ("app", "web"))
        again = piped(program, whole[0], *words)
        assert again.returncode == 0, again
        for name, layers in (("app", LAYERS), ("web", LAYERS[1:])):
            assert target.manifests[f"team/{name}", "1.0"] == images.image(layers).top


def test_damage_in_a_pipe_names_no_image(program, keys, whole, registry, make_authfile, tmp_path):
    bad = bytearray(whole[1])
    bad[-4000] ^= 1  # in the last layer, which both images need
    bad[len(bad) // 2] ^= 1
    (tmp_path / "bad.tar").write_bytes(bad)
    done = piped(program, tmp_path / "bad.tar", "push", "-", f"{registry.host}/damaged", "--plain-http", "--authfile",
                 make_authfile(registry), *keys.ed25519.trusting())
    assert done.returncode == 4
    assert not [r for r in registry.requests() if r.method == "PUT" and "/manifests/" in r.path]


def test_a_failure_in_a_pipe_still_verifies_the_rest(program, keys, whole, tmp_path):
    with Scripted() as target:
        def broken(request, answer):
            return answer() if int(request.header("Content-Length") or 0) < 8 * MIB else say_no(request, answer)
        from support.scripted import say
        say_no = say(503, b"busy")
        target.on("PUT", "/blobs/uploads/", broken)
        done = piped(program, whole[0], "push", "-", target.host, "--plain-http", "--retries", "0",
                     *keys.ed25519.trusting())
        assert done.returncode == 8 and "missing: " in done.stderr, done
        assert "team/app:1.0" in done.stderr
        short = tmp_path / "short.tar"
        short.write_bytes(whole[1][:-600])
        done = piped(program, short, "push", "-", target.host, "--plain-http", "--retries", "0",
                     *keys.ed25519.trusting())
        assert done.returncode == 4, done


@pytest.mark.parametrize("more, word", [
    (["-f", "-", "-o", "values"], "standard input"), (["--verify-first"], "pipe"),
    (["-u", "me", "--password-stdin"], "standard input")], ids=["values", "verify-first", "password"])
def test_a_pipe_has_one_use(program, keys, whole, registry, more, word):
    done = piped(program, whole[0], "push", "-", registry.host, "--plain-http", *keys.ed25519.trusting(), *more)
    assert done.returncode == 2 and word in done.stderr, done


@pytest.mark.parametrize("more", [["--split", "1M"], ["--check-media"]], ids=lambda more: more[0])
def test_a_pipe_is_not_read_back(program, arguments, more):
    refused = program(*arguments, "-o", "-", *more)
    assert refused.rc == 2 and "standard output" in refused.err and refused.out == ""


@pytest.mark.parametrize("more, words", [
    (["-o", "{0}/one", "-o", "{0}/two", "--split", "10M"], r"^wrote \S+\.tar in parts in {0}/one, {0}/two: "),
    (["-o", "{0}/one"], r"^wrote \S+\.tar in {0}/one: "),
    (["-o", "{0}/b.tar"], r"^wrote {0}/b\.tar: "),
], ids=["parts in folders", "a folder", "a file"])
def test_the_result_says_what_stands_where(program, arguments, tmp_path, more, words):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    done = program.ok(*arguments, *(word.format(tmp_path) for word in more))
    assert re.search(words.format(re.escape(str(tmp_path))), done.out, re.M), done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_export_into_a_pipe_that_nobody_reads_can_be_stopped(program, arguments, number):
    """The signal comes while a part of a block is written."""
    with program.start(*arguments, "-o", "-") as process:
        wait_for_block(process, "write")
        began = time.monotonic()
        process.send_signal(number)
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
        assert process.returncode == 130 and time.monotonic() - began < 2


@pytest.mark.parametrize("sent", [0, 100, 600, 40000, 10 * MIB])
def test_a_pipe_that_gives_no_more_can_be_left(program, keys, whole, sent):
    with program.start("verify", "-", *keys.ed25519.trusting(), stdin=subprocess.PIPE) as process:
        process.stdin.write(whole[1][:sent])
        process.stdin.flush()
        wait_for_block(process, "read")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
        assert process.returncode == 130 and time.monotonic() - began < 2
        said = process.stderr.read()
        assert b"interrupted" in said and b"no signed bundle" not in said


# ---- reading back ----------------------------------------------------------------------------

def test_what_was_written_is_read_from_the_medium(program, arguments, tmp_path):
    """fsync, then the pages are dropped, then all is read, and only then it has its name."""
    trace = tmp_path / "trace"
    done = program.traced(["-y", "-e", "trace=fsync,fadvise64,pread64,renameat2", "-o", trace],
                          *arguments, "--check-media", "-o", tmp_path / "b.tar")
    assert done.rc == 0 and re.search(r"read back: 1[89]\.\d MiB, \S+ \wi?B/s", done.err), done
    calls = [line for line in trace.read_text().splitlines() if "b.tar" in line]
    synced = next(i for i, line in enumerate(calls) if "fsync(" in line)
    dropped = next(i for i, line in enumerate(calls) if "DONTNEED" in line)
    named = next(i for i, line in enumerate(calls) if "renameat2(" in line and '"b.tar"' in line)
    assert synced < dropped < named
    reads = [re.search(r"= (\d+)$", line) for line in calls[dropped:named] if "pread64(" in line]
    assert sum(int(m[1]) for m in reads) >= (tmp_path / "b.tar").stat().st_size
    assert (tmp_path / "b.parts.json").exists() and (tmp_path / "b.head").exists()


def test_a_copy_on_a_stick_is_read_from_the_stick(program, keys, whole, tmp_path):
    trace = tmp_path / "trace"
    done = program.traced(["-y", "-e", "trace=fadvise64,pread64", "-o", trace],
                          "verify", whole[0], "--check-media", "-j", "1", *keys.ed25519.trusting())
    assert done.rc == 0 and re.search(r"verify: 1[89]\.\d MiB, \S+ \wi?B/s", done.err), done
    calls = [line for line in trace.read_text().splitlines() if "whole.tar" in line]
    dropped = next(i for i, line in enumerate(calls) if "DONTNEED" in line)
    reads = [re.search(r"= (\d+)$", line) for line in calls[dropped:] if "pread64(" in line]
    assert sum(int(m[1]) for m in reads if m) >= len(whole[1])


def test_a_pipe_is_no_medium(program, keys, whole):
    done = piped(program, whole[0], "verify", "-", "--check-media", *keys.ed25519.trusting())
    assert done.returncode == 2 and "pipe" in done.stderr and done.stdout == ""


@pytest.fixture
def small_media(tmp_path):
    """Three sticks of 10 MiB."""
    sticks = [tmp_path / f"small-{i}" for i in range(3)]
    mounted = []
    for stick in sticks:
        stick.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "none", stick], capture_output=True).returncode == 0:
            mounted.append(stick)
    yield mounted
    for stick in mounted:
        subprocess.run(["umount", stick], check=True)


def test_split_asks_for_the_next_medium(program, keys, whole, small_media, tmp_path):
    """One drive: each stick is taken out when it is full, and the next is asked for by its part."""
    if len(small_media) < 3:
        pytest.skip("only root can mount small media")
    sticks, drive = small_media, tmp_path / "drive"
    drive.symlink_to(sticks[0])
    child, terminal = pty.fork()
    if child == 0:
        os.execve(binary(), ["sealift", "split", whole[0], "--split", "7M", "-o", str(drive)], program.environment())
    for i, stick in enumerate(sticks[1:], 2):
        seen = b""
        while f"room for part {i} ".encode() not in seen or b"press Enter" not in seen:
            seen += os.read(terminal, 1000)
        drive.unlink()
        drive.symlink_to(stick)
        os.write(terminal, b"\n")
    seen = b""
    while b"3 parts," not in seen:
        seen += os.read(terminal, 1000)
    os.close(terminal)
    assert os.waitpid(child, 0)[1] == 0
    assert joined(sticks) == whole[1]
    assert "part 1 of 3 is in" in program.ok("split", whole[0], "--split", "7M", *outputs(sticks)).err
    assert all((stick / "whole.parts.json").exists() and (stick / "whole.head").exists() for stick in sticks)
    words = [w for stick in sticks[1:] for w in ("--media", stick)]
    program.ok("verify", sticks[0], *words, *keys.ed25519.trusting())


def test_split_ends_when_nobody_brings_a_medium(program, whole, small_media):
    if len(small_media) < 3:
        pytest.skip("mounting needs root")
    words = ["split", whole[0], "--split", "7M", "-o", str(small_media[0])]
    status, screen = terminals.run([binary(), *words], program.folder, program.environment(), ["\x04"])
    assert status == 7 and "room for part 2" in screen and "nobody did" in screen, screen
    assert sorted(os.listdir(small_media[0])) == ["whole.head", "whole.parts.json", "whole.tar.001"]
