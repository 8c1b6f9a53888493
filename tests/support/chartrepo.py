"""A classic chart repository: nginx, a static folder with index.yaml, basic authentication."""

import hashlib
import os
import shutil

from . import ports, processes, registry

_CONFIG = """\
daemon off; master_process off; worker_processes 1;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; default_type application/octet-stream;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/www;{auth} }}
}}
"""


def index_yaml(charts):
    """The repository index of charts: [(name, version, app_version, file name, bytes)]."""
    names = {}
    for chart in charts:
        names.setdefault(chart[0], []).append(chart)
    lines = ["apiVersion: v1", "entries:"]
    for name in sorted(names):
        lines.append(f"  {name}:")
        for _, version, app_version, file_name, data in names[name]:
            lines += [f"  - name: {name}", f"    version: {version}", f'    appVersion: "{app_version}"',
                      "    apiVersion: v2", "    urls:", f"    - {file_name}",
                      f"    digest: {hashlib.sha256(data).hexdigest()}"]
    return "\n".join([*lines, 'generated: "2024-01-01T00:00:00Z"', ""]).encode()


class ChartRepository:
    """One running repository; the charts stand under `path` ("/charts")."""

    def __init__(self, folder, charts, users=None, path="/charts"):
        self.folder = folder
        self.users = users or {}
        self.port = ports.free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.host
        root = os.path.join(folder, "www", path.strip("/"))
        os.makedirs(root, exist_ok=True)
        for _, _, _, file_name, data in charts:
            self._write(os.path.join(root, file_name), data)
        self._write(os.path.join(root, "index.yaml"), index_yaml(charts))
        auth = ""
        if self.users:
            passwords = os.path.join(folder, "htpasswd")
            registry.htpasswd(passwords, self.users)
            auth = f" auth_basic charts; auth_basic_user_file {passwords};"
        self.config = os.path.join(folder, "nginx.conf")
        self._write(self.config, _CONFIG.format(folder=folder, port=self.port, auth=auth).encode())
        self.server = processes.Server(
            ["nginx", "-p", folder, "-c", self.config, "-e", os.path.join(folder, "error.log")], folder, "nginx",
            ready=lambda: ports.answers(self.port))

    @staticmethod
    def _write(path, data):
        with open(path, "wb") as f:
            f.write(data)

    @property
    def login(self):
        return next(iter(self.users.items()), None)

    def requests(self, since=0):
        """The requests answered so far, less the first `since`."""
        path = os.path.join(self.folder, "access.log")
        if not os.path.exists(path):
            return []
        with open(path, errors="replace") as f:
            return registry.parse_access_log(f.read())[since:]

    def stop(self):
        self.server.stop()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
