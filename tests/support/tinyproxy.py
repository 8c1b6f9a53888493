"""A forward proxy: Debian's tinyproxy, with or without a login of its own.

    with Tinyproxy(folder, login=("me", "pw")) as proxy:
        proxy.url, proxy.log()
"""

import os

from . import ports, processes

_CONFIG = """\
Port {port}
Listen 127.0.0.1
Timeout 60
LogFile "{folder}/proxy.log"
LogLevel Info
MaxClients 50
Allow 127.0.0.1
DisableViaHeader Yes
"""


class Tinyproxy:
    def __init__(self, folder, login=None):
        self.folder, self.port, self.login = str(folder), ports.free_port(), login
        os.makedirs(self.folder, exist_ok=True)
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        path = os.path.join(self.folder, "tinyproxy.conf")
        with open(path, "w") as f:
            f.write(_CONFIG.format(port=self.port, folder=self.folder))
            if login:
                f.write(f"BasicAuth {login[0]} {login[1]}\n")
        self.server = processes.Server(["tinyproxy", "-d", "-c", path], self.folder, "tinyproxy",
                                       env={"PATH": "/usr/sbin:/usr/bin:/bin"}, ready=lambda: ports.answers(self.port))

    def log(self):
        with open(os.path.join(self.folder, "proxy.log"), errors="replace") as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()
