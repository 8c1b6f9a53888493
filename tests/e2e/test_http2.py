"""A server that offers HTTP/2 (X1): nginx, TLS, ALPN; one connection a worker at HTTP/1.1 is what sealift speaks (PROTOCOL UPL-22)."""

import pytest

from support import certificates, ports, processes
from support.carry import Carrier
from support.images import image, layer
from support.scripted import Scripted

APP = image([layer("a", 3_000_000)])
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
  log_format protocol '$request_method $server_protocol $ssl_alpn_protocol';
  access_log {folder}/access.log protocol; client_max_body_size 0; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key};
    proxy_request_buffering off; proxy_http_version 1.1;
    location / {{ proxy_pass {url}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }} }}
}}
"""


@pytest.fixture
def front(registry, tmp_path):
    """(host, authority, access log) of an nginx before the registry."""
    folder = tmp_path / "front"
    folder.mkdir()
    ca, cert, key = certificates.make(str(folder / "tls"))
    port = ports.free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, cert=cert, key=key, url=registry.url))
    server = processes.Server(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], str(folder),
                              "nginx", ready=lambda: ports.answers(port))
    yield f"127.0.0.1:{port}", ca, folder / "access.log"
    server.stop()


def test_UPL_22_a_registry_that_offers_HTTP_2(sealift, keys, registry, front, make_authfile, tmp_path):
    host, ca, log = front
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source:
        source.store("team/app", "1.0", APP)
        assert carrier.export(source).rc == 0
    result = sealift("push", carrier.bundle, f"{host}/apps", *keys.p256.trusting(), "--ca-file", ca, "-u", registry.login[0],
                     "--password-stdin", input=registry.login[1] + "\n")
    assert result.rc == 0, result
    spoken = {tuple(line.split()[1:]) for line in log.read_text().splitlines()}
    assert spoken == {("HTTP/1.1", "http/1.1")}, spoken
