"""R15: other people's programs load the images of a bundle; which of them keep digests (BUNDLE.md 2)."""

import contextlib
import gzip
import json
import re
import shutil
import struct
import tempfile

import pytest

from support import images, loaders, reader
from support.carry import HOST, Carrier
from support.figures import figure
from support.forge import Forged
from support.scripted import Scripted

BOTH = ("linux/amd64", "linux/arm64")


def make(seed, docker=False, platforms=BOTH[:1], zstd=False):
    """An image, of several platforms an index."""
    made = [images.image([images.layer("shared", 3000), images.layer(seed + p, 4000)], p, docker) for p in platforms]
    if zstd:
        made = [packed_with_zstd(each) for each in made]
    return made[0] if len(made) == 1 else images.index(made, docker)


def packed_with_zstd(image):
    """The same image, its layers in zstd frames of one stored block (RFC 8878)."""
    def pack(part):
        data = gzip.decompress(part.data)
        frame = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + struct.pack("<I", len(data) << 3 | 1)[:3] + data
        return images.blob(frame, part.media_type.replace("gzip", "zstd"))
    parts = [image.blobs[0], *map(pack, image.blobs[1:])]
    top = {**json.loads(image.top.data), "layers": [p.descriptor() for p in parts[1:]]}
    return images.Image(images.blob(json.dumps(top).encode(), image.top.media_type), tuple(parts), (), image.platform)


IMAGES = {"oci": make("oci"), "docker": make("docker", docker=True), "index": make("index", platforms=BOTH),
          "list": make("list", docker=True, platforms=BOTH), "zstd": make("zstd", zstd=True)}
ALL = ("oci", "docker", "index", "list")

# What is loaded: the images in the bundle.
BUNDLES = {"OCI": ("oci",), "Docker": ("docker",), "OCI index": ("index",), "Docker list": ("list",),
           "several OCI": ("oci", "index"), "several": ALL, "zstd": ("zstd",)}

# What an archive must have, shown by taking it away, and sizes of 8 GiB as the format writes them.
VARIANTS = {"several, no manifest.json": ALL, "several, no oci-layout": ("oci", "index"), "base-256 sizes": ("oci",)}

KEEPS = "keeps digests"      # the digest is the one that the vendor's registry gave
REMAKES = "makes manifests"  # the configuration is the same, the manifest is not

NO_REF = "no descriptor found for reference"  # skopeo 1.9.3 lists OCI media types only
CELLS = {
    "skopeo oci-archive": {
        "OCI": KEEPS, "Docker": NO_REF, "OCI index": KEEPS, "Docker list": NO_REF, "several OCI": KEEPS,
        "several": NO_REF, "zstd": KEEPS,
        "several, no manifest.json": NO_REF, "several, no oci-layout": KEEPS, "base-256 sizes": KEEPS},
    "skopeo docker-archive": {
        "OCI": REMAKES, "Docker": REMAKES, "OCI index": REMAKES, "Docker list": REMAKES,
        "several OCI": REMAKES, "several": REMAKES, "zstd": REMAKES, "several, no manifest.json": "manifest.json", "several, no oci-layout": REMAKES,
        "base-256 sizes": REMAKES},
    "podman load": {
        "OCI": KEEPS, "Docker": KEEPS, "OCI index": KEEPS, "Docker list": KEEPS,
        "several OCI": REMAKES, "several": REMAKES, "zstd": KEEPS,
        "several, no manifest.json": "more than one image in oci", "several, no oci-layout": REMAKES,
        "base-256 sizes": KEEPS},
    "ctr images import": {
        "OCI": KEEPS, "Docker": KEEPS, "OCI index": KEEPS, "Docker list": KEEPS,
        "several OCI": KEEPS, "several": KEEPS, "zstd": KEEPS,
        "several, no manifest.json": KEEPS, "several, no oci-layout": REMAKES, "base-256 sizes": KEEPS},
    "docker load": {
        "OCI": REMAKES, "Docker": REMAKES, "OCI index": REMAKES, "Docker list": REMAKES,
        "several OCI": REMAKES, "several": REMAKES, "zstd": "archive/tar: invalid tar header", "several, no manifest.json": "blobs/json: no such file",
        "several, no oci-layout": REMAKES, "base-256 sizes": REMAKES},
}
TABLE = [(loader, what) for loader, row in CELLS.items() for what in row]


@pytest.fixture(scope="module")
def bundles(session_sealift, keys, tmp_path_factory):
    """{what: path}"""
    made, folder = {}, tmp_path_factory.mktemp("loaders")
    carrier = Carrier(session_sealift, keys.p256, folder)
    with Scripted() as server:
        for name, image in IMAGES.items():
            server.store(f"team/{name}", "1.0", image)
        for what, names in {**BUNDLES, **VARIANTS}.items():
            more = [word for name in names[1:] for word in ("--image", ref(name))]
            result = carrier.export(server, *more, ref=ref(names[0]))
            assert result.rc == 0, result
            made[what] = shutil.move(carrier.bundle, folder / f"{what.replace(' ', '-')}.tar")
    without(made["several, no manifest.json"], "manifest.json")
    without(made["several, no oci-layout"], "oci-layout")
    in_base_256(made["base-256 sizes"])
    return made


def ref(name):
    return f"{HOST}/team/{name}:1.0"


def members(path):
    return [("bundle/inventory.json", b"{}"), *Forged(path).members]


def without(path, name):
    """The same tar file without that member."""
    kept = b"".join(reader.member(*m) for m in members(path) if m[0] != name)
    with open(path, "wb") as f:
        f.write(kept + bytes(1024))


def in_base_256(path):
    """The same tar file with every size as the format writes those of 8 GiB and more."""
    def header(name, size):
        raw = reader.header(name, size)
        raw = raw[:124] + b"\x80" + size.to_bytes(11, "big") + raw[136:148] + b" " * 8 + raw[156:]
        return raw[:148] + b"%06o\0 " % sum(raw) + raw[156:]
    kept = b"".join(header(n, len(d)) + reader.member(n, d)[512:] for n, d in members(path))
    with open(path, "wb") as f:
        f.write(kept + bytes(1024))


@pytest.fixture(scope="module")
def programs():
    """{loader: what loads, or why it does not run here}"""
    with tempfile.TemporaryDirectory(prefix="sl") as at, contextlib.ExitStack() as running:
        found = {"skopeo oci-archive": loaders.Skopeo(at, "oci-archive"),
                 "skopeo docker-archive": loaders.Skopeo(at, "docker-archive"), "podman load": loaders.Podman(at)}
        try:
            found["ctr images import"] = running.enter_context(loaders.Containerd(at))
            found["docker load"] = running.enter_context(loaders.Docker(at, found["ctr images import"]))
        except loaders.Unable as why:
            found = {"ctr images import": why, "docker load": why, **found}
        yield found


@pytest.fixture(scope="module")
def tally():
    counts = {"cells": 0, "good": 0}
    yield counts
    figure("R15", "loaders", counts["good"], counts["cells"], "cells as the table says")


@pytest.mark.parametrize("loader,what", TABLE, ids=lambda word: word.replace(" ", "-"))
def test_R15_loaders(programs, bundles, tally, loader, what):
    program, outcome, names = programs[loader], CELLS[loader][what], {**BUNDLES, **VARIANTS}[what]
    if isinstance(program, loaders.Unable):
        pytest.skip(str(program))
    tally["cells"] += 1
    if outcome not in (KEEPS, REMAKES):
        with pytest.raises(loaders.Refused, match=re.escape(outcome)):
            program.load(bundles[what], [ref(name) for name in names])
        tally["good"] += 1
        return
    found = program.load(bundles[what], [ref(name) for name in names])
    for name in names:
        image = IMAGES[name]
        one = image.children[0] if image.children else image
        assert found[ref(name)].config == one.blobs[0].digest, name
        assert (found[ref(name)].digest == image.digest) == (outcome == KEEPS), name
    tally["good"] += 1
