"""Manifests and tags at registries with rules of their own (PROTOCOL 9)."""

import pytest

from support.carry import Carrier
from support.images import image, index, layer
from support.scripted import Scripted, error, say

A, B = layer("a", 4_000), layer("b", 9_000)
WHAT = index([image([A, B]), image([A], "linux/arm64")])
APP = "apps/team/app"


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("placing"))
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        result = carrier.export(source)
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture
def push(sealift, keys, carried, tmp_path):
    carrier = Carrier(sealift, keys.p256, tmp_path)
    return lambda server, *more: carrier.push(server, carried, *more)


@pytest.fixture
def server():
    with Scripted() as registry:
        yield registry


def good(server, result):
    assert result.rc == 0, result
    assert server.manifests[APP, "1.0"].data == WHAT.top.data
    for part in WHAT.all_blobs():
        assert server.blobs[APP, part.digest] == part.data
    return result


@pytest.mark.fault("F-EVENTUAL")
@pytest.mark.parametrize("status, code", [(400, "MANIFEST_BLOB_UNKNOWN"), (404, "MANIFEST_BLOB_UNKNOWN"), (400, "BLOB_UNKNOWN"), (404, "BLOB_UNKNOWN")])
@pytest.mark.parametrize("which", ["/manifests/sha256", "/manifests/1.0"])
def test_PSH_09_what_was_stored_is_seen_a_little_later(push, server, status, code, which):
    server.on("PUT", which, lambda r, a: error(status, code, "blob unknown to registry"), times=2)
    good(server, push(server))


def test_PSH_09_a_blob_that_went_away_is_sent_again(push, server):
    """Garbage collection took a layer between its upload and its manifest."""
    def collected(request, answer):
        server.blobs.pop((APP, B.digest), None)
        return answer()
    server.on("PUT", "/manifests/sha256", collected, times=1)
    good(server, push(server))
    puts = [r for r in server.asked("PUT", "/uploads/") if r.body == B.data]
    assert len(puts) == 2


@pytest.mark.fault("F-EVENTUAL", "F-SPARSE")
def test_PSH_09_PSH_06_what_never_appears_is_an_error_in_bounded_time(push, server):
    server.on("PUT", "/manifests/1.0", lambda r, a: error(400, "MANIFEST_BLOB_UNKNOWN", "sha256:0123"))
    result = push(server)
    assert result.rc not in (0, 1) and "MANIFEST_BLOB_UNKNOWN" in result.err, result
    assert len(server.asked("PUT", "/manifests/1.0")) == 4, "three further attempts"


@pytest.mark.parametrize("status", [412, 403])
def test_PSH_21_stored_but_not_to_be_read(push, server, status):
    """As Harbor, whose policy hides what is not signed or not yet scanned."""
    server.on("GET", "/manifests/1.0", lambda r, a: error(status, "PROJECTPOLICYVIOLATION", "not signed"), when=lambda r: stored(server))
    server.on("HEAD", "/manifests/1.0", say(status), when=lambda r: stored(server))
    result = good(server, push(server))
    assert "unconfirmed (policy)" in result.out and "blocked by the project's policy" in result.err, result
    again = good(server, push(server))
    assert "unconfirmed (policy)" in again.out


def stored(server):
    return (APP, "1.0") in server.manifests


def test_PSH_15_a_wrong_digest_is_never_tried_again(push, server):
    server.on("PUT", "/manifests/sha256", lambda r, a: error(400, "DIGEST_INVALID", "provided digest did not match"))
    result = push(server, "-j1")
    assert result.rc not in (0, 8) and "DIGEST_INVALID" in result.err, result
    assert len(server.asked("PUT", "/manifests/sha256")) == 1


@pytest.mark.fault("F-SPARSE")
@pytest.mark.parametrize("status, code", [(415, "MANIFEST_INVALID"), (405, "UNSUPPORTED"), (400, "MANIFEST_INVALID"), (406, "X")])
def test_PSH_10_nothing_is_converted_to_please_a_registry(push, server, status, code):
    server.on("PUT", "/manifests/", lambda r, a: error(status, code, "manifest type is not accepted"))
    result = push(server, "-j1")
    assert result.rc not in (0, 8) and code in result.err, result
    assert {r.body for r in server.asked("PUT", "/manifests/")} <= {m.data for m in WHAT.manifests()}


@pytest.mark.cell("push", "Q")
def test_PSH_17_PSH_18_nothing_new_is_asked_for_and_nothing_deleted(push, server):
    good(server, push(server))
    assert not server.asked("DELETE")
    assert not [r for r in server.journal if "tag" in r.query or "digest-algorithm" in r.query]


@pytest.mark.cell("push", "Q")
def test_PSH_20_what_became_of_each_thing(push, server):
    server.blobs[APP, A.digest] = A.data
    result = good(server, push(server, "-v"))
    assert "exists" in result.err and "uploaded" in result.err and "pushed" in result.err, result.err
    assert f"{server.host}/{APP}:1.0" in result.out and WHAT.digest in result.out


@pytest.mark.cell("upload", "Q")
def test_UPL_18_replicas_that_are_asked_in_turn(push, server):
    """Each request goes to the other one of two, which know the sessions that they made."""
    born = {}

    def turn(request, answer):
        side = len(server.journal) % 2
        if request.method == "POST":
            was = answer()
            born[was.headers["Location"].split("?")[0].rsplit("/", 1)[1]] = side
            return was
        same = born.get(request.path.rsplit("/", 1)[1]) == side
        return answer() if same else error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
    server.on("*", "/uploads/", turn)
    good(server, push(server, "-j1"))


def test_UPL_19_small_bodies_are_not_announced(push, server):
    good(server, push(server))
    assert not [r for r in server.journal if r.header("Expect")], "a round trip for each would be for nothing"


NO_REPOSITORY = {
    "PSH-08 ECR": (404, "NAME_UNKNOWN", "The repository with name 'apps/team/app' does not exist"),
    "PSH-08 Harbor": (401, "UNAUTHORIZED", "project apps not found"),
    "PSH-08 Harbor for ever": (500, "UNKNOWN", "unknown error"),
    "PSH-08 GitLab": (403, "DENIED", "requested access to the resource is denied"),
    "PSH-08 Artifactory": (400, "NAME_INVALID", "no such repository key"),
}


@pytest.mark.parametrize("registry_of", NO_REPOSITORY)
def test_repositories_that_must_be_made_first(push, server, tmp_path, registry_of):
    """The command makes it, once, and the push goes on; without one a hint is told once."""
    status, code, message = NO_REPOSITORY[registry_of]
    made = tmp_path / "made"
    server.on("POST", "", lambda r, a: error(status, code, message), when=lambda r: not made.exists())
    result = push(server)
    assert result.rc not in (0, 8) and (message in result.err or status == 401), result
    if status == 404:
        assert result.err.count("--on-missing-repo") == 1, result.err
    good(server, push(server, "--on-missing-repo", f"echo >>'{made}'"))
    assert made.read_text().split() == [server.host, APP], "one call, with two words"


def test_PSH_08_a_command_that_fails_is_told(push, server):
    server.on("POST", "", lambda r, a: error(404, "NAME_UNKNOWN", "no"))
    result = push(server, "--on-missing-repo", "exit 3 #")
    assert result.rc not in (0, 8) and "status 3" in result.err, result
