"""The outside world on the loopback: hosts by their real names, over TLS, behind a proxy.

    with Outside(folder, {"registry.corp": "http://127.0.0.1:5001"}) as world:
        world.environment            what a program needs to meet registry.corp at any port
"""

import os
import socket
import threading

from . import certificates, ports, processes

_CONFIG = """\
daemon off; master_process off; worker_processes 1;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  client_max_body_size 0; proxy_request_buffering off; proxy_buffering off; proxy_http_version 1.1;
  ssl_certificate {cert}; ssl_certificate_key {key};
{servers}}}
"""
_SERVER = """\
  server {{
    listen 127.0.0.1:{port} ssl; server_name {name};
    location / {{
      proxy_pass {url}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
    }}
  }}
"""


def _pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass


class Outside:
    """One TLS server that answers for every name, and the proxy that leads to it."""

    def __init__(self, folder, hosts):
        os.makedirs(folder)
        self.ca, cert, key = certificates.make(os.path.join(folder, "tls"), tuple(hosts))
        self.port = ports.free_port()
        config = os.path.join(folder, "nginx.conf")
        servers = "".join(_SERVER.format(port=self.port, name=n, url=u) for n, u in hosts.items())
        with open(config, "w") as f:
            f.write(_CONFIG.format(folder=folder, cert=cert, key=key, servers=servers))
        self.server = processes.Server(["nginx", "-p", folder, "-c", config, "-e", os.path.join(folder, "error.log")],
                                       folder, "nginx", ready=lambda: ports.answers(self.port))
        self.acceptor = ports.Acceptor(self._serve)
        proxy = f"http://127.0.0.1:{self.acceptor.port}"
        self.environment = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": self.ca}

    def _serve(self, client):
        """CONNECT NAME:PORT, whatever they are, leads to the one server."""
        request = b""
        while b"\r\n\r\n" not in request:
            data = client.recv(4096)
            if not data:
                client.close()
                return
            request += data
        if not request.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            other = threading.Thread(target=_pump, args=(client, server), daemon=True)
            other.start()
            _pump(server, client)
            other.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.acceptor.stop()
        self.server.stop()
