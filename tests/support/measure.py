#!/usr/bin/python3
"""What a command costs: wall and processor time, peak memory, bytes written.

    m = measure.run(["sealift", "export", ...], env=...)
    m.rc, m.seconds, m.peak (bytes), m.written (bytes sent to storage), m.out

Peak memory is the kernel's own figure for the whole run (ru_maxrss). A process inherits that
figure from the one that it replaces at exec, so the command is started by a small interpreter
of its own: this file, run as a script.
"""

import json
import os
import subprocess
import sys
import tempfile
import types


def run(argv, env=None, cwd=None, timeout=600, input=None, stdin=subprocess.DEVNULL):
    """Runs argv and returns what it cost; standard output and error together in .out."""
    with tempfile.NamedTemporaryFile("r") as report:
        done = subprocess.run(
            [sys.executable, "-I", "-S", os.path.abspath(__file__), report.name, *map(str, argv)], env=env, cwd=cwd,
            timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            input=input, stdin=None if input is not None else stdin)
        cost = json.load(report) if done.returncode != 99 else {}
    return types.SimpleNamespace(out=done.stdout, **cost)


def _written(pid):
    """write_bytes of a process that has ended and was not yet waited for; 0 when only root may
    know (a process that forbids core files)."""
    try:
        with open(f"/proc/{pid}/io") as f:
            return int(dict(line.split(": ") for line in f.read().splitlines())["write_bytes"])
    except PermissionError:
        return 0


def _die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, 9)


def main(report, *argv):
    import time
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            _die_with_parent()
            os.execvp(argv[0], argv)
        finally:
            os._exit(127)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    seconds = time.monotonic() - began
    written = _written(pid)
    _, status, usage = os.wait4(pid, 0)
    with open(report, "w") as f:
        json.dump({"rc": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": usage.ru_maxrss * 1024,
                   "written": written, "user": usage.ru_utime, "system": usage.ru_stime}, f)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
