"""kill -9 at 20 moments of an export and of a push; the same command again completes.

The wire is frozen after so many bytes have passed, so the moments are spread over all phases
whatever the machine's speed; the test prints how far each run had come.
"""

import os
import signal
import threading

import pytest

from support import vendor as vendor_side
from support.relay import Relay

MOMENTS = 20
AREA = 32768
EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}


def share(total, i):
    """The byte of moment i: a third of the moments in the first twentieth, where the small
    requests are, the others over the rest."""
    early = MOMENTS // 3
    return total // 20 * (i + 1) // early if i < early else total // 20 + total * 19 // 20 * (i - early + 1) // (
        MOMENTS - early + 1)


@pytest.fixture
def wire(vendor):
    relay = Relay(vendor.port)
    yield relay
    relay.stop()


class Wired:
    """A server behind a relay, for vendor_side.export_arguments and auth files."""

    def __init__(self, server, relay):
        self.host, self.url, self.login = relay.host, relay.url, server.login


@pytest.fixture
def slow_arguments(vendor, vendor_images, chart_repository, wire, make_authfile):
    wired = Wired(vendor, wire)
    return vendor_side.export_arguments(wired, chart_repository, make_authfile(wired, chart_repository))


def kill_when_frozen(process, wire):
    """kill -9 once the wire stands still; true when the process was killed before its own end."""
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not wire.frozen.wait(0.02) and not ended.is_set():
        pass
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL) if alive else None
    process.communicate(timeout=20)
    return alive


def on_disk(path):
    """Bytes that a sparse file really holds."""
    return os.stat(path).st_blocks * 512 if os.path.exists(path) else 0


def outside_the_area(data):
    """A bundle's bytes less its signature area."""
    first = 512 + (int(data[124:135], 8) + 511) // 512 * 512
    return data[:first] + data[first + AREA:]


@pytest.mark.parametrize("kind, moments", [("ed25519", range(MOMENTS)), ("p256", range(0, MOMENTS, 4))])
def test_export_killed_at_every_phase_continues(sealift, wire, slow_arguments, keys, tmp_path, kind, moments):
    key = getattr(keys, kind)
    arguments = ["export", "immuta", *slow_arguments, *key.signing()]
    wire.thaw()
    sealift.ok(*arguments, "-o", "whole.tar", env=EPOCH)
    whole, total = (tmp_path / "whole.tar").read_bytes(), wire.passed
    killed = 0
    for i in moments:
        name = f"killed-{i}.tar"
        wire.freeze_at(share(total, i))
        cut = kill_when_frozen(sealift.start(*arguments, "-o", name, env=EPOCH), wire)
        killed += cut
        held = on_disk(tmp_path / (name + ".partial"))
        print(f"export {kind} {i + 1:2}: {wire.passed:8,} of {total:,} bytes had passed, "
              f"{held:8,} of {len(whole):,} on disk, {'killed' if cut else 'had ended'}")
        assert not (cut and (tmp_path / name).exists()), "the final name was there before the bundle was whole"
        wire.cut()
        sealift.ok(*arguments, "-o", name, env=EPOCH)
        again = (tmp_path / name).read_bytes()
        if kind == "ed25519":
            assert again == whole
        else:
            assert outside_the_area(again) == outside_the_area(whole)
        assert not (tmp_path / (name + ".partial")).exists()
        if held > len(whole) * 3 // 4:
            assert wire.passed < total * 3 // 4, "the continued export fetched again what was on disk"
        (tmp_path / name).unlink()
    print(f"export {kind}: killed {killed} of {len(moments)}, completed {len(moments)} of {len(moments)}")
    assert killed >= len(moments) - 1


def stored(registry, bundle, prefix):
    """{(repository, digest)} of the blobs that the registry has."""
    client = registry.client()
    return {(f"{prefix}/{name}", blob.digest) for (name, _), image in bundle.images.items()
            for blob in image.all_blobs() if client.has_blob(f"{prefix}/{name}", blob.digest)}


def assert_tags_are_whole(registry, bundle, prefix):
    """An image that has its tag has everything."""
    client = registry.client()
    for (name, tag), image in bundle.images.items():
        if client.manifest(f"{prefix}/{name}", tag):
            assert all(client.has_blob(f"{prefix}/{name}", b.digest) for b in image.all_blobs())
            assert all(client.manifest(f"{prefix}/{name}", m.digest) for m in image.manifests())


def test_push_killed_at_every_phase_continues(sealift, bundle, registry, make_authfile):
    wire = Relay(registry.port)
    authfile = make_authfile(Wired(registry, wire))

    def arguments(prefix):
        return ["push", bundle.path, f"{wire.host}/{prefix}", *bundle.keys.trusting(), "--plain-http",
                "--authfile", authfile]

    wire.thaw()
    sealift.ok(*arguments("whole"))
    total, killed = wire.passed, 0
    for i in range(MOMENTS):
        prefix = f"killed-{i}"
        registry.empty()
        wire.freeze_at(share(total, i))
        cut = kill_when_frozen(sealift.start(*arguments(prefix)), wire)
        killed += cut
        assert_tags_are_whole(registry, bundle, prefix)
        had = stored(registry, bundle, prefix)
        print(f"push {i + 1:2}: {wire.passed:8,} of {total:,} bytes had passed, {len(had):2} blobs arrived, "
              f"{'killed' if cut else 'had ended'}")
        wire.cut()
        before = len(registry.requests())
        sealift.ok(*arguments(prefix))
        sent = {(r.path[4:].split("/blobs/")[0], "sha256:" + r.path.replace("%3A", ":").rsplit("sha256:", 1)[1][:64])
                for r in registry.requests(since=before) if r.method == "PUT" and "/blobs/uploads/" in r.path}
        assert not sent & had, "a blob that was there was sent again"
        assert_tags_are_whole(registry, bundle, prefix)
        for (name, tag), image in bundle.images.items():
            assert registry.client().manifest(f"{prefix}/{name}", tag)[0] == image.top.data
    wire.stop()
    print(f"push: killed {killed} of {MOMENTS}, completed {MOMENTS} of {MOMENTS}")
    assert killed >= MOMENTS - 1


def test_SIGINT_ends_and_can_be_continued(sealift, wire, slow_arguments, keys, tmp_path):
    """It ends with 130, leaves no final name, and the same command continues."""
    wire.freeze_at(200_000)
    process = sealift.start("export", "immuta", *slow_arguments, *keys.p256.signing(), "-o", "b.tar")
    assert wire.frozen.wait(20)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert not (tmp_path / "b.tar").exists()
    wire.cut()
    sealift.ok("export", "immuta", *slow_arguments, *keys.p256.signing(), "-o", "b.tar")
    sealift.ok("verify", "b.tar", *keys.p256.trusting())
