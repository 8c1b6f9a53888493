"""A forward proxy: Debian's squid, which keeps nothing, with or without a login of its own.

    with Squid(login=("me", "pw")) as proxy:
        proxy.url, proxy.log()

It never runs as root: its files are in a folder of its user's, which goes with it.
"""

import glob
import os
import pwd
import shutil
import tempfile

from . import ports, processes
from .registry import htpasswd

_CONFIG = """\
http_port 127.0.0.1:{port}
visible_hostname squid.test
pid_filename none
cache deny all
cache_mem 1 MB
access_log stdio:{folder}/access.log
cache_log {folder}/cache.log
coredump_dir {folder}
netdb_filename none
shutdown_lifetime 0 seconds
{login}
acl here src 127.0.0.0/8
http_access allow here
http_access deny all
"""

_LOGIN = """\
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/passwords
auth_param basic children 1
auth_param basic realm the proxy's
acl known proxy_auth REQUIRED
http_access deny !known
"""


class Squid:
    def __init__(self, login=None):
        self.folder, self.port = tempfile.mkdtemp(prefix="squid-"), ports.free_port()
        self.name = f"squid{self.port}"  # of its shared memory, too
        self.url = f"http://127.0.0.1:{self.port}"
        if login:
            htpasswd(os.path.join(self.folder, "passwords"), dict([login]))
        config = os.path.join(self.folder, "squid.conf")
        with open(config, "w") as f:
            f.write(_CONFIG.format(port=self.port, folder=self.folder, login=_LOGIN.format(folder=self.folder) if login else ""))
        if os.geteuid() == 0:
            for path in (self.folder, *(entry.path for entry in os.scandir(self.folder))):
                os.chown(path, pwd.getpwnam("proxy").pw_uid, -1)
        self.server = processes.Server(["squid", "-N", "-n", self.name, "-f", config], self.folder, "squid", env={"PATH": "/usr/sbin:/usr/bin:/bin"},
                                       ready=lambda: ports.answers(self.port))

    def log(self):
        path = os.path.join(self.folder, "access.log")
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()  # a gentle end takes two seconds
        shutil.rmtree(self.folder, ignore_errors=True)
        for left in glob.glob(f"/dev/shm/{self.name}-*"):
            os.unlink(left)
