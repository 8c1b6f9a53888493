"""R4: whom the program believes.  Every case is a bundle, a trust and what must come of both.

The signatures are made by openssl, and the bundles by tests/support/forge.py: nothing here asks the program's
own writer.  A case that is refused must say why: the phrases stand in its one sentence.
"""

import os
import subprocess
import time

import pytest

from support import images, reader
from support.figures import figure
from support.program import binary
from support.registry import Registry
from support.yard import Yard, read, write

DAY = 86400
CREATED = 1_700_000_000  # 2023-11-14T22:13:20Z


@pytest.fixture(scope="module")
def yard(session_sealift, tmp_path_factory):
    """Keys and small bundles; the first was exported by the program, to have its members."""
    folder = tmp_path_factory.mktemp("yard")
    os.chmod(folder, 0o755)
    server = Registry(str(folder / "registry"), None)
    images.push(server.client(), "app", "1", images.image([images.layer("x", 1000)]))
    session_sealift.ok("keygen", "-o", folder / "k", "--no-passphrase")
    session_sealift.ok("export", "--image", f"{server.host}/app:1", "--plain-http", "--sign-key", folder / "k.key",
                       "--no-passphrase", "--name", "trino", "-o", folder / "b.tar",
                       env={"SOURCE_DATE_EPOCH": str(CREATED)})
    server.remove()
    return Yard(folder, str(folder / "b.tar"))


@pytest.fixture(scope="module")
def tally():
    counts = {"cases": 0, "good": 0}
    yield counts
    figure("R4", "trust cases", counts["good"], counts["cases"], "as expected")


class Case:
    """make(yard) gives the words of a run, and perhaps an environment behind them.  The phrases are said, but for
    those that begin with "!", which are not."""

    def __init__(self, make, rc, *phrases):
        self.make, self.rc, self.phrases = make, rc, phrases


def judge(sealift, tally, yard, case):
    tally["cases"] += 1
    made = case.make(yard)
    words, env = made if isinstance(made, tuple) else (made, None)
    result = sealift(*words, env=env)
    assert result.rc == case.rc, repr(result)
    said = result.out + result.err
    missing = [p for p in case.phrases if (p.lstrip("!").format(**kids(yard)) in said) == p.startswith("!")]
    assert not missing, f"not as expected: {missing}\n{result!r}"
    if case.rc:
        assert result.err.count("\n") == 1 and result.err.startswith("sealift: "), repr(result)
    tally["good"] += 1


def kids(yard):
    return {name: signer.kid for name, signer in yard.keys.items()}


def trust(yard, *names):
    return [word for name in names for word in ("--trust", yard.key(name).public)]


def verify(signers, *trusted, more=(), only=None, words=(), **changes):
    """A case: a bundle by these signers (a letter each), judged by those keys."""
    def make(yard):
        made = only(yard) if only else None
        return ["verify", yard.bundle(*signers, more=[m(yard) for m in more], only=made, **changes),
                *trust(yard, *trusted), *words]
    return make


# ---- what may stand in the area ----------------------------------------------------------------------------------

def by(name, change=lambda text: text, suffix="sig", over=None, kid=None):
    """A member of the area: the signature of that key over the inventory (or over), changed."""
    def member(yard):
        signer = yard.key(name)
        who = yard.key(kid).kid if kid else signer.kid
        return lambda data: (f"bundle/sig/{who}.{suffix}", change(signer.text(over if over is not None else data)))
    return member


def flipped(at):
    def change(text):
        data = bytearray(text)
        data[at] = data[at] ^ 1 if data[at] ^ 1 not in b"\n=" else data[at] ^ 2
        return bytes(data)
    return change


DOES_NOT_FIT = "does not fit the inventory"

SIGNATURES = {
    "one trusted key": Case(verify("a", "a"), 0, "signed by the trusted key {a}"),
    "one trusted key, Ed25519": Case(verify("e", "e"), 0, "{e}"),
    "one of two that signed": Case(verify("ab", "b"), 0, "signed by the trusted key {b}", "not checked", "{a}.sig"),
    "both of two that signed": Case(verify("ab", "a", "b"), 0, "trusted keys"),
    "a key that did not sign beside one that did": Case(verify("a", "a", "b", "e"), 0, "{a}"),
    "no signature at all": Case(verify("", "a"), 3, "found none at all"),
    "an unknown key alone": Case(verify("b", "a"), 3, "found one by {b}", "--trust"),
    "two unknown keys": Case(verify("be", "a"), 3, "and others"),
    "nobody trusted": Case(verify("a"), 3, "nothing is believed by default", "trusted.d"),
    "signature over another inventory": Case(verify("", "a", more=[by("a", over=b"x")]), 3, DOES_NOT_FIT, "{a}"),
    "signature over nothing": Case(verify("", "a", more=[by("a", over=b"")]), 3, DOES_NOT_FIT),
    "signature by b under the name of a": Case(verify("", "a", more=[by("b", kid="a")]), 3, DOES_NOT_FIT, "{a}"),
    "the same with both trusted": Case(verify("", "a", "b", more=[by("b", kid="a")]), 3, DOES_NOT_FIT, "{a}"),
    "Ed25519 under the name of P-256": Case(verify("", "a", more=[by("e", kid="a")]), 3, DOES_NOT_FIT),
    "P-256 under the name of Ed25519": Case(verify("", "e", more=[by("a", kid="e")]), 3, DOES_NOT_FIT),
    "signature by a under an unknown name": Case(verify("", "a", more=[by("a", kid="c")]), 3, "found one by {c}"),
    "bad signature under a trusted key beside a good one": Case(
        verify("b", "a", "b", more=[by("a", flipped(20))]), 3, "{a}"),
    "the same, Ed25519": Case(verify("b", "e", "b", more=[by("e", flipped(20))]), 3, "{e}"),
    "the same, the good one first": Case(verify("a", "a", "b", more=[by("b", over=b"x")]), 3, "{b}", DOES_NOT_FIT),
    "bad signature under an unknown key beside a good one": Case(
        verify("b", "b", more=[by("a", over=b"x")]), 0, "not checked", "{a}.sig"),
    "flipped in its first byte": Case(verify("", "a", more=[by("a", flipped(0))]), 3),
    "flipped in its last byte": Case(verify("", "a", more=[by("a", flipped(-4))]), 3),
    "no line feed": Case(verify("", "a", more=[by("a", lambda t: t[:-1])]), 3, "in base64"),
    "two line feeds": Case(verify("", "a", more=[by("a", lambda t: t + b"\n")]), 3, "in base64"),
    "carriage return": Case(verify("", "a", more=[by("a", lambda t: t[:-1] + b"\r\n")]), 3, "in base64"),
    "broken over two lines": Case(verify("", "a", more=[by("a", lambda t: t[:40] + b"\n" + t[40:])]), 3, "base64"),
    "a blank in front": Case(verify("", "a", more=[by("a", lambda t: b" " + t)]), 3, "in base64"),
    "empty": Case(verify("", "a", more=[by("a", lambda t: b"")]), 3, "in base64"),
    "cut in half": Case(verify("", "a", more=[by("a", lambda t: t[:44] + b"\n")]), 3, "{a}"),
    "twice in one member": Case(verify("", "a", more=[by("a", lambda t: t + t)]), 3, "in base64"),
    "PEM armour around it": Case(verify("", "a", more=[by("a", lambda t: b"-----BEGIN-----\n" + t)]), 3, "base64"),
    "raw bytes": Case(verify("", "a", more=[by("a", lambda t: b"\x30\x45" + b"\1" * 69)]), 3, "in base64"),
    "ECDSA of zeros": Case(verify("", "a", more=[by("a", lambda t: b"MAYCAQACAQA=\n")]), 3, DOES_NOT_FIT),
    "Ed25519 of zeros": Case(verify("", "e", more=[by("e", lambda t: b"A" * 86 + b"==\n")]), 3, DOES_NOT_FIT),
    "only under an unknown form": Case(verify("", "a", more=[by("a", suffix="asc")]), 3, "found one by {a}"),
    "an unknown form beside the raw one": Case(verify("a", "a", more=[by("a", suffix="asc")]), 0,
                                               "not checked", "{a}.asc"),
    "an unknown form by an unknown key": Case(verify("a", "a", more=[by("b", suffix="asc")]), 0, "{b}.asc"),
}


# ---- how many ----------------------------------------------------------------------------------------------------

def conf(signers, trusted, text, words=(), **more):
    """trust.conf holds, and the keys are in trusted.d."""
    def make(yard):
        config = yard.config(*trusted, conf=text, **more)
        return ["verify", yard.bundle(*signers), *words], {"SEALIFT_CONFIG": config}
    return make


def conf_with_trust(signers, trusted, text, words=()):
    """trust.conf holds beside --trust, too."""
    def make(yard):
        return ["verify", yard.bundle(*signers), *trust(yard, *trusted), *words], {
            "SEALIFT_CONFIG": yard.config(conf=text)}
    return make


THREE = "abe"
THRESHOLDS = {
    "two of two": Case(verify("ab", "a", "b", words=["--threshold", "2"]), 0, "{a}", "{b}"),
    "two kinds of keys": Case(verify("ae", "a", "e", words=["--threshold", "2"]), 0),
    "three of three": Case(verify(THREE, *THREE, words=["--threshold", "3"]), 0),
    "two of three": Case(verify("ab", *THREE, words=["--threshold", "2"]), 0),
    "one of two": Case(verify("a", "a", "b", words=["--threshold", "2"]), 3, "by 2 trusted keys, found 1 ({a})"),
    "two of three wanted": Case(verify("ab", *THREE, words=["--threshold", "3"]), 3, "found 2"),
    "one key, and an unknown one": Case(verify("ab", "a", words=["--threshold", "2"]), 3, "found 1 ({a})"),
    "one key, in two forms": Case(verify("a", "a", "b", more=[by("a", suffix="asc")], words=["--threshold", "2"]), 3,
                                  "found 1 ({a})"),
    "one key, trusted twice": Case(verify("a", "a", "a", words=["--threshold", "2"]), 3, "found 1 ({a})"),
    "a bad one is no second": Case(verify("a", "a", "b", more=[by("b", over=b"x")], words=["--threshold", "2"]), 3,
                                   "{b}", DOES_NOT_FIT),
    "a bad one refuses above the threshold": Case(
        verify("ab", *THREE, more=[by("e", over=b"x")], words=["--threshold", "2"]), 3, "{e}", DOES_NOT_FIT),
    "none of two": Case(verify("", "a", "b", words=["--threshold", "2"]), 3, "none at all"),
    "zero": Case(verify("a", "a", words=["--threshold", "0"]), 2, "expected 1 to 32"),
    "too many": Case(verify("a", "a", words=["--threshold", "33"]), 2, "expected 1 to 32"),
    "more than can sign": Case(verify("ab", "a", "b", words=["--threshold", "32"]), 3, "by 32 trusted keys, found 2"),
    "by trust.conf": Case(conf("a", "ab", "threshold = 2\n"), 3, "by 2 trusted keys, found 1"),
    "by trust.conf, reached": Case(conf("ab", "ab", "# two\n\nthreshold=2\n"), 0),
    "by trust.conf, beside --trust": Case(conf_with_trust("a", "ab", "threshold = 2"), 3, "by 2 trusted keys"),
    "raised on the command line": Case(conf("ab", THREE, "threshold = 2\n", ["--threshold", "3"]), 3, "by 3"),
    "not lowered on the command line": Case(conf("a", "ab", "threshold = 2\n", ["--threshold", "1"]), 3, "by 2"),
    "one, by trust.conf": Case(conf("a", "a", "threshold = 1\n"), 0),
    "trust.conf without a line": Case(conf("a", "a", "# nothing\n"), 0),
    "trust.conf: zero": Case(conf("a", "a", "threshold = 0\n"), 3, "trust.conf, line 1", "from 1 to 32"),
    "trust.conf: a word": Case(conf("a", "a", "\nthreshold = two\n"), 3, "trust.conf, line 2", '"two"'),
    "trust.conf: negative": Case(conf("a", "a", "threshold = -1\n"), 3, "trust.conf, line 1"),
    "trust.conf: an unknown name": Case(conf("a", "a", "thresholds = 2\n"), 3, '"thresholds"', "trust.conf, line 1"),
    "trust.conf: no equals sign": Case(conf("a", "a", "threshold 2\n"), 3, "NAME = VALUE"),
    "trust.conf: binary": Case(conf("a", "a", "\x01\x00\x02"), 3, "trust.conf, line 1"),
}


# ---- for what ----------------------------------------------------------------------------------------------------

def scoped(text, words=(), signers="a", also=(), **changes):
    """The key a has a sidecar with that text; further keys have none."""
    def make(yard):
        folder = yard.trusted(*also, a=text)
        return ["verify", yard.bundle(*signers, **changes), "--trust", folder, *words]
    return make


SCOPES = {
    "its name": Case(scoped("bundle-name = trino\n"), 0),
    "a glob": Case(scoped("bundle-name = tri*\n"), 0),
    "a glob with two stars": Case(scoped("bundle-name = *r*o\n"), 0),
    "a question mark": Case(scoped("bundle-name = tr?no\n"), 0),
    "one of two names": Case(scoped("bundle-name = immuta-*\nbundle-name = trino\n"), 0),
    "another name": Case(scoped("bundle-name = immuta\n"), 3, "{a}", "for the bundles immuta only", "this one is trino"),
    "a glob that ends too early": Case(scoped("bundle-name = tri?\n"), 3, "this one is trino"),
    "a prefix is no glob": Case(scoped("bundle-name = tri\n"), 3, "this one is trino"),
    "names are told apart by case": Case(scoped("bundle-name = TRINO\n"), 3, "this one is trino"),
    "not before a day to come": Case(scoped("not-before = 2999-01-01\n"), 3, "counts from 2999-01-01T00:00:00Z on"),
    "not before a day gone by": Case(scoped("not-before = 2000-01-01\n"), 0),
    "not after a day gone by": Case(scoped("not-after = 2000-01-01\n"), 3, "counted until 2000-01-01T23:59:59Z"),
    "not after a day to come": Case(scoped("not-after = 2999-01-01\n"), 0),
    "not after a day, judged at its last second": Case(
        scoped("not-after = 2024-05-01\n", ["--at", "2024-05-01"]), 0),
    "not after a day, judged one second later": Case(
        scoped("not-after = 2024-05-01\n", ["--at", "2024-05-02T00:00:00Z"]), 3, "counted until"),
    "not before a day, judged at its first second": Case(
        scoped("not-before = 2024-05-01\n", ["--at", "2024-05-01T00:00:00Z"]), 0),
    "not before a day, judged one second earlier": Case(
        scoped("not-before = 2024-05-01\n", ["--at", "2024-04-30T23:59:59Z"]), 3, "counts from"),
    "a retired key, judged as of then": Case(
        scoped("not-after = 2024-01-01\n", ["--at", "2023-12-24"]), 0),
    "name and time, both": Case(scoped("bundle-name=trino\nnot-before=2000-01-01\nnot-after=2999-12-31\n"), 0),
    "name right, time wrong": Case(scoped("bundle-name = trino\nnot-after = 2000-01-01\n"), 3, "counted until"),
    "out of scope beside a key without": Case(
        scoped("bundle-name = x\n", signers="ab", also="b"), 0, "signed by the trusted key {b}", "not counted", "{a}"),
    "out of scope does not count for two": Case(
        scoped("bundle-name = x\n", ["--threshold", "2"], signers="ab", also="b"), 3,
        "by 2 trusted keys, found 1 ({b})", "{a}", "a.scope", "for the bundles x only"),
    "a bad signature refuses, in scope or not": Case(
        lambda yard: ["verify", yard.bundle("b", more=[by("a", over=b"x")(yard)]), "--trust",
                      yard.trusted("b", a="bundle-name = x\n")], 3, "{a}", DOES_NOT_FIT),
    "an unknown line": Case(scoped("bundle-names = trino\n"), 3, "a.scope, line 1", '"bundle-names"'),
    "no equals sign": Case(scoped("bundle-name trino\n"), 3, "a.scope, line 1", "NAME = VALUE"),
    "no value": Case(scoped("bundle-name =\n"), 3, "a.scope, line 1"),
    "an empty sidecar": Case(scoped("# nothing\n"), 3, "a.scope", "at least one line"),
    "no date": Case(scoped("not-after = soon\n"), 3, "a.scope, line 1", '"soon"'),
    "the 30th of February": Case(scoped("not-after = 2026-02-30\n"), 3, "a.scope, line 1"),
    "a date twice": Case(scoped("not-after = 2999-01-01\nnot-after = 2998-01-01\n"), 3, "a.scope, line 2", "once"),
    "too many names": Case(scoped("bundle-name = x\n" * 65), 3, "a.scope, line 65", "at most 64"),
    "windows line ends": Case(scoped("bundle-name = trino\r\nnot-after = 2999-01-01\r\n"), 0),
}


# ---- when --------------------------------------------------------------------------------------------------------

def used(words=(), verb="values", **changes):
    """A bundle by a, used: values reads what it needs and stops for lack of a chart, long after trust."""
    def make(yard):
        more = ["reg.example/apps", "-o", yard.path()] if verb == "values" else []
        return [verb, yard.bundle("a", **changes), *more, *trust(yard, "a"), *words]
    return make


def soon(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * DAY))


TIMES = {
    "verify reports what has expired": Case(verify("a", "a", expires="2024-01-01T00:00:00Z"), 0,
                                            "push would refuse it", "expired on 2024-01-01T00:00:00Z"),
    "inspect reports it": Case(used(verb="inspect", expires="2024-01-01T00:00:00Z"), 0, "expired on"),
    "values refuses it": Case(used(expires="2024-01-01T00:00:00Z"), 3, "expired on 2024-01-01T00:00:00Z"),
    "values refuses what expired a day ago": Case(used(expires=soon(-1)), 3, "expired on"),
    "not yet expired, as of then": Case(
        verify("a", "a", expires="2024-01-01T00:00:00Z", words=["--at", "2023-12-31"]), 0, "signed by", "!would refuse"),
    "verify at the last second": Case(
        verify("a", "a", expires="2024-01-01T00:00:00Z", words=["--at", "2024-01-01T00:00:00Z"]), 0, "!would refuse"),
    "verify one second later": Case(
        verify("a", "a", expires="2024-01-01T00:00:00Z", words=["--at", "2024-01-01T00:00:01Z"]), 0, "would refuse"),
    "a clock before the bundle": Case(
        verify("a", "a", words=["--at", "2023-11-12"]), 0, "this machine's clock is wrong"),
    "a clock a day behind is let pass": Case(
        verify("a", "a", words=["--at", "2023-11-13T22:13:20Z"]), 0, "verified", "!wrong"),
    "a clock a day and a second behind": Case(
        verify("a", "a", words=["--at", "2023-11-13T22:13:19Z"]), 0, "clock is wrong"),
    "made two days from now": Case(used(created=soon(2)), 3, "this machine's clock is wrong"),
    "inspect reports that": Case(used(verb="inspect", created=soon(2)), 0, "this machine's clock is wrong"),
    "--at is no date": Case(verify("a", "a", words=["--at", "yesterday"]), 2, "--at", '"yesterday"'),
    "--at does not soften values": Case(used(["--at", "2023-12-31"], expires="2024-01-01T00:00:00Z"), 2, "--at"),
    "an expiry that is no time": Case(verify("a", "a", expires="never"), 4, '"expires"'),
}


# ---- where the keys are ------------------------------------------------------------------------------------------

def spoilt(change, folder=True):
    """Keys a and b in trusted.d (or in a folder for --trust), spoilt by change(yard, path of that folder)."""
    def make(yard):
        config = yard.config("a", "b")
        place = os.path.join(config, "trusted.d")
        change(yard, place)
        if folder:
            return ["verify", yard.bundle("a"), "--trust", place]
        return ["verify", yard.bundle("a")], {"SEALIFT_CONFIG": config}
    return make


def mode(name, bits):
    return lambda yard, place: os.chmod(os.path.join(place, name), bits)


def owner(name, uid):
    return lambda yard, place: os.chown(os.path.join(place, name), uid, -1)


def put(name, text):
    return lambda yard, place: write(os.path.join(place, name), text(yard) if callable(text) else text)


def private(yard):
    return read(yard.key("c").private)


def both(yard):
    return read(yard.key("c").public) + read(yard.key("b").public)


def link(yard, place):
    os.rename(os.path.join(place, "a.pub"), os.path.join(place, "..", "elsewhere"))
    os.symlink("../elsewhere", os.path.join(place, "a.pub"))


def bad_link(yard, place):
    link(yard, place)
    os.chmod(os.path.join(place, "..", "elsewhere"), 0o666)


def empty(yard, place):
    for name in os.listdir(place):
        os.remove(os.path.join(place, name))


PLACES = {
    "trusted.d": Case(spoilt(lambda *_: None, folder=False), 0, "{a}"),
    "a folder": Case(spoilt(lambda *_: None), 0, "{a}"),
    "a link to a key": Case(spoilt(link), 0, "{a}"),
    "a link to a key that all can write": Case(spoilt(bad_link), 3, "a.pub", "mode 0666"),
    "a key that the group can write": Case(spoilt(mode("b.pub", 0o664)), 3, "b.pub", "mode 0664", "chmod go-w"),
    "a key that all can write": Case(spoilt(mode("b.pub", 0o646)), 3, "b.pub", "mode 0646"),
    "the same in trusted.d": Case(spoilt(mode("b.pub", 0o664), folder=False), 3, "b.pub", "mode 0664"),
    "a folder that the group can write": Case(spoilt(mode(".", 0o775)), 3, "mode 0775"),
    "a folder that all can write": Case(spoilt(mode(".", 0o1777), folder=False), 3, "trusted.d", "mode 1777"),
    "a key of another user": Case(spoilt(owner("b.pub", 12345)), 3, "b.pub", "found user 12345"),
    "a folder of another user": Case(spoilt(owner(".", 12345)), 3, "found user 12345"),
    "a private key among them": Case(spoilt(put("c.pem", private)), 1, "c.pem", "public key"),
    "two keys in one file": Case(spoilt(put("c.pub", both)), 1, "c.pub", "several blocks"),
    "an empty file among them": Case(spoilt(put("c.pub", "")), 1, "c.pub"),
    "no PEM at all": Case(spoilt(put("c.pub", "hello\n")), 1, "c.pub", "in PEM"),
    "a key too large": Case(spoilt(put("c.pub", "#" * 70000)), 1, "c.pub"),
    "other files are left alone": Case(spoilt(put("README", "hello\n")), 0),
    "hidden files are left alone": Case(spoilt(put(".c.pub", "hello\n")), 0),
    "a sidecar without its key": Case(spoilt(put("c.scope", "bundle-name = x\n")), 3, "c.scope", "c.pub or .pem"),
    "a sidecar under the key's whole name": Case(spoilt(put("a.pub.scope", "bundle-name = x\n")), 3, "a.pub.scope"),
    "a sidecar that the group can write": Case(
        lambda yard: (lambda d: (os.chmod(d + "/a.scope", 0o664), ["verify", yard.bundle("a"), "--trust", d])[1])(
            yard.trusted(a="bundle-name = trino\n")), 3, "a.scope", "mode 0664"),
    "one key in two files": Case(spoilt(put("c.pem", lambda yard: read(yard.key("a").public))), 0, "{a}"),
    "one key in two files, one with a scope": Case(
        lambda yard: (lambda d: (put("c.pem", read(yard.key("a").public))(yard, d),
                                 ["verify", yard.bundle("a"), "--trust", d])[1])(
            yard.trusted(a="bundle-name = trino\n")), 3, "a.pub", "c.pem", "{a}", "once"),
    "a sidecar beside a file of --trust": Case(
        lambda yard: ["verify", yard.bundle("a"), "--trust", yard.trusted(a="bundle-name = x\n") + "/a.pub"],
        3, "for the bundles x only"),
    "an empty folder": Case(spoilt(empty), 7, "found none"),
    "an empty trusted.d": Case(spoilt(empty, folder=False), 3, "nothing is believed by default"),
    "no such file": Case(lambda yard: ["verify", yard.bundle("a"), "--trust", "absent.pub"], 7, "absent.pub"),
    "--trust instead of trusted.d": Case(
        lambda yard: (["verify", yard.bundle("a"), *trust(yard, "c")], {"SEALIFT_CONFIG": yard.config("a")}), 3,
        "found one by {a}"),
    "trust.conf that all can write": Case(
        lambda yard: (lambda c: (os.chmod(c + "/trust.conf", 0o666),
                                 (["verify", yard.bundle("a"), *trust(yard, "a")], {"SEALIFT_CONFIG": c}))[1])(
            yard.config("a", conf="threshold = 1\n")), 3, "trust.conf", "mode 0666"),
    "inspect, nobody trusted": Case(lambda yard: ["inspect", yard.bundle("a")], 0, "nothing was verified"),
    "inspect, an empty trusted.d": Case(
        lambda yard: (lambda c: (os.mkdir(c + "/trusted.d", 0o755),
                                 (["inspect", yard.bundle("a")], {"SEALIFT_CONFIG": c}))[1])(yard.config()),
        0, "nothing was verified"),
    "inspect, trusted.d": Case(
        lambda yard: (["inspect", yard.bundle("a")], {"SEALIFT_CONFIG": yard.config("a")}), 0, "trusted key {a}"),
    "inspect, another key in trusted.d": Case(
        lambda yard: (["inspect", yard.bundle("a")], {"SEALIFT_CONFIG": yard.config("b")}), 3, "found one by {a}"),
}

# ---- other forms of a signature ----------------------------------------------------------------------------------

class Signed:
    """The base bundle as the program signs it with one key: the members of its area, and the public key."""

    def __init__(self, yard, sealift, kind, suffix):
        base = os.path.join(yard.folder, kind)
        bundle = base + ".tar"
        sealift.ok("keygen", "-o", base, "--type", kind, "--no-passphrase")
        with open(yard.bundle("a"), "rb") as f, open(bundle, "wb") as g:
            g.write(f.read())
        sealift.ok("sign", bundle, "--add", "--sign-key", base + ".key", "--no-passphrase")
        with open(bundle, "rb") as f:
            data = f.read()
        kid, self.public = reader.kid_of(base + ".pub"), base + ".pub"
        found = {s: d for k, s, d in reader.signatures(data, reader.split(data)[1]) if k == kid}
        assert set(found) == {"sig", suffix}, found.keys()
        self.kid, self.raw, self.other = kid, found["sig"], found[suffix]
        self.suffix = suffix

    def member(self, suffix, change=lambda text: text):
        text = self.raw if suffix == "sig" else self.other
        return f"bundle/sig/{self.kid}.{suffix}", change(text)


@pytest.fixture(scope="module")
def forms(yard, session_sealift):
    return {"sigstore": Signed(yard, session_sealift, "p256", "sigstore.json"),
            "sigstore, P-384": Signed(yard, session_sealift, "p384", "sigstore.json"),
            "minisign": Signed(yard, session_sealift, "ed25519", "minisig")}


def flip_in(text, at):
    data = bytearray(text)
    data[at] ^= 1
    return bytes(data)


FORMS = {  # changes to the other form, the raw signature; more signers; words; status; what is said
    "both good": (None, None, "", [], 0, "signed by"),
    "the raw one alone": ("absent", None, "", [], 0, "signed by"),
    "the other alone": (None, "absent", "", [], 3, "the signature itself was taken away"),
    "the other alone, beside a good key": (None, "absent", "a", [], 3, "the signature itself was taken away"),
    "two forms are one key": (None, None, "", ["--threshold", "2"], 3, "found 1"),
    "two forms and another key": (None, None, "a", ["--threshold", "2"], 0, "signed by"),
    "the first byte of the other flipped": (lambda t: flip_in(t, 0), None, "", [], 3, "{kid}"),
    "a byte in the middle flipped": (lambda t: flip_in(t, len(t) // 2), None, "", [], 3, "{kid}"),
    "the same beside a good key": (lambda t: flip_in(t, len(t) // 2), None, "a", [], 3, "{kid}"),
    "its last byte flipped": (lambda t: flip_in(t, -1), None, "", [], 3, "{kid}"),
    "a byte behind it": (lambda t: t + b"\n", None, "", [], 3, "{kid}"),
    "its last byte gone": (lambda t: t[:-1], None, "", [], 3, "{kid}"),
    "empty": (lambda t: b"", None, "", [], 3, "{kid}"),
    "the raw one flipped": (None, lambda t: flipped(20)(t), "", [], 3, "{kid}"),
}


@pytest.mark.parametrize("kind", ["sigstore", "sigstore, P-384", "minisign"])
@pytest.mark.parametrize("name", FORMS)
def test_R4_forms(sealift, yard, tally, forms, kind, name):
    tally["cases"] += 1
    other, raw, more, words, rc, phrase = FORMS[name]
    signed = forms[kind]
    members = [signed.member(s, change or (lambda t: t))
               for s, change in ((signed.suffix, other), ("sig", raw)) if change != "absent"]
    _, text = yard.inventory()
    path = yard.bundle(only=members + [yard.key(k).sign(text) for k in more])
    result = sealift("verify", path, "--trust", signed.public, *trust(yard, *more), *words)
    assert result.rc == rc and phrase.format(kid=signed.kid) in result.out + result.err, repr(result)
    tally["good"] += 1


TABLES = {"signatures": SIGNATURES, "thresholds": THRESHOLDS, "scopes": SCOPES, "times": TIMES, "places": PLACES}


@pytest.mark.parametrize("table, name", [(t, n) for t in TABLES for n in TABLES[t]])
def test_R4_trust(sealift, yard, tally, table, name):
    judge(sealift, tally, yard, TABLES[table][name])


# ---- what was used before ----------------------------------------------------------------------------------------

class Step:
    """One run: a push of the bundle of that sequence, or another verb; what comes of it."""

    def __init__(self, sequence, rc=0, *phrases, to="apps", by="a", verb="push", words=(), **changes):
        self.sequence, self.rc, self.phrases, self.to, self.by = sequence, rc, phrases, to, by
        self.verb, self.words, self.changes = verb, words, changes

    def run(self, sealift, yard, server):
        path = yard.bundle(*self.by, sequence=self.sequence, **self.changes)
        words = [self.verb, path, *trust(yard, *self.by), *self.words]
        if self.verb in ("push", "values"):
            words[2:2] = [f"{server.host}/{self.to}"]
        if self.verb == "push" and "--no-http" not in words:
            words.append("--plain-http")
        result = sealift(*[w for w in words if w != "--no-http"])
        missing = [p for p in self.phrases if p not in result.out + result.err]
        assert result.rc == self.rc and not missing, f"{missing}\n{result!r}"


def state(name):
    """The path of a state file, as a function of the test's folder."""
    return lambda folder: os.path.join(folder, ".sealift-state", name)


class Do:
    """Something between two runs: change(sealift) with the program of the test."""

    def __init__(self, change):
        self.change = change

    def run(self, sealift, yard, server):
        self.change(sealift)


def spoil(change):
    """The state file's text, changed."""
    def do(sealift):
        path = state("trino.json")(sealift.folder)
        text = read(path)
        assert change(text) != text
        write(path, change(text), 0o600)
    return Do(do)


def reset(*names):
    return Do(lambda sealift: sealift.ok("state", "reset", *names))


def log_says(*phrases):
    def do(sealift):
        text = read(state("log")(sealift.folder))
        assert all(p in text for p in phrases), text
    return Do(do)


def no_log(sealift):
    assert not os.path.exists(state("log")(sealift.folder))


def only_hashed_names(sealift):
    names = set(os.listdir(state("")(sealift.folder))) - {"lock"}
    assert len(names) == 1 and names.pop().startswith("="), names


def folder_mode(bits):
    return Do(lambda sealift: os.chmod(state("")(sealift.folder), bits))


def folder_owner(uid):
    return Do(lambda sealift: os.chown(state("")(sealift.folder), uid, -1))


OLDER, ANOTHER, FORGET = "an old one is being used again", "two bundles with one", "sealift state reset"

REPLAYS = {
    "the same again": [Step(10), Step(10)],
    "newer after older": [Step(10), Step(11)],
    "older after newer": [Step(10), Step(9, 3, OLDER, "with sequence 10 or more, found 9", "--allow-rollback")],
    "much older": [Step(1 << 52), Step(0, 3, OLDER)],
    "the highest sequence there is": [Step((1 << 53) - 1), Step((1 << 53) - 2, 3, OLDER)],
    "older twice": [Step(10), Step(9, 3, OLDER), Step(9, 3, OLDER)],
    "the newest in between": [Step(10), Step(12), Step(11, 3, OLDER), Step(12)],
    "another with the same sequence": [Step(10), Step(10, 3, ANOTHER, "state reset trino", version="2")],
    "--allow-rollback does not let that pass": [
        Step(10), Step(10, 3, ANOTHER, version="2", words=["--allow-rollback"])],
    "--allow-rollback, logged": [
        Step(10), Step(9, words=["--allow-rollback"]),
        log_says('"event":"allow-rollback"', '"from":10', '"to":9', '"name":"trino"', '"destination":"127.0.0.1')],
    "--allow-rollback keeps the record": [Step(10), Step(9, words=["--allow-rollback"]), Step(9, 3, OLDER), Step(10)],
    "--allow-rollback without need is not logged": [Step(10, words=["--allow-rollback"]), Do(no_log)],
    "another channel": [Step(10), Step(9, channel="beta"), Step(9, 3, OLDER)],
    "another destination": [Step(10), Step(9, to="other"), Step(8, 3, OLDER, to="other"), Step(9, 3, OLDER)],
    "below a destination is another": [Step(10), Step(9, to="apps/team")],
    "another name": [Step(10), Step(9, name="other"), Step(9, 3, OLDER)],
    "another key": [Step(10), Step(9, by="b"), Step(8, 3, OLDER, by="b"), Step(9, 3, OLDER)],
    "two keys, each with its record": [Step(10, by="ab"), Step(9, 3, OLDER), Step(9, 3, OLDER, by="b"), Step(11)],
    "one of two keys has seen newer": [Step(10), Step(9, 3, OLDER, by="ab")],
    "a dry run leaves no record": [Step(10, words=["--dry-run"]), Step(9)],
    "a dry run is refused too": [Step(10), Step(9, 3, OLDER, words=["--dry-run"])],
    "a push that failed leaves no record": [
        Step(10, 5, words=["--no-http", "--retries", "0"]), Step(9)],
    "values refuses the older": [Step(10), Step(9, 3, OLDER, verb="values", words=["-o", "out"])],
    "verify does not ask": [Step(10), Step(9, verb="verify"), Step(9, verb="inspect")],
    "state reset": [Step(10), reset("trino"), Step(9), log_says('"event":"reset"', '"name":"trino"')],
    "state reset of all": [Step(10), Step(10, name="other"), reset(), Step(9), Step(9, name="other"),
                           log_says('"event":"reset"', '"name":null')],
    "state reset of another": [Step(10), reset("other"), Step(9, 3, OLDER)],
    "state reset of nothing": [reset("trino"), Step(9)],
    "a name that is a path": [Step(10, name="../../../../tmp/x"), Do(only_hashed_names),
                              Step(9, 3, OLDER, name="../../../../tmp/x"), reset("../../../../tmp/x"),
                              Step(9, name="../../../../tmp/x")],
    "a name in upper case": [Step(10, name="TRINO"), Do(only_hashed_names), Step(9)],
    "a name that is hidden": [Step(10, name=".trino"), Do(only_hashed_names)],
    "an empty state file": [Step(10), spoil(lambda t: ""), Step(11, 3, FORGET), reset("trino"), Step(9)],
    "half a state file": [Step(10), spoil(lambda t: t[:len(t) // 2]), Step(11, 3, FORGET, "trino.json")],
    "another name in it": [Step(10), spoil(lambda t: t.replace('"trino"', '"other"')), Step(11, 3, FORGET)],
    "another type": [Step(10), spoil(lambda t: t.replace("state/v1", "state/v2")), Step(11, 3, FORGET)],
    "a negative sequence": [Step(10), spoil(lambda t: t.replace(":10,", ":-1,")), Step(11, 3, FORGET)],
    "a sequence as text": [Step(10), spoil(lambda t: t.replace(":10,", ':"10",')), Step(11, 3, FORGET)],
    "a sequence twice": [Step(10), spoil(lambda t: t.replace(":10,", ':10,"sequence":1,')), Step(11, 3, FORGET)],
    "a key that is none": [Step(10), spoil(lambda t: t.replace('"key":"', '"key":"zz')), Step(11, 3, FORGET)],
    "more behind it": [Step(10), spoil(lambda t: t + "{}"), Step(11, 3, FORGET)],
    "a folder that the group can write": [Step(10), folder_mode(0o770), Step(11, 3, "mode 0770")],
    "a folder of another user": [Step(10), folder_owner(12345), Step(11, 3, "found user 12345")],
    "the same, for values": [Step(10), folder_owner(12345), Step(11, 3, "found user 12345", verb="values",
                                                                 words=["-o", "out"])],
}


@pytest.fixture(scope="module")
def place(yard):
    """A registry that keeps what is pushed to it, for all cases."""
    server = Registry(os.path.join(yard.folder, "place"), None)
    yield server
    server.remove()


@pytest.mark.parametrize("name", REPLAYS)
def test_R4_replay(sealift, yard, tally, place, name):
    tally["cases"] += 1
    for step in REPLAYS[name]:
        step.run(sealift, yard, place)
    tally["good"] += 1


def test_a_state_that_cannot_be_kept_stops_the_push_before_it_begins(sealift, yard, place):
    requests = len(place.requests())
    result = sealift("push", yard.bundle("a"), f"{place.host}/nostate", *trust(yard, "a"), "--plain-http",
                     env={"SEALIFT_STATE": "/proc/sealift"})
    assert result.rc == 1 and "SEALIFT_STATE names another folder" in result.err, repr(result)
    assert len(place.requests()) == requests


def test_a_record_that_fails_after_the_push_is_a_warning(sealift, yard, place, tmp_path):
    """The state folder's lock cannot be had a second time: all is pushed by then."""
    done = sealift.traced(["-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=EIO:when=2+"],
                          "push", yard.bundle("a", sequence=10), f"{place.host}/warned", *trust(yard, "a"), "--plain-http")
    assert done.rc == 0 and "pushed" in done.out, done
    assert "warning: all is pushed, but that could not be recorded" in done.err


def test_states_of_two_pushes_at_once_are_both_kept(sealift, yard, place):
    paths = [yard.bundle("a", sequence=10, name=name) for name in ["trino"] * 4]
    runs = [sealift.start("push", path, f"{place.host}/at-once-{i}", *trust(yard, "a"), "--plain-http")
            for i, path in enumerate(paths)]
    assert [run.wait(60) for run in runs] == [0] * 4
    for run in runs:
        run.communicate()
    text = read(state("trino.json")(sealift.folder))
    assert all(f"at-once-{i}" in text for i in range(4)), text


def test_states_of_root_lie_in_var_lib(sealift, yard, place, tmp_path):
    """In a mount namespace of its own, so that nothing of the machine's is touched."""
    if os.geteuid() != 0:
        pytest.skip("only root's states lie there")
    script = 'mount -t tmpfs none /var/lib || exit 90; "$@" && stat -c "%a %n" /var/lib/sealift/state/*'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", binary(), "push", yard.bundle("a", sequence=10),
                           f"{place.host}/root", *trust(yard, "a"), "--plain-http"], cwd=tmp_path,
                          env=sealift.environment({"SEALIFT_STATE": ""}), capture_output=True, text=True, timeout=60)
    if done.returncode == 90 or "unshare" in done.stderr:
        pytest.skip("this kernel lets nobody mount a tmpfs here (tried unshare -m)")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "600 /var/lib/sealift/state/trino.json" in done.stdout, done.stdout
    assert not os.path.exists(state("")(sealift.folder))
