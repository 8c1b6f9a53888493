"""A private certificate authority and a server certificate for the loopback names, by openssl."""

import os
import subprocess


def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make(folder, names=()):
    """Writes ca.pem, server.pem (for names, too) and server.key into folder; returns the three paths."""
    os.makedirs(folder, exist_ok=True)
    ca, ca_key, cert, key, csr, ext = (
        os.path.join(folder, n) for n in ("ca.pem", "ca.key", "server.pem", "server.key", "server.csr", "san"))
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "30", "-subj", "/CN=test authority")
    _openssl("req", *curve, "-keyout", key, "-out", csr, "-subj", "/CN=localhost")
    with open(ext, "w") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1" + "".join(f",DNS:{n}" for n in names) + "\n")
    _openssl("x509", "-req", "-in", csr, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert,
             "-days", "30", "-extfile", ext)
    return ca, cert, key
