"""What is tried again, when, how often, and what is told of it (PROTOCOL 12)."""

import re
import time

import pytest

from support.carry import Carrier
from support.images import image, index, layer
from support.scripted import Answer, Scripted, cut, deed_then, error, headers, html, say, vanish

WHAT = index([image([layer("a", 4_000), layer("b", 9_000)]), image([layer("c", 700)], "linux/arm64")])


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("retry"))
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
    assert server.manifests["apps/team/app", "1.0"].data == WHAT.top.data
    return result


@pytest.mark.fault("F-429")
def test_RTY_01_RTY_02_one_workers_429_is_everybodys(push, server):
    """After the answer no worker asks anything for the second that it named."""
    server.clock = []
    server.on("*", "", lambda r, answer: server.clock.append(time.monotonic()) or answer(), when=lambda r: bool(server.clock))

    def busy(request, answer):
        server.clock.append(time.monotonic())
        return Answer(429, {"Retry-After": "1"})
    server.rules.reverse()
    server.on("POST", "", busy, times=1)
    server.rules.reverse()
    good(server, push(server, "-j4"))
    gaps = [b - a for a, b in zip(server.clock, server.clock[1:])]
    assert max(gaps) > 0.8
    pause = gaps.index(max(gaps))
    assert server.clock[pause] - server.clock[0] < 0.3, "what was under way ended, and then nobody asked"


@pytest.mark.fault("F-429")
@pytest.mark.parametrize("value", ["0", "-1", "abc", "", "Thu, 01 Jan 1970 00:00:00 GMT", "1.5"])
def test_RTY_01_a_Retry_After_that_says_nothing(push, server, value):
    server.on("POST", "", lambda r, a: Answer(503, {"Retry-After": value}), times=1)
    good(server, push(server))


@pytest.mark.fault("F-429")
def test_RTY_01_RTY_10_a_wait_beyond_the_budget_is_not_begun(push, server):
    server.on("POST", "", lambda r, a: Answer(429, {"Retry-After": "999999"}))
    began = time.monotonic()
    result = push(server, "-j1", "--retry-total", "20")
    assert result.rc == 5 and "429" in result.err and time.monotonic() - began < 10, result


def test_RTY_01_a_wait_is_no_longer_than_one_says(push, server):
    server.on("POST", "", lambda r, a: Answer(429, {"Retry-After": "999999"}), times=1)
    began = time.monotonic()
    good(server, push(server, "-j1", "--retry-after-max", "1"))
    assert 0.9 < time.monotonic() - began < 10


def test_RTY_10_every_attempt_is_told(push, server):
    server.on("POST", "", say(503, b"over quota"))
    result = push(server, "-j1", "-v")
    assert result.rc == 5, result
    told = re.findall(r"503 .*attempt (\d) of 4 in \d+\.\d s", result.err)
    assert told[:3] == ["2", "3", "4"], result.err
    assert len(server.asked("POST")) == 4


@pytest.mark.parametrize("status, code", [(400, "TOOMANYREQUESTS"), (403, "TOOMANYREQUESTS"), (404, "UNAVAILABLE"), (429, "X"), (500, "UNKNOWN"),
                                          (408, "X"), (425, "X"), (499, "X"), (502, "X"), (503, "X"), (504, "X"), (520, "X"), (524, "X")])
@pytest.mark.parametrize("where", ["POST", "PUT"])
def test_RTY_04_codes_that_pass(push, server, status, code, where):
    server.on(where, "/uploads/" if where == "POST" else "/manifests/1.0", lambda r, a: error(status, code, "later"), times=2)
    good(server, push(server, "-j1"))


@pytest.mark.parametrize("status, code", [(400, "NAME_INVALID"), (403, "DENIED"), (409, "X"), (415, "X"), (422, "X")])
def test_RTY_04_codes_that_do_not(push, server, status, code):
    server.on("PUT", "/manifests/1.0", lambda r, a: error(status, code, "never"))
    assert push(server).rc not in (0, 8)
    assert len(server.asked("PUT", "/manifests/1.0")) == 1


def test_RTY_05_5xx_for_ever_ends_and_says_why(push, server):
    """As docker-registry of a name that is too long, and Harbor of a project that is missing."""
    server.on("POST", "", lambda r, a: error(500, "UNKNOWN", "project apps not found"))
    result = push(server, "-j1")
    assert result.rc == 5 and "project apps not found" in result.err and "the same answer 3 times" in result.err and len(server.asked("POST")) == 3, result


BODIES = {
    "RTY-06 the usual": (b'{"errors":[{"code":"DENIED","message":"no way","detail":{"a":[1]}}]}', "no way"),
    "RTY-06 errors null": (b'{"errors":null}', "403"),
    "RTY-06 no list": (b'{"code":"DENIED","message":"alone"}', "alone"),
    "RTY-06 details, as Docker Hub": (b'{"details":"not for you"}', "not for you"),
    "RTY-06 error, as token services": (b'{"error":"insufficient","error_description":"scope"}', "insufficient"),
    "RTY-06 XML, as S3": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
    "RTY-06 HTML": (b"<html><body>go away</body></html>", "HTML page"),
    "RTY-06 nothing": (b"", "403"),
    "RTY-06 gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "403"),
    "RTY-06 no UTF-8": (b'{"errors":[{"code":"DENIED","message":"\xff\xfe bad"}]}', "403"),
    "RTY-06 escapes of a terminal": (b'{"errors":[{"code":"DENIED","message":"\x1b[31mred\x1b]0;t\x07"}]}', "403"),
    "RTY-06 escapes in JSON": (b'{"errors":[{"code":"DENIED","message":"\\u001b[31mred"}]}', "red"),
    "RTY-06 NUL": (b"a\0b", "403"),
    "RTY-06 cut JSON": (b'{"errors":[{"code":"DEN', "403"),
    "RTY-06 ten million bytes": (b"x" * 10_000_000, "403"),
    "RTY-06 deep": (b'{"errors":' + b"[" * 5000, "403"),
}


@pytest.mark.fault("F-ERR")
@pytest.mark.parametrize("shape", BODIES)
def test_what_an_error_may_hold(push, server, shape):
    body, words = BODIES[shape]
    server.on("POST", "", say(403, body, "application/json"))
    result = push(server, "-j1")
    assert result.rc == 6 and words in result.err and len(result.err) < 2000, result
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", result.err), "nothing that a terminal would obey"


@pytest.mark.fault("F-WARN")
def test_RTY_07_warnings_once(push, server):
    server.on("*", "", lambda r, answer: _warned(answer()))
    result = good(server, push(server))
    assert result.err.count("this registry closes on \"Friday\"") == 1, result.err
    assert result.err.count("second one") == 1 and "miscellaneous" not in result.err
    assert "\x1b" not in result.err


def _warned(answer):
    answer.raw = ('Warning: 299 - "this registry closes on \\"Friday\\""', 'Warning: 299 - "second one \x1b[31m"',
                  'Warning: 199 - "miscellaneous"', "Warning: 299", 'Warning: 299 - "')
    return answer


@pytest.mark.fault("F-HTML")
@pytest.mark.parametrize("method, path", [("GET", "^/v2/$"), ("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/")])
def test_RTY_08_a_page_is_no_answer(push, server, method, path):
    server.on(method, path, html())
    result = push(server, "-j1")
    assert result.rc in (5, 8) and "HTML page" in result.err, result


def test_RTY_03_what_may_be_sent_twice(push, server):
    """POST and the PUT of a manifest are, when nobody knows whether they arrived."""
    server.on("POST", "", deed_then(vanish), times=1)
    server.on("PUT", "/manifests/1.0", deed_then(lambda r, a: cut(0)(r, lambda: Answer(201))), times=1)
    good(server, push(server))


@pytest.mark.fault("F-429")
@pytest.mark.cell("limits", "Q")
@pytest.mark.parametrize("left, told", [("7;w=21600", True), ("0;w=21600", True), ("99;w=21600", False), ("text", False), ("", False)])
def test_RTY_09_MAN_13_what_is_left_of_a_limit(sealift, keys, tmp_path, left, told):
    """As Docker Hub, which counts the GETs of manifests: told once, while a few are left."""
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        source.on("GET", "/manifests/", headers(RateLimit_Limit="100;w=21600", RateLimit_Remaining=left))
        result = carrier.export(source)
        assert result.rc == 0, result
        assert result.err.count(f"{left.split(';')[0]} of 100 requests") == (1 if told else 0), result.err


@pytest.mark.fault("F-429")
@pytest.mark.cell("limits", "Q")
def test_MAN_13_a_limit_that_is_reached_says_what_helps(sealift, keys, tmp_path):
    """Both kinds of 429: of pulls, which a login raises, and of too many at a time."""
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        source.on("GET", "/manifests/", lambda r, a: error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit."))
        result = carrier.export(source)
        assert result.rc == 5 and "pull rate limit" in result.err and "log in" in result.err, result
