"""Runs in which one system call fails, or is the last: strace makes the nth call of a kind on certain paths end so.

    for fault in faults(argv, "write,pwrite64", ["error=EIO"], paths, environment=...):
        fault.status, fault.err, fault.where

Each fault is one run of argv; the nth run has the nth such call fail, until no such call is left. Between two runs the caller
puts everything back.
"""

import collections
import subprocess
import tempfile

from . import processes

Fault = collections.namedtuple("Fault", "status err where")

# What reads and what changes files: a name that this machine's kernel lacks is passed over ("?").
READS = ["?openat", "?pread64", "?read", "?newfstatat", "?fstat", "?fadvise64"]
WRITES = ["?openat", "?pwrite64", "?write", "?ftruncate", "?fallocate", "?fsync", "?fdatasync", "?sync_file_range", "?renameat2", "?renameat",
          "?rename", "?linkat", "?unlinkat", "?unlink", "?mkdirat", "?mkdir", "?flock", "?fchmod", "?close"]
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130}


def run(argv, call, how, nth, paths, environment, timeout=60):
    """(Fault, whether it came to that call)"""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as log:
        # The traced program must not outlive strace when a test is ended.
        command = ["strace", "-f", "-qq", "-o", log.name, *(w for p in paths for w in ("-P", str(p))), "-e", f"trace={call}", "-e",
                   f"inject={call}:{how}:when={nth}", *argv]
        done = subprocess.run(**processes.child(command), capture_output=True, text=True, errors="replace", env=environment, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        text = log.read()
    hit = "(INJECTED)" in text or (how.startswith("signal=KILL") and "+++ killed by SIGKILL +++" in text)
    return Fault(done.returncode, done.stderr, f"{call.strip('?')} {nth} {how}"), hit


def faults(argv, calls, hows, paths, environment, prepare):
    """Every fault of every call; prepare() before each run."""
    for call in calls:
        for how in hows:
            nth = 1
            while True:
                prepare()
                fault, hit = run(argv, call, how, nth, paths, environment)
                if not hit:
                    break
                yield fault
                nth += 1
