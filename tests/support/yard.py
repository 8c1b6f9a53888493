"""A yard of keys, folders of trust and small bundles, for tests that ask whom the program believes.

    yard = Yard(folder, path_of_a_good_bundle)
    yard.key("a")                               a Signer made by openssl: P-256, or "ed25519"
    yard.bundle("a", "b", expires=...)          a bundle that these keys signed, its inventory changed
    yard.trusted("a", b={"bundle-name": "x"})   a folder with these public keys, some with a scope
"""

import base64
import copy
import os
import subprocess

from . import reader
from .forge import Forged, dump

CURVES = {"p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
          "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "ed25519": ["-algorithm", "ED25519"]}


def openssl(*args, **kw):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **kw).stdout


class Signer:
    """A key pair that openssl made, without a passphrase."""

    def __init__(self, folder, name, kind="p256"):
        self.kind = kind
        self.private, self.public = (os.path.join(str(folder), name + end) for end in (".key", ".pub"))
        openssl("genpkey", *CURVES[kind], "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)
        self.kid = reader.kid_of(self.public)

    def raw(self, data):
        """The signature over data, as openssl makes it."""
        if self.kind != "ed25519":
            hashed = "-sha384" if self.kind == "p384" else "-sha256"
            return openssl("dgst", hashed, "-sign", self.private, input=data)
        path = self.private + ".data"
        with open(path, "wb") as f:
            f.write(data)
        return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.private, "-in", path)

    def text(self, data):
        return base64.b64encode(self.raw(data)) + b"\n"

    def sign(self, data):
        """(name, content) of the signature's member."""
        return f"bundle/sig/{self.kid}.sig", self.text(data)

    def trusting(self):
        return ["--trust", self.public]


class Yard:
    def __init__(self, folder, bundle):
        self.folder, self.good, self.keys, self.count = str(folder), Forged(bundle), {}, 0

    def key(self, name, kind=None):
        """The key of that name; one whose name begins with "e" is Ed25519, with "q" P-384."""
        if name not in self.keys:
            kind = kind or {"e": "ed25519", "q": "p384"}.get(name[0], "p256")
            self.keys[name] = Signer(self.folder, "key-" + name, kind)
        return self.keys[name]

    def path(self, end=""):
        self.count += 1
        return os.path.join(self.folder, f"{self.count}{end}")

    def inventory(self, **changes):
        """The inventory's bytes with these fields of "bundle" changed; members stay."""
        forged = copy.deepcopy(self.good)
        forged.inventory["bundle"].update(changes)
        return forged, forged.text()

    def bundle(self, *signers, more=(), only=None, **changes):
        """more: further members of the area, or functions of the inventory's bytes that give them.
        only: the whole list of members, in place of what the signers make."""
        forged, text = self.inventory(**changes)
        made = [self.key(s).sign(text) for s in signers] + [m(text) if callable(m) else m for m in more]
        made = sorted(made if only is None else only)
        path = self.path(".tar")
        with open(path, "wb") as f:
            f.write(reader.member("bundle/inventory.json", text) + reader.area(*made)
                    + b"".join(reader.member(name, data) for name, data in forged.members) + bytes(reader.TRAILER))
        return path

    def trusted(self, *names, folder=None, mode=0o644, **scopes):
        """A folder of public keys; scopes: name=text of its sidecar."""
        folder = folder or self.path(".d")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        for name in [*names, *scopes]:
            write(os.path.join(folder, name + ".pub"), read(self.key(name).public), mode)
        for name, text in scopes.items():
            write(os.path.join(folder, name + ".scope"), text)
        return folder

    def config(self, *names, conf=None, **scopes):
        """A folder of settings (for SEALIFT_CONFIG) with trusted.d and, if conf is given, trust.conf."""
        folder = self.path(".config")
        os.makedirs(folder, mode=0o755)
        if names or scopes:
            self.trusted(*names, folder=os.path.join(folder, "trusted.d"), **scopes)
        if conf is not None:
            write(os.path.join(folder, "trust.conf"), conf)
        return folder


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


__all__ = ["Signer", "Yard", "dump", "openssl", "read", "write"]
