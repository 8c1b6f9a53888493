"""Files that travel beside the images, and what a bundle says of itself: judged by tarfile and hashlib."""

import hashlib
import json
import os
import tarfile

import pytest

from support import reader
from support.carry import REF, Carrier, member
from support.images import image, layer
from support.scripted import Answer, Scripted

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}


@pytest.fixture
def server():
    with Scripted() as scripted:
        scripted.store("team/app", "1.0", image([layer("first", 20_000), layer("second", 512)]))
        yield scripted


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.p256, tmp_path)


def inventory(bundle):
    return json.loads(member(bundle, "bundle/inventory.json"))


def exported(carrier, server, *more, **kw):
    result = carrier.export(server, *more, **kw)
    assert result.rc == 0, result
    return inventory(carrier.bundle)


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def layers_of(server):
    made = image([layer("first", 20_000), layer("second", 512)])
    return {b.digest: b.data for b in made.all_blobs()}


# ---- files ---------------------------------------------------------------------------------

def test_files_are_carried_byte_for_byte_behind_the_layers(carrier, server, keys, sealift, tmp_path):
    driver = os.urandom(3_000_001)
    twin = layer("first", 20_000).data
    given = {"values.yaml": b"a: 1\r\n", "driver.run": driver, "empty": b"", "same.yml": b"a: 1\r\n", "layer.tgz": twin,
             "x.json": b"{}", "setup.sh": b"#!/bin/sh\n"}
    paths = [write(tmp_path / f"in{i}" / name, data) for i, (name, data) in enumerate(given.items())]
    link = tmp_path / "linked.bin"
    link.symlink_to(paths[1])
    said = exported(carrier, server, *(a for p in [*paths, link] for a in ("--file", p)))
    given["linked.bin"] = driver

    assert [f["name"] for f in said["files"]] == sorted(given)
    types = {f["name"]: f["mediaType"] for f in said["files"]}
    assert types["values.yaml"] == types["same.yml"] == "application/yaml"
    assert (types["x.json"], types["setup.sh"]) == ("application/json", "text/x-shellscript")
    assert types["driver.run"] == types["empty"] == "application/octet-stream"
    with tarfile.open(carrier.bundle) as tar:
        names = tar.getnames()
        for f in said["files"]:
            data = tar.extractfile("blobs/sha256/" + f["blob"].partition(":")[2]).read()
            assert data == given[f["name"]] and f["size"] == len(data)
            assert hashlib.sha256(data).hexdigest() == f["blob"].partition(":")[2]
    assert len(set(names)) == len(names)
    layers = [names.index("blobs/sha256/" + d[7:]) for d in layers_of(server)]
    own = [names.index("blobs/sha256/" + hashlib.sha256(d).hexdigest()) for d in (driver, b"", b"a: 1\r\n")]
    assert min(own) > max(layers)
    assert sealift.ok("verify", carrier.bundle, *keys.p256.trusting())
    with open(carrier.bundle, "rb") as f:
        assert reader.verdict(f.read(), keys.p256.public) == "good"


def test_the_order_of_arguments_changes_no_byte(carrier, server, tmp_path):
    a, b = write(tmp_path / "a", b"1"), write(tmp_path / "b", b"2")
    labels = ("--label", "x=1"), ("--label", "a=2")
    first = exported(carrier, server, "--file", a, "--file", b, *labels[0], *labels[1], env=EPOCH)
    os.remove(carrier.bundle)
    again = exported(carrier, server, "--file", b, *labels[1], "--file", a, *labels[0], env=EPOCH)
    assert json.dumps(first) == json.dumps(again)


def test_a_release_names_files_in_its_own_folder(carrier, server, sealift, tmp_path):
    write(tmp_path / "shop/values.yaml", b"shop: {}\n")
    far = write(tmp_path / "far/driver-2.1.run", b"driver")
    release = write(tmp_path / "shop/shop.yaml", f"""
release: shop
parameters: {{v: {{default: "2.1"}}}}
images: [{{ref: "{REF}"}}]
files: [values.yaml, "{tmp_path}/far/driver-${{v}}.run"]
""".encode())
    other = tmp_path / "elsewhere"
    other.mkdir()
    result = sealift("export", os.path.relpath(release, other), "--release-version", "1", "--mirror",
                     f"registry.test={server.url}", *carrier.keys.signing(), "-o", carrier.bundle, cwd=other)
    assert result.rc == 0, result
    assert [f["name"] for f in inventory(carrier.bundle)["files"]] == ["driver-2.1.run", "values.yaml"]
    assert str(tmp_path).encode() not in open(carrier.bundle, "rb").read(), "a path of this machine travels"
    far.unlink()
    missing = sealift("plan", release, "--mirror", f"registry.test={server.url}")
    assert missing.rc == 7 and "driver-2.1.run" in missing.err, missing


@pytest.mark.parametrize("name", [".hidden", "-rf", "dot.", "a b", "ä", "nul", "Con.txt", "COM1.log", "x" * 101, "a:b",
                                  "new\nline"])
def test_a_name_that_may_not_travel_is_refused(carrier, server, tmp_path, name):
    path = write(tmp_path / "in" / name, b"x")
    carrier.failed(carrier.export(server, "--file", path), 2, "letters, digits")
    assert not server.journal


def test_two_of_one_name_are_refused(carrier, server, tmp_path):
    for other in ("a.yaml", "A.YAML"):
        first, second = write(tmp_path / "1" / "a.yaml", b"1"), write(tmp_path / "2" / other, b"2")
        carrier.failed(carrier.export(server, "--file", first, "--file", second), 2, "case")
    assert not server.journal


def test_what_is_no_plain_file_is_refused_at_once(carrier, server, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "folder", "device"):
        carrier.failed(carrier.export(server, "--file", tmp_path / name), 2, "plain file", name)
    carrier.failed(carrier.export(server, "--file", tmp_path / "none"), 7, "none")
    carrier.failed(carrier.export(server, "--file", f"{tmp_path}/"), 2)


@pytest.mark.parametrize("change", [lambda p: p.write_bytes(b"Y" * 9000), lambda p: p.write_bytes(b"X" * 9001),
                                    lambda p: p.write_bytes(b"X" * 8999), lambda p: p.unlink()],
                         ids=["bytes", "longer", "shorter", "gone"])
def test_a_file_that_changes_after_it_was_planned_is_refused(carrier, server, tmp_path, change):
    path = write(tmp_path / "in" / "f.bin", b"X" * 9000)
    digest = layer("first", 20_000).digest

    def rule(_request, answer):
        change(path)
        return answer()

    server.on("GET", f"/blobs/{digest}", rule, times=1)
    result = carrier.export(server, "--file", path, "-j", "1")
    carrier.failed(result, 7 if not path.exists() else 1, "f.bin")
    path.write_bytes(b"Z" * 9000)
    said = exported(carrier, server, "--file", path)
    assert said["files"][0]["blob"] == "sha256:" + hashlib.sha256(b"Z" * 9000).hexdigest()


# ---- channel, end and labels -----------------------------------------------------------------

def test_what_is_said_of_the_bundle_is_signed(carrier, server):
    said = exported(carrier, server, "--channel", "edge-2", "--expires", "2033-05-18", "--label", "change=CHG-123",
                    "--label", "team/owner=\"a\" b=c", env=EPOCH)["bundle"]
    assert (said["channel"], said["expires"]) == ("edge-2", "2033-05-18T23:59:59Z")
    assert said["labels"] == {"change": "CHG-123", "team/owner": "\"a\" b=c"}
    os.remove(carrier.bundle)
    said = exported(carrier, server, "--expires", "2033-05-18T05:33:20+02:00")["bundle"]
    assert (said["channel"], said["expires"], said["labels"]) == ("stable", "2033-05-18T03:33:20Z", {})
    os.remove(carrier.bundle)
    assert exported(carrier, server)["bundle"]["expires"] is None


@pytest.mark.parametrize("option, value", [
    ("--expires", "tomorrow"), ("--expires", "2033-02-29"), ("--expires", "2033-05-18T05:33:20"), ("--expires", ""),
    ("--expires", "2023-11-14T22:13:20Z"), ("--expires", "1970-01-01T00:00:00Z"), ("--channel", ""),
    ("--channel", "../x"), ("--channel", "a b"), ("--label", "x"), ("--label", "=x"), ("--label", "a b=x"),
    ("--label", "a=\x1b[2J"), ("--label", "a=ä"), ("--label", "a=" + "x" * 257)])
def test_what_may_not_be_said_is_refused(carrier, server, option, value):
    carrier.failed(carrier.export(server, option, value, env=EPOCH), 2, option)


def test_a_label_twice_is_refused(carrier, server):
    carrier.failed(carrier.export(server, "--label", "a=1", "--label", "a=1"), 2, "twice")


@pytest.mark.parametrize("other", [("--label", "change=2"), ("--channel", "edge"), ("--expires", "2100-01-02"),
                                   ("--file", "f2.bin")])
def test_an_interrupted_export_with_another_stamp_begins_anew(carrier, server, tmp_path, other):
    for name in ("f1.bin", "f2.bin"):
        write(tmp_path / name, name.encode() * 100)
    same = ["--label", "change=1", "--expires", "2100-01-01", "--file", "f1.bin", "--verbose"]
    second = layer("second", 512).digest

    def interrupted():
        server.on("GET", f"/blobs/{second}", lambda _request, answer: Answer(503), times=4)
        result = carrier.export(server, *same, "-j", "1", env=EPOCH)
        assert result.rc == 5 and os.path.exists(carrier.bundle + ".partial"), result

    interrupted()
    continued = carrier.export(server, *same, env=EPOCH)
    assert continued.rc == 0 and "begins anew" not in continued.err and "kept" in continued.err, continued
    os.remove(carrier.bundle)
    interrupted()
    anew = carrier.export(server, *same[2:] if other[0] == "--label" else same, *other, env=EPOCH)
    assert anew.rc == 0 and "begins anew" in anew.err, anew
