"""preflight: what a push would meet, learnt without pushing; the access log and the scripted registry judge."""

import pytest

from support.carry import QUICK, REF, Carrier
from support.images import image, index, layer
from support.scripted import Scripted, error, headers, say

WHAT = index([image([layer("a", 3_000), layer("b", 5_000)]), image([layer("a", 3_000)], "linux/arm64")])


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("preflight"))
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        source.store("team/other", "2.0", image([layer("c", 700)]))
        result = carrier.export(source, "--image", "registry.test/team/other:2.0")
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture
def ask(sealift, keys, carried):
    def preflight(host, *more, bundle=carried, prefix="/apps"):
        return sealift("preflight", host + prefix, *([bundle, *keys.p256.trusting()] if bundle else []), "--plain-http", *QUICK, *more)
    return preflight


def size(blobs):
    return sum(b.size for b in blobs)


def test_what_is_missing_is_counted_and_nothing_is_put(ask):
    with Scripted() as registry:
        there = next(b for b in WHAT.all_blobs() if b.size > 4_000)
        registry.blobs["apps/team/app", there.digest] = there.data
        result = ask(registry.host, "--json")
        assert result.rc == 0, result
        survey = next(e for e in result.events if e["event"] == "survey")
        rest = [b for b in WHAT.all_blobs() if b.digest != there.digest]
        app = next(r for r in survey["repositories"] if r["name"] == "apps/team/app")
        assert app == {"name": "apps/team/app", "blobs": len(WHAT.all_blobs()), "there": 1, "missing": size(rest)}
        assert {p["state"] for p in result.events[-1]["pushed"]} == {"missing"}
        assert not registry.asked("PUT") and not registry.asked("PATCH") and not registry.manifests
        assert sorted(r.path for r in registry.asked("POST")) == [f"/v2/apps/team/{n}/blobs/uploads/" for n in ("app", "other")]


def test_what_is_there_is_not_asked_for_again(ask, registry, sealift, keys, carried, make_authfile):
    """On a real registry, which holds no more after it than before."""
    login = ("--authfile", make_authfile(registry))
    first = ask(registry.host, *login)
    assert first.rc == 0 and "to add: " in first.out and "2 empty uploads were opened" in first.err, first
    assert not registry.client().repositories()
    sealift.ok("push", carried, f"{registry.host}/apps", *keys.p256.trusting(), "--plain-http", *login)
    before = len(registry.requests())
    again = ask(registry.host, *login)
    assert again.rc == 0 and "to add: 0 B" in again.out and "empty upload" not in again.out + again.err, again
    assert {r.method for r in registry.requests(since=before)} <= {"GET", "HEAD"}


def test_every_problem_is_told(ask):
    """One repository is denied, one name is taken by another image: both, in one run."""
    with Scripted() as registry:
        registry.store("apps/team/app", "1.0", image([layer("another", 10)]))
        registry.on("POST", "/v2/apps/team/other/", lambda request, answer: error(403, "DENIED", "requested access is denied"))
        result = ask(registry.host)
        assert result.rc in (1, 6), result
        assert "apps/team/other" in result.err and "DENIED" in result.err
        assert "apps/team/app:1.0" in result.err and "taken by another image" in result.err
        assert not registry.asked("PUT")


@pytest.mark.fault("F-NOREPO")
def test_repositories_that_must_be_made_first(ask):
    with Scripted() as registry:
        registry.on("POST", "", lambda request, answer: error(404, "NAME_UNKNOWN", "The repository does not exist"))
        result = ask(registry.host)
        assert result.rc == 7 and result.err.count("NAME_UNKNOWN") == 2, result


def test_without_a_bundle_the_registry_is_asked(ask, registry, make_authfile):
    result = ask(registry.host, "--authfile", make_authfile(registry), bundle=None)
    assert result.rc == 0 and f"{registry.host}: a registry answers" in result.out, result
    with Scripted() as no_registry:
        no_registry.on("GET", "", say(200, b"<html>welcome</html>", "text/html"))
        assert ask(no_registry.host, bundle=None).rc == 5


def test_an_untrusted_bundle_is_not_used(sealift, keys, carried):
    with Scripted() as registry:
        result = sealift("preflight", registry.host, carried, *keys.other.trusting(), "--plain-http")
        assert result.rc == 3 and not registry.asked("POST"), result


@pytest.fixture
def push(sealift, keys, carried):
    def run(host, *more, **options):
        return sealift("push", carried, host + "/apps", *keys.p256.trusting(), "--plain-http", *QUICK, *more, **options)
    return run


@pytest.mark.fault("F-NOREPO")
def test_push_names_every_repository_it_may_not_write_to_before_a_layer_moves(push):
    """UPL-01, PSH-08: rights are learnt from the smallest upload, of all repositories, in one run."""
    with Scripted() as registry:
        registry.on("POST", "/v2/apps/team/", lambda request, answer: error(403, "DENIED", f"no right to {request.path.split('/')[4]}"))
        result = push(registry.host)
        assert result.rc == 6 and "2 of " in result.err and "no right to app" in result.err and "no right to other" in result.err, result
        assert not registry.asked("PUT") and not registry.asked("PATCH") and not registry.manifests


@pytest.mark.fault("F-NOREPO")
def test_push_moves_no_layer_where_one_of_two_repositories_is_closed(push):
    with Scripted() as registry:
        registry.on("POST", "/v2/apps/team/other/", lambda request, answer: error(403, "DENIED", "no right to it"))
        result = push(registry.host)
        layers = {b.digest for b in WHAT.all_blobs() if b.size >= 3_000}
        assert result.rc == 6 and "apps/team/other" in result.err, result
        assert layers and not layers & {digest for _, digest in registry.blobs} and not registry.manifests


def test_push_lists_a_taken_name_and_a_closed_repository_together(push):
    with Scripted() as registry:
        registry.store("apps/team/app", "1.0", image([layer("another", 10)]))
        registry.on("POST", "/v2/apps/team/other/", lambda request, answer: error(403, "DENIED", "no right to it"))
        result = push(registry.host)
        assert result.rc == 1 and "taken by another image" in result.err and "apps/team/other" in result.err and "no right to it" in result.err, result
        assert not registry.asked("PUT") and not registry.asked("PATCH")


def test_push_learns_its_rights_without_a_request_more(push):
    """Each blob is asked for once and sent once, the first of each repository as well."""
    with Scripted() as registry:
        assert push(registry.host).rc == 0
        blobs = len(WHAT.all_blobs()) + 2
        assert len(registry.asked("HEAD", "/blobs/")) == len(registry.asked("POST")) == len(registry.asked("PUT", "/blobs/")) == blobs


def test_push_out_of_a_pipe_asks_first(push, carried, sealift, keys):
    with Scripted() as registry:
        registry.on("POST", "/v2/apps/team/", lambda request, answer: error(403, "DENIED", "no right"))
        with open(carried, "rb") as pipe:
            process = sealift.start("push", "-", registry.host + "/apps", *keys.p256.trusting(), "--plain-http", *QUICK, stdin=pipe)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 6 and said.decode().count("no right") == 2, said
        assert not registry.asked("PUT") and not registry.asked("PATCH")


def test_RTY_09_push_says_how_many_requests_are_left_before_it_needs_them(push):
    def counted(left):
        return headers(RateLimit_Limit="100;w=3600", RateLimit_Remaining=f"{left};w=3600")
    with Scripted() as registry:
        registry.on("HEAD", "/manifests/", counted(20))
        result = push(registry.host)
        assert result.rc == 0 and "20 requests are left, and this push may need" in result.err, result
    with Scripted() as registry:
        registry.on("HEAD", "/manifests/", counted(90))
        assert "are left" not in push(registry.host).err
