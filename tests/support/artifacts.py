"""What refers to images, and what is no image at all: signatures, SBOMs, attestations, artifacts of any type.

    sbom = artifact("application/spdx+json", [b"{}"], subject=app)       it says what it refers to
    sig = cosign(app, b"payload")                                        its tag says it: cosign_tag(app)
    listed = index_of([sbom])                                            the list under fallback_tag(app)
"""

import json

from .images import OCI_INDEX, OCI_MANIFEST, Blob, Image, blob

EMPTY = blob(b"{}", "application/vnd.oci.empty.v1+json")
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def dump(document):
    return json.dumps(document, separators=(",", ":")).encode()


def manifest(document, blobs=(), children=(), media_type=OCI_MANIFEST):
    """An Image of a document's exact text, or of a JSON value."""
    text = document if isinstance(document, bytes) else dump(document)
    return Image(blob(text, media_type), tuple(blobs), tuple(children))


def artifact(kind, contents, subject=None, config=EMPTY, layer_type="application/octet-stream", notes=None, **more):
    """An artifact of that type with these layers; more: further members of its manifest."""
    layers = [c if isinstance(c, Blob) else blob(c, layer_type) for c in contents]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": kind, "config": config.descriptor(),
                "layers": [part.descriptor() for part in layers]}
    if subject is not None:
        document["subject"] = subject.top.descriptor()
    if notes:
        document["annotations"] = notes
    document = {k: v for k, v in {**document, **more}.items() if v is not ...}
    return manifest(document, (config, *layers))


def cosign(subject, payload=b"signed"):
    """What cosign stands beside an image, found by its tag alone."""
    config = blob(b'{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}',
                  "application/vnd.oci.image.config.v1+json")
    layer = blob(payload + subject.digest.encode(), SIMPLE_SIGNING)
    return manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.descriptor(), "layers": [
        layer.descriptor(annotations={"dev.cosignproject.cosign/signature": "c2ln"})]}, (config, layer))


def fallback_tag(subject):
    return subject.digest.replace(":", "-")


def cosign_tag(subject, suffix="sig"):
    return f"{fallback_tag(subject)}.{suffix}"


def index_of(these, **more):
    """A list of referrers as a fallback tag has it."""
    entries = []
    for one in these:
        document = json.loads(one.top.data)
        entries.append(one.top.descriptor(artifactType=document.get("artifactType", ""),
                                          annotations=document.get("annotations") or {}))
    return manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, **more}, (), these, OCI_INDEX)
