"""nginx and haproxy before a registry, as people set them up: wrong headers, limits, and all (PROTOCOL 16, N1-N9, H1)."""

import os

from . import ports, processes
from .registry import parse_access_log

_CONFIG = """\
daemon off; master_process off;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {http}
  upstream registry {{ {balance} {upstream} }}
  server {{
    listen 127.0.0.1:{port}{tls};
    {server}
  }}
}}
"""


class Proxy:
    def __init__(self, folder, registries, server, http="", certificate=None, balance=""):
        """server: what stands in nginx's server block; balance: the rule by which a registry is chosen, else in turn; certificate: (ca, certificate, key) of a TLS port."""
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.port = ports.free_port()
        self.host = f"localhost:{self.port}" if certificate else f"127.0.0.1:{self.port}"
        self.ca = certificate[0] if certificate else None
        tls = f" ssl; ssl_certificate {certificate[1]}; ssl_certificate_key {certificate[2]}" if certificate else ""
        upstream = " ".join(f"server 127.0.0.1:{r.port};" for r in registries)
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(_CONFIG.format(folder=folder, port=self.port, balance=balance, upstream=upstream, server=server, http=http, tls=tls))
        self.server = processes.Server(["nginx", "-p", folder, "-c", config, "-e", os.path.join(folder, "error.log")],
                                       folder, "nginx", ready=lambda: ports.answers(self.port))

    def requests(self):
        with open(os.path.join(self.folder, "access.log"), errors="replace") as f:
            return parse_access_log(f.read())

    def stop(self):
        self.server.stop()


_HAPROXY = """\
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server {patience}ms
frontend front
  bind 127.0.0.1:{port}
  default_backend registry
backend registry
  retries 0
  server registry 127.0.0.1:{upstream}
"""


class Haproxy:
    """H1: says 504 where the registry takes longer than `patience` milliseconds, 503 where there is none."""

    def __init__(self, folder, upstream, patience=200):
        os.makedirs(folder, exist_ok=True)
        self.port = ports.free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.host
        config = os.path.join(folder, "haproxy.cfg")
        with open(config, "w") as f:
            f.write(_HAPROXY.format(port=self.port, upstream=upstream, patience=patience))
        self.server = processes.Server(["haproxy", "-db", "-f", config], folder, "haproxy", env={"PATH": "/usr/sbin:/usr/bin:/bin"},
                                       ready=lambda: ports.answers(self.port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()
