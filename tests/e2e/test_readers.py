"""R16: a second, independent reader, written from sealift-bundle(5), gives the same verdict as the program."""

import concurrent.futures
import os
import random
import subprocess

import pytest

from support import images, mutations, reader
from support.carry import HOST, Carrier
from support.fetch_helm import root
from support.forge import Forged, Signer
from support.program import binary
from support.scripted import Scripted

STATUS = {"good": 0, "newer": 1, "untrusted": 3, "damaged": 4}
CORPUS = os.path.join(root(), "tests/fuzz/corpus/inventory")


@pytest.fixture(scope="module")
def small(session_sealift, keys, tmp_path_factory):
    """A bundle of a Docker manifest and of an index, with a label and an expiry."""
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("readers"))
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


def disagreement(path, public, name, data):
    """The second reader's verdict, and what both say when it is not the same."""
    with open(path, "wb") as f:
        f.write(data)
    said = reader.verdict(data, public)
    done = subprocess.run([binary(), "verify", path, "--trust", public, "--jobs", "1", "--no-progress"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    os.unlink(path)
    return said, None if done.returncode == STATUS[said] else f"{name}: {said}, but {done.returncode} {done.stderr}"


def compare(folder, public, cases):
    """(count of each verdict, disagreements)"""
    counts, found = dict.fromkeys(STATUS, 0), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said, bad in pool.map(lambda case: disagreement(str(folder / f"{case[0]}.tar"), public, *case[1]), enumerate(cases)):
            counts[said] += 1
            found += [bad] if bad else []
    return counts, found


def test_R16_two_readers_agree_on_changed_bytes(small, keys, tmp_path):
    with open(small, "rb") as f:
        data = f.read()
    counts, found = compare(tmp_path, keys.p256.public, mutations.of_bytes(data, random.Random(16), 1500))
    assert not found, "\n".join(found[:20])
    print(counts)


def test_R16_two_readers_agree_on_signed_lies(small, signer, tmp_path):
    counts, found = compare(tmp_path, signer.public, mutations.of_lies(small, signer, random.Random(16), 1000))
    assert not found, f"{len(found)}\n" + "\n".join(found[:20])
    assert all(counts[said] for said in ("good", "newer", "damaged")), counts
    print(counts)


def test_R16_two_readers_agree_on_the_corpus(small, signer, tmp_path):
    cases = []
    for name in sorted(os.listdir(CORPUS)):
        with open(os.path.join(CORPUS, name), "rb") as f:
            cases.append((name, Forged(small).bytes(signer, f.read())))
    counts, found = compare(tmp_path, signer.public, cases)
    assert not found, "\n".join(found)
    print(counts)
