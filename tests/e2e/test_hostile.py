"""Registries that lie, and proxies that talk instead of them (issue: what it must withstand)."""

import pytest

from support.carry import Carrier, HOST
from support.images import image, layer
from support.scripted import Answer, Scripted, TokenService, error, html, redirect, say

LAYER = layer("hostile", 50_000)


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def server():
    with Scripted() as reg:
        reg.store("team/app", "1.0", image([LAYER]))
        yield reg


@pytest.mark.fault("F-HTML")
@pytest.mark.parametrize("where", ["/manifests/", "/blobs/"])
def test_RTY_08_a_login_page_with_status_200(carrier, server, where):
    server.on("GET", where, html())
    carrier.failed(carrier.export(server), 5, "HTML page", "team/app")


@pytest.mark.fault("F-HTML")
@pytest.mark.parametrize("status", [403, 502])
def test_RTY_08_a_page_with_an_error_status(carrier, server, status):
    server.on("GET", "/manifests/", html(status))
    carrier.failed(carrier.export(server), 6 if status == 403 else 5, "HTML page", str(status))


ERRORS = [
    b'{"errors":[{"code":"EVIL","message":"\x1b[31mred\x07 \xff\x00 text"}]}', b'{"errors":null}', b'{"errors":[]}',
    b'{"code":"EVIL","message":"plain"}', b'{"details":"hub says no"}', b'{"error":"invalid"}',
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", b"", b"\xff\xfe\x00\x1b]0;title\x07",
    b"{", b"[" * 5000, b"x" * 3_000_000, b'{"errors":[{"code":7,"message":{"a":1}}]}', b"\x1f\x8b\x08\x00gzip"]


@pytest.mark.fault("F-ERR")
@pytest.mark.parametrize("body", ERRORS, ids=range(len(ERRORS)))
def test_RTY_06_error_bodies(carrier, server, body):
    server.on("GET", "/manifests/", say(403, body, "application/json"))
    result = carrier.export(server)
    carrier.failed(result, 6, "403", "team/app")
    assert len(result.err) < 4000
    assert not [c for c in result.err if ord(c) < 0x20 and c != "\n" or c == "\x7f"], repr(result.err)


@pytest.mark.fault("F-REDIR-AUTH")
def test_a_login_is_never_redirected_along(carrier, make_authfile):
    with Scripted(users={"me": "the-password"}) as reg, Scripted() as thief:
        reg.login = ("me", "the-password")
        reg.store("team/app", "1.0", image([LAYER]))
        reg.on("GET", "", redirect(307, lambda r: thief.url + r.target), when=lambda r: r.login and r.path != "/v2/")
        result = carrier.export(reg, "--authfile", make_authfile(reg))
        carrier.failed(result, 7)
        assert thief.journal
        assert "the-password" not in result.out + result.err


@pytest.mark.fault("F-REDIR-AUTH")
def test_a_401_of_another_host_is_not_answered(carrier, make_authfile):
    with Scripted(users={"me": "pw"}) as reg, Scripted(users={"you": "x"}) as thief:
        reg.login = ("me", "pw")
        reg.store("team/app", "1.0", image([LAYER]))
        reg.on("GET", "/blobs/", redirect(307, lambda r: thief.url + r.target), when=lambda r: r.login)
        carrier.failed(carrier.export(reg, "--authfile", make_authfile(reg)), 6, "no credentials found")
        assert not [r for r in thief.journal if r.header("Authorization")]


def test_a_401_with_a_large_body_and_no_challenge(carrier, server):
    server.on("GET", "", say(401, b"go away " * 500_000))
    carrier.failed(carrier.export(server), 6, "none")


@pytest.mark.fault("F-LOOP")
def test_CHL_06_always_401(carrier, make_authfile):
    with TokenService(users={"me": "pw"}) as tokens, Scripted(bearer=tokens) as reg:
        reg.login = ("me", "pw")
        challenge = f'Bearer realm="{tokens.realm}",service="s",error="insufficient_scope"'
        reg.on("*", "", lambda r, answer: error(401, "DENIED", **{"WWW-Authenticate": challenge}))
        carrier.failed(carrier.export(reg, "--authfile", make_authfile(reg)), 6, "DENIED")
        assert len(tokens.journal) <= 2


@pytest.mark.fault("F-HTML")
def test_a_token_service_that_shows_a_page(carrier):
    with TokenService() as tokens, Scripted(bearer=tokens) as reg:
        tokens.on("GET", "", html())
        carrier.failed(carrier.export(reg), 5, "HTML page", reg.host)


@pytest.mark.fault("F-HDR")
@pytest.mark.parametrize("header", ["X: " + "a" * 90_000, "WWW-Authenticate: Basic realm=\"" + "b" * 60_000,
                                    "Location: " + "c" * 80_000, "Docker-Content-Digest: \x1b[2J"])
def test_headers_beyond_measure(carrier, server, header):
    server.on("GET", "/manifests/", lambda r, answer: Answer(401, {}, b"", raw=(header,)))
    result = carrier.export(server)
    assert result.rc in (5, 6), result
    assert "\x1b" not in result.err


def test_names_from_the_network_are_escaped(carrier, server):
    server.on("GET", "/manifests/", say(404, b"\x1b]52;c;ZXZpbA==\x07no such thing"))
    result = carrier.export(server)
    carrier.failed(result, 7, "no such thing")
    assert "\x1b" not in result.err and "\x07" not in result.err


def test_a_manifest_without_end(carrier, server):
    server.on("GET", "/manifests/", lambda r, answer: Answer(200, {"Content-Type": "application/json"}, b" " * 9_000_000))
    carrier.failed(carrier.export(server), 1, "team/app", "at most")


def test_unreachable(carrier, server):
    class Gone:
        url = "http://127.0.0.1:1"
    carrier.failed(carrier.export(Gone, ref=f"{HOST}/team/app:1.0"), 5, "127.0.0.1:1")
