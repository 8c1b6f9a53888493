"""R16: a second, independent reader, written from sealift-bundle(5), gives the same verdict as the program."""

import concurrent.futures
import functools
import os
import random
import re
import subprocess
import threading

import pytest

from support.figures import figure
from support import images, mutations, processes, reader
from support.carry import HOST, Carrier
from support.fetch_helm import root
from support.forge import Forged, Signer
from support.program import binary
from support.scripted import Scripted

STATUS = {"good": 0, "newer": 1, "untrusted": 3, "damaged": 4}
CORPUS = os.path.join(root(), "tests/fuzz/corpus/inventory")


@pytest.fixture(scope="module", params=["p256", "ed25519"])
def pair(request, keys):
    """Each kind has other forms of its signature beside the raw one."""
    return getattr(keys, request.param)


@pytest.fixture(scope="module")
def small(session_sealift, pair, tmp_path_factory):
    """A bundle of a Docker manifest and of an index, with an expiry and a channel."""
    carrier = Carrier(session_sealift, pair, tmp_path_factory.mktemp("readers"))
    one, other = (images.image([images.layer(seed, 700)], platform, docker=docker) for seed, platform, docker in (
        ("r1", "linux/amd64", False), ("r2", "linux/arm64/v8", False)))
    with Scripted() as server:
        server.store("team/app", "1.0", images.index([one, other]))
        server.store("team/docker", "1.0", images.image([images.layer("r3", 700)], docker=True))
        result = carrier.export(server, "--image", f"{HOST}/team/docker:1.0", "--expires", "2999-01-01", "--channel", "edge")
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"))


class Reader:
    """The program's own reader over many files: build/verdicts, which make check and make units build."""

    def __init__(self, folder, public):
        self.path = os.path.join(str(folder), f"{threading.get_ident()}.tar")
        program = os.path.join(os.environ.get("SEALIFT_BUILD", os.path.dirname(binary())), "verdicts")
        assert os.path.exists(program), f"{program} is missing: make units"
        self.process = subprocess.Popen(**processes.child([program, public]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, data):
        """(exit status that the program would have, its sentence)"""
        with open(self.path, "wb") as f:
            f.write(data)
        self.process.stdin.write(self.path + "\n")
        self.process.stdin.flush()
        kind, _, sentence = self.process.stdout.readline().partition(" ")
        return (0, 1, 1, 1, 2, 3, 4)[int(kind)], sentence

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(60) == 0


def compare(what, folder, public, cases):
    """{verdict: how often}; all agree, which the figure says."""
    local, readers, counts, found = threading.local(), [], dict.fromkeys(STATUS, 0), []

    def judge(case):
        if not hasattr(local, "reader"):
            local.reader = Reader(folder, public)
            readers.append(local.reader)
        data = case[1]()
        return None if data is None else (case[0], reader.verdict(data, public), *local.reader(data))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, said, status, sentence in filter(None, pool.map(judge, cases)):
            counts[said] += 1
            either = re.match("later: .*,", name) and said in ("newer", "damaged")  # a fault besides: it may be either
            if status not in ([STATUS["newer"], STATUS["damaged"]] if either else [STATUS[said]]):
                found.append(f"{name}: {said}, but {status}: {sentence}")
        for one in readers:  # each ends with the thread that started it
            one.close()
    total = sum(counts.values())
    figure("R16", f"second reader, {what}", total - len(found), total, "verdicts agree")
    assert total and not found, f"{len(found)}\n" + "\n".join(found[:20])
    return counts


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def test_R16_two_readers_agree_on_changed_bytes(small, pair, tmp_path):
    cases = mutations.of_bytes(contents(small), random.Random(16), 1200)
    counts = compare("changed bytes", tmp_path, pair.public, cases)
    assert all(counts[said] for said in ("good", "untrusted", "damaged")), counts


def test_R16_two_readers_agree_on_signed_lies(small, signer, tmp_path):
    counts = compare("signed lies", tmp_path, signer.public, mutations.of_lies(small, signer, random.Random(16), 400))
    assert all(counts[said] for said in ("good", "newer", "damaged")), counts


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(1))
def test_R16_two_readers_agree_on_many_more(small, pair, signer, tmp_path, seed):
    chance = random.Random(1600 + seed)
    compare("changed bytes", tmp_path, pair.public, mutations.of_bytes(contents(small), chance, 10_000))
    compare("signed lies", tmp_path, signer.public, mutations.of_lies(small, signer, chance, 2500))


def test_R16_two_readers_agree_on_the_corpus(small, signer, tmp_path):
    """The inventories of the fuzzer's corpus, before the members of a good bundle."""
    cases = [(name, functools.partial(Forged(small).bytes, signer, contents(os.path.join(CORPUS, name))))
             for name in sorted(os.listdir(CORPUS))]
    compare("corpus", tmp_path, signer.public, cases)


def test_R16_the_program_says_what_its_reader_says(small, signer, sealift, tmp_path):
    """build/verdicts and the program itself, on a few."""
    own = Reader(tmp_path, signer.public)
    for name, make in mutations.of_lies(small, signer, random.Random(5), 40):
        data = make()
        if data is not None:
            (tmp_path / "b.tar").write_bytes(data)
            result = sealift("verify", "b.tar", *signer.trusting())
            assert result.rc == own(data)[0], f"{name}: {result}"
    own.close()
