"""Uploads that a registry, or a proxy before it, does not take the usual way (PROTOCOL 11): the journal judges."""

import re
import select

import pytest

from support.carry import Carrier
from support.images import image, layer, sha256
from support.scripted import Answer, Scripted, change, deed_then, error, headers, redirect, say, vanish

MIB = 1 << 20
BIG, SMALL, SHARED = layer("big", 10 * MIB), layer("small", 2_000), layer("shared", 3 * MIB)
ONE, TWO = image([SHARED, BIG]), image([SHARED, SMALL])
CHUNK = 4 * MIB


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("uploads"))
    with Scripted() as source:
        source.store("team/app", "1.0", ONE)
        source.store("team/web", "1.0", TWO)
        result = carrier.export(source, "--image", "registry.test/team/web:1.0")
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture
def push(sealift, keys, carried, tmp_path):
    carrier = Carrier(sealift, keys.p256, tmp_path)
    return lambda server, *more: carrier.push(server, carried, "-j", "1", *more)


@pytest.fixture
def server():
    with Scripted() as registry:
        yield registry


def holds(server):
    for repository, what in (("apps/team/app", ONE), ("apps/team/web", TWO)):
        assert server.manifests[repository, "1.0"].data == what.top.data
        for part in what.all_blobs():
            assert server.blobs[repository, part.digest] == part.data


def good(server, result):
    assert result.rc == 0, result
    holds(server)
    return result


def puts_with_a_body(server):
    return [r for r in server.asked("PUT", "/uploads/") if r.body]


def larger_than(limit, status, body=b"client intended to send too large body"):
    """A limit on bodies, as a proxy has it."""
    def rule(request, answer):
        return say(status, body)(request, answer) if len(request.body) > limit else answer()
    return rule


def no_whole(server, status=413):
    """PUTs of bytes are refused."""
    server.on("PUT", "/uploads/", say(status, b"<html>too large</html>", "text/html"), when=lambda r: r.body)


# --- the ladder ---

@pytest.mark.fault("F-PATCH", "F-PUTLIM")
@pytest.mark.cell("upload", "Q")
@pytest.mark.parametrize("status, code", [(413, ""), (411, ""), (405, ""), (501, ""), (416, ""), (400, "CONTENT_LENGTH_INVALID")])
def test_UPL_08_UPL_10_a_PUT_that_is_refused_becomes_chunks(push, server, status, code):
    server.on("PUT", "/uploads/", lambda r, a: error(status, code or "X"), when=lambda r: r.body)
    result = good(server, push(server))
    assert len(puts_with_a_body(server)) == 1, "once refused, it is not tried for the other blobs"
    assert result.err.count('"upload: patch-chunk"') == 1, "told once, with the setting"
    session = {}
    for request in server.asked("PATCH"):
        at = session.setdefault(request.path, 0)
        assert request.header("Content-Range") == f"{at}-{at + len(request.body) - 1}"
        assert request.header("Content-Type") == "application/octet-stream"
        assert int(request.header("Content-Length")) == len(request.body) <= CHUNK
        session[request.path] = at + len(request.body)
    assert 10 * MIB < max(session.values()) and sum(len(r.body) == CHUNK for r in server.asked("PATCH")) >= 2


@pytest.mark.fault("F-413")
@pytest.mark.parametrize("limit", [MIB, 300_000, 70_000])
@pytest.mark.parametrize("status", [413, 416])
def test_UPL_12_UPL_24_chunks_become_smaller(push, server, limit, status):
    """As nginx with its limit of 1 MiB, and as registries that say 416 of a body."""
    server.on("PUT", "/uploads/", larger_than(limit, 413))
    server.on("PATCH", "", larger_than(limit, status))
    good(server, push(server))
    taken = [len(r.body) for r in server.asked("PATCH") if r.status == 202]
    assert max(taken) <= limit and max(taken) > limit / 2 - 1, "no smaller than needed"


@pytest.mark.fault("F-PUTLIM")
@pytest.mark.parametrize("status", [405, 404, 411, 501])
def test_UPL_08_no_chunks_either(push, server, status):
    """One PATCH of all, as docker and podman send it."""
    no_whole(server)
    server.on("PATCH", "", lambda r, a: error(status, "UNSUPPORTED"), when=lambda r: r.header("Content-Range"))
    result = push(server)
    if status == 404:  # that is a lost session: after as many as are allowed it is given up
        assert result.rc == 1 and "413" in result.err, result
        return
    good(server, result)
    whole = [r for r in server.asked("PATCH") if r.status == 202]
    assert {sha256(r.body) for r in whole} >= {BIG.digest, SHARED.digest} and not any(r.header("Content-Range") for r in whole)
    assert result.err.count('"upload: patch-whole"') == 1


@pytest.mark.fault("F-PUTLIM", "F-413")
def test_UPL_08_UPL_24_where_nothing_goes_the_first_refusal_is_told(push, server):
    no_whole(server)
    server.on("PATCH", "", say(413, b"<html>too large</html>", "text/html"))
    result = push(server)
    assert result.rc == 1 and "413" in result.err and "a proxy before it" in result.err and "PUT" in result.err, result
    assert not server.manifests


@pytest.mark.fault("F-PUTLIM")
def test_UPL_08_a_gateway_that_always_breaks(push, server):
    server.on("PUT", "/uploads/", say(502, b"bad gateway"), when=lambda r: len(r.body) > MIB)
    good(server, push(server, "--retries", "5"))
    assert server.asked("PATCH")


@pytest.mark.fault("F-PATCH")
@pytest.mark.cell("upload", "Q")
def test_UPL_10_a_registry_may_want_larger_chunks(push, server):
    no_whole(server)
    server.on("POST", "", headers(OCI_Chunk_Min_Length=str(6 * MIB)))
    good(server, push(server))
    assert max(len(r.body) for r in server.asked("PATCH")) == 6 * MIB


@pytest.mark.fault("F-PATCH")
@pytest.mark.cell("upload", "Q")
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_UPL_10_statuses_of_a_chunk(push, server, status):
    no_whole(server)
    server.on("PATCH", "", change(status=status))
    good(server, push(server))


@pytest.mark.fault("F-RANGEHDR")
@pytest.mark.parametrize("said", [None, "0-0", "0--1", "bytes=0--1", "bytes=0-9", "bytes 0-4194303", "0-4194302", "0-4194304", "0-99999999",
                                  "text", "", "-", "0-"])
def test_UPL_11_a_Range_that_says_anything(push, server, said):
    """Our own count goes on; the digest decides."""
    no_whole(server)
    server.on("PATCH", "", headers(Range=said))
    good(server, push(server))


# --- chunks that are interrupted ---

@pytest.mark.fault("F-RST")
@pytest.mark.parametrize("what", ["before", "after", "500 before", "500 after"])
def test_UPL_13_a_chunk_in_doubt_is_asked_for(push, server, what):
    """The connection breaks before or after the registry stored the chunk: it goes on where the registry is."""
    no_whole(server)
    heard = say(500) if "500" in what else vanish
    server.on("PATCH", "", deed_then(heard) if "after" in what else heard, times=1, when=lambda r: (r.header("Content-Range") or "").startswith("4194304-"))
    good(server, push(server))
    big = [r for r in server.asked("PATCH") if len(r.body) == CHUNK]
    assert len({r.path for r in big}) == 1, "the session was not given up"
    assert server.asked("GET", "/uploads/session"), "the registry was asked where it is"
    again = [r for r in big if r.header("Content-Range").startswith("4194304-")]
    assert len(again) == (1 if "after" in what else 2)


@pytest.mark.fault("F-RST")
@pytest.mark.parametrize("status", [say(404), say(500), change(headers={}), headers(Range="0-7"), headers(Range="0-99999999")],
                         ids=["404", "500", "says nothing", "less", "more than was sent"])
def test_UPL_13_UPL_12_a_session_that_is_lost_begins_anew(push, server, status):
    no_whole(server)
    server.on("PATCH", "", vanish, times=1, when=lambda r: (r.header("Content-Range") or "").startswith("4194304-"))
    server.on("GET", "/uploads/session", status)
    good(server, push(server))
    first = [r for r in server.asked("PATCH") if (r.header("Content-Range") or "").startswith("0-4194303")]
    assert len({r.path for r in first}) == 2


def kept(server, count):
    """The connection breaks in a body, of which the registry keeps so many bytes."""
    def rule(request, answer):
        server.uploads[re.search(r"session-\d+", request.path)[0]] = request.body[:count]
        return vanish(request, answer)
    return rule


@pytest.mark.fault("F-RST")
def test_UPL_13_a_broken_put_goes_on_where_the_registry_is(push, server):
    server.on("PUT", "/uploads/", kept(server, 7 * MIB), times=1, when=lambda r: len(r.body) == len(BIG.data))
    good(server, push(server))
    assert [r.header("Content-Range") for r in server.asked("PATCH")] == [f"{7 * MIB}-{len(BIG.data) - 1}"]
    assert len(server.asked("GET", "/uploads/session")) == 1


@pytest.mark.fault("F-RST")
@pytest.mark.parametrize("count, status", [(0, None), (7 * MIB, say(404)), (7 * MIB, headers(Range=None)), (7 * MIB, headers(Range="0-99999999"))],
                         ids=["nothing kept", "the session is gone", "no Range", "more than was sent"])
def test_UPL_13_a_broken_put_of_which_nothing_is_left_begins_anew(push, server, count, status):
    server.on("PUT", "/uploads/", kept(server, count), times=1, when=lambda r: len(r.body) == len(BIG.data))
    if status:
        server.on("GET", "/uploads/session", status)
    good(server, push(server))
    big = [r for r in puts_with_a_body(server) if len(r.body) == len(BIG.data)]
    assert len({r.path for r in big}) == 2 and not server.asked("PATCH")


@pytest.mark.fault("F-416")
def test_UPL_12_416_out_of_order(push, server):
    """The registry lost a chunk that it had confirmed."""
    no_whole(server)

    def forget(request, answer):
        said = answer()
        server.uploads[re.search(r"session-\d+", request.path)[0]] = b""
        return said
    server.on("PATCH", "", forget, times=1, when=lambda r: (r.header("Content-Range") or "").startswith("4194304-"))
    good(server, push(server))


# --- mounts ---

def mounts(server):
    return [r for r in server.asked("POST") if "mount" in r.query]


@pytest.mark.fault("F-MOUNT")
@pytest.mark.cell("upload", "Q")
def test_UPL_02_UPL_25_a_layer_of_two_repositories_is_sent_once(push, server):
    result = good(server, push(server, "-v"))
    assert [sha256(r.body) for r in puts_with_a_body(server)].count(SHARED.digest) == 1
    assert [(r.query["mount"], r.query["from"]) for r in mounts(server) if r.query["mount"] == [SHARED.digest]] == [
        ([SHARED.digest], ["apps/team/app"])]
    assert "mounted" in result.out + result.err


@pytest.mark.fault("F-MOUNT")
@pytest.mark.cell("upload", "Q")
def test_UPL_02_a_mount_that_opens_a_session_is_used(push, server):
    server.mounts = False
    good(server, push(server))
    opened = {r.path + r.target.partition("?")[2] for r in server.asked("POST")}
    assert len(opened) and len(server.asked("POST")) == len(puts_with_a_body(server)), "no session is left"


@pytest.mark.fault("F-MOUNT")
@pytest.mark.cell("upload", "Q")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500, 503])
def test_UPL_02_a_refused_mount_is_a_plain_upload(push, server, status):
    server.on("POST", "mount=", lambda r, a: error(status, "UNSUPPORTED"))
    result = good(server, push(server))
    assert [sha256(r.body) for r in puts_with_a_body(server)].count(SHARED.digest) == 2
    assert len(mounts(server)) <= 2


@pytest.mark.fault("F-MOUNT")
@pytest.mark.cell("upload", "Q")
def test_UPL_02_two_refusals_are_enough(sealift, keys, tmp_path):
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source, Scripted() as target:
        names = [f"team/n{i}" for i in range(5)]
        for name in names:
            source.store(name, "1.0", TWO)
        result = carrier.export(source, *(w for n in names[1:] for w in ("--image", f"registry.test/{n}:1.0")), ref=f"registry.test/{names[0]}:1.0")
        assert result.rc == 0, result
        target.on("POST", "mount=", lambda r, a: error(405, "UNSUPPORTED"))
        result = carrier.push(target, carrier.bundle, "-j", "1")
        assert result.rc == 0 and len(mounts(target)) == 2 and result.err.count('"mount: off"') == 1, result


# --- Expect, early answers, redirects ---

@pytest.mark.fault("F-EXPECT")
def test_UPL_19_a_registry_that_does_not_continue_is_waited_for_once(push, server):
    server.continues = False
    good(server, push(server))
    large = [r for r in puts_with_a_body(server) if len(r.body) > MIB]
    assert [bool(r.header("Expect")) for r in large] == [True, *[False] * (len(large) - 1)] and len(large) >= 2


def late(seconds):
    """An answer to Expect after so long; libcurl waits one second for it."""
    def answer(request):
        if not request.header("Expect"):
            return None
        select.select([], [], [], seconds)
        return say(417)(request, None)
    return answer


@pytest.mark.fault("F-EXPECT")
@pytest.mark.parametrize("seconds", [0, 1.2], ids=["at once", "while the body is on its way"])
def test_UPL_19_417(push, server, seconds):
    server.early = late(seconds)
    good(server, push(server))
    announced = [r for r in server.journal if r.header("Expect")]
    assert len(announced) == 1, "the host is asked once"


@pytest.mark.fault("F-UPREDIR")
@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_UPL_21_an_upload_is_redirected_whole(push, make_authfile, status, method):
    with Scripted(users={"me": "pw"}) as server, Scripted() as store:
        server.login = ("me", "pw")
        store.uploads, store.blobs = server.uploads, server.blobs
        if method == "PATCH":
            no_whole(server)
            no_whole(store)
        server.on(method, "/uploads/", redirect(status, lambda r: store.url + r.target), when=lambda r: r.login)
        good(server, push(server, "--authfile", make_authfile(server)))
        there = store.asked(method)
        assert there and not any(r.header("Authorization") for r in there)
        if method != "POST":
            assert {sha256(r.body) for r in there if r.status < 300} & {SHARED.digest, SMALL.digest}


@pytest.mark.fault("F-UPREDIR")
@pytest.mark.parametrize("status", [301, 302, 303])
def test_UPL_21_an_upload_never_becomes_a_GET(push, server, status):
    server.on("PUT", "/uploads/", redirect(status, "/elsewhere"))
    assert push(server).rc == 5
    assert not server.asked("GET", "/elsewhere")


def test_UPL_17_UPL_26_UPL_27_UPL_28_what_is_never_sent(push, server):
    server.on("*", "", headers(Set_Cookie="sid=1; Path=/"))
    good(server, push(server))
    assert not [r for r in server.journal if r.header("Cookie") or r.method == "DELETE"]
    assert not [r for r in server.asked("POST") if "digest" in r.query]
    for repository, what in (("apps/team/app", ONE), ("apps/team/web", TWO)):
        for part in what.all_blobs():
            assert server.asked("HEAD", f"/v2/{repository}/blobs/{part.digest}")


@pytest.mark.cell("upload", "Q")
def test_UPL_23_empty_and_tiny_blobs(sealift, keys, tmp_path):
    carrier = Carrier(sealift, keys.p256, tmp_path)
    for limit in (None, 1):
        with Scripted() as source, Scripted() as target:
            from support.images import Image, blob
            import json
            empty, tiny = blob(b"", "application/x"), blob(b"{}", "application/vnd.oci.empty.v1+json")
            top = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": tiny.descriptor(),
                                   "layers": [empty.descriptor(), tiny.descriptor()]}).encode(), "application/vnd.oci.image.manifest.v1+json")
            source.store("team/app", "1.0", Image(top, (empty, tiny)))
            assert carrier.export(source).rc == 0
            if limit:
                target.on("PUT", "/uploads/", larger_than(limit, 413))
            result = carrier.push(target, carrier.bundle)
            assert result.rc == 0, result
            assert target.blobs["apps/team/app", empty.digest] == b"" and target.blobs["apps/team/app", tiny.digest] == b"{}"
        (tmp_path / "out.tar").unlink()
