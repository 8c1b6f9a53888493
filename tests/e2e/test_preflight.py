"""preflight: what a push would meet, learnt without pushing; the access log and the scripted registry judge."""

import pytest

from support.carry import QUICK, REF, Carrier
from support.images import image, index, layer
from support.scripted import Scripted, error, say

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
    assert first.rc == 0 and "to add: " in first.out and "an empty upload was opened in 2 repositories" in first.out, first
    assert not registry.client().repositories()
    sealift.ok("push", carried, f"{registry.host}/apps", *keys.p256.trusting(), "--plain-http", *login)
    before = len(registry.requests())
    again = ask(registry.host, *login)
    assert again.rc == 0 and "to add: 0 B" in again.out and "empty upload" not in again.out, again
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
