"""R4: X.509.  A corporate authority vouches for signers; certificates, lists and signatures are made by openssl."""

import base64
import os

import pytest

from support.figures import figure
from support import images
from support.corporate import Authority, Leaf, openssl_verifies
from support.reader import AREA, signatures, split
from support.registry import Registry
from support.yard import Yard, openssl, read, write

RSA2048 = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
RSA1024 = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]
P384 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
OLD = ["-startdate", "20200101000000Z", "-enddate", "20220101000000Z"]
TO_COME = ["-startdate", "29900101000000Z", "-enddate", "29950101000000Z"]


@pytest.fixture(scope="module")
def yard(session_sealift, tmp_path_factory):
    folder = tmp_path_factory.mktemp("yard")
    server = Registry(str(folder / "registry"), None)
    images.push(server.client(), "app", "1", images.image([images.layer("x", 1000)]))
    session_sealift.ok("keygen", "-o", folder / "k", "--no-passphrase")
    session_sealift.ok("export", "--image", f"{server.host}/app:1", "--plain-http", "--sign-key", folder / "k.key",
                       "--no-passphrase", "--name", "trino", "-o", folder / "b.tar",
                       env={"SOURCE_DATE_EPOCH": "1577836800"})  # 2020: before every certificate here
    server.remove()
    return Yard(folder, str(folder / "b.tar"))


@pytest.fixture(scope="module")
def tally():
    counts = {"cases": 0, "good": 0}
    yield counts
    figure("R4", "certificate cases", counts["good"], counts["cases"], "as expected")


class Pki:
    """Two corporations; the first has a root, an issuing CA and leaves of every kind."""

    def __init__(self, folder):
        self.root = Authority(folder, "root")
        self.issuing = Authority(folder, "issuing", self.root)
        self.other = Authority(folder, "other")
        self.good = Leaf(self.issuing, "good")
        self.second = Leaf(self.issuing, "second")
        self.direct = Leaf(self.root, "direct")
        self.rsa = Leaf(self.issuing, "rsa", algorithm=RSA2048)
        self.p384 = Leaf(self.issuing, "p384", algorithm=P384)
        self.both = Leaf(self.issuing, "both", "both")
        self.tls = Leaf(self.issuing, "tls", "serverAuth")
        self.no_eku = Leaf(self.issuing, "no-eku", "noEku")
        self.no_ku = Leaf(self.issuing, "no-ku", "noKu")
        self.encipher = Leaf(self.issuing, "encipher", "encipher")
        self.weak = Leaf(self.issuing, "weak", algorithm=RSA1024)
        self.old = Leaf(self.issuing, "old", dates=OLD)
        self.to_come = Leaf(self.issuing, "to-come", dates=TO_COME)
        self.sha1 = Leaf(self.issuing, "sha1", digest="sha1")
        self.stranger = Leaf(self.other, "stranger")
        self.good_crl = self.issuing.crl()
        self.revoked = Leaf(self.issuing, "revoked")
        self.issuing.revoke(self.revoked.cert)
        self.crl = write(os.path.join(str(folder), "all.crl"), self.issuing.crl() + self.root.crl())
        self.crl_without_root = write(os.path.join(str(folder), "leaf.crl"), self.issuing.crl())
        self.crl_of_others = write(os.path.join(str(folder), "other.crl"), self.other.crl())
        self.root.revoke(self.issuing.cert)
        self.crl_issuing = write(os.path.join(str(folder), "issuing.crl"), self.issuing.crl() + self.root.crl())
        self.cas = write(os.path.join(str(folder), "both.pem"), read(self.root.cert) + read(self.other.cert))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    return Pki(folder)


class Case:
    def __init__(self, members, rc, *phrases, ca="root", words=(), keys=""):
        self.members, self.rc, self.phrases, self.ca, self.words, self.keys = members, rc, phrases, ca, words, keys


def by(*names, change=lambda der: der, chain=("issuing",), words=(), over=None, kid=None):
    """Members of the area: CMS signatures of these leaves."""
    def make(pki):
        def member(name):
            leaf = getattr(pki, name)
            carried = [getattr(pki, c).cert for c in chain]

            def of(data):
                return (f"bundle/sig/{getattr(pki, kid).kid if kid else leaf.kid}.p7s",
                        change(leaf.p7s(data if over is None else over, *words, chain=carried)))
            return of
        return [member(name) for name in names]
    return make


def flip(at):
    def change(der):
        data = bytearray(der)
        data[at] ^= 1
        return bytes(data)
    return change


def crl(name):
    return lambda pki: ["--crl-file", getattr(pki, name)]


def encrypted(der):
    """AuthEnvelopedData by its OID: a type that must never be decoded."""
    return der.replace(bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("060b2a864886f70d0109100117"), 1)


def enveloped(der):
    return der.replace(bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010703"), 1)


VALID, NO_CHAIN = "signed by the trusted key {good}", "unable to get local issuer certificate"

CASES = {
    "a leaf below an issuing CA": Case(by("good"), 0, VALID),
    "a leaf below the root": Case(by("direct", chain=()), 0, "{direct}"),
    "an RSA leaf": Case(by("rsa"), 0, "{rsa}"),
    "a P-384 leaf": Case(by("p384"), 0, "{p384}"),
    "a leaf for mail and code": Case(by("both"), 0, "{both}"),
    "two signers": Case(by("good", "second"), 0, "{good}", "{second}", words=["--threshold", "2"]),
    "one of two": Case(by("good"), 3, "by 2 trusted keys, found 1 ({good})", words=["--threshold", "2"]),
    "a stranger beside a good one": Case(by("good", "stranger"), 0, VALID, "not counted", "{stranger}.p7s"),
    "a stranger is no second": Case(by("good", "stranger"), 3, "found 1", "{stranger}.p7s",
                                    words=["--threshold", "2"]),
    "both authorities": Case(
        lambda pki: by("good")(pki) + by("stranger", chain=())(pki), 0, ca="cas", words=["--threshold", "2"]),
    "a stranger": Case(by("stranger", chain=("other",)), 3, "{stranger}.p7s", "self-signed certificate"),
    "the other authority alone": Case(by("good"), 3, "{good}.p7s", ca="other"),
    "the issuing CA left out": Case(by("good", chain=()), 3, NO_CHAIN),
    "the issuing CA alone as authority": Case(by("good"), 3, "unable to get issuer certificate", ca="issuing"),
    "no signature": Case(by(), 3, "none at all"),
    "a raw signature only": Case(by(), 3, "with a certificate", keys="a"),
    "a raw signature beside it": Case(by("good"), 0, VALID, "not checked", "{a}.sig", keys="a"),
    "a raw signature is no second": Case(by("good"), 3, "found 1", keys="a", words=["--threshold", "2"]),
    "for TLS servers": Case(by("tls"), 3, "{tls}.p7s", "not for signing code"),
    "for nothing named": Case(by("no_eku"), 3, "not for signing code"),
    "without key usage": Case(by("no_ku"), 3, "not for digital signatures"),
    "for enciphering keys": Case(by("encipher"), 3, "not for digital signatures"),
    "RSA of 1024 bits": Case(by("weak"), 3, "EE certificate key too weak"),
    "a certificate signed with SHA-1": Case(by("sha1"), 3, "CA signature digest algorithm too weak"),
    "expired": Case(by("old"), 3, "certificate has expired"),
    "expired, as of when it had not": Case(by("old"), 3, "not yet valid", words=["--at", "2021-01-01"]),
    "not yet valid": Case(by("to_come"), 3, "not yet valid"),
    "not yet valid, as of before": Case(by("good"), 3, "not yet valid", words=["--at", "2019-12-31"]),
    "expired, as of long after": Case(by("good"), 3, "has expired", words=["--at", "2999-12-31"]),
    "revoked, and nobody asks": Case(by("revoked"), 0, "{revoked}"),
    "revoked": Case(by("revoked"), 3, "certificate revoked", words=crl("crl")),
    "not revoked": Case(by("good"), 0, VALID, words=crl("crl")),
    "revoked beside a good one": Case(by("good", "revoked"), 0, VALID, "not counted", "certificate revoked",
                                      words=crl("crl")),
    "its issuing CA revoked": Case(by("good"), 3, "certificate revoked", words=crl("crl_issuing")),
    "no list by the root": Case(by("good"), 3, "unable to get certificate CRL", words=crl("crl_without_root")),
    "lists by others": Case(by("good"), 3, "unable to get certificate CRL", words=crl("crl_of_others")),
    "lists out of date": Case(by("good"), 3, words=lambda pki: ["--crl-file", pki.crl, "--at", "2999-01-01"]),
    "its subject": Case(by("good"), 0, VALID, words=["--cert-subject", "O=Corp,CN=good"]),
    "another subject": Case(by("good"), 3, "its subject is O=Corp,CN=good",
                            words=["--cert-subject", "O=Corp,CN=second"]),
    "half its subject": Case(by("good"), 3, "its subject is", words=["--cert-subject", "O=Corp"]),
    "its key": Case(by("good"), 0, VALID, words=lambda pki: ["--spki", pki.good.spki]),
    "another key": Case(by("good"), 3, "its key is another", words=lambda pki: ["--spki", pki.second.spki]),
    "half a key": Case(by("good"), 2, "--spki", words=lambda pki: ["--spki", pki.good.kid]),
    "another inventory": Case(by("good", over=b"x"), 3, "{good}.p7s", "fits the inventory"),
    "another inventory beside a good one": Case(
        lambda pki: by("good")(pki) + by("second", over=b"x")(pki), 3, "{second}.p7s", "fits the inventory"),
    "a flip in the signature": Case(by("good", change=flip(-1)), 3, "{good}.p7s"),
    "under another name": Case(by("good", kid="second"), 3, "{second}.p7s", "found one by {good}"),
    "a certificate that is not needed": Case(by("good", chain=("issuing", "other")), 3, "no others"),
    "the root carried along": Case(by("good", chain=("issuing", "root")), 0, VALID),
    "no certificate in it": Case(by("good", words=["-nocerts"]), 3, "the signer's certificate"),
    "no signed attributes": Case(by("good", words=["-noattr"]), 3, "signed attributes"),
    "SHA-1 as digest": Case(by("good", words=["-md", "sha1"]), 3, "SHA-256"),
    "SHA-512 as digest": Case(by("good", words=["-md", "sha512"]), 0, VALID),
    "the content inside": Case(by("good", words=["-nodetach"]), 3, "{good}.p7s"),
    "PEM": Case(by("good", words=["-outform", "PEM"]), 3, "in DER"),
    "a byte behind it": Case(by("good", change=lambda d: d + b"\0"), 3, "in DER"),
    "cut": Case(by("good", change=lambda d: d[:-1]), 3, "in DER"),
    "empty": Case(by("good", change=lambda d: b""), 3, "in DER"),
    "enveloped data": Case(by("good", change=enveloped), 3, "SignedData"),
    "authenticated enveloped data": Case(by("good", change=encrypted), 3, "SignedData"),
    "noise": Case(by("good", change=lambda d: b"\x30\x80" + d[2:]), 3, "in DER"),
    "a malformed one beside a good one": Case(
        lambda pki: by("good")(pki) + by("second", change=lambda d: d[:-1])(pki), 3, "{second}.p7s"),
}


@pytest.mark.parametrize("name", CASES)
def test_R4_certificates(sealift, yard, pki, tally, name):
    case = CASES[name]
    tally["cases"] += 1
    ca = getattr(pki, case.ca)
    words = case.words(pki) if callable(case.words) else case.words
    path = yard.bundle(*case.keys, more=case.members(pki))
    result = sealift("verify", path, "--trust-ca", getattr(ca, "cert", ca), *words)
    kids = {**{k: v.kid for k, v in vars(pki).items() if hasattr(v, "kid")}, **{k: s.kid for k, s in yard.keys.items()}}
    missing = [p for p in case.phrases if p.format(**kids) not in result.out + result.err]
    assert result.rc == case.rc and not missing, f"{missing}\n{result!r}"
    tally["good"] += 1


def test_openssl_agrees_on_what_is_good(yard, pki, tmp_path):
    """The same signatures, by `openssl cms -verify`: no case above is good that openssl refuses."""
    _, data = yard.inventory()
    for name in ("good", "direct", "rsa", "p384", "both"):
        leaf = getattr(pki, name)
        chain = [pki.issuing.cert] if leaf.issuer is pki.issuing else []
        assert openssl_verifies(leaf.p7s(data, chain=chain), data, pki.root.cert, tmp_path), name
    assert not openssl_verifies(pki.good.p7s(data, chain=[pki.issuing.cert]), data + b" ", pki.root.cert, tmp_path)
    assert not openssl_verifies(pki.stranger.p7s(data), data, pki.root.cert, tmp_path)


BROKEN = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"
OPTIONS = {
    "both kinds of trust": (lambda y, p: ["--trust-ca", p.root.cert, "--trust", y.key("a").public], 2, "both"),
    "a CRL without a CA": (lambda y, p: ["--trust", y.key("a").public, "--crl-file", p.crl], 2, "--trust-ca"),
    "no such file": (lambda y, p: ["--trust-ca", "absent.pem"], 7, "absent.pem"),
    "a leaf as CA": (lambda y, p: ["--trust-ca", p.good.cert], 1, "CA certificates"),
    "a key as CA": (lambda y, p: ["--trust-ca", y.key("a").public], 1, "CA certificates"),
    "a CA that all can write": (lambda y, p: ["--trust-ca", write(y.path(), read(p.root.cert), 0o666)], 3, "mode 0666"),
    "a CRL that all can write": (
        lambda y, p: ["--trust-ca", p.root.cert, "--crl-file", write(y.path(), read(p.crl), 0o666)], 3, "mode 0666"),
    "an empty CRL": (lambda y, p: ["--trust-ca", p.root.cert, "--crl-file", write(y.path(), "")], 1, "--crl-file"),
    "a broken CRL behind a good one": (lambda y, p: ["--trust-ca", p.root.cert, "--crl-file", write(
        y.path(), read(p.crl) + BROKEN.format("X509 CRL"))], 1, "broken"),
    "a CRL cut short behind a good one": (lambda y, p: ["--trust-ca", p.root.cert, "--crl-file", write(
        y.path(), read(p.crl) + read(p.crl)[:200])], 1, "broken"),
    "a broken CA behind a good one": (lambda y, p: ["--trust-ca", write(
        y.path(), read(p.root.cert) + BROKEN.format("CERTIFICATE"))], 1, "broken"),
    "no CRL in it": (lambda y, p: ["--trust-ca", p.root.cert, "--crl-file", p.root.cert], 1, "revocation lists"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_R4_certificate_options(sealift, yard, pki, tally, name):
    tally["cases"] += 1
    words, rc, phrase = OPTIONS[name]
    result = sealift("verify", yard.bundle("a", more=by("good")(pki)), *words(yard, pki))
    assert result.rc == rc and phrase in result.err, repr(result)
    tally["good"] += 1


def test_keys_do_not_make_cms_count(sealift, yard, pki):
    """The leaf's key in trusted.d, and only its .p7s in the bundle: CMS is not even decoded."""
    public = write(yard.path(".pub"), openssl("pkey", "-in", pki.good.key, "-pubout").decode())
    result = sealift("verify", yard.bundle(more=by("good")(pki)), "--trust", public)
    assert result.rc == 3 and "found one by " + pki.good.kid in result.err, repr(result)
    beside = sealift("verify", yard.bundle("a", more=by("good", change=lambda d: b"junk")(pki)),
                     *yard.key("a").trusting())
    assert beside.rc == 0 and f"not checked: the signature {pki.good.kid}.p7s" in beside.out, repr(beside)


# ---- attach ------------------------------------------------------------------------------------------------------

def content(path):
    with open(path, "rb") as f:
        return f.read()


def p7s_for(path, leaf, folder, name="made.p7s", chain=(), over=None):
    """What openssl makes on the machine that has the key, over the bundle's inventory."""
    out = os.path.join(str(folder), name)
    with open(out, "wb") as f:
        f.write(leaf.p7s(split(content(path))[0] if over is None else over, chain=chain))
    return out


def test_attach_puts_a_cms_signature_beside_the_others(sealift, yard, pki, tmp_path):
    path = yard.bundle("a")
    before = content(path)
    made = p7s_for(path, pki.good, tmp_path, chain=[pki.issuing.cert])
    sealift.ok("attach", path, made)
    after, at = content(path), split(before)[1]
    assert before[:at] == after[:at] and before[at + AREA:] == after[at + AREA:] and before != after
    found = {(kid, suffix): data for kid, suffix, data in signatures(after, at)}
    assert set(found) == {(yard.key("a").kid, "sig"), (pki.good.kid, "p7s")}
    assert found[pki.good.kid, "p7s"] == content(made)
    sealift.ok("verify", path, "--trust-ca", pki.root.cert)
    sealift.ok("verify", path, *yard.key("a").trusting())
    sealift.ok("attach", path, p7s_for(path, pki.second, tmp_path, chain=[pki.issuing.cert]))
    sealift.ok("verify", path, "--trust-ca", pki.root.cert, "--threshold", "2")


def test_attach_keeps_the_other_forms_of_that_key(sealift, yard, pki, tmp_path):
    path = yard.bundle("a")
    with open(tmp_path / "k.sig", "wb") as f:
        raw = openssl("dgst", "-sha256", "-sign", pki.good.key, input=split(content(path))[0])
        f.write(base64.b64encode(raw) + b"\n")
    public = write(tmp_path / "k.pub", openssl("pkey", "-in", pki.good.key, "-pubout").decode())
    sealift.ok("attach", path, "k.sig", "--pub", public)
    sealift.ok("attach", path, p7s_for(path, pki.good, tmp_path, chain=[pki.issuing.cert]))
    sealift.ok("verify", path, "--trust", public)
    sealift.ok("verify", path, "--trust-ca", pki.root.cert)


ATTACH = {
    "over another inventory": (lambda y, p, b, t: p7s_for(b, p.good, t, over=b"x"), 3, "fits the inventory"),
    "cut": (lambda y, p, b, t: cut(p7s_for(b, p.good, t)), 3, "in DER"),
    "under another suffix": (lambda y, p, b, t: p7s_for(b, p.good, t, "made.cms"), 2, "--pub"),
    "not there": (lambda y, p, b, t: "absent.p7s", 7, "absent.p7s"),
}


def cut(path):
    os.truncate(path, os.path.getsize(path) - 1)
    return path


@pytest.mark.parametrize("name", ATTACH)
def test_attach_takes_only_what_holds(sealift, yard, pki, tmp_path, name):
    make, rc, phrase = ATTACH[name]
    path = yard.bundle("a")
    before = content(path)
    result = sealift("attach", path, make(yard, pki, path, tmp_path))
    assert result.rc == rc and phrase in result.err, repr(result)
    assert content(path) == before and not os.path.exists(path + ".signing")


def forms(path):
    """{(kid, suffix)} of the area."""
    data = content(path)
    return {(kid, suffix) for kid, suffix, _ in signatures(data, split(data)[1])}


def raw_of(pki, path, folder):
    """(signature, public key) of the leaf's key, as openssl makes them."""
    raw = openssl("dgst", "-sha256", "-sign", pki.good.key, input=split(content(path))[0])
    with open(folder / "k.sig", "wb") as f:
        f.write(base64.b64encode(raw) + b"\n")
    return folder / "k.sig", write(folder / "k.pub", openssl("pkey", "-in", pki.good.key, "-pubout").decode())


def test_attach_refuses_the_same_form_twice(sealift, yard, pki, tmp_path):
    """Two members of one name would leave an area that every reader refuses."""
    path = yard.bundle("a")
    before = content(path)
    made = p7s_for(path, pki.good, tmp_path, chain=[pki.issuing.cert])
    raw, public = raw_of(pki, path, tmp_path)
    for words in ([made, made], [raw, raw, "--pub", public]):
        refused = sealift("attach", path, *words)
        assert refused.rc == 2 and "twice" in refused.err and content(path) == before, repr(refused)


def test_attach_of_a_raw_signature_keeps_the_certificate(sealift, yard, pki, tmp_path):
    path = yard.bundle("a")
    sealift.ok("attach", path, p7s_for(path, pki.good, tmp_path, chain=[pki.issuing.cert]))
    raw, public = raw_of(pki, path, tmp_path)
    sealift.ok("attach", path, raw, "--pub", public)
    assert (pki.good.kid, "p7s") in forms(path) and (pki.good.kid, "sig") in forms(path)
    sealift.ok("verify", path, "--trust-ca", pki.root.cert)


def test_signing_again_without_the_certificate_keeps_it(sealift, yard, pki, tmp_path):
    path = yard.bundle("a")
    sealift.ok("attach", path, p7s_for(path, pki.good, tmp_path, chain=[pki.issuing.cert]))
    sealift.ok("sign", path, "--add", "--sign-key", pki.good.key)
    assert forms(path) >= {(pki.good.kid, "p7s"), (pki.good.kid, "sig"), (pki.good.kid, "sigstore.json")}
    sealift.ok("verify", path, "--trust-ca", pki.root.cert)
