"""A push, the same again, a pull, and what is refused, at every registry that tests/support/personas.py describes."""

import pytest

from support.carry import Carrier, carries
from support.images import image, index, layer
from support.personas import LOGIN, PERSONAS, Hosted, persona
from support.scripted import Scripted, say

WHAT = index([image([layer("a", 4_000), layer("b", 6_000_000)]), image([layer("c", 700)], "linux/arm64")])
REFUSALS = [(who, at) for who in PERSONAS for at in range(len(who.refusals))]
pytestmark = pytest.mark.cell("push", "Q")


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("personas"))
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        source.store("team/web", "1.0", WHAT.children[0])
        result = carrier.export(source, "--image", "registry.test/team/web:1.0")
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.p256, tmp_path)


@pytest.mark.cell("push again", "Q")
@pytest.mark.parametrize("who", [p for p in PERSONAS if p.pushes], ids=lambda p: p.name)
def test_UPL_07_PSH_19_a_push_and_the_same_again(carrier, tmp_path, carried, who):
    with Hosted(who) as server:
        result = carrier.push(server, carried, *server.words(tmp_path))
        assert result.rc == 0, result
        assert server.manifests["apps/team/app", "1.0"].data == WHAT.top.data
        for part in WHAT.all_blobs():
            assert server.blobs["apps/team/app", part.digest] == part.data
        assert server.manifests["apps/team/web", "1.0"].data == WHAT.children[0].top.data
        before = len(server.journal)
        again = carrier.push(server, carried, *server.words(tmp_path))
        assert again.rc == 0, again
        assert {r.method for r in server.journal[before:]} <= {"GET", "HEAD"}, "a second run writes nothing"
        assert LOGIN[1] not in result.out + result.err


@pytest.mark.cell("pull", "Q")
@pytest.mark.cell("resolve", "Q")
@pytest.mark.parametrize("by", ["tag", "digest"])
@pytest.mark.parametrize("who", PERSONAS, ids=lambda p: p.name)
def test_RULE_1_DL_02_a_pull(carrier, tmp_path, who, by):
    """The same bytes; where blobs are at another host, no login goes there (support.scripted checks it of every run)."""
    with Hosted(who) as server:
        server.store("team/app", "1.0", WHAT)
        login = server.words(tmp_path) if who.auth == "basic" else ()
        result = carrier.export(server, *login, ref="registry.test/team/app" + (":1.0" if by == "tag" else "@" + WHAT.digest))
        assert result.rc == 0 and carries(carrier.bundle, WHAT), result


@pytest.mark.cell("login", "Q")
@pytest.mark.parametrize("who", [p for p in PERSONAS if p.auth != "nothing"], ids=lambda p: p.name)
def test_TOK_22_BAS_03_a_wrong_login_is_denied_and_named(carrier, tmp_path, carried, who):
    with Hosted(who) as server:
        words = server.words(tmp_path)
        for users in (server.users, server.bearer.users if server.bearer else None):
            if users:
                users[LOGIN[0]] = "another"
        result = carrier.push(server, carried, *words)
        assert result.rc == 6 and LOGIN[1] not in result.err, result
        assert not server.asked("PUT")


@pytest.mark.fault("F-NOREPO", "F-IMMUT", "F-SPARSE")
@pytest.mark.parametrize("who, at", REFUSALS, ids=[f"{who.name}: {who.refusals[at].name}" for who, at in REFUSALS])
def test_PSH_07_PSH_08_what_is_refused_is_said_with_its_reason(carrier, tmp_path, carried, who, at):
    refusal = who.refusals[at]
    with Hosted(who, refusing=at) as server:
        result = carrier.push(server, carried, *server.words(tmp_path))
        assert result.rc == refusal.status, result
        assert all(word in result.err for word in refusal.words), result
        assert ("apps/team/app", "1.0") not in server.manifests, "nothing has its tag that was refused"
        assert len(server.journal) < 120, "in bounded time"


def test_PSH_16_k8s_is_read_only(carrier, carried):
    with Hosted(persona("k8s")) as server:
        server.on("POST", "", say(405))
        result = carrier.push(server, carried)
        assert result.rc == 5 and "read-only" in result.err, result
