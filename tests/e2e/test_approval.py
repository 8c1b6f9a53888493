"""R4: approvals.  A person's word about a bundle's id travels apart from it, and push enforces it.

What approve writes is judged by openssl over DSSE's own encoding; what push takes is made by openssl.
"""

import base64
import hashlib
import json
import os
import time

import pytest

from support.figures import figure
from support import images
from support.approvals import envelope, pae, statement
from support.reader import openssl_says, split
from support.registry import Registry
from support.yard import Yard, read, write

DAY = 86400


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    server = Registry(str(tmp_path_factory.mktemp("place")), None)
    images.push(server.client(), "app", "1", images.image([images.layer("x", 1000)]))
    yield server
    server.remove()


@pytest.fixture(scope="module")
def yard(session_sealift, tmp_path_factory, place):
    folder = tmp_path_factory.mktemp("yard")
    session_sealift.ok("keygen", "-o", folder / "k", "--no-passphrase")
    session_sealift.ok("export", "--image", f"{place.host}/app:1", "--plain-http", "--sign-key", folder / "k.key",
                       "--no-passphrase", "--name", "trino", "-o", folder / "b.tar")
    return Yard(folder, str(folder / "b.tar"))


@pytest.fixture(scope="module")
def tally():
    counts = {"cases": 0, "good": 0}
    yield counts
    figure("R4", "approval cases", counts["good"], counts["cases"], "as expected")


@pytest.fixture(scope="module")
def bundle(yard):
    return yard.bundle("a")


def id_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(split(f.read())[0]).hexdigest()


def utc(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * DAY))


# ---- what approve writes -----------------------------------------------------------------------------------------

def approve(sealift, yard, bundle, *more, by="x", trust="a", output="a.approval"):
    return sealift("approve", bundle, "--trust", yard.key(trust).public, "--sign-key", yard.key(by).private,
                   "--no-passphrase", "--note", "CHG-123", "-o", output, *more)


@pytest.mark.parametrize("by", ["x", "e"], ids=["P-256", "Ed25519"])
def test_approve_writes_what_openssl_verifies(sealift, yard, bundle, tmp_path, by):
    result = approve(sealift, yard, bundle, "--to", "Registry.Corp:5000/apps", "--expires", "2999-12-31", by=by)
    assert result.rc == 0 and f"sha256:{id_of(bundle)}" in result.out, repr(result)
    made = json.loads(read(tmp_path / "a.approval"))
    payload = base64.b64decode(made["payload"], validate=True)
    signature = base64.b64decode(made["signatures"][0]["sig"], validate=True)
    assert made["payloadType"] == "application/vnd.in-toto+json" and len(made["signatures"]) == 1
    assert made["signatures"][0]["keyid"] == yard.key(by).kid
    assert openssl_says(yard.key(by).public, pae(payload), signature)
    assert not openssl_says(yard.key(by).public, payload, signature), "the bare payload must not be what is signed"
    said = json.loads(payload)
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://sealift/approval/v1"
    assert said["subject"] == [{"name": "trino", "digest": {"sha256": id_of(bundle)}}]
    predicate = said["predicate"]
    assert (predicate["note"], predicate["expires"]) == ("CHG-123", "2999-12-31T23:59:59Z")
    assert predicate["destination"] == "registry.corp:5000/apps"
    assert abs(time.mktime(time.strptime(predicate["created"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time()) < 60


def test_approve_takes_the_head_alone(sealift, yard, bundle, tmp_path):
    sealift.ok("head", bundle, "-o", "b.head")
    assert approve(sealift, yard, tmp_path / "b.head").rc == 0
    payload = json.loads(base64.b64decode(json.loads(read(tmp_path / "a.approval"))["payload"]))
    assert payload["subject"][0]["digest"]["sha256"] == id_of(bundle)
    assert (payload["predicate"]["destination"], payload["predicate"]["expires"]) == (None, None)


REFUSED = {
    "an untrusted bundle": (dict(trust="b"), [], 3), "a file that exists": ({"output": "taken"}, [], 1),
    "an expiry gone by": ({}, ["--expires", "2020-01-01"], 2), "no date": ({}, ["--expires", "soon"], 2),
    "a destination with a tag": ({}, ["--to", "reg.example/a:b/c"], 2), "an empty note": ({}, ["--note", ""], 2),
    "a note too long": ({}, ["--note", "x" * 1025], 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_approve_refuses_and_writes_nothing(sealift, yard, bundle, tmp_path, case):
    named, words, rc = REFUSED[case]
    write(tmp_path / "taken", "precious")
    result = approve(sealift, yard, bundle, *words, **named)
    assert result.rc == rc, repr(result)
    assert read(tmp_path / "taken") == "precious" and not os.path.exists(tmp_path / "a.approval")


def test_approve_wants_key_note_and_output(sealift, yard, bundle):
    for words in (["--note", "x", "-o", "o"], ["--sign-key", yard.key("x").private, "-o", "o"],
                  ["--sign-key", yard.key("x").private, "--note", "x"]):
        assert sealift("approve", bundle, "--trust", yard.key("a").public, *words).rc == 2


# ---- what push takes ---------------------------------------------------------------------------------------------

class Case:
    """files(yard, id, destination) gives the documents of the --approval files; wanted: approvals in trust.conf."""

    def __init__(self, files, rc, *phrases, wanted=1, approvers="x", scopes=None):
        self.files, self.rc, self.phrases, self.wanted = files, rc, phrases, wanted
        self.approvers, self.scopes = approvers, scopes or {}


def signed(*by, change=lambda document: document, envelope_change=lambda document: document, wrap=envelope, **fields):
    """An approval by these keys; fields of the statement, changed."""
    def make(yard, bundle_id, destination):
        known = {k: v(destination) if callable(v) else v for k, v in fields.items()}
        document = change(statement(known.pop("id", bundle_id), **known))
        return envelope_change(wrap(document, *map(yard.key, by)))
    return make


def files(*makers):
    return lambda yard, bundle_id, destination: [m(yard, bundle_id, destination) for m in makers]


def one(*by, **fields):
    return files(signed(*by, **fields))


def without(key):
    return lambda document: {k: v for k, v in document.items() if k != key}


def with_(**more):
    return lambda document: {**document, **more}


def predicate(**more):
    return lambda document: {**document, "predicate": {**document["predicate"], **more}}


def subjects(document):
    return {**document, "subject": document["subject"] * 2}


def swap_signature(document):
    """Another statement under a signature that was good."""
    other = json.loads(base64.b64decode(document["payload"]))
    other["predicate"]["note"] = "CHG-2"
    return {**document, "payload": base64.b64encode(json.dumps(other).encode()).decode()}


def under(kid_of):
    """The signatures stand under another key's id."""
    def change_for(yard, bundle_id, destination):
        document = signed("x")(yard, bundle_id, destination)
        document["signatures"][0]["keyid"] = yard.key(kid_of).kid
        return [document]
    return change_for


def sloppy_base64(document):
    return {**document, "payload": document["payload"][:4] + "\n" + document["payload"][4:]}


def sig(change):
    def apply(document):
        document["signatures"][0]["sig"] = change(document["signatures"][0]["sig"])
        return document
    return apply


def twice_in_one(document):
    document["signatures"] *= 2
    return document


def good_and_bad(yard, bundle_id, destination):
    document = signed("x", "y")(yard, bundle_id, destination)
    document["signatures"][1]["sig"] = document["signatures"][0]["sig"]
    return [document]


def text(content):
    return lambda *_: [content]


APPROVALS = {
    "one of one": Case(one("x"), 0, "approved by {x}"),
    "one, Ed25519": Case(one("e"), 0, "approved by {e}", approvers="e"),
    "one that is not wanted": Case(one("x"), 0, "approved by {x}", wanted=None),
    "none wanted, none given": Case(files(), 0, wanted=None),
    "none of one": Case(files(), 3, "approvals by 1 approver", "found 0", "--approval"),
    "two of two": Case(files(signed("x"), signed("y")), 0, "{x}", "{y}", wanted=2, approvers="xy"),
    "two of two in one file": Case(one("x", "y"), 0, wanted=2, approvers="xy"),
    "one of two": Case(one("x"), 3, "approvals by 2 approvers", "found 1", wanted=2, approvers="xy"),
    "one approver twice": Case(files(signed("x"), signed("x", note="again")), 3, "found 1", wanted=2, approvers="xy"),
    "one signature twice": Case(one("x", envelope_change=twice_in_one), 3, "found 1", wanted=2, approvers="xy"),
    "an unknown approver": Case(one("z"), 3, "known approver", "{z}"),
    "an unknown one beside a known": Case(one("x", "z"), 0, "{x}"),
    "an unknown one in a file of its own": Case(files(signed("x"), signed("z")), 3, "known approver"),
    "nobody may approve": Case(one("x"), 3, "known approver", approvers=""),
    "the bundle's own signer": Case(one("a"), 3, "known approver", "{a}"),
    "the bundle's signer, who may approve too": Case(one("a"), 0, "approved by {a}", approvers="a"),
    "a bad signature beside a good one": Case(good_and_bad, 3, "approver {y} does not fit", approvers="xy"),
    "another bundle": Case(one("x", id="0" * 64), 3, "an approval of this bundle", "sha256:" + "0" * 64),
    "this destination": Case(one("x", destination=lambda d: d), 0),
    "another destination": Case(one("x", destination="other.example/apps"), 3, "for other.example/apps only"),
    "the destination above": Case(one("x", destination=lambda d: d.rsplit("/", 1)[0]), 3, "only"),
    "the destination below": Case(one("x", destination=lambda d: d + "/team"), 3, "only"),
    "an empty destination": Case(one("x", destination=""), 3, "only"),
    "not yet expired": Case(one("x", expires=utc(1)), 0),
    "expired": Case(one("x", expires="2024-01-02T00:00:00Z"), 3, "good until 2024-01-02T00:00:00Z"),
    "an expiry that is no time": Case(one("x", expires="soon"), 3, '"soon"'),
    "an expiry of another shape": Case(one("x", expires="2999-12-31"), 3, '"2999-12-31"'),
    "given two days from now": Case(one("x", created=utc(2)), 3, "this machine's clock is wrong"),
    "given in no time": Case(one("x", created=""), 3, '"created"'),
    "a condition that is not known": Case(one("x", onlyOn="monday"), 3, '"onlyOn"'),
    "two subjects": Case(one("x", change=subjects), 3, "one subject"),
    "no subject": Case(one("x", change=with_(subject=[])), 3, "one subject"),
    "a digest in upper case": Case(one("x", change=with_(
        subject=[{"name": "trino", "digest": {"sha256": "AB" * 32}}])), 3, "approval"),
    "another predicate": Case(one("x", change=with_(predicateType="https://slsa.dev/provenance/v1")), 3,
                              "predicateType"),
    "another statement": Case(one("x", change=with_(_type="https://in-toto.io/Statement/v0.1")), 3, "_type"),
    "no predicate": Case(one("x", change=without("predicate")), 3, "predicate"),
    "no note": Case(one("x", change=predicate(note=None)), 3, "note"),
    "a statement changed after signing": Case(one("x", envelope_change=swap_signature), 3, "{x} does not fit"),
    "a signature over the bare statement": Case(
        one("x", wrap=lambda d, *s: envelope(d, *s, sign=lambda p: p)), 3, "{x} does not fit"),
    "a signature over another type": Case(
        one("x", wrap=lambda d, *s: envelope(d, *s, sign=lambda p: pae(p, "text/plain"))), 3, "{x} does not fit"),
    "another type, signed": Case(
        one("x", wrap=lambda d, *s: envelope(d, *s, kind="text/plain", sign=lambda p: pae(p, "text/plain"))), 3,
        "application/vnd.in-toto+json"),
    "x's signature under the name of y": Case(under("y"), 3, "{y} does not fit", approvers="xy"),
    "x's signature under an unknown name": Case(under("z"), 3, "known approver"),
    "a payload in broken base64": Case(one("x", envelope_change=sloppy_base64), 3, "base64"),
    "a signature with a line feed": Case(one("x", envelope_change=sig(lambda t: t + "\n")), 3, "{x} does not fit"),
    "an empty signature": Case(one("x", envelope_change=sig(lambda t: "")), 3, "{x} does not fit"),
    "no signatures": Case(one("x", envelope_change=with_(signatures=[])), 3, "signatures"),
    "nine signatures": Case(one(*"xxxxxxxxx"), 3, "1 to 8"),
    "no payload": Case(one("x", envelope_change=without("payload")), 3, "payload"),
    "a key twice": Case(text('{"payload":"","payload":"","payloadType":"x","signatures":[]}'), 3, "approval"),
    "no JSON": Case(text("approved, J. Smith\n"), 3, "approval"),
    "an empty file": Case(text(""), 3, "approval"),
    "a statement that is no JSON": Case(one("x", change=lambda d: b"yes"), 3, "statement"),
    "too large": Case(text('{"x":"' + "x" * 70000 + '"}'), 1, "approval"),
    "an approver for this bundle": Case(one("x"), 0, approvers="", scopes={"x": "bundle-name = trino\n"}),
    "an approver for others": Case(one("x"), 3, "for the bundles immuta only", approvers="",
                                   scopes={"x": "bundle-name = immuta\n"}),
    "an approver who has left": Case(one("x"), 3, "counted until", approvers="",
                                     scopes={"x": "not-after = 2024-01-01\n"}),
}


def run_case(sealift, yard, place, bundle, case, prefix):
    destination = f"{place.host}/{prefix}"
    config = yard.config(conf=f"approvals = {case.wanted}\n" if case.wanted is not None else None)
    yard.trusted(*case.approvers, folder=os.path.join(config, "approvers.d"), **case.scopes)
    words = []
    for document in case.files(yard, id_of(bundle), destination):
        words += ["--approval", write(yard.path(".approval"),
                                      document if isinstance(document, str) else json.dumps(document))]
    return sealift("push", bundle, destination, "--trust", yard.key("a").public, "--plain-http", *words,
                   env={"SEALIFT_CONFIG": config})


@pytest.mark.parametrize("name", APPROVALS)
def test_R4_approval(sealift, yard, place, bundle, tally, name):
    case = APPROVALS[name]
    tally["cases"] += 1
    requests = len(place.requests())
    result = run_case(sealift, yard, place, bundle, case, "approved/apps")
    kids = {k: s.kid for k, s in yard.keys.items()}
    missing = [p for p in case.phrases if p.format(**kids) not in result.out + result.err]
    assert result.rc == case.rc and not missing, f"{missing}\n{result!r}"
    if case.rc:
        assert len(place.requests()) == requests, "nothing may be asked of the registry before"
        assert result.err.count("\n") == 1, repr(result)
    tally["good"] += 1


def test_what_approve_writes_push_takes(sealift, yard, place, bundle):
    destination = f"{place.host}/approved/whole"
    assert approve(sealift, yard, bundle, "--to", destination, "--expires", utc(1)).rc == 0
    push = ["push", bundle, "--trust", yard.key("a").public, "--plain-http", "--approval", "a.approval"]
    config = {"SEALIFT_CONFIG": yard.config(conf="approvals = 1\n")}
    sealift.ok(*push, destination, "--approver", yard.key("x").public, env=config)
    elsewhere = sealift(*push, destination + "2", "--approver", yard.key("x").public, env=config)
    assert elsewhere.rc == 3 and f"{destination} only" in elsewhere.err, repr(elsewhere)
    stranger = sealift(*push, destination, "--approver", yard.key("y").public, env=config)
    assert stranger.rc == 3 and "known approver" in stranger.err, repr(stranger)


def test_a_key_of_trusted_d_does_not_approve_and_an_approver_does_not_sign(sealift, yard, place, bundle):
    config = yard.config("a", conf="approvals = 1\n")
    yard.trusted("x", folder=os.path.join(config, "approvers.d"))
    signed_by_x = yard.bundle("x")
    assert sealift("verify", signed_by_x, env={"SEALIFT_CONFIG": config}).rc == 3
    assert sealift("verify", bundle, env={"SEALIFT_CONFIG": config}).rc == 0
