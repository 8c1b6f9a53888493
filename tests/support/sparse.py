"""Bundles of any size in sparse files: their layers are zeros that end in a few bytes of their own.

    sizes = {"sha256:…": size of a layer}
    sizes = write(path, signer, honest, [2 ** 31, 9 << 30])     one image, with layers of these sizes
    digest(sizes)                                               [(digest, tail)] of such contents

honest is the path of any good bundle of one image with one layer or more.
"""

import hashlib
import json
import os

from . import contents, reader
from .forge import Forged, blob, dump

STEP = 1 << 24
TAIL = 64


def tail_of(i, size):
    """The last bytes of content number i."""
    return hashlib.sha512(b"%d" % i).digest()[:min(TAIL, size)]


def digests(sizes):
    """The SHA-256 of each content, in hexadecimal; the zeros that they share are hashed once."""
    running, at, found = hashlib.sha256(), 0, [None] * len(sizes)
    zeros = memoryview(bytes(STEP))
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        tail = tail_of(i, sizes[i])
        while at < sizes[i] - len(tail):
            step = min(STEP, sizes[i] - len(tail) - at)
            running.update(zeros[:step])
            at += step
        own = running.copy()
        own.update(tail)
        found[i] = own.hexdigest()
    return found


def _image(bundle, layers):
    """The one image has these layers: [(hexadecimal, size)]."""
    image = bundle.inventory["images"][0]
    place = [name for name, _ in bundle.members].index("blobs/" + image["digest"].replace(":", "/"))
    manifest = json.loads(bundle.members[place][1])
    for gone in {layer["digest"] for layer in manifest["layers"]}:
        bundle.drop(gone)
    kind = manifest["layers"][0]["mediaType"]
    manifest["layers"] = [{"mediaType": kind, "digest": "sha256:" + h, "size": size} for h, size in layers]
    place = [name for name, _ in bundle.members].index("blobs/" + image["digest"].replace(":", "/"))
    bundle.members[place] = blob(json.dumps(manifest).encode())
    digest = "sha256:" + hashlib.sha256(bundle.members[place][1]).hexdigest()
    image.update(digest=digest, sourceDigest=digest, size=len(bundle.members[place][1]),
                 blobs=[d for d in image["blobs"] if d != image["digest"]] + ["sha256:" + h for h, _ in layers])


def _listed(name, data):
    return {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _inventory(bundle, layers):
    """The inventory's bytes; the documents for other programs are made anew."""
    blobs = {"sha256:" + name.rpartition("/")[2]: data for name, data in bundle.members[5:]}
    small = dict(bundle.members)
    for _ in range(2):  # SHA256SUMS lists the others
        bundle.inventory["members"] = [_listed(name, small[name]) for name, _ in bundle.members] + [
            {"path": "blobs/sha256/" + h, "size": size, "sha256": h} for h, size in layers]
        small.update({name: text.encode() for name, text in contents.others(bundle.inventory, blobs).items()})
    bundle.members = [(name, small[name]) for name, _ in bundle.members]
    bundle.inventory["members"][:5] = [_listed(name, data) for name, data in bundle.members[:5]]
    for _ in range(4):
        bundle.inventory["total"] = reader.BLOCK + reader.padded(len(dump(bundle.inventory))) + reader.AREA + sum(
            reader.BLOCK + reader.padded(m["size"]) for m in bundle.inventory["members"]) + reader.TRAILER
    return dump(bundle.inventory)


def write(path, signer, honest, sizes):
    """A bundle of one image with layers of these sizes.  {member's path: size} of all that is in it."""
    layers = list(zip(digests(sizes), sizes))
    bundle = Forged(honest)
    _image(bundle, layers)
    text = _inventory(bundle, layers)
    with open(path, "wb") as f:
        f.write(reader.member("bundle/inventory.json", text) + reader.area(signer.sign(text)))
        f.write(b"".join(reader.member(name, data) for name, data in bundle.members))
        for i, (h, size) in enumerate(layers):
            f.write(reader.header("blobs/sha256/" + h, size))
            f.seek(size - len(tail_of(i, size)), os.SEEK_CUR)
            f.write(tail_of(i, size))
            f.seek(reader.padded(size) - size, os.SEEK_CUR)
        f.truncate(f.tell() + reader.TRAILER)
    assert os.stat(path).st_size == bundle.inventory["total"]
    return {m["path"]: m["size"] for m in bundle.inventory["members"]}
