"""Other people's programs that load images from a tar file, each with folders and sockets of its own.

    with Containerd(folder) as ctr, Docker(folder, ctr) as docker:
        ctr.load(path, refs)              {ref: Loaded(digest, config)}; Refused when it does not take the file
    Podman(folder).load(path, refs), Skopeo(folder, "oci-archive").load(path, refs)

`digest` is what that program then says the image's digest is, None where it keeps none; `config` is the digest of
the image's configuration.  A daemon that cannot run here raises Unable with the reason.
"""

import dataclasses
import hashlib
import json
import os
import subprocess
import tempfile

from . import processes


class Refused(Exception):
    """The loader's own words."""


class Unable(Exception):
    """Why the daemon does not run here."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    digest: object
    config: str


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _said(*argv, home):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home)})
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


class Skopeo:
    """Copies out of the archive into a folder: the manifest as it is, with --all of an index too."""

    def __init__(self, folder, transport):
        self.folder, self.transport = str(folder), transport

    def load(self, path, refs):
        return {ref: self._copy(path, ref) for ref in refs}

    def _copy(self, path, ref):
        with tempfile.TemporaryDirectory(dir=self.folder) as to:
            _said("skopeo", "copy", "-q", "--all", f"{self.transport}:{path}:{ref}", f"dir:{to}", home=self.folder)
            with open(os.path.join(to, "manifest.json"), "rb") as f:
                top = f.read()
            document, home = json.loads(top), to
            if "manifests" in document:
                name = document["manifests"][0]["digest"].split(":")[1] + ".manifest.json"
                with open(os.path.join(home, name), "rb") as f:
                    document = json.load(f)
            return Loaded(_digest(top), document["config"]["digest"])


class Podman:
    """podman load, into a store that is thrown away."""

    def __init__(self, folder):
        self.folder = str(folder)

    def load(self, path, refs):
        with tempfile.TemporaryDirectory(dir=self.folder) as at:
            podman = ["podman", "--root", f"{at}/root", "--runroot", f"{at}/run", "--tmpdir", f"{at}/tmp",
                      "--storage-driver", "vfs"]
            _said(*podman, "load", "-q", "-i", path, home=at)
            return {ref: self._one(podman, ref, at) for ref in refs}

    @staticmethod
    def _one(podman, ref, home):
        seen = json.loads(_said(*podman, "image", "inspect", ref, home=home))[0]
        return Loaded(seen["Digest"], "sha256:" + seen["Id"])


class Daemon:
    """A daemon in a folder with a short name (a socket's path has 107 bytes); ended with its `with`."""

    def _start(self, argv, name, ready):
        try:
            self.server = processes.Server(list(map(str, argv)), self.folder, name, ready=ready, seconds=30)
        except (OSError, RuntimeError) as error:
            raise Unable(f"{name} does not run here: {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()


_CONTAINERD = """\
version = 2
root = "{at}/root"
state = "{at}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "{at}/c.sock"
"""


class Containerd(Daemon):
    def __init__(self, folder):
        self.folder = str(folder)
        self.socket, self.spaces = os.path.join(self.folder, "c.sock"), 0
        with open(os.path.join(self.folder, "containerd.toml"), "w") as f:
            f.write(_CONTAINERD.format(at=self.folder))
        self._start(["containerd", "--config", f.name], "containerd", self._answers)

    def _answers(self):
        return subprocess.run(["ctr", "-a", self.socket, "version"], capture_output=True, timeout=60).returncode == 0

    def load(self, path, refs):
        """Into a name space of its own."""
        self.spaces += 1
        ctr = ["ctr", "-a", self.socket, "-n", f"test{self.spaces}"]
        _said(*ctr, "images", "import", "--all-platforms", path, home=self.folder)
        lines = [line.split() for line in _said(*ctr, "images", "ls", home=self.folder).splitlines()[1:]]
        digests = {fields[0]: fields[2] for fields in lines}
        return {ref: Loaded(digests[ref], self._config(ctr, digests[ref])) for ref in refs}

    def _config(self, ctr, digest):
        document = json.loads(_said(*ctr, "content", "get", digest, home=self.folder))
        if "manifests" in document:
            return self._config(ctr, document["manifests"][0]["digest"])
        return document["config"]["digest"]


class Docker(Daemon):
    """dockerd on top of that containerd, without network or firewall."""

    def __init__(self, folder, containerd):
        self.folder = str(folder)
        self.socket = os.path.join(self.folder, "d.sock")
        with open(os.path.join(self.folder, "daemon.json"), "w") as f:
            json.dump({"deprecated-key-path": os.path.join(self.folder, "key.json")}, f)
        self._start(["dockerd", "--config-file", f.name, "--containerd", containerd.socket, "--bridge=none",
                     "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver=vfs",
                     f"--data-root={folder}/docker", f"--exec-root={folder}/exec", f"--pidfile={folder}/d.pid",
                     "-H", "unix://" + self.socket], "dockerd", self._answers)

    def _docker(self, *argv):
        return _said("/usr/bin/docker", "-H", "unix://" + self.socket, *argv, home=self.folder)

    def _answers(self):
        try:
            return bool(self._docker("version", "--format", "{{.Server.Version}}"))
        except Refused:
            return False

    def load(self, path, refs):
        self._docker("load", "-q", "-i", path)
        found = {ref: self._one(ref) for ref in refs}
        self._docker("rmi", "-f", *refs)
        return found

    def _one(self, ref):
        seen = json.loads(self._docker("image", "inspect", ref))[0]
        return Loaded((seen["RepoDigests"] or [None])[0], seen["Id"])
