"""Running a program as a person would who types at it."""

import os
import pty
import select
import time


def run(argv, cwd, environment, answers):
    """Runs argv on a terminal of its own and types the answers; (status, what the screen showed)."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(argv[0], argv, environment)
    screen, end = b"", time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.3)[0]:
            if answers:
                os.write(master, answers.pop(0).encode() + b"\n")
            continue
        try:
            data = os.read(master, 4096)
        except OSError:
            break
        if not data:
            break
        screen += data
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen.decode()
