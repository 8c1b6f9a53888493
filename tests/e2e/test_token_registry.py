"""The real registry with tokens: what Debian's docker-registry 2.8.2 says to right and wrong ones (R2)."""

import base64
import json
import re

import pytest

from support import images
from support.carry import Carrier, carries
from support.scripted import error
from support.tokenserver import TokenServer

WHAT = images.image([images.layer("real-token", 20_000)])
OTHER = images.image([images.layer("real-token", 20_000), images.layer("more", 3_000)])


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def tokens(tmp_path):
    with TokenServer(tmp_path, users={"me": "pw"}) as service:
        yield service


@pytest.fixture
def server(make_registry, tokens):
    reg = make_registry(extra=tokens.configuration())
    reg.plant("team/app", "1.0", WHAT)
    reg.plant("team/other", "1.0", OTHER)
    return reg


@pytest.fixture
def login(server, tmp_path):
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auths": {server.host: {"auth": base64.b64encode(b"me:pw").decode()}}}))
    path.chmod(0o600)
    return "--authfile", str(path)


@pytest.mark.cell("pull", "R2")
@pytest.mark.cell("login", "R2")
def test_TOK_01_TOK_13_R2_pull(carrier, server, tokens, login):
    result = carrier.export(server, *login)
    assert result.rc == 0 and carries(carrier.bundle, WHAT), result
    assert len(tokens.journal) == 1


@pytest.mark.cell("push", "R2")
@pytest.mark.cell("upload", "R2")
@pytest.mark.fault("F-MOUNT")
def test_TOK_08_TOK_12_R2_push_and_mounts(carrier, server, tokens, login):
    assert carrier.export(server, "--image", "registry.test/team/other:1.0", *login).rc == 0
    count = len(tokens.journal)
    result = carrier.push(server, carrier.bundle, *login)
    assert result.rc == 0, result
    scopes = [r.query["scope"] for r in tokens.journal[count:]]
    assert all(s.endswith(":pull,push") or s.endswith(":pull") for each in scopes for s in each), scopes
    mounts = [r for r in server.requests() if r.method == "POST" and "mount=" in r.path]
    assert mounts and all(r.status == 201 for r in mounts), mounts
    both = [each for each in scopes if len(each) == 2]
    assert both and both[0][0].endswith(":pull,push") and both[0][1].endswith(":pull"), scopes


@pytest.mark.cell("upload", "R2")
@pytest.mark.fault("F-MOUNT")
def test_TOK_12_R2_a_mount_whose_token_is_refused_is_an_upload(carrier, server, tokens, login):
    assert carrier.export(server, "--image", "registry.test/team/other:1.0", *login).rc == 0
    tokens.on("GET", r"scope=.*scope=", lambda r, a: error(401, "DENIED"))
    result = carrier.push(server, carrier.bundle, *login)
    assert result.rc == 0, result
    assert not [r for r in server.requests() if "mount=" in r.path and r.status == 201]


@pytest.mark.fault("F-LOOP")
def test_CHL_06_R2_a_right_that_lacks_is_a_401(carrier, server, tokens, login):
    """2.8.2 says 401 insufficient_scope where others say 403: no loop."""
    assert carrier.export(server, *login).rc == 0
    tokens.users.clear()
    tokens.anonymous = ("pull",)
    count = len(tokens.journal)
    result = carrier.push(server, carrier.bundle)
    assert result.rc == 6, result
    assert len(tokens.journal) - count <= 2


def test_TOK_15_TOK_21_R2_a_token_that_is_dead_though_it_should_live(carrier, server, tokens, login):
    """The registry lets a token live a minute longer than it says: only after that it is 401 invalid_token."""
    tokens.expired = 1
    result = carrier.export(server, *login)
    assert result.rc == 0 and len(tokens.journal) == 2, result


def test_TOK_20_R2_no_token_in_any_log(carrier, server, tokens, login):
    result = carrier.export(server, "-v", *login)
    assert not re.search(r"eyJ[\w-]{20,}", result.out + result.err)
