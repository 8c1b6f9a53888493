"""Bundles that a trusted key signed although they lie: what a careless or hostile vendor could sign.

    b = Forged(path_of_a_good_bundle)
    b.inventory, b.members            the parts, to be changed: a dict, and [(name, data)]
    b.write(path, signer)             sums, member list and total made anew, signed by signer
"""

import base64
import hashlib
import json
import os
import subprocess

from . import reader


class Signer:
    """A P-256 key pair that openssl made, without a passphrase."""

    def __init__(self, folder):
        self.private, self.public = (os.path.join(str(folder), n) for n in ("forger.key", "forger.pub"))
        for line in (["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.private],
                     ["pkey", "-in", self.private, "-pubout", "-out", self.public]):
            subprocess.run(["openssl", *line], check=True, capture_output=True)
        self.kid = reader.kid_of(self.public)

    def trusting(self):
        return ["--trust", self.public]

    def sign(self, data):
        """(name, content) of the signature's member."""
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.private], input=data, check=True,
                              capture_output=True)
        return f"bundle/sig/{self.kid}.sig", base64.b64encode(done.stdout) + b"\n"


def dump(inventory):
    return json.dumps(inventory, separators=(",", ":")).encode() + b"\n"


def blob(data):
    """The member that holds data as a blob."""
    return "blobs/sha256/" + hashlib.sha256(data).hexdigest(), data


class Forged:
    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        text, at = reader.split(data)
        self.inventory, self.members, at = json.loads(text), [], at + reader.AREA
        for m in self.inventory["members"]:
            at += reader.BLOCK
            self.members.append((m["path"], data[at:at + m["size"]]))
            at += reader.padded(m["size"])

    def drop(self, digest):
        """Takes a blob away: from the members, and from what the images say they need."""
        hexadecimal = digest.rpartition(":")[2]
        self.members = [m for m in self.members if not m[0].endswith(hexadecimal)]
        for image in self.inventory["images"]:
            image["blobs"] = [b for b in image["blobs"] if not b.endswith(hexadecimal)]

    def remake(self, name, change):
        """Changes the JSON document of that name."""
        at = [n for n, _ in self.members].index(name)
        document = json.loads(self.members[at][1])
        change(document)
        self.members[at] = (name, json.dumps(document, separators=(",", ":")).encode())

    def text(self):
        """The inventory's bytes for the members as they are."""
        lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in self.members if name != "SHA256SUMS"]
        self.members = [(name, "".join(lines).encode() if name == "SHA256SUMS" else data)
                        for name, data in self.members]
        self.inventory["members"] = [{"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                                     for name, data in self.members]
        behind = sum(reader.BLOCK + reader.padded(len(data)) for _, data in self.members) + reader.TRAILER
        for _ in range(4):
            size = len(dump(self.inventory))
            self.inventory["total"] = reader.BLOCK + reader.padded(size) + reader.AREA + behind
        return dump(self.inventory)

    def bytes(self, signer, text=None, more=()):
        """Signs text (the inventory as it is now); more signatures may stand beside."""
        text = text or self.text()
        parts = [reader.member("bundle/inventory.json", text), reader.area(*sorted([signer.sign(text), *more])),
                 *(reader.member(name, data) for name, data in self.members), bytes(reader.TRAILER)]
        return b"".join(parts)

    def write(self, path, signer, text=None, more=()):
        """The same, in a file; its path."""
        with open(path, "wb") as f:
            f.write(self.bytes(signer, text, more))
        return str(path)
