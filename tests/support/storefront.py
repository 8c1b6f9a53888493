"""A registry's blobs served by nginx straight from its storage; the rest is passed to the registry.

Much faster than docker-registry for thousands of small blobs. For anonymous registries only.
"""

import os

from . import ports, processes

_CONFIG = """\
daemon off; master_process off;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; default_type application/octet-stream;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/v2/.+/blobs/sha256:(?<ab>..)(?<rest>[0-9a-f]+)$ {{
      alias {blobs}/$ab/$ab$rest/data;
    }}
    location / {{ proxy_pass {upstream}; proxy_set_header Host $http_host; }}
  }}
}}
"""


class Storefront:
    def __init__(self, folder, registry):
        os.makedirs(folder, exist_ok=True)
        self.port = ports.free_port()
        self.host = f"127.0.0.1:{self.port}"
        blobs = os.path.join(registry.folder, "data/docker/registry/v2/blobs/sha256")
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(_CONFIG.format(folder=folder, port=self.port, blobs=blobs, upstream=registry.url))
        self.server = processes.Server(
            ["nginx", "-p", folder, "-c", config, "-e", os.path.join(folder, "error.log")], folder, "nginx",
            ready=lambda: ports.answers(self.port))

    def stop(self):
        self.server.stop()
