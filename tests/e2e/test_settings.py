"""What a person says of one registry for good (PROTOCOL 21): each setting is seen in what a registry hears."""

import json
import os
import threading

import pytest

from support.artifacts import artifact, cosign, cosign_tag, fallback_tag
from support.carry import Carrier, member
from support.images import image, layer
from support.scripted import Answer, Scripted, error, say

MIB = 1 << 20
LARGE = layer("large", 6 * MIB)
APP = image([layer("one", 3_000), LARGE])
SBOM, SIGNATURE = artifact("application/spdx+json", [b"{}"], subject=APP), cosign(APP)


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def server():
    with Scripted() as registry:
        registry.store("team/app", "1.0", APP)
        yield registry


@pytest.fixture
def target():
    with Scripted() as registry:
        yield registry


@pytest.fixture
def said(tmp_path):
    def write(server, **rows):
        path = tmp_path / "settings.yaml"
        path.write_text("registries:\n  %s:\n" % server.host + "".join(f"    {k.replace('_', '-')}: {v}\n" for k, v in rows.items()))
        return "--config", str(path)
    return write


@pytest.fixture
def bundle(carrier, server):
    assert carrier.export(server).rc == 0
    return carrier.bundle


def attach(server, *, listed=(), tagged=()):
    server.referrers = bool(listed)
    for one in listed:
        server.store("team/app", one.digest, one)
    for tag, one in tagged:
        server.store("team/app", tag, one)


def patches(target):
    return [len(r.body) for r in target.asked("PATCH")]


def test_UPL_10_chunk_size(carrier, bundle, target, said):
    assert carrier.push(target, bundle, "-j", "1", *said(target, upload="patch-chunk", chunk_size=MIB)).rc == 0
    assert max(patches(target)) == MIB and sum(patches(target)) == sum(b.size for b in APP.all_blobs())


def test_UPL_12_a_chunk_size_that_is_too_large_is_learnt_and_told(carrier, bundle, target, said):
    target.on("PATCH", "", say(413), when=lambda r: len(r.body) > MIB)
    result = carrier.push(target, bundle, "-j", "1", *said(target, upload="patch-chunk"))
    assert result.rc == 0 and result.err.count("UPL-12") == 1 and '"chunk-size: BYTES" under registries in --config' in result.err, result


@pytest.mark.parametrize("word, api, lists, found", [
    ("auto", True, True, {"api", "tag"}), ("api", True, False, {"api"}), ("tag", False, True, {"tag"}), ("off", False, False, set())])
def test_RFR_01_where_is_looked_for_what_refers_to_an_image(carrier, server, said, word, api, lists, found):
    attach(server, listed=[SBOM], tagged=[(cosign_tag(APP), SIGNATURE)])
    result = carrier.export(server, *said(server, referrers=word), url=f"http://{server.host}")
    assert result.rc == 0, result
    assert bool(server.asked("GET", "/referrers/")) == api and bool(server.asked("GET", "/tags/list")) == lists
    image = json.loads(member(carrier.bundle, "bundle/inventory.json"))["images"][0]
    assert {r["via"].partition(":")[0] for r in image["referrers"]} == found


@pytest.mark.parametrize("word, sent, listed", [("auto", True, True), ("api", True, False), ("off", False, False)])
def test_RFR_05_what_refers_to_an_image_at_the_far_side(carrier, server, target, said, word, sent, listed):
    attach(server, listed=[SBOM])
    assert carrier.export(server).rc == 0
    assert carrier.push(target, carrier.bundle, *said(target, referrers=word)).rc == 0
    assert (("apps/team/app", SBOM.digest) in target.manifests) == sent
    assert (("apps/team/app", fallback_tag(APP)) in target.manifests) == listed


def test_MAN_14_max_manifest_of_a_source(carrier, server, said):
    server.store("team/app", "1.0", image([layer(f"w{i}", 100) for i in range(12)]))
    carrier.failed(carrier.export(server, *said(server, max_manifest=1024), url=f"http://{server.host}"), 1, "1024")


def test_MAN_14_max_manifest_of_a_destination(carrier, server, target, said):
    wide = image([layer(f"w{i}", 100) for i in range(12)])
    server.store("team/app", "1.0", wide)
    assert carrier.export(server).rc == 0
    result = carrier.push(target, carrier.bundle, *said(target, max_manifest=1024))
    assert result.rc == 1 and "as max-manifest says" in result.err and not target.asked("PUT"), result


def test_RTY_10_attempts_of_one_registry(carrier, bundle, target, said, sealift, keys):
    target.on("POST", "", say(503))
    words = ("push", bundle, f"{target.host}/apps", *keys.ed25519.trusting(), "--plain-http", "--retry-wait", "10", "--no-progress", "-j", "1")
    assert sealift(*words, *said(target, retry_max=1)).rc == 5
    assert len(target.asked("POST")) == 2
    assert sealift(*words, *said(target, retry_max=1), "--retries", "2").rc == 5
    assert len(target.asked("POST")) == 2 + 3, "an option is stronger"


def test_RTY_10_time_of_one_registry(carrier, bundle, target, said):
    target.on("POST", "", lambda r, a: Answer(429, {"Retry-After": "30"}))
    assert carrier.push(target, bundle, "-j", "1", *said(target, retry_total=5)).rc == 5
    assert len(target.asked("POST")) == 1, "a wait beyond the time is not begun"


def test_UPL_25_requests_at_the_same_time(carrier, server, said):
    """However many workers there are, one registry sees no more at once than it is said to take."""
    many = image([layer(f"m{i}", 2_000) for i in range(24)])
    server.store("team/app", "1.0", many)
    now, most, lock = [0], [0], threading.Lock()

    def count(request, answer):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.wait(0.02)
        with lock:
            now[0] -= 1
        return answer()
    gate = threading.Event()
    server.on("GET", "/blobs/", count)
    assert carrier.export(server, "-j", "8", *said(server, parallel=2), url=f"http://{server.host}").rc == 0
    assert most[0] == 2
    most[0] = 0
    os.remove(carrier.bundle)
    assert carrier.export(server, "-j", "8").rc == 0
    assert most[0] > 2, "the judge sees more where nothing is said"


def test_PSH_08_a_command_that_makes_repositories(carrier, bundle, target, said, tmp_path):
    target.on("POST", "", lambda r, a: error(404, "NAME_UNKNOWN"), when=lambda r: not (tmp_path / "made").exists())
    result = carrier.push(target, bundle, *said(target, on_missing_repo=f"'touch {tmp_path}/made; :'"))
    assert result.rc == 0 and (tmp_path / "made").exists(), result


@pytest.mark.parametrize("rows, words", [
    ({"sparse": "rewrite"}, ["sparse", "expected fail"]), ({"chunk_size": 10}, ["chunk-size", "from 65536"]),
    ({"parallel": 0}, ["parallel", "from 1 to 64"]), ({"retry_max": "many"}, ["retry-max", "many"]),
    ({"referrers": "no"}, ["referrers", "expected auto"]), ({"max_manifest": 2 ** 40}, ["max-manifest"])])
def test_values_that_are_none(carrier, server, said, rows, words):
    carrier.failed(carrier.export(server, *said(server, **rows)), 2, "settings.yaml", "line 3", *words)
