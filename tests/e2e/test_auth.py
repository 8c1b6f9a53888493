"""Logins: what is sent, to whom, how often, and where it comes from (PROTOCOL 2-5)."""

import base64
import json
import os

import pytest

from support.carry import Carrier, HOST
from support.images import image, index, layer
from support.scripted import Answer, Scripted, TokenService, error, headers, say

LAYERS = [layer(f"auth-{i}", 4_000) for i in range(6)]
WHAT = image(LAYERS)
PASSWORD = 'a "pass": w:rd \u00e4 $x'


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def basic():
    with Scripted(users={"me": PASSWORD}) as reg:
        reg.store("team/app", "1.0", WHAT)
        yield reg


@pytest.fixture
def tokens():
    with TokenService(users={"me": PASSWORD}, anonymous=()) as service:
        yield service


@pytest.fixture
def bearer(tokens):
    with Scripted(bearer=tokens) as reg:
        reg.store("team/app", "1.0", WHAT)
        yield reg


def auth(user="me", password=PASSWORD):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def auth_file(path, **auths):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        json.dump({"auths": auths}, f)
    return str(path)


def good(result):
    assert result.rc == 0, result
    assert PASSWORD not in result.out + result.err
    assert auth()["auth"] not in result.out + result.err


@pytest.fixture
def login(tmp_path):
    """Options for a login at one server."""
    return lambda server, **kw: ("--authfile", auth_file(str(tmp_path / "auth.json"), **{server.host: auth(**kw)}))


# --- Basic ---

@pytest.mark.cell("login", "Q")
def test_BAS_01_BAS_02_only_after_it_was_asked_for(carrier, basic, login):
    good(carrier.export(basic, *login(basic)))
    assert basic.journal[0].login is None and basic.journal[0].status == 401
    assert {r.login for r in basic.journal if r.login} == {("me", PASSWORD)}
    assert len([r for r in basic.journal if r.status == 401]) <= 4, "learnt once, not for every request"


def test_BAS_03_wrong_password_is_tried_once(carrier, basic, login):
    carrier.failed(carrier.export(basic, *login(basic, password="wrong")), 6, basic.host, "me")
    assert len([r for r in basic.journal if r.login]) == 1


def test_BAS_04_netrc_is_not_read(carrier, basic, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password x\n")
    carrier.failed(carrier.export(basic), 6)
    assert not [r for r in basic.journal if r.header("Authorization")]


@pytest.mark.cell("login", "Q")
def test_username_and_password_stdin(carrier, basic):
    result = carrier.program("export", "--image", f"{HOST}/team/app:1.0", "--mirror", f"{HOST}={basic.url}",
                             *carrier.keys.signing(), "-o", carrier.bundle, "-u", "me", "--password-stdin",
                             "--no-progress", input=PASSWORD + "\n")
    good(result)


@pytest.mark.cell("login", "Q")
def test_CRD_15_nothing_found_says_where_it_was_looked_for(carrier, basic, tmp_path):
    carrier.failed(carrier.export(basic), 6, "no credentials found", "~/.docker/config.json", "~/.config/containers/auth.json", "~/.dockercfg",
                   "~/.config/helm/registry/config.json", "--authfile")


# --- challenges ---

@pytest.mark.fault("F-CHL")
@pytest.mark.parametrize("challenge", [
    'BASIC realm="x"', "Basic", 'Negotiate, Basic realm="x"', 'Digest realm="d", nonce="n"\r\nWWW-Authenticate: basic',
    'Bearer error="invalid_token"\r\nWWW-Authenticate: Basic realm="a, Bearer realm=\\"b\\""'])
def test_CHL_04_CHL_05_basic_challenges(carrier, basic, login, challenge):
    basic.on("*", "", lambda r, answer: Answer(401, {"WWW-Authenticate": challenge}), when=lambda r: not r.login)
    good(carrier.export(basic, *login(basic)))


@pytest.mark.fault("F-CHL")
@pytest.mark.parametrize("challenge", [
    'bearer REALM="{realm}" , Service = "scripted"', "Bearer realm={realm},service=scripted",
    'Basic realm="x", Bearer realm="{realm}",service="scripted"',
    'Bearer realm="{realm}"\r\nWWW-Authenticate: Basic realm="x"', ',Bearer realm="{realm}",realm="http://127.0.0.1:1/"'])
def test_CHL_04_CHL_05_bearer_challenges(carrier, bearer, tokens, login, challenge):
    header = challenge.format(realm=tokens.realm)
    bearer.on("*", "", lambda r, answer: Answer(401, {"WWW-Authenticate": header}),
              when=lambda r: not r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))


@pytest.mark.fault("F-CHL")
def test_CHL_05_schemes_that_are_offered_are_named(carrier, basic, login):
    basic.on("*", "", lambda r, answer: Answer(401, {"WWW-Authenticate": "Negotiate, NTLM"}))
    carrier.failed(carrier.export(basic, *login(basic)), 6, "Negotiate, NTLM")


@pytest.mark.fault("F-CHL")
def test_CHL_03_CHL_01_front_door_says_what_the_401_does_not(carrier, bearer, tokens, login):
    bearer.on("GET", "/manifests/", headers(WWW_Authenticate=None), when=lambda r: not r.header("Authorization"))
    bearer.on("GET", "^/v2/$", lambda r, answer: Answer(401, {
        "WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="scripted"'}))
    good(carrier.export(bearer, *login(bearer)))
    assert bearer.asked("GET", "^/v2/$") and not bearer.asked("GET", "^/v2$")


@pytest.mark.fault("F-PING")
@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_CHL_02_the_front_door_decides_nothing(carrier, bearer, tokens, login, status):
    bearer.on("GET", "^/v2/$", say(status), when=lambda r: not r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))


# --- tokens ---

@pytest.mark.cell("login", "Q")
def test_TOK_01_TOK_08_TOK_19_query_of_a_pull(carrier, bearer, tokens, login):
    good(carrier.export(bearer, *login(bearer)))
    assert len(tokens.journal) == 1, "one token for all workers"
    request = tokens.journal[0]
    assert request.query == {"via": ["test"], "service": ["scripted"], "scope": ["repository:team/app:pull"],
                             "account": ["me"]}
    assert request.login == ("me", PASSWORD)


@pytest.mark.cell("login", "Q")
def test_TOK_01_no_service_when_none_was_said(carrier, bearer, tokens, login):
    bearer.on("*", "", headers(WWW_Authenticate=f'Bearer realm="{tokens.realm}"'),
              when=lambda r: not r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))
    assert "service" not in tokens.journal[0].query


@pytest.mark.cell("login", "Q")
def test_TOK_08_TOK_19_a_push_asks_for_pull_and_push(carrier, bearer, tokens, login):
    assert carrier.export(bearer, *login(bearer)).rc == 0
    count = len(tokens.journal)
    result = carrier.push(bearer, carrier.bundle, *login(bearer))
    good(result)
    assert [r.query["scope"] for r in tokens.journal[count:]] == [["repository:apps/team/app:pull,push"]]


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("shape", [
    lambda t: {"token": t}, lambda t: {"access_token": t}, lambda t: {"token": "", "access_token": t},
    lambda t: {"token": t, "access_token": t}, lambda t: {"token": t, "access_token": "other"}])
def test_TOK_04_both_names_of_a_token(carrier, bearer, tokens, login, shape):
    tokens.shape = shape
    good(carrier.export(bearer, *login(bearer)))


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("life", [None, 0, 60, 60.5, "300", "soon", 1e300, -5])
def test_TOK_05_life_of_a_token(carrier, bearer, tokens, login, life):
    tokens.shape = lambda t: {"token": t, "expires_in": life, "issued_at": "1999-01-01T00:00:00Z"}
    good(carrier.export(bearer, *login(bearer)))
    assert len(tokens.journal) == 1


@pytest.mark.cell("login", "Q")
def test_TOK_05_a_short_life_is_renewed(carrier, bearer, tokens, login):
    tokens.shape, tokens.short_lived = lambda t: {"token": t, "expires_in": 2}, True
    good(carrier.export(bearer, *login(bearer)))
    assert len(tokens.journal) > 1


@pytest.mark.cell("login", "Q")
def test_TOK_05_a_token_that_is_refused_is_renewed_once(carrier, bearer, tokens, login):
    def forget(request, answer):
        tokens.forget()
        return answer()
    bearer.on("GET", "/blobs/", forget, times=1)
    good(carrier.export(bearer, "-j", "1", *login(bearer)))
    assert len(tokens.journal) == 2


@pytest.mark.cell("login", "Q")
def test_TOK_04_no_token_in_the_answer(carrier, bearer, tokens, login):
    tokens.shape = lambda t: {"expires_in": 300}
    carrier.failed(carrier.export(bearer, *login(bearer)), 5, "no token")


def test_BAS_03_TOK_wrong_password_at_the_token_service(carrier, bearer, tokens, login):
    carrier.failed(carrier.export(bearer, *login(bearer, password="wrong")), 6, bearer.host, "incorrect username")
    assert len(tokens.journal) == 1


def test_TOK_anybody_may_pull(carrier):
    with TokenService(anonymous=("pull",)) as service, Scripted(bearer=service) as reg:
        reg.store("team/app", "1.0", WHAT)
        good(carrier.export(reg))
        assert not [r for r in service.journal if r.header("Authorization")]


def test_login_of_the_command_line_waits_until_it_is_needed(carrier):
    """What anybody may have is fetched as anybody; the login goes to the host that needs it."""
    with TokenService(users={"me": PASSWORD}, anonymous=("pull",)) as service, Scripted(bearer=service) as public, \
            Scripted(users={"me": PASSWORD}) as private:
        public.store("team/open", "1.0", WHAT)
        private.store("team/app", "1.0", WHAT)
        result = carrier.program(
            "export", "--image", "open.test/team/open:1.0", "--image", f"{HOST}/team/app:1.0",
            "--mirror", f"open.test={public.url}", "--mirror", f"{HOST}={private.url}", *carrier.keys.signing(),
            "-o", carrier.bundle, "-u", "me", "--password-stdin", "--no-progress", input=PASSWORD)
        good(result)
        assert not [r for r in service.journal if r.login]


def test_second_host_that_needs_a_login_names_the_authfile(carrier):
    with Scripted(users={"me": PASSWORD}) as one, Scripted(users={"me": PASSWORD}) as two:
        one.store("team/one", "1.0", WHAT)
        two.store("team/app", "1.0", WHAT)
        result = carrier.program(
            "export", "--image", "one.test/team/one:1.0", "--image", f"{HOST}/team/app:1.0",
            "--mirror", f"one.test={one.url}", "--mirror", f"{HOST}={two.url}", *carrier.keys.signing(),
            "-o", carrier.bundle, "-u", "me", "--password-stdin", "--no-progress", input=PASSWORD)
        carrier.failed(result, 6, "--authfile")
        assert not ([r for r in one.journal if r.login] and [r for r in two.journal if r.login])


# --- where logins are found ---

@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("place, env", [
    ("named.json", {"REGISTRY_AUTH_FILE": "{}/named.json"}), ("docker/config.json", {"DOCKER_CONFIG": "{}/docker"}),
    (".docker/config.json", {}), ("run/containers/auth.json", {"XDG_RUNTIME_DIR": "{}/run"}),
    (".config/containers/auth.json", {}), ("xdg/containers/auth.json", {"XDG_CONFIG_HOME": "{}/xdg"})])
def test_CRD_01_CRD_02_places(carrier, basic, tmp_path, place, env):
    auth_file(str(tmp_path / place), **{basic.host: auth()})
    good(carrier.export(basic, env={k: v.format(tmp_path) for k, v in env.items()}))


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("key", ["{}", "http://{}", "https://{}", "https://{}/v1/", "http://{}/v2/", "{}/"])
def test_CRD_03_shapes_of_a_key(carrier, basic, tmp_path, key):
    path = auth_file(str(tmp_path / "a.json"), **{key.format(basic.host): auth(), "other.test": auth("you", "x")})
    good(carrier.export(basic, "--authfile", path))


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("key", ["{}.evil.test", "{}0", "x{}", "{}/tea", "{}/team/app/x", "https://evil.test/{}", "127.0.0.1"])
def test_CRD_03_keys_of_other_hosts(carrier, basic, tmp_path, key):
    path = auth_file(str(tmp_path / "a.json"), **{key.format(basic.host): auth()})
    carrier.failed(carrier.export(basic, "--authfile", path), 6)
    assert not [r for r in basic.journal if r.header("Authorization")]


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("entry", [
    auth(), {"username": "me", "password": PASSWORD}, {"auth": auth()["auth"].rstrip("=") + "\n"},
    {"auth": base64.b64encode(f"me:{PASSWORD}\0\0".encode()).decode()}])
def test_CRD_06_shapes_of_an_entry(carrier, basic, tmp_path, entry):
    path = auth_file(str(tmp_path / "a.json"), **{basic.host: entry})
    good(carrier.export(basic, "--authfile", path))


@pytest.mark.cell("login", "Q")
def test_CRD_06_registry_token_is_sent_as_it_is(carrier, bearer, tokens, tmp_path):
    tokens.tokens["given-token"] = {"repository:team/app": {"pull"}}
    path = auth_file(str(tmp_path / "a.json"), **{bearer.host: {"registrytoken": "given-token"}})
    good(carrier.export(bearer, "--authfile", path))
    assert not tokens.journal


@pytest.mark.cell("login", "Q")
def test_CRD_06_identity_token_is_exchanged(carrier, bearer, tokens, tmp_path):
    def exchange(request, answer):
        fields = dict(pair.split("=") for pair in request.body.decode().split("&"))
        assert fields["grant_type"] == "refresh_token" and fields["refresh_token"] == "it%2F1"
        assert fields["client_id"] and request.header("Authorization") is None
        tokens.tokens["exchanged"] = {"repository:team/app": {"pull"}}
        return Answer(200, {}, b'{"access_token":"exchanged"}')
    tokens.on("POST", "", exchange)
    path = auth_file(str(tmp_path / "a.json"), **{bearer.host: {"identitytoken": "it/1"}})
    good(carrier.export(bearer, "--authfile", path))


@pytest.mark.cell("login", "Q")
def test_CRD_01_a_file_that_is_no_JSON_is_named(carrier, basic, tmp_path):
    (tmp_path / "broken.json").write_text('{"auths": {')
    result = carrier.export(basic, "--authfile", str(tmp_path / "broken.json"))
    carrier.failed(result, 1, "broken.json")


CLOUDS = {"ECR": "AWS", "GAR json key": "_json_key", "GAR token": "oauth2accesstoken",
          "ACR": "00000000-0000-0000-0000-000000000000", "GitLab": "gitlab-ci-token", "Harbor": "robot$team+name",
          "old Harbor": "robot_name", "Quay": "$oauthtoken", "Quay robot": "org+robot", "nobody": ""}


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("user", CLOUDS.values(), ids=CLOUDS)
def test_BAS_05_the_clouds_logins_are_logins(carrier, tmp_path, user):
    secret = "x" * 9000 + ":=/+ %24"
    with Scripted(users={user: secret}) as reg:
        reg.store("team/app", "1.0", WHAT)
        path = auth_file(str(tmp_path / "a.json"), **{reg.host: auth(user, secret)})
        result = carrier.export(reg, "--authfile", path)
        assert result.rc == 0 and secret not in result.err, result
        assert {r.login for r in reg.journal if r.login} == {(user, secret)}
