"""nginx with TLS and HTTP/2 before registries and chart repositories (X1): what is spoken there, and whom it is believed (PROTOCOL 11, 14)."""

import ssl

import pytest

from support import certificates, ports, processes
from support.carry import Carrier
from support.images import image, layer
from support.scripted import Scripted
from test_charts import TGZ, Charts, index

APP = image([layer("a", 3_000_000)])
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
  log_format protocol '$request_method $server_protocol $ssl_alpn_protocol';
  access_log {folder}/access.log protocol; client_max_body_size 0; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key};
    {more} proxy_request_buffering off; proxy_http_version 1.1;
    location / {{ proxy_pass {url}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }} }}
}}
"""


@pytest.fixture
def front(tmp_path):
    """front(url, more) -> (host, authority, access log) of an nginx before it; more: of its server's directives."""
    servers = []

    def make(url, more=""):
        folder = tmp_path / f"front{len(servers)}"
        folder.mkdir()
        ca, cert, key = certificates.make(str(folder / "tls"))
        port = ports.free_port()
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, cert=cert, key=key, url=url, more=more))
        words = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        servers.append(processes.Server(words, str(folder), "nginx", ready=lambda: ports.answers(port)))
        return f"127.0.0.1:{port}", ca, folder / "access.log"

    yield make
    for server in servers:
        server.stop()


@pytest.mark.fault("F-H2")
@pytest.mark.cell("network", "X1")
def test_UPL_22_a_registry_that_offers_HTTP_2(sealift, keys, registry, front, tmp_path):
    """One connection a worker, in HTTP/1.1."""
    host, ca, log = front(registry.url)
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source:
        source.store("team/app", "1.0", APP)
        assert carrier.export(source).rc == 0
    result = sealift("push", carrier.bundle, f"{host}/apps", *keys.p256.trusting(), "--ca-file", ca, "-u", registry.login[0],
                     "--password-stdin", input=registry.login[1] + "\n")
    assert result.rc == 0, result
    spoken = {tuple(line.split()[1:]) for line in log.read_text().splitlines()}
    assert spoken == {("HTTP/1.1", "http/1.1")}, spoken


class Breaking(Scripted):
    """A registry with TLS that offers HTTP/2, and after the first bytes of it sends these frames and goes away."""

    def __init__(self, folder, frames):
        self.authority, cert, key = certificates.make(str(folder))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.frames, self.broken = frames, 0
        super().__init__()
        self.url = "https://" + self.host

    def _serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as tls:
            if tls.selected_alpn_protocol() != "h2":
                super()._serve(tls)
                return
            tls.recv(65536)
            with self.lock:
                self.broken += 1
            tls.sendall(self.frames)


def frame(kind, stream, *words):
    """A frame of HTTP/2 without flags, its payload of 32 bits each."""
    body = b"".join(word.to_bytes(4, "big") for word in words)
    return len(body).to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + body


RST, SETTINGS, GOAWAY = 3, 4, 7


@pytest.mark.fault("F-H2")
@pytest.mark.parametrize("frames", [
    frame(SETTINGS, 0) + frame(GOAWAY, 0, 0, 0xd), frame(SETTINGS, 0) + frame(GOAWAY, 0, 0, 2), frame(SETTINGS, 0) + frame(RST, 1, 2),
    frame(SETTINGS, 0) + frame(RST, 1, 0xd), frame(RST, 1, 0), b"no frame of HTTP/2 at all, but text", frame(SETTINGS, 0), b""],
    ids=["GOAWAY HTTP_1_1_REQUIRED", "GOAWAY INTERNAL_ERROR", "RST INTERNAL_ERROR", "RST HTTP_1_1_REQUIRED", "no SETTINGS", "text", "SETTINGS alone", "nothing"])
def test_UPL_22_HTTP_2_that_breaks_is_given_up_for_the_run(sealift, keys, tmp_path, frames):
    with Breaking(tmp_path / "tls", frames) as server:
        server.store("team/app", "1.0", APP)
        (tmp_path / "config.yaml").write_text(f"registries:\n  {server.host}:\n    http: 2\n")
        result = sealift("export", "--image", f"{server.host}/team/app:1.0", *keys.p256.signing(), "-o", tmp_path / "b.tar", "-j", "1",
                         "--retry-wait", "10", "--ca-file", server.authority, "--config", tmp_path / "config.yaml")
        assert result.rc == 0, result
        assert server.broken == 1, "HTTP/2 is tried once"
        assert [r for r in server.journal if "/blobs/" in r.path]
        assert result.err.count('"http: 1.1"') == result.err.count("UPL-22") == 1, result


def test_UPL_22_HTTP_2_where_it_is_said(sealift, keys, registry, front, tmp_path):
    host, ca, log = front(registry.url)
    (tmp_path / "config.yaml").write_text(f"registries:\n  {host}:\n    http: 2\n")
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source:
        source.store("team/app", "1.0", APP)
        assert carrier.export(source).rc == 0
    result = sealift("push", carrier.bundle, f"{host}/apps", *keys.p256.trusting(), "--ca-file", ca, "-u", registry.login[0],
                     "--password-stdin", "--config", tmp_path / "config.yaml", input=registry.login[1] + "\n")
    assert result.rc == 0 and '"expect: off"' not in result.err, result
    assert {tuple(line.split()[1:]) for line in log.read_text().splitlines()} == {("HTTP/2.0", "h2")}


def test_HLM_04_a_chart_repository_has_its_own_authority(sealift, keys, front, tmp_path):
    """Said in the settings for the one host: another with another authority is not believed."""
    with Charts({"/index.yaml": index(), "/app-1.2.3.tgz": TGZ}) as repository:
        (host, ca, _), (other, _, _) = front(repository.url), front(repository.url)
        (tmp_path / "config.yaml").write_text(f"registries:\n  {host}:\n    ca-file: {ca}\n")

        def export(where, *more):
            return sealift("export", "--chart", "app", "--repo", f"https://{where}", "--version", "1.2.3", *keys.p256.signing(), "-o",
                           tmp_path / f"{len(list(tmp_path.iterdir()))}.tar", "--retries", "0", *more)
        assert export(host, "--config", "config.yaml").rc == 0
        for where, more in ((host, ()), (other, ("--config", "config.yaml"))):
            result = export(where, *more)
            assert result.rc == 5 and "certificate" in result.err, result


# --- what helm's list of repositories says of one of them (HLM-04) ---

@pytest.fixture
def listed(sealift, keys, tmp_path):
    """listed({url: what helm's list says of it}, url) -> result of an export of the chart there."""
    def export(entries, where, *more):
        path = tmp_path / "repositories.yaml"
        path.write_text("repositories:\n" + "".join(f"- name: r{i}\n  url: {url}\n" + "".join(f"  {k}: {v}\n" for k, v in said.items())
                                                    for i, (url, said) in enumerate(entries.items())))
        path.chmod(0o600)
        return sealift("export", "--chart", "app", "--repo", where, "--version", "1.2.3", *keys.p256.signing(), "-o",
                       tmp_path / f"{len(list(tmp_path.iterdir()))}.tar", "--retries", "0", *more, env={"HELM_REPOSITORY_CONFIG": str(path)})
    return export


@pytest.fixture
def charts():
    with Charts({f"/{which}/{name}": data for which in "ab" for name, data in (("index.yaml", index()), ("app-1.2.3.tgz", TGZ))}) as server:
        yield server


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("by", ["caFile", "insecure_skip_tls_verify"])
def test_HLM_04_helm_says_whom_one_repository_believes(listed, front, charts, by, slash):
    """The neighbour at the same host is not believed for that."""
    host, ca, _ = front(charts.url)
    ours, other = f"https://{host}/a", f"https://{host}/b"
    said = {other: {"insecure_skip_tls_verify": "false"}, ours + slash: {by: ca if by == "caFile" else "true"}}
    assert listed(said, ours).rc == 0
    assert [r.path for r in charts.journal if r.path.endswith(".tgz")] == ["/a/app-1.2.3.tgz"]
    for entries, where in ((said, other), ({}, ours)):
        result = listed(entries, where)
        assert result.rc == 5 and "certificate" in result.err, result


def test_HLM_04_helm_says_which_certificate_is_shown(listed, front, charts, tmp_path):
    authority, cert, key = certificates.make(str(tmp_path / "clients"))
    host, ca, _ = front(charts.url, f"ssl_client_certificate {authority}; ssl_verify_client on;")
    ours = f"https://{host}/a"
    shown = {"caFile": ca, "certFile": cert, "keyFile": key}
    assert listed({ours: shown}, ours).rc == 0
    result = listed({ours: {"caFile": ca}}, ours)
    assert result.rc == 5 and "400" in result.err, result
    assert {r.path for r in charts.journal} == {"/a/index.yaml", "/a/app-1.2.3.tgz", "/a/app-1.2.3.tgz.prov"}
    # What the settings say is stronger.
    wrong = certificates.make(str(tmp_path / "strangers"))
    (tmp_path / "config.yaml").write_text(f"registries:\n  {host}:\n    client-cert: {wrong[1]}\n    client-key: {wrong[2]}\n")
    result = listed({ours: shown}, ours, "--config", tmp_path / "config.yaml")
    assert result.rc == 5 and "400" in result.err, result


@pytest.mark.parametrize("said, words", [({"certFile": "c.pem"}, ["repositories.yaml", "expected certFile and keyFile"]),
                                         ({"caFile": "absent.pem"}, ["caFile", "absent.pem"])])
def test_HLM_04_what_helm_says_and_cannot_be_used(listed, front, charts, said, words):
    ours = f"https://{front(charts.url)[0]}/a"
    result = listed({ours: said}, ours)
    assert result.rc != 0 and all(word in result.err for word in words), result
    assert not charts.journal
