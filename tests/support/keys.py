"""Key pairs made by the program's keygen."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class KeyPair:
    private: str  # path of NAME.key
    public: str  # path of NAME.pub
    passphrase_file: str
    passphrase: str

    def signing(self):
        return ["--sign-key", self.private, "--passphrase-file", self.passphrase_file]

    def trusting(self):
        return ["--trust", self.public]


def make(program, folder, name, kind="p256"):
    """A key pair of that kind in folder."""
    passphrase = f"the passphrase of {name}"
    path = os.path.join(folder, name + ".pass")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(passphrase + "\n")
    base = os.path.join(folder, name)
    program.ok("keygen", "-o", base, "--type", kind, "--passphrase-file", path)
    return KeyPair(base + ".key", base + ".pub", path, passphrase)
