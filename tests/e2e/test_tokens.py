"""Tokens: how they are asked for, for how long, and what a refusal means (PROTOCOL 2 and 3)."""

import base64
import json
import os
import time

import pytest

from support.carry import Carrier
from support.images import image, layer
from support.scripted import (Answer, Scripted, TokenService, cut, error, headers, html, redirect, say,
                              vanish)

LAYERS = [layer(f"token-{i}", 3_000) for i in range(6)]
WHAT = image(LAYERS)
PASSWORD = "canary-pass:word"
PULL = "repository:team/app:pull"


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def tokens():
    with TokenService(users={"me": PASSWORD}, anonymous=()) as service:
        yield service


@pytest.fixture
def bearer(tokens):
    with Scripted(bearer=tokens) as reg:
        reg.store("team/app", "1.0", WHAT)
        yield reg


@pytest.fixture
def login(tmp_path):
    def make(*servers, **entry):
        entry = entry or {"auth": base64.b64encode(f"me:{PASSWORD}".encode()).decode()}
        path = tmp_path / "auth.json"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump({"auths": {s.host: entry for s in servers}}, f)
        return "--authfile", str(path)
    return make


@pytest.fixture
def carried(carrier, tmp_path):
    """A bundle to push."""
    with Scripted() as reg:
        reg.store("team/app", "1.0", WHAT)
        assert carrier.export(reg).rc == 0
    return carrier.bundle


def good(result):
    assert result.rc == 0, result
    assert PASSWORD not in result.out + result.err


# --- asking ---

def exchange(tokens, status=200, shape="access_token"):
    def answer(request, _):
        if status != 200:
            return error(status, "UNSUPPORTED")
        tokens.tokens["exchanged"] = {"repository:team/app": {"pull"}}
        return Answer(200, {}, json.dumps({shape: "exchanged"}).encode())
    return answer


@pytest.mark.parametrize("status", [400, 401, 404, 405])
def test_TOK_03_a_service_without_POST_is_asked_by_GET(carrier, bearer, tokens, login, status):
    tokens.on("POST", "", exchange(tokens, status))
    good(carrier.export(bearer, *login(bearer, identitytoken="it", username="me", password=PASSWORD)))
    assert [r.method for r in tokens.journal] == ["POST", "GET"]


def test_TOK_03_password_is_sent_by_GET_alone(carrier, bearer, tokens, login):
    good(carrier.export(bearer, *login(bearer)))
    assert [r.method for r in tokens.journal] == ["GET"]


def test_TOK_03_identity_token_without_a_password_has_no_other_way(carrier, bearer, tokens, login):
    tokens.on("POST", "", exchange(tokens, 404))
    carrier.failed(carrier.export(bearer, *login(bearer, identitytoken="it")), 5, "token service")
    assert [r.method for r in tokens.journal] == ["POST"]


# --- what comes back ---

@pytest.mark.fault("F-HTML")
@pytest.mark.parametrize("answer, word", [(say(200, b"Sorry, maintenance\nsecond line"), "Sorry, maintenance"),
                                          (html(), "HTML"), (say(200, b""), "expected a token")])
def test_TOK_06_what_is_no_token_is_shown(carrier, bearer, tokens, login, answer, word):
    tokens.on("GET", "", answer)
    result = carrier.export(bearer, *login(bearer))
    carrier.failed(result, 5, word, "token service")
    assert "second line" not in result.err


def test_TOK_06_the_body_of_a_token_has_a_limit(carrier, bearer, tokens, login):
    tokens.on("GET", "", say(200, b'{"token":"' + b"x" * (1 << 20) + b'"}', "application/json"))
    result = carrier.export(bearer, *login(bearer))
    assert result.rc in (1, 5) and not os.path.exists(carrier.bundle), result


@pytest.mark.parametrize("status", [400, 401, 403])
def test_TOK_22_refused_by_the_token_service(carrier, bearer, tokens, login, status):
    tokens.on("GET", "", lambda r, a: error(status, "DENIED", "no such user"))
    result = carrier.export(bearer, *login(bearer))
    carrier.failed(result, 6, str(status), "no such user", "token service", "me")


def test_TOK_22_a_broken_token_service_is_no_refusal(carrier, bearer, tokens, login):
    tokens.on("GET", "", lambda r, a: error(500, "UNKNOWN"))
    carrier.failed(carrier.export(bearer, *login(bearer)), 5, "500")


def stale(tmp_path, host):
    """A login that nobody named: it is in the usual place."""
    os.makedirs(tmp_path / ".docker", exist_ok=True)
    with open(os.open(tmp_path / ".docker/config.json", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        json.dump({"auths": {host: {"username": "old", "password": "gone"}}}, f)


def test_TOK_22_a_pull_goes_on_without_a_stale_login(carrier, tmp_path):
    with TokenService(users={"me": "x"}, anonymous=("pull",)) as service, Scripted(bearer=service) as reg:
        reg.store("team/app", "1.0", WHAT)
        stale(tmp_path, reg.host)
        result = carrier.export(reg)
        good(result)
        assert "going on without the login" in result.err and ".docker/config.json" in result.err
        assert len([r for r in service.journal if r.login]) == 1, "a refused login is not tried again (BAS-03)"


def test_TOK_22_a_login_that_was_named_is_never_left_out(carrier, login):
    with TokenService(users={"me": "x"}, anonymous=("pull",)) as service, Scripted(bearer=service) as reg:
        reg.store("team/app", "1.0", WHAT)
        carrier.failed(carrier.export(reg, *login(reg)), 6, "me")
        assert all(r.login for r in service.journal)


def test_TOK_22_a_push_never_goes_on_without_its_login(carrier, carried, tmp_path):
    with TokenService(users={"me": "x"}, anonymous=("pull", "push")) as service, Scripted(bearer=service) as reg:
        stale(tmp_path, reg.host)
        result = carrier.push(reg, carried)
        assert result.rc == 6 and "old" in result.err, result


# --- scopes ---

def test_TOK_07_a_token_that_may_less_is_an_error_only_where_it_does_not_do(carrier, tmp_path, carried):
    with TokenService(anonymous=("pull",)) as service, Scripted(bearer=service) as reg:
        result = carrier.push(reg, carried)
        assert result.rc == 6 and service.journal and all(r.status == 200 for r in service.journal), result


def test_TOK_09_two_scopes_in_one_text_and_any_order(carrier, bearer, tokens, login):
    bearer.on("*", "", headers(WWW_Authenticate=f'Bearer realm="{tokens.realm}",service="scripted",'
                               f'scope="repository:host:5000/x:pull {PULL}"'), when=lambda r: not r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))
    assert tokens.journal[0].query["scope"] == ["repository:host:5000/x:pull", PULL]


def test_TOK_09_order_of_actions_means_nothing(carrier, carried, bearer, tokens, login):
    bearer.on("*", "", headers(WWW_Authenticate=f'Bearer realm="{tokens.realm}",service="scripted",'
                               'scope="repository:apps/team/app:push,pull"'), when=lambda r: not r.header("Authorization"))
    good(carrier.push(bearer, carried, *login(bearer)))
    assert [r.query["scope"] for r in tokens.journal] == [["repository:apps/team/app:pull,push"]]


def test_TOK_10_the_scope_that_failed_stands_first(carrier, bearer, tokens, login):
    """A registry that says late what it wants, for services that read the first scope only."""
    wanted = "repository:other/name:pull"
    seen = []

    def late(request, answer):
        if not seen and request.header("Authorization"):
            seen.append(request)
            return error(401, "UNAUTHORIZED", **{
                "WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="scripted",scope="{wanted}",error="insufficient_scope"'})
        return answer()
    bearer.on("GET", "/manifests/", late)
    good(carrier.export(bearer, *login(bearer)))
    assert tokens.journal[1].query["scope"] == [wanted, PULL]


def test_TOK_11_delete_and_everything_are_never_asked_for(carrier, bearer, tokens, login):
    def quay(request, answer):
        for scope in request.query["scope"]:
            if set(scope.rpartition(":")[2].split(",")) - {"pull", "push"}:
                return error(400, "BAD", "unknown action")
        return answer()
    tokens.on("GET", "", quay)
    bearer.on("*", "", headers(WWW_Authenticate=f'Bearer realm="{tokens.realm}",service="scripted",'
                               'scope="repository:team/app:delete,pull,* registry:catalog:*"'),
              when=lambda r: not r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))
    assert [r.query["scope"] for r in tokens.journal] == [[PULL]]


def test_TOK_13_a_token_for_each_repository_and_none_twice(carrier, bearer, tokens, login):
    bearer.store("team/other", "1.0", image([layer("other", 2_000)]))
    good(carrier.export(bearer, "--image", "registry.test/team/other:1.0", *login(bearer)))
    assert sorted(r.query["scope"][0] for r in tokens.journal) == [PULL, "repository:team/other:pull"]


def test_TOK_18_registry_token_needs_no_token_service(carrier, bearer, tokens, login):
    tokens.tokens["given"] = {"repository:team/app": {"pull"}}
    good(carrier.export(bearer, *login(bearer, registrytoken="given")))
    assert not tokens.journal


def test_TOK_19_workers_fetch_one_token(carrier, bearer, tokens, login):
    good(carrier.export(bearer, "-j", "6", *login(bearer)))
    assert len(tokens.journal) == 1


def test_TOK_19_and_one_more_when_it_dies_under_all_of_them(carrier, bearer, tokens, login):
    def die(request, answer):
        tokens.forget()
        return answer()
    bearer.on("GET", "/blobs/", die, times=1)
    good(carrier.export(bearer, "-j", "6", *login(bearer)))
    assert len(tokens.journal) == 2


def killed_once():
    """Takes the first request for each path."""
    seen = set()

    def first(request):
        new = request.path not in seen
        seen.add(request.path)
        return new
    return first


def test_TOK_19_and_again_when_the_next_dies_at_once(carrier, bearer, tokens, login):
    """Every layer's request meets a token that is said to be dead, each a moment after the last was got."""
    dead = f'Bearer realm="{tokens.realm}",service="scripted",scope="{PULL}",error="invalid_token"'

    def dying(request, answer):
        tokens.forget()
        return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": dead})
    tokens.short_lived = True
    bearer.on("GET", "/blobs/", dying, when=killed_once())
    good(carrier.export(bearer, "-j", "1", *login(bearer)))
    assert len(tokens.journal) == 1 + len(WHAT.all_blobs())


def test_CHL_06_a_second_right_that_lacks_is_asked_for_as_well(carrier, bearer, tokens, login):
    """Each blob is under a scope of its own, which the registry names when it is asked."""
    named = []

    def by_blob(request, answer):
        scope = f"repository:blob/{request.path[-8:]}:pull"
        if request.path in named:
            return answer()
        named.append(request.path)
        return error(401, "UNAUTHORIZED", **{
            "WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="scripted",scope="{scope}",error="insufficient_scope"'})
    bearer.on("GET", "/blobs/", by_blob, when=lambda r: r.header("Authorization"))
    good(carrier.export(bearer, "-j", "1", *login(bearer)))
    assert len(tokens.journal) == 1 + len(WHAT.all_blobs())


def test_CHL_03_401_without_a_challenge_says_so(carrier, bearer, login):
    bearer.on("*", "", lambda r, a: Answer(401))
    carrier.failed(carrier.export(bearer, *login(bearer)), 6, "401 without a challenge", "a proxy before it")


# --- life ---

def test_TOK_14_renewed_before_a_body_that_would_outlive_it(carrier, carried, tokens, login):
    """Tokens of seven seconds, less than the margin of any upload, and one second that passes."""
    with Scripted(bearer=tokens) as reg:
        def slow(request, answer):
            time.sleep(1.1)
            return answer()
        tokens.shape = lambda t: {"token": t, "expires_in": 7}
        reg.on("POST", "/blobs/uploads/", slow, times=1)
        good(carrier.push(reg, carried, "-j", "1", *login(reg)))
        assert len(tokens.journal) == 2
        with_body = reg.asked("PUT", "/blobs/")[0]
        assert with_body.header("Authorization") != reg.asked("POST")[0].header("Authorization")


def test_TOK_14_a_long_life_is_used(carrier, carried, tokens, login):
    with Scripted(bearer=tokens) as reg:
        good(carrier.push(reg, carried, *login(reg)))
        assert len(tokens.journal) == 1


@pytest.mark.fault("F-401-MID")
def test_TOK_15_a_401_before_the_body_continues_the_session(carrier, carried, tokens, login):
    with Scripted(bearer=tokens) as reg:
        reg.on("PUT", "/blobs/uploads/", lambda r, a: (tokens.forget(), reg._denied(r))[1], times=1)
        good(carrier.push(reg, carried, "-j", "1", *login(reg)))
        posts, puts = len(reg.asked("POST")), len(reg.asked("PUT", "/blobs/"))
        assert puts == posts + 1, "the same session was used again"


@pytest.mark.fault("F-401-PUT")
def test_TOK_15_a_401_at_the_closing_of_a_session_that_is_lost(carrier, carried, tokens, login):
    with Scripted(bearer=tokens) as reg:
        def lose(request, answer):
            reg.uploads.clear()
            tokens.forget()
            return reg._denied(request)
        reg.on("PUT", "/blobs/uploads/", lose, times=1)
        good(carrier.push(reg, carried, "-j", "1", *login(reg)))


@pytest.mark.fault("F-401-MID")
@pytest.mark.parametrize("fault", [say(502, b"<html>Bad Gateway</html>", "text/html"), vanish], ids=["502", "reset"])
def test_TOK_16_a_body_that_breaks_off_may_be_a_hidden_401(carrier, carried, tokens, login, fault):
    """A proxy that sends bodies on at once shows 502 instead of the registry's early 401."""
    with Scripted(bearer=tokens) as reg:
        def hide(request, answer):
            tokens.forget()
            return fault(request, answer)
        reg.on("PUT", "/blobs/uploads/", hide, times=1)
        good(carrier.push(reg, carried, "-j", "1", "--retries", "0", *login(reg)))
        assert len(tokens.journal) == 2


@pytest.mark.fault("F-401-MID")
def test_TOK_16_once_only(carrier, carried, tokens, login):
    with Scripted(bearer=tokens) as reg:
        reg.on("PUT", "/blobs/uploads/", say(502))
        result = carrier.push(reg, carried, "-j", "1", "--retries", "0", *login(reg))
        assert result.rc in (5, 8) and len(tokens.journal) <= 2, result


@pytest.mark.fault("F-401-RESUME")
def test_TOK_17_a_401_at_a_resumed_download(carrier, tokens, login):
    big = layer("big", 200_000)
    with Scripted(bearer=tokens) as reg:
        reg.store("team/app", "1.0", image([big]))
        reg.on("GET", big.digest, cut(100_000), times=1)
        reg.on("GET", big.digest, lambda r, a: (tokens.forget(), reg._denied(r))[1], times=1)
        good(carrier.export(reg, "-j", "1", *login(reg)))
        ranges = [r.header("Range") for r in reg.asked("GET", big.digest)]
        assert ranges[0] is None and all(r and r != "bytes=0-" for r in ranges[1:]) and len(ranges) == 3


def test_TOK_20_no_secret_in_what_is_told(carrier, bearer, tokens, login):
    tokens.on("GET", "", lambda r, a: Answer(200, {}, b'{"token":"canary-token","expires_in":300}'))
    result = carrier.export(bearer, "-v", *login(bearer))
    assert result.rc == 6
    for secret in (PASSWORD, "canary-token", base64.b64encode(f"me:{PASSWORD}".encode()).decode(), "via=test"):
        assert secret not in result.out + result.err


# --- challenges ---

@pytest.mark.fault("F-LOOP")
@pytest.mark.parametrize("what", ['error="insufficient_scope"', 'error="invalid_token"', ""])
def test_CHL_06_a_refusal_is_not_asked_about_again_and_again(carrier, bearer, tokens, login, what):
    bearer.on("*", "", lambda r, a: error(401, "DENIED", "requested access is denied", **{
        "WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="scripted",scope="{PULL}",{what}'}))
    carrier.failed(carrier.export(bearer, *login(bearer)), 6, "requested access is denied")
    assert len(tokens.journal) <= 2 and len(bearer.journal) <= 4


def test_CHL_09_only_a_401_asks_for_a_login(carrier, bearer, tokens, login):
    bearer.on("*", "", lambda r, a: Answer(404, {"WWW-Authenticate": 'Basic realm="trap"'}, b"no"))
    carrier.failed(carrier.export(bearer, *login(bearer)), 7)
    assert not [r for r in bearer.journal if r.header("Authorization")]


def test_CHL_09_a_401_may_have_a_page(carrier, bearer, tokens, login):
    bearer.on("*", "", lambda r, a: Answer(401, {
        "Content-Type": "text/html", "WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="scripted"'},
        b"<!DOCTYPE html><html>log in"), when=lambda r: not r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))


def test_CHL_10_harbor_says_Basic_to_who_has_a_token(carrier, bearer, tokens, login):
    bearer.on("*", "", lambda r, a: error(401, "UNAUTHORIZED", "project team not found", **{
        "WWW-Authenticate": 'Basic realm="harbor"'}), when=lambda r: r.header("Authorization"))
    carrier.failed(carrier.export(bearer, *login(bearer)), 6, "project team not found")
    assert not [r for r in bearer.journal if r.login], "no password to the registry itself"


def test_CHL_11_harbor_wants_a_token_for_what_is_public(carrier):
    with TokenService(anonymous=("pull",)) as service, Scripted(bearer=service) as reg:
        reg.store("team/app", "1.0", WHAT)
        good(carrier.export(reg))
        assert all(r.header("Authorization") for r in reg.journal if r.status == 200)


# --- another host (CHL-12) ---

@pytest.fixture
def other():
    """Host B: its own token service, its own users."""
    with TokenService(users={"bee": "b-pass"}, anonymous=("pull",)) as service, Scripted(bearer=service) as reg:
        reg.store("team/app", "1.0", WHAT)
        reg.tokens = service
        yield reg


def to(other):
    return redirect(307, lambda r: other.url + r.target)


@pytest.mark.fault("F-REDIR-AUTH")
def test_CHL_12_anybodys_token_of_the_other_host(carrier, bearer, tokens, login, other):
    bearer.on("GET", "/(manifests|blobs)/", to(other), when=lambda r: r.header("Authorization"))
    good(carrier.export(bearer, *login(bearer)))
    ours = {r.header("Authorization") for r in bearer.journal} - {None}
    theirs = {r.header("Authorization") for r in other.journal} - {None}
    assert theirs and not ours & theirs
    assert not [r for r in other.tokens.journal if r.login], "our login is not for them"


@pytest.mark.fault("F-REDIR-AUTH")
def test_CHL_12_the_other_hosts_own_login(carrier, bearer, tokens, tmp_path, other):
    other.tokens.anonymous = ()
    bearer.on("GET", "/(manifests|blobs)/", to(other), when=lambda r: r.header("Authorization"))
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"auths": {bearer.host: {"username": "me", "password": PASSWORD},
                                          other.host: {"username": "bee", "password": "b-pass"}}}))
    path.chmod(0o600)
    good(carrier.export(bearer, "--authfile", str(path)))
    assert {r.login[0] for r in other.tokens.journal if r.login} == {"bee"}
    assert {r.login[0] for r in tokens.journal if r.login} == {"me"}


@pytest.mark.fault("F-REDIR-AUTH")
def test_CHL_12_the_login_of_the_command_line_is_not_for_the_other_host(carrier, other):
    other.tokens.anonymous = ()
    with Scripted() as reg:
        reg.on("GET", "/(manifests|blobs)/", to(other))
        result = carrier.program("export", "--image", "registry.test/team/app:1.0", "--mirror",
                                 f"registry.test={reg.url}", *carrier.keys.signing(), "-o", carrier.bundle,
                                 "-u", "me", "--password-stdin", "--no-progress", input=PASSWORD)
        carrier.failed(result, 6, other.host)
        assert not [r for r in other.tokens.journal + other.journal + reg.journal if r.login]


@pytest.mark.fault("F-REDIR-AUTH")
def test_CHL_12_a_realm_that_is_the_first_hosts_gets_no_login_of_it(carrier, bearer, tokens, login, other):
    """Host B names A's token service: what it gets there is what anybody gets."""
    other.on("*", "", lambda r, a: error(401, "UNAUTHORIZED", **{
        "WWW-Authenticate": f'Bearer realm="{tokens.realm}",service="scripted",scope="{PULL}"'}))
    bearer.on("GET", "/manifests/", to(other), when=lambda r: r.header("Authorization"))
    carrier.failed(carrier.export(bearer, *login(bearer)), 6)
    a_tokens = set(tokens.tokens)
    sent = {(r.header("Authorization") or "").removeprefix("Bearer ") for r in other.journal} - {""}
    granted = {t for t in sent if t in a_tokens and tokens.tokens[t].get("repository:team/app")}
    assert not granted, "a token that A's login got went to B"
