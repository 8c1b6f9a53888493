"""A second reader of bundles, written from sealift-bundle(5) alone: it shares nothing with the program.

    verdict(data, public_key) -> "good", "untrusted", "damaged" or "newer" (it needs a later version)

Signatures are judged by openssl, once for the same bytes.  `split` gives the regions of a bundle and `member` makes the one header that
may stand before data, so that tests can build bundles that no writer would.
"""

import base64
import functools
import hashlib
import os
import re
import subprocess
import tempfile

from . import contents
from .contents import AREA, Damaged

BLOCK, TRAILER = 512, 1024
INVENTORY_MAX, SIGNATURE_MAX, SIGNATURES_MAX = 8 << 20, 8192, 32


class Untrusted(Exception):
    pass


def need(condition, error, what):
    contents.need(condition, what, error)


def padded(size):
    return -(-size // BLOCK) * BLOCK


def header(name, size):
    """The canonical ustar header."""
    octal = b"%011o\0" % size if size < 8 ** 11 else b"\x80" + size.to_bytes(11, "big")
    raw = (name.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + octal + b"0" * 11 + b"\0" + b" " * 8
           + b"0" + b"\0" * 100 + b"ustar\0" + b"00" + b"\0" * 64 + b"0000000\0" * 2).ljust(BLOCK, b"\0")
    return raw[:148] + b"%06o\0 " % sum(raw) + raw[156:]


def member(name, data):
    """Header, data and padding."""
    return header(name, len(data)) + data + bytes(padded(len(data)) - len(data))


def area(*signatures):
    """The signature area that holds these (name, data)."""
    taken = b"".join(member(name, data) for name, data in signatures)
    return taken + member("bundle/pad", bytes(AREA - len(taken) - BLOCK))


def claimed_size(raw, limit, error):
    need(re.fullmatch(rb"[0-7]{11}\0", raw[124:136]), error, "size field")
    size = int(raw[124:135], 8)
    need(size <= limit, error, "size")
    return size


def split(data):
    """(inventory bytes, offset of the area)."""
    need(len(data) >= BLOCK, Untrusted, "first header")
    size = claimed_size(data, INVENTORY_MAX, Untrusted)
    need(data[:BLOCK] == header("bundle/inventory.json", size), Untrusted, "first header")
    end = BLOCK + padded(size)
    need(len(data) >= end and not any(data[BLOCK + size:end]), Untrusted, "inventory")
    return data[BLOCK:BLOCK + size], end


def signatures(data, at):
    """[(kid, suffix, bytes)] of the area at that offset."""
    end, found, last = at + AREA, [], ""
    need(len(data) >= end, Damaged, "area")
    while at + BLOCK <= end:
        raw = data[at:at + BLOCK]
        if raw == header("bundle/pad", end - at - BLOCK):
            need(not any(data[at + BLOCK:end]), Damaged, "pad")
            return found
        name = raw[:100].rstrip(b"\0").decode("latin-1")
        shape = re.fullmatch(r"bundle/sig/([0-9a-f]{16})\.([a-z0-9.]+)", name)
        need(shape and name > last and len(found) < SIGNATURES_MAX, Damaged, "name in the area")
        size = claimed_size(raw, SIGNATURE_MAX, Damaged)
        after = at + BLOCK + padded(size)
        need(raw == header(name, size) and after <= end - BLOCK, Damaged, "header in the area")
        need(not any(data[at + BLOCK + size:after]), Damaged, "padding in the area")
        found.append((shape[1], shape[2], data[at + BLOCK:at + BLOCK + size]))
        at, last = after, name
    raise Damaged("no pad")


@functools.lru_cache(maxsize=64)
def spki(public_key):
    """The DER of its SubjectPublicKeyInfo."""
    return subprocess.run(["openssl", "pkey", "-pubin", "-in", public_key, "-outform", "DER"], check=True,
                          capture_output=True).stdout


def kid_of(public_key):
    return hashlib.sha256(spki(public_key)).hexdigest()[:16]


def hash_of(public_key):
    """The hash that the kind of key goes with; None for Ed25519."""
    return {91: "sha256", 120: "sha384", 44: None}[len(spki(public_key))]


@functools.lru_cache(maxsize=4096)
def openssl_says(public_key, text, signature):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, n) for n in ("text", "signature")]
        for path, data in zip(paths, (text, signature)):
            with open(path, "wb") as f:
                f.write(data)
        command = (["dgst", "-" + hash_of(public_key), "-verify", public_key, "-signature", paths[1], paths[0]]
                   if hash_of(public_key) else
                   ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public_key, "-in", paths[0], "-sigfile", paths[1]])
        return subprocess.run(["openssl", *command], capture_output=True).returncode == 0


def decoded(line):
    """Of base64 that has one form only."""
    try:
        raw = base64.b64decode(line, validate=True)
    except ValueError as error:
        raise Untrusted("base64") from error
    need(base64.b64encode(raw) == line, Untrusted, "another encoding")
    return raw


def sigstore_of(public_key, inventory, raw):
    """KID.sigstore.json says what KID.sig says."""
    kind = hash_of(public_key)
    need(kind, Untrusted, "a key of another kind")
    words = [base64.b64encode(b).decode() for b in (
        hashlib.sha256(spki(public_key)).digest(), hashlib.new(kind, inventory).digest(), raw)]
    return ('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"%s"}},'
            '"messageSignature":{"messageDigest":{"algorithm":"%s","digest":"%s"},"signature":"%s"}}\n'
            % (words[0], kind.upper().replace("SHA", "SHA2_"), *words[1:])).encode()


def check_minisig(public_key, inventory, text):
    need(hash_of(public_key) is None, Untrusted, "a key of another kind")
    shape = re.fullmatch(rb"untrusted comment: signature by a sealift key\n(.*)\ntrusted comment: (.{0,1024})\n(.*)\n", text)
    need(shape, Untrusted, "minisig")
    first, second = decoded(shape[1]), decoded(shape[3])
    need(len(first) == 74 and first[:10] == b"ED" + bytes.fromhex(kid_of(public_key)), Untrusted, "minisig")
    need(openssl_says(public_key, hashlib.blake2b(inventory).digest(), first[10:]), Untrusted, "minisig")
    need(openssl_says(public_key, first[10:] + shape[2], second), Untrusted, "trusted comment")


def check_trust(inventory, found, public_key):
    """A signature by that key is there, and every form of it that this reader knows holds."""
    own = {suffix: text for kid, suffix, text in found if kid == kid_of(public_key)}
    need("sig" in own and own["sig"].endswith(b"\n"), Untrusted, "no signature by that key")
    raw = decoded(own["sig"][:-1])
    need(openssl_says(public_key, inventory, raw), Untrusted, "signature")
    if "sigstore.json" in own:
        need(own["sigstore.json"] == sigstore_of(public_key, inventory, raw), Untrusted, "sigstore")
    if "minisig" in own:
        check_minisig(public_key, inventory, own["minisig"])


def check_members(data, at, inventory):
    """{digest: bytes} of the blobs."""
    blobs = {}
    for m in inventory["members"]:
        end = at + BLOCK + m["size"]
        need(data[at:at + BLOCK] == header(m["path"], m["size"]), Damaged, "header")
        need(hashlib.sha256(data[at + BLOCK:end]).hexdigest() == m["sha256"], Damaged, "digest")
        blobs["sha256:" + m["sha256"]] = data[at + BLOCK:end]
        at += BLOCK + padded(m["size"])
        need(len(data) >= at and not any(data[end:at]), Damaged, "padding")
    need(data[at:] == bytes(TRAILER) and len(data) == inventory["total"], Damaged, "the end")
    return blobs


def check_total(inventory, size):
    total = BLOCK + padded(size) + AREA + sum(BLOCK + padded(m["size"]) for m in inventory["members"]) + TRAILER
    need(total == inventory["total"], Damaged, "total")


def judged(data, public_key):
    """Raises unless all holds."""
    text, at = split(data)
    check_trust(text, signatures(data, at), public_key)
    inventory = contents.parse(text)
    check_total(inventory, len(text))
    contents.check(inventory, check_members(data, at + AREA, inventory))


def verdict(data, public_key):
    try:
        judged(data, public_key)
    except Untrusted:
        return "untrusted"
    except Damaged:
        return "damaged"
    except contents.Newer:
        return "newer"
    return "good"
