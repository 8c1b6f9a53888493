"""docs/bundle.schema.json describes the inventory of a real bundle, and refuses what is none."""

import copy
import json
import os
import tarfile

import jsonschema
import pytest

from support.fetch_helm import root

DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def check():
    with open(os.path.join(root(), "docs/bundle.schema.json")) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).is_valid


@pytest.fixture(scope="module")
def full_bundle(session_sealift, keys, export_arguments, tmp_path_factory):
    """A bundle with all that there may be in one."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "values.yaml").write_text("a: 1\n")
    path = str(folder / "full.tar")
    session_sealift.ok("export", "immuta", *export_arguments, *keys.p256.signing(), "-o", path, "--file",
                       folder / "values.yaml", "--label", "change=CHG-1", "--expires", "2100-01-01", "--channel", "edge")
    return path


@pytest.fixture(scope="module")
def inventory(full_bundle):
    with tarfile.open(full_bundle) as tar:
        return json.load(tar.extractfile("bundle/inventory.json"))


def test_a_real_inventory_is_described(check, inventory):
    assert inventory["images"] and inventory["charts"] and inventory["members"] and inventory["files"]
    assert check(inventory)


def test_a_plain_inventory_is_described(check, bundle):
    with tarfile.open(bundle.path) as tar:
        assert check(json.load(tar.extractfile("bundle/inventory.json")))


def test_every_key_that_is_written_is_described(inventory):
    with open(os.path.join(root(), "docs/bundle.schema.json")) as f:
        schema = json.load(f)
    assert list(inventory) == list(schema["properties"])
    assert list(inventory["bundle"]) == list(schema["properties"]["bundle"]["properties"])
    for name in ("charts", "images", "files", "members"):
        assert list(inventory[name][0]) == list(schema["properties"][name]["items"]["properties"])


def changed(inventory, *path, value):
    other = copy.deepcopy(inventory)
    place = other
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return other


@pytest.mark.parametrize("path, value", [
    (("_type",), "https://sealift/bundle/v2"),
    (("sigArea",), 4096),
    (("total",), -1),
    (("total",), 2**53),
    (("release",), "sha512:" + "0" * 128),
    (("release",), DIGEST.upper()),
    (("bundle", "created"), "2024-01-01 00:00:00"),
    (("images", 0, "digest"), "latest"),
    (("images", 0, "size"), "12"),
    (("members", 0, "path"), "../etc/passwd"),
    (("members", 0, "path"), "blobs/sha256/" + "A" * 64),
    (("members", 0, "sha256"), DIGEST),
    (("bundle", "expires"), "2100-01-01"),
    (("bundle", "channel"), "../x"),
    (("bundle", "labels"), []),
    (("bundle", "labels", "change"), 7),
    (("bundle", "labels", "a b"), "x"),
    (("bundle", "labels", "change"), "\x1b"),
    (("images", 0, "referrers"), [{}]),
    (("files",), {}),
    (("files", 0, "name"), "../values.yaml"),
    (("files", 0, "name"), ".values"),
    (("files", 0, "name"), "values."),
    (("files", 0, "name"), "Nul.yaml"),
    (("files", 0, "name"), "x" * 101),
    (("files", 0, "blob"), "latest"),
    (("files", 0, "size"), "5"),
    (("files", 0, "mediaType"), None),
])
def test_what_is_none_is_refused(check, inventory, path, value):
    assert not check(changed(inventory, *path, value=value))


def test_each_key_is_needed(check, inventory):
    for key in inventory:
        assert not check({k: v for k, v in inventory.items() if k != key}), key
