"""A corporate PKI made by openssl: a root, an issuing CA, leaves of many kinds, and CMS signatures by them.

    pki = Corporate(folder)
    leaf = pki.leaf("good", ext="codeSigning")     a Leaf: .key .cert .kid .spki
    leaf.p7s(data)                                 a detached CMS signature, DER
"""

import hashlib
import os
import subprocess

from .yard import openssl, write

CONFIG = """
[ca]
default_ca = own
[own]
dir = {0}
database = {0}/index.txt
new_certs_dir = {0}
serial = {0}/serial
crlnumber = {0}/crlnumber
default_md = sha256
default_days = 3650
default_crl_days = 3650
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
organizationName = optional
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf_codeSigning]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
[leaf_serverAuth]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
[leaf_noEku]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
[leaf_noKu]
basicConstraints = critical,CA:false
extendedKeyUsage = codeSigning
[leaf_encipher]
basicConstraints = critical,CA:false
keyUsage = critical,keyEncipherment
extendedKeyUsage = codeSigning
[leaf_both]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = emailProtection,codeSigning
"""

P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]


class Authority:
    """A CA with its own folder: signs certificates and revocation lists."""

    def __init__(self, folder, name, parent=None):
        self.folder, self.name, self.parent = os.path.join(str(folder), name), name, parent
        os.makedirs(self.folder)
        self.key, self.cert = (os.path.join(self.folder, n) for n in ("ca.key", "ca.pem"))
        self.config = write(os.path.join(self.folder, "ca.cnf"), CONFIG.format(self.folder))
        for file, text in (("index.txt", ""), ("serial", "1000\n"), ("crlnumber", "01\n")):
            write(os.path.join(self.folder, file), text)
        openssl("genpkey", *P256, "-out", self.key)
        request = self.request(self.key, f"/O=Corp/CN={name}")
        (parent or self).issue(request, self.cert, "root", self_signed=parent is None)

    def request(self, key, subject):
        path = key + ".csr"
        openssl("req", "-new", "-key", key, "-subj", subject, "-config", "/dev/null", "-out", path)
        return path

    def issue(self, request, out, section, self_signed=False, dates=(), digest="sha256"):
        own = ["-selfsign", "-keyfile", self.key] if self_signed else ["-cert", self.cert, "-keyfile", self.key]
        openssl("ca", "-batch", "-notext", "-config", self.config, "-extensions", section, *own, "-in", request,
                "-out", out, "-md", digest, *dates)

    def revoke(self, cert):
        openssl("ca", "-config", self.config, "-cert", self.cert, "-keyfile", self.key, "-revoke", cert)

    def crl(self):
        return openssl("ca", "-config", self.config, "-cert", self.cert, "-keyfile", self.key, "-gencrl").decode()


class Leaf:
    def __init__(self, issuer, name, ext="codeSigning", algorithm=P256, dates=(), digest="sha256"):
        self.issuer = issuer
        self.key, self.cert = (os.path.join(issuer.folder, name + end) for end in (".key", ".pem"))
        openssl("genpkey", *algorithm, "-out", self.key)
        issuer.issue(issuer.request(self.key, f"/O=Corp/CN={name}"), self.cert, "leaf_" + ext, dates=dates,
                     digest=digest)
        der = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        self.spki = hashlib.sha256(der).hexdigest()
        self.kid = self.spki[:16]

    def p7s(self, data, *more, chain=()):
        """A detached CMS signature over data."""
        words = ["cms", "-sign", "-binary", "-outform", "DER", "-signer", self.cert, "-inkey", self.key, "-md",
                 "sha256", *more]
        if chain:
            path = self.cert + ".chain"
            write(path, "".join(open(c).read() for c in chain))
            words += ["-certfile", path]
        return openssl(*words, input=data)

    def member(self, data, *more, chain=(), kid=None):
        return f"bundle/sig/{kid or self.kid}.p7s", self.p7s(data, *more, chain=chain)


def openssl_verifies(p7s, data, ca, folder):
    """What `openssl cms -verify` says: an independent judge."""
    paths = [os.path.join(str(folder), n) for n in ("judged.p7s", "judged.data")]
    for path, content in zip(paths, (p7s, data)):
        with open(path, "wb") as f:
            f.write(content)
    return subprocess.run(["openssl", "cms", "-verify", "-binary", "-purpose", "any", "-content", paths[1], "-inform",
                           "DER", "-in", paths[0], "-CAfile", ca, "-out", "/dev/null"],
                          capture_output=True).returncode == 0
