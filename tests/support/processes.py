"""Servers as child processes: started in a group of their own, waited for, always ended.

The kernel kills a server when the thread that started it dies (PR_SET_PDEATHSIG), so nothing is
left behind even when the test run itself is killed; servers are ended by their own id only.
"""

import atexit
import ctypes
import os
import signal
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = []


def die_with_parent():
    """For preexec_fn: a process group of our own, an end no later than the parent's, and the signals that end a program,
    which whoever started the tests may have had ignored."""
    os.setpgid(0, 0)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One child process and the files that it writes."""

    def __init__(self, argv, folder, name, env=None, ready=None, seconds=20):
        """Starts argv; ready() is asked until it is true. Standard output and error go to
        folder/name.out and folder/name.err."""
        self.name = name
        self.out = os.path.join(folder, name + ".out")
        self.err = os.path.join(folder, name + ".err")
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=folder,
                preexec_fn=die_with_parent)
        _running.append(self)
        if ready:
            self._wait(ready, seconds)

    def _wait(self, ready, seconds):
        end = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                with open(self.err, errors="replace") as f:
                    raise RuntimeError(f"{self.name} did not start: {f.read()[-2000:]}")
            time.sleep(0.02)

    def stop(self, seconds=5):
        """Ends the process, gently, then at once; never waits longer than twice `seconds`."""
        if self in _running:
            _running.remove(self)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(seconds)

    def kill(self):
        """Ends the process as a power failure would."""
        self.process.kill()
        self.process.wait(5)
        if self in _running:
            _running.remove(self)


def stop_all():
    """Ends every server of this run."""
    for server in list(_running):
        server.stop()


atexit.register(stop_all)
