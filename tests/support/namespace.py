"""Runs a function in a child that has a mount namespace of its own: what it mounts is gone with it.

    result = call(function)     what it returns goes through JSON
"""

import ctypes
import json
import os
import subprocess
import traceback

CLONE_NEWNS = 0x00020000


def call(function):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            with os.fdopen(writing, "w") as out:
                json.dump(function(), out)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as results:
        text = results.read()
    assert os.waitpid(child, 0)[1] == 0, "the child failed"
    return json.loads(text)
