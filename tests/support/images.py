"""An image factory: small or large stand-in images, made by us, the same bytes on every run.

Layers are real gzip'd tar files whose content is seeded random bytes (so they do not compress),
configs carry the right diff ids, and everything is valid for docker, skopeo and umoci.

    base = layer("base", 100_000)
    one  = image([base, layer("app", 5_000)])                         linux/amd64, OCI
    all  = index([image([...], "linux/amd64"), image([...], "linux/arm64")])
    push(registry.client(), "team/app", "1.0", all)
"""

import dataclasses
import gzip
import hashlib
import io
import json
import os
import random
import tarfile
import zlib

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def random_bytes(seed, size):
    """`size` bytes that look random and are the same for the same seed."""
    return random.Random(seed).randbytes(size)


@dataclasses.dataclass(frozen=True)
class Blob:
    data: bytes = dataclasses.field(repr=False)
    media_type: str
    digest: str

    @property
    def size(self):
        return len(self.data)

    def descriptor(self, **more):
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size, **more}


def blob(data, media_type):
    return Blob(data, media_type, sha256(data))


@dataclasses.dataclass(frozen=True)
class Layer:
    data: bytes = dataclasses.field(repr=False)
    diff_id: str
    digest: str


@dataclasses.dataclass(frozen=True)
class Image:
    """A manifest or an index with all below it; children of an index are Images."""
    top: Blob
    blobs: tuple
    children: tuple = ()
    platform: str = ""

    @property
    def digest(self):
        return self.top.digest

    def all_blobs(self):
        """Configs and layers, each once."""
        found = {b.digest: b for part in (self, *self.children) for b in part.blobs}
        return list(found.values())

    def manifests(self):
        """The children, then the top."""
        return [*(c.top for c in self.children), self.top]

    def size(self):
        return sum(b.size for b in self.all_blobs())


def tar_bytes(files):
    """A deterministic tar of {name: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gzip_bytes(data, level=1):
    """gzip with no time and no name in it."""
    return gzip.compress(data, compresslevel=level, mtime=0)


def _stored(data):
    """gzip with stored blocks: as fast as the checksum, for data that does not compress."""
    deflate = zlib.compressobj(0, zlib.DEFLATED, 31)
    return deflate.compress(data) + deflate.flush()


def layer(seed, size):
    """A layer of about `size` bytes with a file named after its seed."""
    tar = tar_bytes({f"opt/stand-in/{seed}": random_bytes(seed, size)})
    packed = _stored(tar) if size > 65536 else gzip_bytes(tar)
    return Layer(packed, sha256(tar), sha256(packed))


def _json(document):
    return json.dumps(document, separators=(",", ":")).encode()


def image(layers, platform="linux/amd64", docker=False, labels=None):
    """A single-platform image of these layers; docker: Docker's media types instead of OCI's."""
    os_name, arch, *variant = platform.split("/")
    config = {"created": "2024-01-01T00:00:00Z", "architecture": arch, "os": os_name,
              "config": {"Labels": labels or {}},
              "rootfs": {"type": "layers", "diff_ids": [l.diff_id for l in layers]},
              "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "stand-in"} for _ in layers]}
    if variant:
        config["variant"] = variant[0]
    conf = blob(_json(config), DOCKER_CONFIG if docker else OCI_CONFIG)
    kind = DOCKER_LAYER if docker else OCI_LAYER
    parts = [Blob(l.data, kind, l.digest) for l in layers]
    media = DOCKER_MANIFEST if docker else OCI_MANIFEST
    manifest = {"schemaVersion": 2, "mediaType": media, "config": conf.descriptor(),
                "layers": [p.descriptor() for p in parts]}
    return Image(blob(_json(manifest), media), (conf, *parts), (), platform)


def index(images, docker=False):
    """A multi-platform index over images."""
    entries = []
    for child in images:
        os_name, arch, *variant = child.platform.split("/")
        where = {"architecture": arch, "os": os_name}
        if variant:
            where["variant"] = variant[0]
        entries.append(child.top.descriptor(platform=where))
    media = DOCKER_INDEX if docker else OCI_INDEX
    top = _json({"schemaVersion": 2, "mediaType": media, "manifests": entries})
    return Image(blob(top, media), (), tuple(images))


def push(client, repository, tag, what, homes=None):
    """Uploads an image or index with all its parts and tags it; returns its digest. homes
    {digest: repository} remembers where blobs are, so that the next image can mount them."""
    homes = {} if homes is None else homes
    for part in what.all_blobs():
        client.put_blob(repository, part, homes.get(part.digest))
        homes.setdefault(part.digest, repository)
    for child in what.children:
        client.put_manifest(repository, child.digest, child.top.data, child.top.media_type)
    client.put_manifest(repository, tag, what.top.data, what.top.media_type)
    return what.digest


def write_layout(folder, tagged):
    """An OCI image layout of {reference name: image} for tools that read folders."""
    blobs = os.path.join(folder, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)
    for what in tagged.values():
        for part in (*what.all_blobs(), *what.manifests()):
            with open(os.path.join(blobs, part.digest.split(":")[1]), "wb") as f:
                f.write(part.data)
    tops = [w.top.descriptor(annotations={"org.opencontainers.image.ref.name": n}) for n, w in tagged.items()]
    with open(os.path.join(folder, "index.json"), "wb") as f:
        f.write(_json({"schemaVersion": 2, "manifests": tops}))
    with open(os.path.join(folder, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
