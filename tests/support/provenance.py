"""Provenance files as `helm package --sign` makes them, by gpg; and the keyring that `helm verify` wants."""

import hashlib
import os
import subprocess


class Signer:
    """A key of its own in a folder."""

    def __init__(self, folder):
        self.home = os.path.join(str(folder), "gpg")
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        self._gpg("--quick-gen-key", "--passphrase", "", "Charts <charts@example.org>", "rsa2048", "sign", "never")
        self.keyring = os.path.join(self.home, "keys.gpg")
        with open(self.keyring, "wb") as f:
            f.write(self._gpg("--export"))

    def _gpg(self, *words, **kw):
        return subprocess.run(["gpg", "--homedir", self.home, "--batch", "--yes", "--quiet", *words], check=True,
                              capture_output=True, **kw).stdout

    def provenance(self, name, tgz, chart_yaml, digest=None):
        """The .prov of the archive called name."""
        digest = digest or hashlib.sha256(tgz).hexdigest()
        text = chart_yaml + b"\n...\nfiles:\n  " + f"{name}: sha256:{digest}\n".encode()
        return self._gpg("--clearsign", input=text)

    def end(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], capture_output=True)
