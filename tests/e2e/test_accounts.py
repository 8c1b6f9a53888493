"""Logins of clouds and tools, and tokens for mounts (PROTOCOL 3, 4)."""

import base64
import json

import pytest

from support.carry import Carrier
from support.images import image, layer, sha256
from support.scripted import Scripted, TokenService, error

SHARED = layer("shared", 3_000)
ONE, TWO = image([SHARED, layer("one", 100)]), image([SHARED, layer("two", 100)])


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.p256, tmp_path)


ACCOUNTS = {
    "BAS-05 ECR": ("AWS", "eyJ" + "x" * 2500 + "=="),
    "BAS-05 GCR key": ("_json_key", '{"type": "service_account", "private_key": "-----BEGIN\\n+/=:"}'),
    "BAS-05 GCR token": ("oauth2accesstoken", "ya29.a0-_" + "y" * 9000),
    "BAS-05 ACR": ("00000000-0000-0000-0000-000000000000", "refresh.token.~"),
    "BAS-05 GitLab": ("gitlab-ci-token", "glcbt-64_x"),
    "BAS-05 Harbor": ("robot$team+builder", "pa$$ word"),
    "BAS-05 Quay": ("org+robot", "$oauthtoken"),
    "BAS-05 Quay token": ("$oauthtoken", "ABC123"),
}


@pytest.mark.parametrize("what", ACCOUNTS)
@pytest.mark.parametrize("where", ["file", "standard input"])
def test_every_letter_of_a_login_arrives(carrier, tmp_path, what, where):
    user, password = ACCOUNTS[what]
    with Scripted(users={user: password}) as registry:
        registry.store("team/app", "1.0", ONE)
        words = ["-u", user, "--password-stdin"]
        if where == "file":
            entry = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
            (tmp_path / "auth.json").write_text(json.dumps({"auths": {"registry.test": entry, registry.host: entry}}))
            words = ["--authfile", tmp_path / "auth.json"]
        result = carrier.program("export", "--image", f"{registry.host}/team/app:1.0", "--plain-http", *carrier.keys.signing(), "-o",
                                 carrier.bundle, *words, input=None if where == "file" else password + "\n")
        assert result.rc == 0, result
        assert {r.login for r in registry.journal if r.login} == {(user, password)}
        assert password not in result.out + result.err


@pytest.fixture
def carried(carrier):
    with Scripted() as source:
        source.store("team/app", "1.0", ONE)
        source.store("team/web", "1.0", TWO)
        result = carrier.export(source, "--image", "registry.test/team/web:1.0")
        assert result.rc == 0, result
    return carrier.bundle


def scopes(service):
    return [r.query.get("scope") or [] for r in service.journal]


@pytest.mark.fault("F-MOUNT")
def test_TOK_12_a_mount_asks_for_both_repositories(carrier, carried, make_authfile):
    with TokenService(users={"me": "pw"}, anonymous=()) as service, Scripted(bearer=service) as target:
        target.login = ("me", "pw")
        result = carrier.push(target, carried, "-j", "1", "--authfile", make_authfile(target))
        assert result.rc == 0, result
        assert [sha256(r.body) for r in target.asked("PUT", "/uploads/")].count(SHARED.digest) == 1, "mounted"
        both = [s for s in scopes(service) if len(" ".join(s).split()) == 2]
        assert both and any("repository:apps/team/web:pull,push" in " ".join(s) and "repository:apps/team/app:pull" in " ".join(s) for s in both)


@pytest.mark.fault("F-MOUNT")
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_TOK_12_a_service_that_refuses_both_together(carrier, carried, make_authfile, status):
    """As Docker Hub: the whole token fails; the layer is uploaded, and all ends well."""
    with TokenService(users={"me": "pw"}, anonymous=()) as service, Scripted(bearer=service) as target:
        target.login = ("me", "pw")
        service.on("GET", "", lambda r, a: error(status, "DENIED"), when=lambda r: len(" ".join(r.query.get("scope", [])).split()) > 1)
        result = carrier.push(target, carried, "-j", "1", "--authfile", make_authfile(target))
        assert result.rc == 0, result
        assert [sha256(r.body) for r in target.asked("PUT", "/uploads/")].count(SHARED.digest) == 2
        assert target.manifests["apps/team/web", "1.0"].digest == TWO.digest
