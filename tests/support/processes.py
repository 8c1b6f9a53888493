"""Servers as child processes: started in a group of their own, waited for, always ended.

The kernel kills a server when the thread that started it dies (PR_SET_PDEATHSIG), so nothing is
left behind even when the test run itself is killed; servers are ended by their own id only.
"""

import atexit
import os
import subprocess
import time

_running = []


def child(argv):
    """Words for subprocess.Popen or run: argv in a process group of its own, with an end no later than ours, and with the
    signals that end a program, which whoever started the tests may have had ignored. (A preexec_fn would copy all of the
    tests' memory for each: 14 ms in place of 2.)"""
    return {"args": ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", "/usr/bin/env", "--default-signal=HUP,INT,QUIT,TERM",
                     *map(str, argv)], "process_group": 0}


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
                **child(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=folder)
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
