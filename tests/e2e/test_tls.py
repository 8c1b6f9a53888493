"""Whom we believe on the wire (PROTOCOL 13): a real registry with an authority of its own."""

import pytest

from support import images
from support.carry import Carrier, carries
from support.scripted import Answer, Scripted

WHAT = images.image([images.layer("tls", 30_000)])


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def server(make_registry):
    reg = make_registry({"me": "pw"}, tls=True)
    images.push(reg.client(), "team/app", "1.0", WHAT)
    return reg


@pytest.mark.cell("pull", "R3")
def test_TLS_01_authority_of_a_file(carrier, server, make_authfile):
    result = carrier.export(server, "--authfile", make_authfile(server), "--ca-file", server.ca)
    assert result.rc == 0, result
    assert carries(carrier.bundle, WHAT)


@pytest.mark.cell("pull", "R3")
def test_TLS_08_authority_of_the_environment(carrier, server, make_authfile):
    result = carrier.export(server, "--authfile", make_authfile(server), env={"SSL_CERT_FILE": server.ca})
    assert result.rc == 0, result


@pytest.mark.cell("pull", "R3")
def test_TLS_01_both_count(carrier, server, make_authfile, make_registry):
    other = make_registry(tls=True)
    result = carrier.export(server, "--authfile", make_authfile(server), "--ca-file", other.ca,
                            env={"SSL_CERT_FILE": server.ca})
    assert result.rc == 0, result


@pytest.mark.fault("F-TLSMIX")
def test_TLS_unknown_authority(carrier, server, make_authfile):
    count = len(server.requests())
    carrier.failed(carrier.export(server, "--authfile", make_authfile(server)), 5, "--ca-file", server.host)
    assert len(server.requests()) == count


@pytest.mark.cell("pull", "R3")
def test_TLS_not_verified_when_that_is_said(carrier, server, make_authfile):
    result = carrier.export(server, "--authfile", make_authfile(server), "--insecure-skip-tls-verify")
    assert result.rc == 0, result


@pytest.mark.fault("F-TLSMIX")
def test_TLS_04_plain_port(carrier):
    with Scripted() as reg:
        carrier.failed(carrier.export(reg, url=f"https://{reg.host}"), 5, "--plain-http")


@pytest.mark.fault("F-TLSMIX")
def test_TLS_04_no_certificate_in_the_file(carrier, server, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing\n")
    carrier.failed(carrier.export(server, "--ca-file", str(tmp_path / "ca.pem")), 1, "ca.pem")


@pytest.mark.fault("F-REDIR")
def test_DL_04_never_from_https_to_http(carrier, make_registry, make_authfile):
    """The far side of a redirect is asked nothing when it is not protected as the near one."""
    with Scripted() as plain:
        reg = make_registry({"me": "pw"}, tls=True,
                            extra=f"middleware:\n  storage:\n  - name: redirect\n    options: {{baseurl: '{plain.url}/'}}\n")
        images.push(reg.client(), "team/app", "1.0", WHAT)
        result = carrier.export(reg, "--authfile", make_authfile(reg), "--ca-file", reg.ca)
        carrier.failed(result, 5, "from https to http")
        assert not plain.asked("GET")


@pytest.mark.fault("F-REDIR")
@pytest.mark.cell("pull", "R7")
def test_DL_01_DL_02_R7_real_redirect_to_another_host(carrier, make_registry, make_authfile):
    """docker-registry sends its blobs elsewhere; the login does not go along."""
    class Store(Scripted):
        def decide(self, request):
            blobs = {b.digest[7:]: b.data for b in WHAT.all_blobs()}
            return Answer(200, {}, blobs[request.path.split("/")[-2]])

    with Store() as store:
        reg = make_registry({"me": "pw"}, extra=(
            f"middleware:\n  storage:\n  - name: redirect\n    options: {{baseurl: '{store.url}/'}}\n"))
        images.push(reg.client(), "team/app", "1.0", WHAT)
        result = carrier.export(reg, "--authfile", make_authfile(reg))
        assert result.rc == 0, result
        assert carries(carrier.bundle, WHAT)
        assert store.asked("GET") and not [r for r in store.journal if r.header("Authorization")]
