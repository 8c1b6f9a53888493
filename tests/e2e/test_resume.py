"""An export that is killed in the middle of a layer continues there (PROTOCOL DL-08, DL-10)."""

import os
import signal
import threading
import time

import pytest

from support.carry import QUICK, HOST, REF, Carrier, carries
from support.images import image, layer
from support.scripted import Scripted, say, stall

SMALL, LARGE = layer("small", 5_000), layer("large", 900_000)
SIZE = len(LARGE.data)
APP = image([LARGE, SMALL])


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


def arrived(path, count):
    """Whether the first count bytes of the layer are on the disk."""
    data = open(path, "rb").read() if os.path.exists(path) else b""
    return not count or LARGE.data[:count] in data


def kill_at(carrier, server, count):
    """An export that dies when count bytes of the large layer, and no more, are on the disk."""
    over = threading.Event()
    server.on("GET", LARGE.digest, stall(count, over), times=1)
    if count == SIZE:
        server.on("GET", SMALL.digest, stall(0, over), times=1)
    process = carrier.program.start("export", "--image", REF, "--mirror", f"{HOST}={server.url}", *carrier.keys.signing(),
                                    "-o", carrier.bundle, *QUICK)
    end = time.monotonic() + 30
    while not (server.asked("GET", LARGE.digest) and arrived(carrier.bundle + ".partial", count)):
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    over.set()


@pytest.mark.fault("KILL")
@pytest.mark.cell("resume", "Q")
@pytest.mark.parametrize("count", [0, 1, 450_000, SIZE - 1, SIZE])
def test_DL_08_DL_10_killed_in_the_middle_of_a_layer(carrier, count):
    with Scripted() as server:
        server.store("team/app", "1.0", APP)
        kill_at(carrier, server, count)
        before = len(server.asked("GET", LARGE.digest))
        assert carrier.export(server).rc == 0 and carries(carrier.bundle, APP)
        again = [r.header("Range") for r in server.asked("GET", LARGE.digest)[before:]]
    if not LARGE.data[count:].strip(b"\0"):  # a file has zeros where nothing was written
        assert again == [], "a whole layer is not asked for again"
    elif count < 65536:
        assert len(again) == 1
    else:
        start = int(again[0].removeprefix("bytes=").rstrip("-"))
        assert len(again) == 1 and count - 65536 <= start <= count, "only the rest is asked for"


@pytest.mark.fault("KILL")
def test_DL_10_RULE_2_other_bytes_in_the_partial_file(carrier):
    """What somebody left there is hashed, and when it is wrong all of it is fetched."""
    with Scripted() as server:
        server.store("team/app", "1.0", APP)
        kill_at(carrier, server, 450_000)
        with open(carrier.bundle + ".partial", "r+b") as f:
            at = f.read().index(LARGE.data[:1000])
            f.seek(at + 300_000)
            f.write(b"\xff" * 16)
        before = len(server.asked("GET", LARGE.digest))
        assert carrier.export(server).rc == 0 and carries(carrier.bundle, APP)
        again = [r.header("Range") for r in server.asked("GET", LARGE.digest)[before:]]
        assert len(again) == 2 and again[0].startswith("bytes=") and again[1] is None
    assert carrier.program.ok("verify", carrier.bundle, *carrier.keys.trusting())


@pytest.mark.fault("KILL")
def test_DL_09_DL_10_a_registry_that_knows_no_ranges(carrier):
    with Scripted() as server:
        server.store("team/app", "1.0", APP)
        kill_at(carrier, server, 450_000)
        server.on("GET", LARGE.digest, say(200, LARGE.data))
        assert carrier.export(server).rc == 0 and carries(carrier.bundle, APP)
