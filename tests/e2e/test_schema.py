"""The schemas in docs describe real inventories and real output, and refuse what is none."""

import copy
import hashlib
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
def inventory(full_bundle):
    with tarfile.open(full_bundle.path) as tar:
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


# ---- docs/inspect.schema.json ----------------------------------------------------------------

@pytest.fixture(scope="module")
def shown_schema():
    with open(os.path.join(root(), "docs/inspect.schema.json")) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


@pytest.fixture(scope="module")
def outputs(session_sealift, full_bundle, bundle, keys, export_arguments):
    """{what was run: the one object it printed}"""
    def shown(*words):
        lines = session_sealift.ok(*words, "--json").out.splitlines()
        assert len(lines) == 1, lines
        return json.loads(lines[0])

    trust = keys.p256.trusting()
    return {"inspect": shown("inspect", full_bundle.path),
            "inspect, trusted": shown("inspect", full_bundle.path, *trust),
            "inspect, plain": shown("inspect", bundle.path, *trust),
            "verify": shown("verify", full_bundle.path, *trust),
            "verify --head-only": shown("verify", "--head-only", full_bundle.path, *trust),
            "plan": shown("plan", "immuta", *export_arguments)}


OUTPUTS = ["inspect", "inspect, trusted", "inspect, plain", "verify", "verify --head-only", "plan"]


@pytest.mark.parametrize("which", OUTPUTS)
def test_real_output_is_described(shown_schema, outputs, which):
    jsonschema.Draft202012Validator(shown_schema).validate(outputs[which])


def test_what_was_checked_is_said(outputs):
    assert {which: (o["verified"], o["checked"]) for which, o in outputs.items()} == {
        "inspect": (False, "nothing"), "inspect, trusted": (True, "head"), "inspect, plain": (True, "head"),
        "verify": (True, "all"), "verify --head-only": (True, "head"), "plan": (False, "nothing")}


def test_output_says_what_the_inventory_says(outputs, inventory, full_bundle):
    told = outputs["inspect, trusted"]
    assert told["files"] == inventory["files"] and told["labels"] == inventory["bundle"]["labels"]
    assert {k: told[k] for k in ("name", "version", "channel", "sequence", "tool")} == {
        k: inventory["bundle"][k] for k in ("name", "version", "channel", "sequence", "tool")}
    assert told["expires"] == 4102531199  # date -u -d 2100-01-01T23:59:59Z +%s
    assert (told["total"], told["members"]) == (inventory["total"], len(inventory["members"]))
    assert told["total"] == os.path.getsize(full_bundle.path)
    with tarfile.open(full_bundle.path) as tar:
        raw = tar.extractfile("bundle/inventory.json").read()
    assert told["id"] == "sha256:" + hashlib.sha256(raw).hexdigest()
    assert list(told)[:2] == ["event", "id"]


def test_every_key_of_the_output_is_needed_or_described(shown_schema, outputs):
    told = outputs["inspect, trusted"]
    assert set(told) | {"unchecked", "notCounted"} == set(shown_schema["properties"])
    for name in ("images", "charts", "files"):
        assert set(told[name][0]) == set(shown_schema["properties"][name]["items"]["properties"])
    is_valid = jsonschema.Draft202012Validator(shown_schema).is_valid
    for key in told:
        assert not is_valid({k: v for k, v in told.items() if k != key}), key
    assert not is_valid({**told, "another": 1})


@pytest.mark.parametrize("path, value", [
    (("event",), "done"), (("id",), "0" * 64), (("verified",), "true"), (("verified",), False), (("checked",), "nothing"),
    (("signer",), "0" * 15), (("signers",), []), (("signers",), ["x"]), (("unchecked",), []), (("created",), "now"),
    (("expires",), "2100-01-01"), (("expires",), -1), (("channel",), ""), (("labels",), []), (("labels", "change"), 1),
    (("total",), 2**53), (("members",), -1), (("sequence",), None), (("images", 0, "digest"), "latest"),
    (("images", 0, "size"), "1"), (("images", 0, "platforms"), "linux/amd64"), (("images", 0, "more"), 1),
    (("charts", 0, "blob"), ""), (("charts", 0, "name"), ""), (("files", 0, "name"), "../x"), (("files", 0, "size"), -1),
    (("files", 0, "blob"), 7)])
def test_changed_output_is_refused(shown_schema, outputs, path, value):
    is_valid = jsonschema.Draft202012Validator(shown_schema).is_valid
    assert not is_valid(changed(outputs["inspect, trusted"], *path, value=value))
