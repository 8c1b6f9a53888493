"""Pushes into real registries as they really stand: docker-registry 2.8.2 in several shapes, nginx before it (PROTOCOL 16)."""

import json
import os
import threading

import pytest

from support import certificates
from support.carry import QUICK, Carrier
from support.images import DOCKER_MANIFEST, Image, blob, image, index, layer
from support.proxy import Haproxy, Proxy
from support.registry import Registry
from support.scripted import Scripted, change

A, B, BIG = layer("a", 4_000), layer("b", 90_000), layer("big", 3_000_000)
WHAT = index([image([A, BIG]), image([A, B], "linux/arm64")])


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("servers"))
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        source.store("team/web", "1.0", image([A, BIG]))
        result = carrier.export(source, "--image", "registry.test/team/web:1.0")
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture
def push(sealift, keys, carried):
    def run(host, *more, plain=True, bundle=carried, prefix="apps"):
        return sealift("push", bundle, f"{host}/{prefix}", *keys.p256.trusting(), *(["--plain-http"] if plain else []), *QUICK, *more)
    return run


@pytest.fixture
def proxied(tmp_path, make_registry):
    """proxied(server block, ...) -> (proxy, registry): nginx before a registry that asks for no login."""
    proxies = []

    def make(server, registries=None, **more):
        registries = registries or [make_registry()]
        proxies.append(Proxy(str(tmp_path / f"nginx-{len(proxies)}"), registries, server, **more))
        return proxies[-1], registries[0]
    yield make
    for proxy in proxies:
        proxy.stop()


def good(registry, result, prefix="apps"):
    """All is there, byte by byte, as the registry itself gives it."""
    assert result.rc == 0, result
    client = registry.client()
    for name, what in ((f"{prefix}/team/app", WHAT), (f"{prefix}/team/web", image([A, BIG]))):
        for part, which in ((what.top, "1.0"), *((m, m.digest) for m in what.manifests())):
            assert client.manifest(name, which)[0] == part.data
        for part in what.all_blobs():
            assert client.ask("GET", f"/v2/{name}/blobs/{part.digest}")[2] == part.data
    return result


# --- one registry ---

@pytest.mark.cell("upload", "R0")
@pytest.mark.cell("push", "R0")
def test_R0_UPL_02_UPL_25_PSH_01_a_layer_goes_over_the_wire_once(push, make_registry):
    registry = make_registry()
    good(registry, push(registry.host, "-j1"))
    asked = registry.requests()
    mounted = [r for r in asked if r.method == "POST" and "mount=" in r.path and r.status == 201]
    assert len(mounted) == len(image([A, BIG]).all_blobs())
    assert len([r for r in asked if r.method == "PUT" and "/uploads/" in r.path]) == len(WHAT.all_blobs())


@pytest.mark.cell("push again", "R0")
def test_R0_PSH_19_PSH_07_a_second_push_asks_three_times_a_manifest_at_most(push, make_registry):
    registry = make_registry()
    good(registry, push(registry.host))
    before = len(registry.requests())
    good(registry, push(registry.host))
    second = [r for r in registry.requests()[before:] if r.method != "GET" or "/blobs/" not in r.path]
    again = registry.requests()[before:]
    writes = [r for r in again if r.method not in ("GET", "HEAD")]
    assert not writes and second
    heads = [r for r in again if r.method == "HEAD"]
    assert len(heads) <= 3 * len([*WHAT.manifests(), 1])


@pytest.mark.cell("push", "R0")
def test_R0_UPL_13_RULE_3_an_interrupted_upload_is_begun_anew(push, make_registry, tmp_path):
    """2.8.2 forgets a session whose body broke off; the registry is killed in the middle, twice."""
    registry = make_registry()
    path = os.path.join(registry.folder, "data")
    first = push(registry.host, "-j1")
    assert first.rc == 0
    registry.server.kill()
    registry.start()
    good(registry, push(registry.host))
    assert os.path.isdir(path)


@pytest.mark.fault("F-NAME")
def test_R0_RTY_05_REF_11_a_name_that_is_too_long(push, make_registry):
    """The registry would say 500."""
    registry = make_registry()
    result = push(registry.host, prefix="/".join(("a" * 100, "b" * 120, "c" * 28)))
    assert result.rc != 0 and "255" in result.err, result
    assert not registry.client().repositories()


def test_R5_PSH_16_read_only(push, make_registry):
    registry = make_registry(storage=", readonly: {enabled: true}")
    result = push(registry.host)
    assert result.rc == 5 and "405" in result.err and "read-only" in result.err, result
    assert len([r for r in registry.requests() if r.method == "POST"]) <= 4, "final: a worker asks once"


def foreign(urls):
    """An image with a layer that is not to be copied."""
    what = image([A], docker=True)
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    far = blob(b"far away" * 100, kind)
    document = json.loads(what.top.data)
    document["layers"].append(far.descriptor(**({"urls": ["https://example.invalid/layer"]} if urls else {})))
    return Image(blob(json.dumps(document).encode(), DOCKER_MANIFEST), (*what.blobs, far))


@pytest.mark.fault("F-FOREIGN")
@pytest.mark.cell("push", "R0")
def test_R0_R8_PSH_12_foreign_layers(push, make_registry, sealift, keys, tmp_path):
    """A registry that takes no descriptor with urls says 500 for ever: an error in bounded time. One that does takes them."""
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source:
        source.store("team/app", "1.0", foreign(True))
        result = carrier.export(source)
        assert result.rc == 0, result
    strict = make_registry()
    refused = push(strict.host, bundle=carrier.bundle)
    assert refused.rc != 0 and ("500" in refused.err or "400" in refused.err or "404" in refused.err), refused
    open_one = make_registry(extra="validation:\n  manifests: {urls: {allow: ['.*']}}\n")
    result = push(open_one.host, bundle=carrier.bundle)
    assert result.rc == 0 and open_one.client().manifest("apps/team/app", "1.0")[0] == foreign(True).top.data, result


@pytest.mark.cell("push", "R10")
@pytest.mark.cell("upload", "R10")
def test_R10_UPL_18_two_replicas_that_share_no_secret(push, make_registry, proxied):
    first, second = make_registry(), make_registry(secret="another")
    second.stop()
    data = os.path.join(first.folder, "data")
    os.makedirs(data, exist_ok=True)
    os.path.isdir(os.path.join(second.folder, "data")) and os.rmdir(os.path.join(second.folder, "data"))
    os.symlink(data, os.path.join(second.folder, "data"))
    second.start()
    proxy, _ = proxied("client_max_body_size 0; location / { proxy_pass http://registry; proxy_set_header Host $http_host; }", [first, second])
    good(first, push(proxy.host, "-j1", "--retries", "8"))
    assert [r for r in proxy.requests() if r.method == "PUT" and r.status == 404], "a session was lost at least once"


# --- nginx before it ---

PASS = "proxy_pass http://registry; proxy_set_header Host $http_host;"


@pytest.fixture
def certificate(tmp_path):
    return certificates.make(str(tmp_path / "tls"))


@pytest.mark.cell("push", "N1")
@pytest.mark.fault("F-LOC")
@pytest.mark.parametrize("host", ["$http_host", "$host"], ids=["UPL-06 N1 http in Location", "UPL-06 N1b no port in Location"])
def test_a_proxy_that_hides_scheme_or_port(push, proxied, certificate, host):
    proxy, registry = proxied(f"client_max_body_size 0; location / {{ proxy_pass http://registry; proxy_set_header Host {host}; }}", certificate=certificate)
    good(registry, push(proxy.host, "--ca-file", proxy.ca, plain=False))


@pytest.mark.cell("upload", "N3")
@pytest.mark.fault("F-413")
def test_N3_UPL_08_UPL_24_a_limit_of_a_mebibyte(push, proxied):
    proxy, registry = proxied(f"client_max_body_size 1m; location / {{ {PASS} }}")
    result = good(registry, push(proxy.host))
    assert "UPL-08" in result.err and '"upload: patch-chunk"' in result.err, result
    assert [r for r in proxy.requests() if r.method == "PATCH"], result


@pytest.mark.cell("push", "N4")
@pytest.mark.cell("push again", "N4")
def test_N4_MAN_05_PSH_05_gzip_on_the_way(push, proxied):
    proxy, registry = proxied(f"gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; client_max_body_size 0; location / {{ {PASS} }}")
    good(registry, push(proxy.host))
    good(registry, push(proxy.host))


@pytest.mark.cell("limits", "N5")
@pytest.mark.fault("F-429")
def test_N5_RTY_01_RTY_02_a_rate_limit(push, proxied):
    proxy, registry = proxied(
        f"client_max_body_size 0; limit_req zone=all burst=5 nodelay; limit_req_status 429; location / {{ add_header Retry-After 1 always; {PASS} }}",
        http="limit_req_zone $server_addr zone=all:1m rate=12r/s;")
    result = good(registry, push(proxy.host, "-v"))
    assert [r for r in proxy.requests() if r.status == 429], "the limit was met"
    assert "429" in result.err


@pytest.mark.cell("login", "N8")
@pytest.mark.fault("F-401-MID")
def test_N8_TOK_16_no_request_buffering(push, proxied, make_registry, make_authfile):
    """The registry's early 401 arrives as what nginx makes of it."""
    registry = make_registry({"me": "pw"})
    proxy, _ = proxied(f"client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1; location / {{ {PASS} }}", [registry])
    proxy.login = registry.login
    good(registry, push(proxy.host, "--authfile", make_authfile(proxy)))


def test_N9_REF_10_a_registry_below_a_path(push, proxied):
    """The proxy keeps a prefix of names to itself."""
    proxy, registry = proxied("client_max_body_size 0; location /v2/apps/ { rewrite ^/v2/apps/(.*)$ /v2/inner/$1 break; proxy_redirect ~^(https?://[^/]+)?/v2/inner/(.*)$ /v2/apps/$2; " + PASS + " } location / { " + PASS + " }")
    good(registry, push(proxy.host), prefix="inner")


# --- haproxy before it ---

@pytest.mark.fault("F-COMMIT")
@pytest.mark.parametrize("method, path", [("GET", "/v2/$"), ("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/"), ("HEAD", "/blobs/")])
def test_UPL_14_H1_a_balancer_that_waits_for_less_than_the_registry_takes(push, tmp_path, method, path):
    """The registry does it, and the client hears 504."""
    over = threading.Event()
    with Scripted() as slow, Haproxy(str(tmp_path / "haproxy"), slow.port) as front:
        slow.on(method, path, change(silent=True, wait=over), times=2)
        result = push(front.host, "--retries", "5")
        over.set()
        assert result.rc == 0, result
        assert slow.manifests["apps/team/app", "1.0"].data == WHAT.top.data
        assert all(slow.blobs["apps/team/app", part.digest] == part.data for part in WHAT.all_blobs())


def test_RTY_04_H1_a_balancer_without_its_registry(push, tmp_path, make_registry):
    """503 is tried again, ends in bounded time, and is told as it is; with the registry back the same command goes through."""
    registry = make_registry()
    with Haproxy(str(tmp_path / "haproxy"), registry.port, patience=10_000) as front:
        registry.stop()
        result = push(front.host)
        assert result.rc == 5 and "503" in result.err and front.host in result.err, result
        registry.start()
        good(registry, push(front.host))
