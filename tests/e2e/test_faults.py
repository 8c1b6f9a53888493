"""R7, R8, R9: every system call on a bundle and on what is written fails once, or is the last; disks and files have room for any
number of blocks; then the same command again.

Whatever happens: a documented exit status, nothing under a final name but the right bytes, no damage believed, and the same command
without the fault completes.
"""

import os
import shutil
import subprocess

import pytest

from support import faults, images, namespace
from support.figures import figure
from support.program import Program, binary
from support.scripted import Scripted
from support.yard import Signer

pytestmark = pytest.mark.torture
EPOCH = {"SOURCE_DATE_EPOCH": "1790000000"}
STEP = 4096
ERRORS = ["error=EIO", "error=ENOSPC", "error=EINTR"]


class Desk:
    """A good bundle, a damaged one, keys without passphrases, and a folder that is emptied for each run."""

    def __init__(self, folder, server):
        self.folder, self.disk = folder, folder / "disk"
        self.place = self.disk / "place"
        self.disk.mkdir()
        self.program = Program(folder)
        self.environment = self.program.environment(EPOCH)
        self.signer, self.second = (Signer(folder, name, "ed25519") for name in ("first", "second"))
        (folder / "notes.txt").write_bytes(b"notes\n" * 3000)
        (folder / "values.yaml").write_bytes(b"a: 1\n")
        server.store("team/app", "1.0", images.image([images.layer("fault-1", 40_000), images.layer("fault-2", 150_000)]))
        self.exporting = ["export", "--image", f"{server.host}/team/app:1.0", "--plain-http", "--file", folder / "notes.txt", "--file",
                          folder / "values.yaml", *self.signing(self.signer), "--retries", "0", "--no-progress", "-j", "1"]
        self.good = folder / "good.tar"
        self.program.ok(*self.exporting, "-o", self.good, env=EPOCH)
        self.data = self.good.read_bytes()
        self.bad = folder / "bad.tar"
        self.bad.write_bytes(self.data[:-60_000] + b"x" + self.data[-59_999:])
        self.line = self.program.ok("parts", "need", self.bad).out.strip()
        self.program.ok("parts", "patch", self.good, self.line, "-o", folder / "patch")
        self.patch = (folder / "patch").read_bytes()

    @staticmethod
    def signing(signer):
        return ["--sign-key", signer.private, "--no-passphrase"]

    def verified(self, path, *more):
        return self.program("verify", path, *self.signer.trusting(), *more)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with Scripted() as server:
        yield Desk(tmp_path_factory.mktemp("faults"), server)


class Verb:
    """What a run may leave, and what the same command must make of it."""

    def __init__(self, desk):
        self.desk, self.place = desk, desk.place

    def prepare(self):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()

    def final(self):
        """[(path, the bytes that alone may stand there)]"""
        return []

    def left(self, fault):
        """What is wrong with what the run left."""
        wrong = [f"{path.name} has other bytes" for path, data in self.final() if path.exists() and path.read_bytes() != data]
        if fault.status == 0:
            wrong += [f"{path.name} is missing" for path, _ in self.final() if not path.exists()]
        return wrong

    def again(self):
        """The same command without a fault; what is wrong with its end."""
        for path, _ in self.final():
            if path.exists() and not self.replaces:
                return []
        result = self.desk.program(*self.argv[1:], env=EPOCH)
        if result.rc != 0:
            return [f"again: {result}"]
        wrong = [f"again: {path.name} is not what it must be" for path, data in self.final() if path.read_bytes() != data]
        return wrong + [f"again: left {p.name}" for p in self.place.iterdir() if p.name.endswith(".partial")]

    replaces, spare = False, 40 * STEP

    @property
    def paths(self):
        """The files whose calls fail."""
        return [self.place, *(p for path, _ in self.final() for p in (path, f"{path}.partial"))]

    @property
    def argv(self):
        return [binary(), *map(str, self.words())]


class Export(Verb):
    def words(self):
        return [*self.desk.exporting, "-o", self.place / "b.tar"]

    def final(self):
        return [(self.place / "b.tar", self.desk.data)]


class Split(Verb):
    replaces, spare = True, (1 << 20) + 60 * STEP  # it wants room for the lists beside the parts

    def words(self):
        return ["split", self.desk.good, "--split", "100K", "-o", self.place, "--no-progress"]

    def final(self):
        return [(self.place / f"good.tar.{i + 1:03}", self.desk.data[i * 102_400:(i + 1) * 102_400])
                for i in range(-(-len(self.desk.data) // 102_400))]

    @property
    def paths(self):
        return [*super().paths, *(self.place / f"good.{end}" for end in ("parts.json", "parts.json.partial", "head", "head.partial"))]


class Sign(Verb):
    """In place: what is there is trusted by its first key or it is refused, and the same command completes it."""

    def prepare(self):
        super().prepare()
        shutil.copy(self.desk.good, self.place / "b.tar")

    def words(self):
        return ["sign", self.place / "b.tar", "--add", *self.desk.signing(self.desk.second)]

    @property
    def paths(self):
        return [self.place, self.place / "b.tar", *(self.place / f"b.tar{end}" for end in (".signing", ".signing.partial"))]

    def left(self, fault):
        found = self.desk.verified(self.place / "b.tar")
        both = self.desk.verified(self.place / "b.tar", *self.desk.second.trusting(), "--threshold", "2")
        wrong = [] if found.rc in (0, 3, 4) else [f"verify says {found}"]
        return wrong + (["not signed, and said to be"] if fault.status == 0 and both.rc != 0 else [])

    def again(self):
        result = self.desk.program(*self.argv[1:])
        both = self.desk.verified(self.place / "b.tar", *self.desk.second.trusting(), "--threshold", "2")
        return [] if result.rc == 0 and both.rc == 0 else [f"again: {result}{both}"]


class Patch(Verb):
    def words(self):
        return ["parts", "patch", self.desk.good, self.desk.line, "-o", self.place / "patch"]

    def final(self):
        return [(self.place / "patch", self.desk.patch)]


class Apply(Verb):
    def prepare(self):
        super().prepare()
        shutil.copy(self.desk.bad, self.place / "b.tar")

    def words(self):
        return ["parts", "apply", self.place / "b.tar", self.desk.folder / "patch"]

    @property
    def paths(self):
        return [self.place, self.place / "b.tar"]

    def left(self, fault):
        same = (self.place / "b.tar").read_bytes() == self.desk.data
        believed = self.desk.verified(self.place / "b.tar").rc == 0
        return ["healed, and is not" for _ in [0] if fault.status == 0 and not same] + ["believed" for _ in [0] if believed != same]

    def again(self):
        result = self.desk.program(*self.argv[1:])
        healed = (self.place / "b.tar").read_bytes() == self.desk.data
        return [] if result.rc == 0 and healed else [f"again: {result}"]


class Extract(Verb):
    def words(self):
        return ["extract", self.desk.good, "--files", "-o", self.place, *self.desk.signer.trusting()]

    def final(self):
        return [(self.place / name, (self.desk.folder / name).read_bytes()) for name in ("notes.txt", "values.yaml")]


class Believe(Verb):
    """A damaged bundle is refused, whatever else goes wrong."""
    def words(self):
        return ["verify", self.desk.bad, *self.desk.signer.trusting(), "-j", "1"]

    @property
    def paths(self):
        return [self.desk.bad, self.desk.signer.public]

    def left(self, fault):
        return ["believed"] if fault.status == 0 else []

    def again(self):
        return []


class Doubt(Believe):
    """A good bundle: 0 only by having read it."""
    def words(self):
        return ["verify", self.desk.good, *self.desk.signer.trusting(), "-j", "1"]

    @property
    def paths(self):
        return [self.desk.good, self.desk.signer.public]

    def left(self, fault):
        read = any(word in fault.where for word in ("pread64", "openat")) and "EINTR" not in fault.where
        return ["not read, and believed"] if read and fault.status == 0 else []


def torment(verb, calls, hows):
    """[what is wrong], how many runs."""
    wrong, count = [], 0
    for fault in faults.faults(verb.argv, calls, hows, verb.paths, verb.desk.environment, verb.prepare):
        count += 1
        bad = verb.left(fault) + verb.again()
        if fault.status not in faults.DOCUMENTED and "signal=KILL" not in fault.where:
            bad.append(f"ended with {fault.status}")
        if bad:
            wrong.append(f"{fault.where}: {'; '.join(bad)}: {fault.err[-300:]}")
    return wrong, count


def publish(claim, what, word, verb, calls, hows):
    wrong, count = torment(verb, calls, hows)
    figure(claim, what, count - len(wrong), count, word)
    assert count and not wrong, f"{len(wrong)} of {count}\n" + "\n".join(wrong[:20])


WRITERS = {"export": Export, "split": Split, "sign --add": Sign, "parts patch": Patch, "parts apply": Apply, "extract": Extract}


@pytest.mark.parametrize("name", WRITERS)
def test_R7_each_call_of_a_writer_fails_once(desk, name):
    publish("R7", f"{name}, each call on what it writes fails (EIO, ENOSPC, EINTR)", "end well, and the same command completes",
            WRITERS[name](desk), faults.WRITES, ERRORS)


@pytest.mark.parametrize("name", WRITERS)
def test_R8_killed_at_each_call(desk, name):
    publish("R8", f"{name}, killed at each call on what it writes", "are completed by the same command", WRITERS[name](desk), faults.WRITES,
            ["signal=KILL"])


def test_R7_each_read_fails_once(desk):
    publish("R7", "verify of a damaged bundle, each read fails (EIO, EINTR)", "refused", Believe(desk), faults.READS, ["error=EIO", "error=EINTR"])
    publish("R7", "verify of a good bundle, each read fails (EIO, EINTR)", "refused, or read again", Doubt(desk), faults.READS,
            ["error=EIO", "error=EINTR"])


# ---- room ----------------------------------------------------------------------------------


def room_for(verb):
    """The sizes to try: every block up to more than is written."""
    return range(0, len(verb.desk.data) + verb.spare, STEP)


def said(fault, *words):
    """The sentence of a run that failed says what there was too little of."""
    return [] if fault.status == 0 or any(word in fault.err for word in words) else [f"does not say why: {fault.err}"]


def limited(verb, size):
    """A run in which no file may be larger than that, as on FAT32; what is wrong with it."""
    verb.prepare()
    done = subprocess.run(["prlimit", f"--fsize={size}", *verb.argv], capture_output=True, text=True, env=verb.desk.environment)
    fault = faults.Fault(done.returncode, done.stderr, f"limit of {size}")
    return fault, said(fault, "too large", "arger") + verb.left(fault) + verb.again()


def remount(disk, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def on_a_small_disk(verb, size):
    """A run on a tmpfs with that much room; what is wrong with it."""
    disk = verb.desk.disk
    remount(disk, 1 << 30)
    verb.prepare()
    there = os.statvfs(disk)
    remount(disk, (there.f_blocks - there.f_bfree) * there.f_frsize + max(size, STEP))
    done = subprocess.run(verb.argv, capture_output=True, text=True, env=verb.desk.environment, stdin=subprocess.DEVNULL)
    fault = faults.Fault(done.returncode, done.stderr, f"room for {size}")
    wrong = said(fault, "full", "No space", "free") + verb.left(fault)
    remount(disk, 1 << 30)
    return fault, wrong + verb.again()


def every_room(verb, run):
    """[what is wrong], how many runs found too little room, how many runs."""
    wrong, short, runs = [], 0, 0
    for size in room_for(verb):
        fault, bad = run(verb, size)
        runs, short = runs + 1, short + (fault.status != 0)
        if bad or fault.status not in (0, 1):
            wrong.append(f"{fault.where}: {fault.status}: {'; '.join(bad)}: {fault.err[-300:]}")
    return wrong, short, runs


def publish_room(what, verb, wrong, short, runs):
    figure("R9", f"{what}, every 4 KiB of {room_for(verb).stop // 1024} KiB ({short} too small)", runs - len(wrong), runs,
           "end well, and the same command completes")
    assert short and not wrong, f"{len(wrong)} of {runs}\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("name", WRITERS)
def test_R9_a_limit_on_the_size_of_files(desk, name):
    publish_room(f"{name}, files limited in size", WRITERS[name](desk), *every_room(WRITERS[name](desk), limited))


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "parts apply"])  # which needs no room
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_R9_a_disk_that_is_full(desk, name):
    def runs():
        subprocess.run(["mount", "-t", "tmpfs", "none", desk.disk], check=True)
        return every_room(WRITERS[name](desk), on_a_small_disk)
    publish_room(f"{name}, disk full", WRITERS[name](desk), *namespace.call(runs))
