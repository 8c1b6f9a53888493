"""Getting images out of registries that are slow, broken, moved and odd (PROTOCOL 6, 7)."""

import gzip
import json

import pytest

from support.carry import HOST, REF, Carrier, blobs, carries, member
from support.images import (DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, blob, image, index,
                            layer, sha256)
from support.scripted import (Answer, Listener, Scripted, change, cut, headers, redirect, say)

SMALL, LARGE = layer("small", 5_000), layer("large", 400_000)


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def app():
    return image([SMALL, LARGE])


@pytest.fixture
def server(app):
    with Scripted() as reg:
        reg.store("team/app", "1.0", app)
        yield reg


def good(carrier, result, what):
    assert result.rc == 0, result
    assert carries(carrier.bundle, what)


@pytest.mark.cell("pull", "Q")
def test_RULE_1_RULE_2_PLT_01_MAN_06_whole_index_byte_for_byte(carrier):
    what = index([image([SMALL, LARGE]), image([SMALL, layer("arm", 9_000)], "linux/arm64")])
    with Scripted() as reg:
        reg.store("team/app", "1.0", what)
        good(carrier, carrier.export(reg), what)
        assert len(reg.asked("GET", "/manifests/1.0$")) == 1
        for part in what.all_blobs():
            assert len(reg.asked("GET", part.digest)) == 1, "a shared blob is fetched once"


@pytest.mark.cell("resolve", "Q")
@pytest.mark.cell("pull", "Q")
def test_PLT_01_one_platform_is_its_own_manifest(carrier):
    arm = image([SMALL, layer("arm", 9_000)], "linux/arm64")
    with Scripted() as reg:
        reg.store("team/app", "1.0", index([image([SMALL, LARGE]), arm]))
        good(carrier, carrier.export(reg, "--platform", "linux/arm64"), arm)
        assert LARGE.digest not in blobs(carrier.bundle)


@pytest.mark.fault("F-ACCEPT")
@pytest.mark.cell("resolve", "Q")
def test_MAN_01_every_type_is_asked_for(carrier, server, app):
    good(carrier, carrier.export(server), app)
    for request in server.asked("GET", "/manifests/"):
        for media_type in (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX):
            assert media_type in request.header("Accept")


@pytest.mark.fault("F-CT")
@pytest.mark.cell("resolve", "Q")
@pytest.mark.parametrize("content_type, ok", [
    (OCI_MANIFEST + "; charset=utf-8", True), (OCI_MANIFEST.upper(), True), ("text/plain", True),
    ("application/json", True), (None, True), (OCI_INDEX, False), (DOCKER_MANIFEST, False)])
def test_MAN_03_content_type(carrier, server, app, content_type, ok):
    server.on("GET", "/manifests/1.0", headers(Content_Type=content_type))
    result = carrier.export(server)
    if ok:
        good(carrier, result, app)
    else:
        carrier.failed(result, 1, "team/app")


@pytest.mark.fault("F-CT")
@pytest.mark.cell("resolve", "Q")
def test_MAN_03_a_digest_vouches_for_the_document(carrier, server, app):
    """Asked for by digest, a manifest's own word counts, whatever the wire says of it."""
    server.on("GET", f"/manifests/{app.top.digest}", headers(Content_Type=DOCKER_MANIFEST))
    good(carrier, carrier.export(server, ref=f"{REF}@{app.top.digest}"), app)


@pytest.mark.fault("F-CT")
def test_MAN_04_ambiguous_document(carrier, server, app):
    both = json.loads(app.top.data)
    both["manifests"] = []
    server.manifests["team/app", "1.0"] = blob(json.dumps(both).encode(), OCI_MANIFEST)
    carrier.failed(carrier.export(server), 1, "team/app")


@pytest.mark.cell("resolve", "Q")
def test_MAN_05_other_bytes_under_a_digest(carrier, server, app):
    other = app.top.data + b"\n"
    server.on("GET", "/manifests/sha256:", change(body=other))
    carrier.failed(carrier.export(server, ref=f"{HOST}/team/app@{app.digest}"), 4, app.digest, sha256(other))


@pytest.mark.fault("F-DCD")
@pytest.mark.cell("resolve", "Q")
@pytest.mark.parametrize("value, ok", [
    (None, True), ("", True), ("nonsense", True), ('"sha256:' + "0" * 64 + '"', True), ("0" * 64, True),
    ("SHA256:" + "A" * 64, True), ("sha512:" + "0" * 128, True), ("sha256:" + "0" * 64, False)])
def test_MAN_05_docker_content_digest(carrier, server, app, value, ok):
    server.on("GET", "/manifests/1.0", headers(Docker_Content_Digest=value))
    result = carrier.export(server)
    if ok:
        good(carrier, result, app)
    else:
        carrier.failed(result, 4, "Docker-Content-Digest")


@pytest.mark.cell("pull", "Q")
def test_MAN_07_MAN_08_RULE_1_no_media_type_and_odd_bytes(carrier, server, app):
    document = json.loads(app.top.data)
    del document["mediaType"]
    odd = ("\n \t" + json.dumps(document, indent=3) + "\n\n").encode()
    odd = odd.replace(b'"layers"', b'"unknown": [1.0, 1e3, "\\u003c"],\r\n "layers"')
    top = blob(odd, OCI_MANIFEST)
    server.manifests["team/app", "1.0"] = top
    assert carrier.export(server).rc == 0
    assert blobs(carrier.bundle)[top.digest] == odd
    listed = json.loads(member(carrier.bundle, "index.json"))["manifests"]
    assert [m["mediaType"] for m in listed if m["digest"] == top.digest] == [OCI_MANIFEST]


# --- redirects ---

@pytest.mark.fault("F-REDIR")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_DL_01_DL_02_redirected_to_another_host(carrier, server, app, status):
    with Scripted() as store:
        store.blobs = server.blobs
        server.on("GET", "/blobs/", redirect(status, lambda r: store.url + r.target))
        good(carrier, carrier.export(server), app)
        assert len(store.asked("GET")) == len(app.all_blobs())
        assert {r.method for r in store.journal} == {"GET"}


@pytest.mark.fault("F-REDIR")
def test_DL_01_manifests_are_redirected_too(carrier, server, app):
    with Scripted() as other:
        other.manifests, other.blobs = server.manifests, server.blobs
        server.on("GET", "/manifests/", redirect(307, lambda r: other.url + r.target))
        good(carrier, carrier.export(server), app)
        assert OCI_INDEX in other.asked("GET", "/manifests/")[0].header("Accept")


@pytest.mark.fault("F-REDIR")
def test_DL_02_login_stays_at_home(carrier, app, tmp_path, make_authfile):
    with Scripted(users={"me": "pw"}) as reg, Scripted() as store:
        reg.login = ("me", "pw")
        reg.store("team/app", "1.0", app)
        store.blobs = reg.blobs
        reg.on("GET", "/blobs/", redirect(307, lambda r: store.url + r.target), when=lambda r: r.login)
        good(carrier, carrier.export(reg, "--authfile", make_authfile(reg)), app)
        assert store.asked("GET") and not [r for r in store.journal if r.header("Authorization")]


@pytest.mark.fault("F-REDIR")
def test_DL_03_the_bytes_of_a_location_stay(carrier, server, app):
    class Store(Listener):
        def decide(self, request):
            digest = "sha256:" + request.path.rsplit("/", 1)[1]
            return Answer(200, {}, server.blobs["team/app", digest])

    signed = "?sig=%2B%2f+%7E~&b=2&a=1=="
    with Store() as store:
        server.on("GET", "/blobs/", redirect(
            302, lambda r: f"{store.url}/a%2Fb/../c/./{r.path.rsplit(':', 1)[1]}{signed}"))
        good(carrier, carrier.export(server), app)
        for request in store.journal:
            assert request.target.startswith("/a%2Fb/../c/./") and request.target.endswith(signed)


@pytest.mark.fault("F-REDIR")
def test_DL_03_range_is_asked_of_every_hop(carrier, server, app):
    with Scripted() as store:
        store.blobs = server.blobs
        server.on("GET", "/blobs/", redirect(307, lambda r: store.url + r.target))
        store.on("GET", LARGE.digest, cut(100_000), times=1)
        good(carrier, carrier.export(server), app)
        assert store.asked("GET", LARGE.digest)[1].header("Range") == "bytes=100000-"


@pytest.mark.fault("F-REDIR")
@pytest.mark.parametrize("target, word", [
    (lambda s: s.url + "/v2/team/app/manifests/1.0", "redirects"), (lambda s: "file:///etc/passwd", "redirect"),
    (lambda s: "ftp://127.0.0.1/x", "redirect"), (lambda s: f"http://user:pw@{s.host}/x", "user name"),
    (lambda s: None, "Location")])
def test_DL_01_redirects_that_are_not_followed(carrier, server, target, word):
    url = target(server)
    server.on("GET", "/manifests/", redirect(302, url) if url else say(302))
    carrier.failed(carrier.export(server), 5, word)
    assert len(server.journal) <= 12


# --- transfers that break ---

def test_DL_07_resumed_at_the_registrys_own_address(carrier, server, app):
    with Scripted() as first, Scripted() as second:
        first.blobs = second.blobs = server.blobs
        stores = iter([first, second])
        server.on("GET", LARGE.digest, redirect(307, lambda r: next(stores).url + r.target))
        first.on("GET", LARGE.digest, cut(123_456))
        good(carrier, carrier.export(server), app)
        assert [r.header("Range") for r in second.asked("GET", LARGE.digest)] == ["bytes=123456-"]


@pytest.mark.fault("F-TRUNC")
@pytest.mark.parametrize("count", [0, 1, 200_000])
@pytest.mark.parametrize("reset", [False, True])
def test_DL_08_DL_15_broken_connection(carrier, server, app, count, reset):
    server.on("GET", LARGE.digest, cut(count, reset), times=1)
    good(carrier, carrier.export(server), app)
    ranges = [r.header("Range") for r in server.asked("GET", LARGE.digest)]
    assert len(ranges) == 2 and (ranges[1] or "bytes=0-") == f"bytes={count}-" or reset


@pytest.mark.fault("F-RANGE")
def test_DL_08_never_asks_for_a_range_at_the_end(carrier, server, app):
    server.on("GET", LARGE.digest, change(length=len(LARGE.data) + 1, cut=len(LARGE.data)), times=1)
    good(carrier, carrier.export(server), app)
    assert f"bytes={len(LARGE.data)}-" not in [r.header("Range") for r in server.journal]


@pytest.mark.fault("F-RANGE")
@pytest.mark.parametrize("bad", [
    say(200, LARGE.data), headers(Content_Range=None), headers(Content_Range="bytes 0-9/10"),
    headers(Content_Range="bytes 100001-400000/400001"), headers(Content_Type="multipart/byteranges", Content_Range=None),
    say(416)], ids=["200", "no-range", "start-0", "start-later", "multipart", "416"])
def test_DL_09_a_range_that_is_not_honoured(carrier, server, app, bad):
    server.on("GET", LARGE.digest, cut(100_000), times=1)
    server.on("GET", LARGE.digest, bad, times=1, when=lambda r: r.header("Range"))
    good(carrier, carrier.export(server), app)


@pytest.mark.fault("F-RANGE")
def test_DL_09_total_may_be_unknown(carrier, server, app):
    server.on("GET", LARGE.digest, cut(100_000), times=1)
    server.on("GET", LARGE.digest, headers(Content_Range=f"bytes 100000-{len(LARGE.data) - 1}/*"))
    good(carrier, carrier.export(server), app)
    assert len(server.asked("GET", LARGE.digest)) == 2


def flipped(data, at=1000):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


@pytest.mark.fault("F-CORRUPT")
def test_DL_11_wrong_bytes_once(carrier, server, app):
    server.on("GET", LARGE.digest, change(body=flipped(LARGE.data)), times=1)
    good(carrier, carrier.export(server), app)
    assert [r.header("Range") for r in server.asked("GET", LARGE.digest)] == [None, None]


@pytest.mark.fault("F-CORRUPT", "F-OVERSIZE")
@pytest.mark.parametrize("body", [flipped(LARGE.data), LARGE.data + b"x", LARGE.data * 3], ids=["flip", "one-more", "thrice"])
def test_DL_11_RULE_2_wrong_bytes_always(carrier, server, body):
    server.on("GET", LARGE.digest, change(body=body))
    carrier.failed(carrier.export(server), 4, LARGE.digest)
    assert len(server.asked("GET", LARGE.digest)) == 2


@pytest.mark.fault("F-ENC")
def test_DL_12_nothing_is_decoded(carrier, server, app):
    server.on("GET", "/blobs/", headers(Content_Encoding="gzip"))
    good(carrier, carrier.export(server), app)


@pytest.mark.fault("F-ENC")
def test_DL_12_compressed_under_way(carrier, server):
    server.on("GET", "/blobs/", lambda r, answer: Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(answer().body)))
    carrier.failed(carrier.export(server), 4)


@pytest.mark.fault("F-TRUNC")
@pytest.mark.parametrize("fault", [dict(length=None, cut=1000), dict(chunked=True, cut=1000), dict(cut=1000)],
                         ids=["no-length", "broken-chunk", "length"])
def test_DL_15_cut_short_every_time(carrier, server, fault):
    server.on("GET", LARGE.digest, change(**fault), when=lambda r: not r.header("Range"))
    server.on("GET", LARGE.digest, say(416))
    carrier.failed(carrier.export(server), 5, LARGE.digest[:20])


@pytest.mark.fault("F-TRUNC")
@pytest.mark.parametrize("fault", [dict(length=None), dict(chunked=True)], ids=["no-length", "chunked"])
def test_DL_15_no_length_and_all_there(carrier, server, app, fault):
    server.on("GET", "/blobs/", change(**fault))
    good(carrier, carrier.export(server), app)


@pytest.mark.fault("F-429")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_RTY_busy_for_a_while(carrier, server, app, status):
    server.on("GET", "/manifests/1.0", say(status), times=2)
    server.on("GET", "/blobs/", say(status), times=2)
    good(carrier, carrier.export(server), app)


def test_RTY_bounded(carrier, server):
    server.on("GET", "/manifests/", say(503, b"gone fishing"))
    carrier.failed(carrier.export(server), 5, "503", "gone fishing")
    assert len(server.journal) == 4


def test_missing_tag(carrier, server):
    carrier.failed(carrier.export(server, ref=f"{HOST}/team/app:9"), 7, "team/app", "MANIFEST_UNKNOWN")


@pytest.mark.cell("resolve", "Q")
def test_REF_05_REF_03_by_digest_only(carrier, server, app):
    server.manifests.pop(("team/app", "1.0"))
    good(carrier, carrier.export(server, ref=f"{REF}@{app.digest}"), app)
    assert not server.asked("GET", "/manifests/1.0")
