"""Putting images into registries that are odd, busy or interrupted (PROTOCOL 9, 11)."""

import pytest

from support.carry import Carrier
from support.images import image, index, layer
from support.scripted import (Answer, Scripted, change, cut, deed_then, error, headers, html, redirect,
                              say, vanish)

SMALL, LARGE, ARM = layer("small", 5_000), layer("large", 1_500_000), layer("arm", 9_000)
WHAT = index([image([SMALL, LARGE]), image([SMALL, ARM], "linux/arm64")])
PARTLY = 8  # a failure that a second run may not meet, after something was done
PUT_LARGE = f"/uploads/.*{LARGE.digest.replace(':', '(:|%3A)')}"


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    """A bundle with WHAT in it."""
    carrier = Carrier(session_sealift, keys.ed25519, tmp_path_factory.mktemp("carried"))
    with Scripted() as vendor:
        vendor.store("team/app", "1.0", WHAT)
        result = carrier.export(vendor)
    assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def server():
    with Scripted() as reg:
        yield reg


def holds(server, what=WHAT, repository="apps/team/app"):
    assert server.manifests[repository, "1.0"].data == what.top.data
    for part in what.manifests():
        assert server.manifests[repository, part.digest] == part, "the exact bytes and the exact type"
    for part in what.all_blobs():
        assert server.blobs[repository, part.digest] == part.data


def good(carrier, server, carried, *more):
    result = carrier.push(server, carried, *more)
    assert result.rc == 0, result
    holds(server)
    return result


def refused(carrier, server, carried, status, *words):
    result = carrier.push(server, carried)
    assert result.rc in (status, PARTLY if status == 5 else status), result
    for word in words:
        assert word in result.err, f"{word!r} expected in {result}"
    assert ("apps/team/app", "1.0") not in server.manifests, "a tag without its parts"
    return result


@pytest.mark.cell("push", "Q")
def test_PSH_01_PSH_02_PSH_03_PSH_04_RULE_1_order_and_types(carrier, server, carried):
    good(carrier, server, carried)
    puts = [r for r in server.asked("PUT", "/manifests/")]
    assert [r.path.rsplit("/", 1)[1] for r in puts] == [*(c.digest for c in WHAT.children), "1.0"]
    assert [r.header("Content-Type") for r in puts] == [m.media_type for m in WHAT.manifests()]
    assert all(int(r.header("Content-Length")) == len(r.body) for r in puts)


@pytest.mark.fault("F-PUT-STATUS")
def test_PSH_05_tag_is_read_back(carrier, server, carried):
    good(carrier, server, carried)
    last = server.journal[-1]
    assert (last.method, last.path) == ("HEAD", "/v2/apps/team/app/manifests/1.0")


@pytest.mark.fault("F-PUT-STATUS")
def test_PSH_05_tag_that_names_something_else(carrier, server, carried):
    put = []
    server.on("PUT", "/manifests/1.0", lambda r, answer: put.append(r) or answer())
    server.on("HEAD", "/manifests/1.0", headers(Docker_Content_Digest="sha256:" + "0" * 64), when=lambda r: put)
    result = carrier.push(server, carried)
    assert result.rc == 4, result
    assert "0" * 64 in result.err and WHAT.digest in result.err


@pytest.mark.fault("F-PUT-STATUS")
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_PSH_05_UPL_15_statuses_of_success(carrier, server, carried, status):
    server.on("PUT", "", change(status=status))
    good(carrier, server, carried)


@pytest.mark.fault("F-PUT-STATUS")
def test_PSH_05_registry_says_it_stored_something_else(carrier, server, carried):
    server.on("PUT", "/manifests/", headers(Docker_Content_Digest="sha256:" + "1" * 64))
    result = carrier.push(server, carried)
    assert result.rc == 4 and "1" * 64 in result.err, result


@pytest.mark.fault("F-PUT-STATUS")
def test_UPL_15_digest_of_another_algorithm_says_nothing(carrier, server, carried):
    server.on("PUT", "/uploads/", headers(Docker_Content_Digest="sha512:" + "1" * 128))
    good(carrier, server, carried)


@pytest.mark.fault("F-PUT-STATUS")
def test_UPL_15_blob_stored_as_something_else(carrier, server, carried):
    server.on("PUT", "/uploads/", headers(Docker_Content_Digest="sha256:" + "1" * 64))
    refused(carrier, server, carried, 4, "1" * 64)


@pytest.mark.cell("push", "Q")
def test_PSH_07_tag_that_is_there(carrier, server, carried):
    good(carrier, server, carried)
    count = len(server.journal)
    good(carrier, server, carried)
    again = server.journal[count:]
    assert not [r for r in again if r.method in ("PUT", "POST")], "a second run writes nothing"
    assert len(again) <= 3 * len(WHAT.manifests())


@pytest.mark.fault("F-IMMUT")
@pytest.mark.parametrize("status, code", [(400, "TAG_INVALID"), (409, "TAG_IMMUTABLE"), (412, "PRECONDITION")])
def test_PSH_07_immutable_tag_is_final(carrier, server, carried, status, code):
    server.on("PUT", "/manifests/1.0", lambda r, answer: error(status, code, "tag is immutable"))
    result = carrier.push(server, carried)
    assert result.rc not in (0, 8) and code in result.err, result
    assert len(server.asked("PUT", "/manifests/1.0")) == 1


# --- blobs ---

@pytest.mark.cell("push", "Q")
def test_UPL_01_UPL_03_UPL_07_UPL_09_one_put_a_blob(carrier, server, carried):
    good(carrier, server, carried)
    for part in WHAT.all_blobs():
        assert len(server.asked("HEAD", f"/blobs/{part.digest}")) >= 1
    posts, puts = server.asked("POST"), server.asked("PUT", "/uploads/")
    assert len(posts) == len(puts) == len(WHAT.all_blobs())
    assert {(r.path, r.header("Content-Length")) for r in posts} == {("/v2/apps/team/app/blobs/uploads/", "0")}
    for request in puts:
        assert request.header("Content-Type") == "application/octet-stream"
        assert request.header("Transfer-Encoding") is None
    assert not server.asked("PATCH")


def test_UPL_01_blob_that_is_there(carrier, server, carried):
    server.blobs["apps/team/app", LARGE.digest] = LARGE.data
    good(carrier, server, carried)
    assert not server.asked("PUT", PUT_LARGE)


@pytest.mark.fault("F-HEAD")
@pytest.mark.parametrize("status", [403, 405, 500])
def test_UPL_01_HEAD_that_does_not_tell(carrier, server, carried, status):
    server.on("HEAD", "/blobs/", say(status))
    good(carrier, server, carried)


def test_UPL_01_another_length_is_not_there(carrier, server, carried):
    server.on("HEAD", f"/blobs/{LARGE.digest}", say(200, b"short"), times=1)
    good(carrier, server, carried)
    assert server.asked("PUT", PUT_LARGE)


@pytest.mark.fault("F-LOC")
def test_UPL_04_no_location(carrier, server, carried):
    server.on("POST", "", headers(Location=None))
    refused(carrier, server, carried, 5, "no upload Location")


@pytest.mark.fault("F-LOC")
def test_UPL_04_201_to_POST_means_there(carrier, server, carried):
    server.on("POST", "", lambda r, answer: Answer(201))
    for part in WHAT.all_blobs():
        server.blobs["apps/team/app", part.digest] = part.data
    server.on("HEAD", "/blobs/", say(404))
    good(carrier, server, carried)


LOCATIONS = {
    "absolute": lambda r, path: "http://" + r.header("Host") + path,
    "path": lambda r, path: path,
    "relative": lambda r, path: path.rsplit("/", 1)[1],
    "scheme-less": lambda r, path: "//" + r.header("Host") + path,
    "upper-case-host": lambda r, path: "HTTP://" + r.header("Host").upper() + path,
    "fragment": lambda r, path: path + "#part",
    "trailing-ampersand": lambda r, path: path + "&",
    "lower-case-escapes": lambda r, path: path.replace("%3D", "%3d"),
    "long": lambda r, path: path + "&more=" + "x" * 6000,
    "no-port": lambda r, path: "http://127.0.0.1" + path,
}


@pytest.mark.fault("F-LOC")
@pytest.mark.parametrize("shape", LOCATIONS)
def test_UPL_05_UPL_06_location(carrier, server, carried, shape):
    server.location = LOCATIONS[shape]
    good(carrier, server, carried)


@pytest.mark.fault("F-LOC")
def test_UPL_05_location_bytes_stay(carrier, server, carried):
    server.location = lambda r, path: path + "&sig=%2B%2f+~&b=2&a=1=="
    good(carrier, server, carried)
    for request in server.asked("PUT", "/uploads/"):
        assert "?_state=A%3D%3D-_&sig=%2B%2f+~&b=2&a=1==&digest=sha256" in request.target


@pytest.mark.fault("F-LOC")
def test_UPL_05_location_at_another_host_gets_no_login(carrier, carried, make_authfile):
    with Scripted(users={"me": "pw"}) as reg, Scripted() as store:
        reg.login = ("me", "pw")
        store.uploads, store.blobs = reg.uploads, reg.blobs
        reg.location = lambda r, path: store.url + path
        result = carrier.push(reg, carried, "--authfile", make_authfile(reg))
        assert result.rc == 0, result
        holds(reg)
        assert len(store.asked("PUT")) == len(WHAT.all_blobs())


@pytest.mark.fault("F-UPREDIR")
def test_UPL_03_redirect_of_an_upload_is_no_GET(carrier, server, carried):
    server.on("POST", "", redirect(301, "/v2/apps/team/app/blobs/uploads"))
    refused(carrier, server, carried, 5, "301")
    assert not server.asked("GET", "/uploads")


# --- interruptions ---

@pytest.mark.fault("F-RST")
def test_UPL_13_RULE_3_reset_while_sending(carrier, server, carried):
    seen = []

    def early(request):
        if request.method == "PUT" and LARGE.digest[7:] in request.target and len(seen) < 3:
            seen.append(request)
            return Answer(0, silent=True, reset=True)
        return None
    server.early = early
    good(carrier, server, carried)
    assert len({r.path for r in server.asked("PUT", PUT_LARGE)}) > 1, "a session in doubt is given up"


@pytest.mark.fault("F-RST")
def test_UPL_13_sessions_are_bounded(carrier, server, carried):
    server.on("PUT", PUT_LARGE, vanish)
    refused(carrier, server, carried, 5, LARGE.digest[:20])
    assert len(server.asked("PUT", PUT_LARGE)) == 4


@pytest.mark.fault("F-COMMIT")
@pytest.mark.parametrize("heard", [vanish, say(502), say(504), lambda r, a: error(404, "BLOB_UPLOAD_UNKNOWN")],
                         ids=["reset", "502", "504", "404"])
def test_UPL_14_committed_though_it_sounded_otherwise(carrier, server, carried, heard):
    server.on("PUT", PUT_LARGE, deed_then(heard))
    good(carrier, server, carried)
    assert len(server.asked("PUT", PUT_LARGE)) == 1


@pytest.mark.fault("F-RST", "F-COMMIT")
@pytest.mark.parametrize("heard", [say(502), say(504), lambda r, a: error(404, "BLOB_UPLOAD_UNKNOWN")],
                         ids=["502", "504", "404"])
def test_UPL_14_UPL_13_not_committed(carrier, server, carried, heard):
    server.on("PUT", PUT_LARGE, heard, times=2)
    good(carrier, server, carried)
    paths = [r.path for r in server.asked("PUT", PUT_LARGE)]
    assert len(paths) == len(set(paths)) == 3, "each time a session of its own"


@pytest.mark.fault("F-CORRUPT-UP")
def test_UPL_16_bytes_spoiled_under_way_once(carrier, server, carried):
    server.on("PUT", PUT_LARGE, lambda r, a: error(400, "DIGEST_INVALID"), times=1)
    good(carrier, server, carried)


@pytest.mark.fault("F-CORRUPT-UP")
def test_UPL_16_bytes_spoiled_always(carrier, server, carried):
    server.on("PUT", PUT_LARGE, lambda r, a: error(400, "DIGEST_INVALID", "provided digest did not match"))
    refused(carrier, server, carried, 5, "DIGEST_INVALID")
    assert len(server.asked("PUT", PUT_LARGE)) == 2


@pytest.mark.fault("F-EXPECT")
def test_UPL_20_an_answer_before_the_body(carrier, server, carried):
    server.early = lambda r: say(413, b"<html>too large</html>", "text/html")(r, None) if (
        r.method == "PUT" and LARGE.digest[7:] in r.target) else None
    refused(carrier, server, carried, 1, "413", "limit")


@pytest.mark.fault("F-HTML")
def test_push_into_a_login_page(carrier, server, carried):
    server.on("*", "/uploads/", html())
    refused(carrier, server, carried, 5, "HTML page")


def test_PSH_16_read_only(carrier, server, carried):
    server.on("POST", "", say(405, b"405 method not allowed"))
    refused(carrier, server, carried, 5, "405", "read-only")


def test_denied(carrier, server, carried):
    server.on("POST", "", lambda r, a: error(403, "DENIED", "requested access to the resource is denied"))
    refused(carrier, server, carried, 6, "DENIED", "requested access", "apps/team/app")
    assert len(server.asked("POST")) <= 4, "a worker asks once"


def test_the_network_breaks_in_a_manifest(carrier, server, carried):
    server.on("PUT", "/manifests/1.0", deed_then(vanish), times=1)
    good(carrier, server, carried)


def test_a_short_answer_to_the_upload(carrier, server, carried):
    server.on("POST", "", lambda r, a: cut(0)(r, a), times=1)
    good(carrier, server, carried)
