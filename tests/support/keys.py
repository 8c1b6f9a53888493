"""Key pairs made by the program's keygen."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class KeyPair:
    private: str  # path of NAME.key
    public: str  # path of NAME.pub
    passphrase_file: str = None  # of a locked one
    passphrase: str = None

    def signing(self):
        unlock = ["--passphrase-file", self.passphrase_file] if self.passphrase_file else ["--no-passphrase"]
        return ["--sign-key", self.private, *unlock]

    def trusting(self):
        return ["--trust", self.public]


def make(program, folder, name, kind="p256"):
    """A key pair of that kind in folder, without a passphrase: to open one takes longer than most of what is tested."""
    base = os.path.join(folder, name)
    program.ok("keygen", "-o", base, "--type", kind, "--no-passphrase")
    return KeyPair(base + ".key", base + ".pub")


def make_locked(program, folder, name, kind="p256"):
    """One that has a passphrase."""
    passphrase = f"the passphrase of {name}"
    path = os.path.join(folder, name + ".pass")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(passphrase + "\n")
    base = os.path.join(folder, name)
    program.ok("keygen", "-o", base, "--type", kind, "--passphrase-file", path)
    return KeyPair(base + ".key", base + ".pub", path, passphrase)
