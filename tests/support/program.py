"""Running sealift as a person would, with a clean environment and an end in sight.

    run = Program(folder)
    r = run("push", "b.tar", "127.0.0.1:5000", "--trust", "v.pub")
    r.rc, r.out, r.err
    run.ok(...)                      the same, and a failed assertion unless the status is 0
"""

import json
import os
import subprocess

from . import processes, scripted
from .fetch_helm import root

_KEPT = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE", "GCOV_PREFIX")


def binary():
    """The program under test."""
    return os.path.join(root(), os.environ.get("SEALIFT", "build/sealift"))


class Result:
    """What a run said and how it ended."""

    def __init__(self, argv, rc, out, err):
        self.argv, self.rc, self.out, self.err = argv, rc, out, err

    @property
    def events(self):
        """The JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def __repr__(self):
        return f"$ {' '.join(self.argv)}\n{self.out}{self.err}[status {self.rc}]"


class Program:
    """Runs the program in `folder`, with HOME there too."""

    def __init__(self, folder, timeout=120):
        self.folder, self.timeout = str(folder), timeout

    def environment(self, more=None):
        """What a run sees: no user settings, the releases of this tree."""
        kept = {k: os.environ[k] for k in _KEPT if k in os.environ}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.folder, "LC_ALL": "C.UTF-8",
                "SEALIFT_RELEASES": os.path.join(root(), "manifests"),
                "SEALIFT_CONFIG": os.path.join(self.folder, ".sealift"),
                "SEALIFT_STATE": os.path.join(self.folder, ".sealift-state"), **kept,
                **(more or {})}

    def __call__(self, *args, env=None, input=None, timeout=None, cwd=None, binary_path=None):
        argv = [binary_path or binary(), *map(str, args)]
        with scripted.watched():
            done = subprocess.run(
                **processes.child(argv), input=input, stdin=None if input is not None else subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", timeout=timeout or self.timeout, cwd=cwd or self.folder,
                env=self.environment(env))
        return Result(argv, done.returncode, done.stdout, done.stderr)

    def ok(self, *args, **kw):
        result = self(*args, **kw)
        assert result.rc == 0, repr(result)
        return result

    def traced(self, words, *args, **kw):
        """The same under strace with `words`; LeakSanitizer, which traces as well, stays away."""
        off = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        return self("-f", *words, binary(), *args, env={"ASAN_OPTIONS": off}, binary_path="strace", **kw)

    def start(self, *args, env=None, cwd=None, **kw):
        """The running process (subprocess.Popen), for tests that end it early."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **kw}
        return subprocess.Popen(**processes.child([binary(), *args]), cwd=cwd or self.folder, env=self.environment(env),
                                **pipes)
