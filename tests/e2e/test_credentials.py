"""Where logins come from: files, environment, helpers (PROTOCOL 5)."""

import base64
import json
import os

import pytest

from support.carry import Carrier, HOST
from support.images import image, layer
from support.scripted import Answer, Scripted, TokenService

WHAT = image([layer("credentials", 4_000)])
PASSWORD = "canary-pass:word"


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def basic():
    with Scripted(users={"me": PASSWORD}) as reg:
        reg.store("team/app", "1.0", WHAT)
        yield reg


def auth(user="me", password=PASSWORD):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path, document, mode=0o600):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        f.write(document if isinstance(document, str) else json.dumps(document))
    os.chmod(path, mode)
    return str(path)


HELPER = """#!/usr/bin/python3
import json, sys, time
server = sys.stdin.read()
open({journal!r}, "a").write(repr((sys.argv[1:], server)) + "\\n")
{body}
"""


class Helper:
    """docker-credential-NAME on a PATH of its own."""

    def __init__(self, folder, body, name="fake"):
        self.bin, self.journal = os.path.join(folder, "bin"), os.path.join(folder, "journal")
        write(os.path.join(self.bin, "docker-credential-" + name), HELPER.format(journal=self.journal, body=body), 0o755)
        self.env = {"PATH": f"{self.bin}:/usr/bin:/bin"}

    @property
    def asked(self):
        return [eval(line) for line in open(self.journal)] if os.path.exists(self.journal) else []


def knows(**logins):
    """A helper's body that knows these servers."""
    return f"""
known = {logins!r}
if server not in known:
    print("credentials not found in native keychain")
    sys.exit(1)
print(json.dumps({{"ServerURL": server, "Username": known[server][0], "Secret": known[server][1]}}))
"""


def good(result):
    assert result.rc == 0, result
    assert PASSWORD not in result.out + result.err


# --- files ---

@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("key", ["{}/team/app", "{}/team", "{}"])
def test_CRD_05_a_login_for_a_part_of_a_host(carrier, basic, tmp_path, key):
    path = write(tmp_path / "a.json", {"auths": {key.format(basic.host): auth(), f"{basic.host}/other": auth("x", "y")}})
    good(carrier.export(basic, "--authfile", path))


@pytest.mark.cell("login", "Q")
def test_CRD_05_the_longest_part_wins(carrier, basic, tmp_path):
    path = write(tmp_path / "a.json", {"auths": {basic.host: auth("x", "y"), f"{basic.host}/team": auth("z", "w"),
                                                 f"{basic.host}/team/app": auth()}})
    good(carrier.export(basic, "--authfile", path))
    assert {r.login for r in basic.journal if r.login} == {("me", PASSWORD)}


@pytest.mark.cell("login", "Q")
def test_CRD_05_two_parts_of_a_host_have_two_logins(carrier, tmp_path):
    with Scripted(users={"one": "1", "two": "2"}) as reg:
        reg.store("one/app", "1.0", WHAT)
        reg.store("two/app", "1.0", WHAT)
        path = write(tmp_path / "a.json", {"auths": {f"{reg.host}/one": auth("one", "1"), f"{reg.host}/two": auth("two", "2")}})
        result = carrier.export(reg, "--image", f"{HOST}/two/app:1.0", "--authfile", path, ref=f"{HOST}/one/app:1.0")
        good(result)
        for request in (r for r in reg.journal if r.login and "/app/" in r.path):
            assert request.login[0] == request.path.split("/")[2]


@pytest.mark.cell("login", "Q")
def test_CRD_02_legacy_dockercfg(carrier, basic, tmp_path):
    write(tmp_path / ".dockercfg", {f"https://{basic.host}/v1/": auth()})
    good(carrier.export(basic))


@pytest.mark.cell("login", "Q")
def test_CRD_11_DOCKER_AUTH_CONFIG_comes_first(carrier, basic, tmp_path):
    write(tmp_path / ".docker/config.json", {"auths": {basic.host: auth("wrong", "wrong")}})
    good(carrier.export(basic, env={"DOCKER_AUTH_CONFIG": json.dumps({"auths": {basic.host: auth()}})}))


@pytest.mark.cell("login", "Q")
def test_CRD_11_DOCKER_AUTH_CONFIG_that_is_no_JSON_is_named(carrier, basic):
    carrier.failed(carrier.export(basic, env={"DOCKER_AUTH_CONFIG": "{oops"}), 1, "DOCKER_AUTH_CONFIG")


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("place, env", [
    (".config/helm/registry/config.json", {}), ("x/r.json", {"HELM_REGISTRY_CONFIG": "{}/x/r.json"}),
    ("xdg/helm/registry/config.json", {"XDG_CONFIG_HOME": "{}/xdg"})])
def test_CRD_12_helm_registry_config(carrier, basic, tmp_path, place, env):
    write(tmp_path / place, {"auths": {basic.host: auth()}})
    good(carrier.export(basic, env={k: v.format(tmp_path) for k, v in env.items()}))


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("place, env", [
    (".config/helm/repositories.yaml", {}), ("r.yaml", {"HELM_REPOSITORY_CONFIG": "{}/r.yaml"})])
def test_CRD_12_helm_repositories(carrier, make_chart_login, tmp_path, place, env):
    reg = make_chart_login
    write(tmp_path / place, f"apiVersion: ''\nrepositories:\n- name: other\n  url: http://other.test/\n  username: a\n"
          f"  password: b\n- name: ours\n  url: {reg.url}/charts\n  username: me\n  password: '{PASSWORD}'\n")
    result = carrier.program("plan", "--chart", "demo", "--repo", f"{reg.url}/charts", "--version", "1.0.0",
                             "--retries", "0", env={k: v.format(tmp_path) for k, v in env.items()})
    assert [r for r in reg.journal if r.login == ("me", PASSWORD)], result
    assert PASSWORD not in result.out + result.err


@pytest.fixture
def make_chart_login():
    with Scripted(users={"me": PASSWORD}) as reg:
        yield reg


def test_CRD_14_a_file_that_others_can_read_is_told(carrier, basic, tmp_path):
    path = write(tmp_path / "a.json", {"auths": {basic.host: auth()}}, mode=0o644)
    result = carrier.export(basic, "--authfile", path)
    good(result)
    assert result.err.count("chmod 600") == 1 and path in result.err


def test_CRD_14_no_login_in_the_bundle(carrier, basic, tmp_path):
    path = write(tmp_path / "a.json", {"auths": {basic.host: auth()}})
    good(carrier.export(basic, "--authfile", path))
    with open(carrier.bundle, "rb") as f:
        data = f.read()
    assert PASSWORD.encode() not in data and auth()["auth"].encode() not in data


def test_CRD_15_the_source_of_a_login_is_told_when_it_is_refused(carrier, basic, tmp_path):
    path = write(tmp_path / "a.json", {"auths": {f"{basic.host}/team": auth("me", "wrong")}})
    carrier.failed(carrier.export(basic, "--authfile", path), 6, f"{basic.host}/team in {path}")


# --- helpers ---

def config(tmp_path, **more):
    return write(tmp_path / ".docker/config.json", more)


@pytest.mark.cell("login", "Q")
def test_CRD_07_CRD_08_helper_of_a_host(carrier, basic, tmp_path):
    helper = Helper(str(tmp_path), knows(**{basic.host: ("me", PASSWORD)}))
    config(tmp_path, credHelpers={basic.host: "fake"}, credsStore="other", auths={basic.host: auth("x", "y")})
    good(carrier.export(basic, env=helper.env))
    assert helper.asked == [(["get"], basic.host)], "the raw server on standard input, once"


@pytest.mark.cell("login", "Q")
def test_CRD_07_store_before_auths(carrier, basic, tmp_path):
    helper = Helper(str(tmp_path), knows(**{basic.host: ("me", PASSWORD)}))
    config(tmp_path, credsStore="fake", auths={basic.host: auth("x", "y")})
    good(carrier.export(basic, env=helper.env))


@pytest.mark.parametrize("words", ["credentials not found in native keychain", "credentials not found"])
def test_CRD_08_not_found_is_no_failure(carrier, basic, tmp_path, words):
    helper = Helper(str(tmp_path), f"print({words!r}); sys.exit(1)")
    config(tmp_path, credsStore="fake", auths={basic.host: auth()})
    result = carrier.export(basic, env=helper.env)
    good(result)
    assert "warning" not in result.err


BROKEN = {"exit 3": "print('canary-secret'); sys.exit(3)", "garbage": "print('canary-secret {')",
          "big": "print('x' * 10_000_000)", "no secret": "print(json.dumps({'Username': 'canary-secret'}))",
          "killed": "import os; os.kill(os.getpid(), 9)"}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_CRD_08_a_helper_that_fails_is_passed_over_by_a_pull(carrier, basic, tmp_path, body):
    helper = Helper(str(tmp_path), body)
    config(tmp_path, credsStore="fake", auths={basic.host: auth()})
    result = carrier.export(basic, env=helper.env)
    good(result)
    assert "docker-credential-fake" in result.err and "canary-secret" not in result.err


def test_CRD_08_a_helper_that_is_not_there(carrier, basic, tmp_path):
    config(tmp_path, credsStore="absent", auths={basic.host: auth()})
    result = carrier.export(basic)
    good(result)
    assert "docker-credential-absent" in result.err


def test_CRD_08_a_helper_that_fails_ends_a_push(carrier, basic, tmp_path):
    good(carrier.export(basic, "--authfile", write(tmp_path / "a.json", {"auths": {basic.host: auth()}})))
    helper = Helper(str(tmp_path), BROKEN["exit 3"])
    config(tmp_path, credsStore="fake", auths={basic.host: auth()})
    result = carrier.push(basic, carrier.bundle, env=helper.env)
    assert result.rc == 1 and "docker-credential-fake" in result.err and "exit status 3" in result.err
    assert "canary-secret" not in result.err


@pytest.mark.parametrize("name", ["../x", "a/b", "x; touch pwned", "$(touch pwned)"])
def test_CRD_08_no_path_and_no_shell(carrier, basic, tmp_path, name):
    config(tmp_path, credsStore=name, auths={basic.host: auth()})
    good(carrier.export(basic))
    assert not os.path.exists(tmp_path / "pwned")


@pytest.mark.cell("login", "Q")
@pytest.mark.fault("F-HOSTMAP")
def test_CRD_09_docker_hub_has_two_spellings(carrier, basic, tmp_path):
    helper = Helper(str(tmp_path), knows(**{"docker.io": ("me", PASSWORD)}))
    config(tmp_path, credsStore="fake")
    # The Hub by its name, which no test reaches: the proxy that stands for all is our registry.
    result = carrier.program("plan", "--image", "docker.io/team/app:1.0", "--plain-http", "--retries", "0",
                             env={**helper.env, "http_proxy": basic.url})
    assert [server for _, server in helper.asked] == ["https://index.docker.io/v1/", "docker.io"], result


@pytest.mark.fault("F-HOSTMAP")
@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"])
def test_CRD_04_docker_hub_keys(carrier, basic, tmp_path, key):
    write(tmp_path / ".docker/config.json", {"auths": {key: auth()}})
    carrier.program("plan", "--image", "docker.io/team/app:1.0", "--plain-http", "--retries", "0",
                    env={"http_proxy": basic.url})
    assert [r for r in basic.journal if r.login == ("me", PASSWORD)]


@pytest.mark.cell("login", "Q")
def test_CRD_10_TOK_02_identity_token_of_a_helper(carrier, tmp_path):
    def exchange(request, answer):
        assert request.header("Content-Type") == "application/x-www-form-urlencoded"
        fields = [pair.split("=") for pair in request.body.decode().split("&")]
        names = [n for n, _ in fields]
        assert sorted(names) == ["client_id", "grant_type", "refresh_token", "scope", "service"], names
        assert dict(fields)["refresh_token"] == "identity" and dict(fields)["grant_type"] == "refresh_token"
        assert request.header("Authorization") is None and not request.login
        tokens.tokens["exchanged"] = {"repository:team/app": {"pull"}}
        return Answer(200, {}, b'{"access_token":"exchanged","expires_in":300}')

    with TokenService(anonymous=()) as tokens, Scripted(bearer=tokens) as reg:
        tokens.on("POST", "", exchange)
        reg.store("team/app", "1.0", WHAT)
        helper = Helper(str(tmp_path), knows(**{reg.host: ("<token>", "identity")}))
        config(tmp_path, credHelpers={reg.host: "fake"})
        good(carrier.export(reg, env=helper.env))
        assert [r.method for r in tokens.journal] == ["POST"]


def test_CRD_13_a_mirror_gets_its_own_login_only(carrier, basic, tmp_path):
    path = write(tmp_path / "a.json", {"auths": {HOST: auth("upstream", "canary"), basic.host: auth()}})
    good(carrier.export(basic, "--authfile", path))
    assert {r.login for r in basic.journal if r.login} == {("me", PASSWORD)}
