"""kill -9 of the registry, and of the program, again and again in one push: what is there in the end is what an undisturbed one brings (R11)."""

import hashlib
import os
import random
import signal
import subprocess
import time

import pytest

from support import processes
from support.carry import Carrier
from support.figures import figure
from support.images import image, index, layer
from support.program import binary
from support.scripted import Scripted

KILLS = 50
NAMES = [f"team/n{i}" for i in range(12)]
SHARED = layer("shared", 400_000)


def what(i):
    own = [layer(f"own {i} {k}", 30_000 + 150_000 * (k == 1)) for k in range(3)]
    return index([image([SHARED, *own]), image([SHARED, own[0]], "linux/arm64")])


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("kills"))
    with Scripted() as source:
        for i, name in enumerate(NAMES):
            source.store(name, "1.0", what(i))
        more = [w for name in NAMES[1:] for w in ("--image", f"registry.test/{name}:1.0")]
        result = carrier.export(source, *more, ref=f"registry.test/{NAMES[0]}:1.0")
        assert result.rc == 0, result
    return carrier.bundle


def stored(registry):
    """Every blob and link of a registry's storage, without sessions."""
    root = os.path.join(registry.folder, "data")
    found = {}
    for folder, _, names in os.walk(root):
        if "/_uploads" in folder:
            continue
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                found[os.path.relpath(os.path.join(folder, name), root)] = hashlib.sha256(f.read()).hexdigest()
    return found


def command(bundle, keys, registry, *more):
    return [binary(), "push", bundle, f"{registry.host}/apps", *keys.p256.trusting(), "--plain-http", "--no-progress", *more]


@pytest.fixture
def undisturbed(make_registry, carried, keys):
    registry = make_registry()
    subprocess.run(command(carried, keys, registry), check=True, capture_output=True)
    return stored(registry)


@pytest.mark.torture
def test_UPL_13_RULE_3_fifty_kills_of_the_program(make_registry, carried, keys, undisturbed):
    """Each meets a push under way; where one ends by itself, an empty registry is next."""
    registry = make_registry()
    rng, kills, whole = random.Random(11), 0, 1
    began = time.monotonic()
    subprocess.run(command(carried, keys, make_registry()), check=True, capture_output=True)
    took = time.monotonic() - began
    while kills < KILLS:
        run = subprocess.Popen(**processes.child(command(carried, keys, registry, "-j2")), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.02, 0.25) * took)
        if run.poll() is None:
            run.send_signal(signal.SIGKILL)
            run.wait()
            kills += 1
            continue
        assert run.returncode == 0 and stored(registry) == undisturbed
        registry, whole = make_registry(), whole + 1
    last = subprocess.run(command(carried, keys, registry), capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    assert stored(registry) == undisturbed
    figure("R11", f"kills of the program in {whole} push{'es' * (whole > 1)}", kills, KILLS, "end as an undisturbed push")


@pytest.mark.torture
def test_UPL_14_RTY_10_fifty_kills_of_the_registry(make_registry, carried, keys, undisturbed):
    """In one push, which is told to be patient."""
    registry = make_registry()
    rng, kills, runs = random.Random(12), 0, 0
    while kills < KILLS:
        runs += 1
        run = subprocess.Popen(**processes.child(command(carried, keys, registry, "-j2", "--retries", "60", "--retry-wait", "20",
                                                         "--limit-rate", "200K")),
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while kills < KILLS and run.poll() is None:
            time.sleep(rng.uniform(0.15, 0.4))
            registry.server.kill()
            kills += 1
            registry.start()
        _, err = run.communicate(timeout=100)
        assert run.returncode == 0, err
    last = subprocess.run(command(carried, keys, registry), capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    assert stored(registry) == undisturbed
    figure("R11", f"kills of the registry in {runs} push{'es' * (runs > 1)}", kills, KILLS, "end as an undisturbed push")
