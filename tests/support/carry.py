"""Exports and pushes against scripted registries, as short as a test wants to say them."""

import os
import tarfile

HOST = "registry.test"  # what the names in bundles say; a mirror of each run
REF = f"{HOST}/team/app:1.0"
QUICK = ("--retries", "3", "--retry-wait", "10", "--no-progress")


class Carrier:
    """One program, one key pair, one folder."""

    def __init__(self, program, keys, folder):
        self.program, self.keys, self.folder = program, keys, str(folder)
        self.bundle = os.path.join(self.folder, "out.tar")

    def export(self, server, *more, ref=REF, env=None, url=None):
        """Result of an export of one image by way of server."""
        return self.program("export", "--image", ref, "--mirror", f"{HOST}={url or server.url}", *self.keys.signing(),
                            "-o", self.bundle, *QUICK, *more, env=env)

    def plan(self, server, *more, ref=REF, env=None, url=None):
        """Result of a plan: manifests are fetched, layers are not."""
        return self.program("plan", "--image", ref, "--mirror", f"{HOST}={url or server.url}", *QUICK[:4], *more, env=env)

    def push(self, server, bundle, *more, prefix="apps", env=None):
        return self.program("push", bundle, f"{server.host}/{prefix}", *self.keys.trusting(), "--plain-http",
                            *QUICK, *more, env=env)

    def failed(self, result, status, *words):
        """The run ended with that status, one sentence with these words, and no bundle."""
        assert result.rc == status, result
        for word in words:
            assert word in result.err, f"{word!r} expected in {result}"
        assert not os.path.exists(self.bundle), "a bundle was left"


def blobs(bundle):
    """What tar finds in a bundle: {digest: bytes}."""
    with tarfile.open(bundle) as tar:
        members = [m for m in tar.getmembers() if m.name.startswith("blobs/sha256/")]
        return {"sha256:" + m.name.rsplit("/", 1)[1]: tar.extractfile(m).read() for m in members}


def member(bundle, name):
    with tarfile.open(bundle) as tar:
        return tar.extractfile(name).read()


def carries(bundle, image):
    """Whether every byte of the image is in the bundle as it was made."""
    there = blobs(bundle)
    wanted = {b.digest: b.data for b in (*image.all_blobs(), *image.manifests())}
    return all(there.get(digest) == data for digest, data in wanted.items())
