"""Two hundred small images: what a run costs beyond its requests, against bare libcurl that makes the same ones."""

import os
import pathlib
import subprocess
import time

import pytest

from support import images
from support.carry import Carrier
from support.program import binary

IMAGES, LAYERS, JOBS = 200, 2, 4
FLOOR = pathlib.Path(__file__).parents[2] / "build/floor"
pytestmark = [pytest.mark.torture, pytest.mark.usefixtures("plain_build")]


@pytest.fixture(scope="module")
def many():
    return {f"many/image-{i}": images.image([images.layer(f"many-{i}-{k}", 200) for k in range(LAYERS)]) for i in range(IMAGES)}


def floor(tmp_path, lines):
    """Seconds of bare libcurl for a plan."""
    plan = tmp_path / "plan"
    plan.write_text("\n".join(lines) + "\n")
    return float(subprocess.run([FLOOR, str(JOBS), plan], check=True, capture_output=True, text=True, timeout=120).stdout)


def timed(run):
    began = time.monotonic()
    result = run()
    assert result.rc == 0, result
    return time.monotonic() - began


def tell(record, what, ours, theirs):
    print(f"{what}: {min(ours):.2f} s, the same requests alone {min(theirs):.2f} s, {min(ours) / min(theirs):.2f} of it")
    record("of the floor", f"{min(ours) / min(theirs):.2f}")
    assert min(ours) <= 1.3 * min(theirs), (ours, theirs)


def pushed_by_floor(registry, tmp_path, many):
    """A line an image; bodies are read from files, as a push reads them from its bundle."""
    lines = []
    for name, image in many.items():
        words = ["I", f"http://{registry.host}/v2/{name}", "1.0", keep(tmp_path, image.top)]
        for part in image.all_blobs():
            words += [part.digest, keep(tmp_path, part)]
        lines.append(" ".join(words))
    return lines


def keep(tmp_path, part):
    path = tmp_path / part.digest[7:27]
    path.write_bytes(part.data)
    return str(path)


def test_two_hundred_images_in_1_3_of_their_requests(sealift, keys, make_registry, many, tmp_path, record_property):
    carrier = Carrier(sealift, keys.ed25519, tmp_path)
    source = make_registry()
    for name, image in many.items():
        source.plant(name, "1.0", image)
    listed = tmp_path / "images.txt"
    listed.write_text("".join(f"{source.host}/{name}:1.0\n" for name in many))

    def export():
        if os.path.exists(carrier.bundle):
            os.unlink(carrier.bundle)
        return sealift("export", "--images", str(listed), "--plain-http", *keys.ed25519.signing(), "-o", carrier.bundle, "-j", str(JOBS), "-q")

    def push(target):
        return sealift("push", carrier.bundle, target.host, *keys.ed25519.trusting(), "--plain-http", "-j", str(JOBS), "-q")

    ours, theirs = [], []
    for _ in range(3):
        before = len(source.requests())
        ours.append(timed(export))
        asked = source.requests(before)
        theirs.append(floor(tmp_path, [f"G http://{source.host}{r.path}" for r in asked]))
    wanted = IMAGES * (2 + 1 + LAYERS + 1)
    assert len(asked) <= wanted, f"{len(asked)} requests for what {wanted} bring"
    tell(record_property, f"export of {len(asked)} requests", ours, theirs)

    ours, theirs = [], []
    for _ in range(3):
        target, other = make_registry(), make_registry()
        ours.append(timed(lambda: push(target)))
        theirs.append(floor(tmp_path, pushed_by_floor(other, tmp_path, many)))
    assert len(target.requests()) <= len(other.requests()) + 1, "GET /v2/ is all that comes on top"
    tell(record_property, f"push of {len(target.requests())} requests", ours, theirs)
