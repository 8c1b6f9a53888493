"""A push, and the same again, into every registry that tests/support/personas.py describes."""

import pytest

from support.carry import Carrier
from support.images import image, index, layer
from support.personas import PERSONAS
from support.scripted import Scripted

WHAT = index([image([layer("a", 4_000), layer("b", 6_000_000)]), image([layer("c", 700)], "linux/arm64")])


@pytest.fixture(scope="module")
def carried(session_sealift, keys, tmp_path_factory):
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("personas"))
    with Scripted() as source:
        source.store("team/app", "1.0", WHAT)
        source.store("team/web", "1.0", WHAT.children[0])
        result = carrier.export(source, "--image", "registry.test/team/web:1.0")
        assert result.rc == 0, result
    return carrier.bundle


@pytest.mark.parametrize("who", PERSONAS, ids=lambda p: p.name)
def test_UPL_07_PSH_19_a_push_and_the_same_again(sealift, keys, tmp_path, carried, who):
    carrier = Carrier(sealift, keys.p256, tmp_path)
    with Scripted() as server:
        who.apply(server)
        result = carrier.push(server, carried)
        assert result.rc == 0, result
        assert server.manifests["apps/team/app", "1.0"].data == WHAT.top.data
        for part in WHAT.all_blobs():
            assert server.blobs["apps/team/app", part.digest] == part.data
        before = len(server.journal)
        again = carrier.push(server, carried)
        assert again.rc == 0, again
        assert {r.method for r in server.journal[before:]} <= {"GET", "HEAD"}, "a second run writes nothing"
