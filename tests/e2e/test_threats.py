"""Attacks of docs/THREATS.md that no other test makes: each row there names its tests."""

import json

import pytest

from support import images, reader
from support.carry import Carrier, blobs, carries
from support.forge import Forged, Signer
from support.images import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, blob, image, index, layer
from support.outside import Outside
from support.scripted import Answer, Listener, Scripted, TokenService, redirect

LAYER = layer("threats", 70_000)


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.p256, tmp_path)


@pytest.fixture
def server():
    with Scripted() as reg:
        reg.store("team/app", "1.0", image([LAYER]))
        yield reg


def exported(session_sealift, keys, folder, what):
    carrier = Carrier(session_sealift, keys.p256, folder)
    with Scripted() as reg:
        reg.store("team/app", "1.0", what)
        result = carrier.export(reg)
        assert result.rc == 0, result
    return carrier.bundle


@pytest.fixture(scope="module")
def honest(session_sealift, keys, tmp_path_factory):
    return exported(session_sealift, keys, tmp_path_factory.mktemp("honest"), image([LAYER, layer("small", 900)]))


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"))


# ---- 2: a tag moves ------------------------------------------------------------------------

def test_a_tag_that_moves_while_it_is_exported(carrier, server):
    """Once the tag was asked for it names another image: what travels is whole, and is the first."""
    first, other = image([LAYER]), image([layer("later", 500)])
    def moved(request, answer):
        said = answer()
        server.store("team/app", "1.0", other)
        return said
    server.on("GET", "/manifests/1.0$", moved, times=1)
    assert carrier.export(server).rc == 0
    assert carries(carrier.bundle, first) and other.digest not in blobs(carrier.bundle)
    assert Forged(carrier.bundle).inventory["images"][0]["sourceDigest"] == first.digest


# ---- 3: one document, two readings ---------------------------------------------------------

def documents():
    """{name: (document, type on the wire)}"""
    one = json.loads(image([LAYER]).top.data)
    many = json.loads(index([image([LAYER])]).top.data)
    return {
        "a manifest with an empty index": ({**one, "manifests": []}, OCI_MANIFEST),
        "a manifest with an index in it": ({**one, "manifests": many["manifests"]}, OCI_MANIFEST),
        "an index with layers": ({**many, "layers": one["layers"]}, OCI_INDEX),
        "an index with a config": ({**many, "config": one["config"]}, OCI_INDEX),
        "an index that calls itself a manifest": ({**many, "mediaType": OCI_MANIFEST}, OCI_MANIFEST),
        "a manifest that calls itself an index": ({**one, "mediaType": OCI_INDEX}, OCI_INDEX),
        "a manifest sent as an index": (one, OCI_INDEX),
        "layers in other letters": ({**one, "Layers": []}, OCI_MANIFEST),
        "schema 1 beside schema 2": ({**one, "fsLayers": []}, OCI_MANIFEST),
    }


@pytest.mark.parametrize("name", documents())
def test_documents_with_two_readings(carrier, server, name):
    document, wire = documents()[name]
    server.manifests["team/app", "1.0"] = blob(json.dumps(document).encode(), wire)
    carrier.failed(carrier.export(server), 1, "team/app")
    assert not server.asked("GET", "/blobs/")


# ---- 4: sizes that lie ---------------------------------------------------------------------

SIZES = {"zero": 0, "minus one": -1, "one less": len(LAYER.data) - 1, "one more": len(LAYER.data) + 1, "2^53": 2 ** 53,
         "2^63": 2 ** 63, "2^63-1": 2 ** 63 - 1, "2^64": 2 ** 64, "half": 0.5, "text": "70000", "nothing": None}


@pytest.mark.parametrize("size", SIZES)
def test_descriptors_that_lie_about_a_size(carrier, server, size):
    document = json.loads(image([LAYER]).top.data)
    document["layers"][0]["size"] = SIZES[size]
    server.manifests["team/app", "1.0"] = blob(json.dumps(document).encode(), OCI_MANIFEST)
    result = carrier.export(server, "--retries", "1")
    assert result.rc in (1, 4), result
    carrier.failed(result, result.rc)


# ---- 6: where tokens come from -------------------------------------------------------------

REALMS = ["ftp://{thief}/token", "file:///etc/passwd", "gopher://{thief}/", "dict://{thief}/", "", "//", "http://", "javascript:1",
          "http://[::1", "http://{thief}\x7f/", "ldap://{thief}/"]


@pytest.mark.parametrize("realm", REALMS)
def test_realms_that_are_no_address_of_a_token_service(carrier, make_authfile, realm):
    with Scripted(users={"me": "the-password"}) as reg, Listener() as thief:
        reg.login = ("me", "the-password")
        reg.on("*", "", lambda r, answer: Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm.format(thief=thief.host)}"'}))
        result = carrier.export(reg, "--authfile", make_authfile(reg))
        assert result.rc in (5, 6), result
        carrier.failed(result, result.rc)
        assert not thief.journal and not [r for r in reg.journal if r.header("Authorization")]


def test_a_token_service_without_TLS_gets_no_login_of_a_registry_with_TLS(carrier, tmp_path, make_authfile):
    with TokenService(users={"me": "the-password"}) as tokens, Scripted(bearer=tokens) as reg:
        reg.store("team/app", "1.0", image([LAYER]))
        with Outside(str(tmp_path / "outside"), {"registry.corp": reg.url}) as world:
            reg.host, reg.login = "registry.corp", ("me", "the-password")
            result = carrier.export(reg, "--authfile", make_authfile(reg), url="https://registry.corp",
                                    env=world.environment)
        carrier.failed(result, 6, "token service", "plain http")
        assert reg.journal and not tokens.journal


# ---- 7: redirects --------------------------------------------------------------------------

@pytest.mark.parametrize("where", ["the same place", "another port", "another name"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_logins_and_redirects(carrier, make_authfile, status, where):
    """Of a blob: only the origin that asked for the login sees it."""
    with Scripted(users={"me": "the-password"}) as reg, Scripted() as store:
        reg.login, app = ("me", "the-password"), image([LAYER])
        reg.store("team/app", "1.0", app)
        store.blobs = reg.blobs
        to = {"the same place": reg.url, "another port": store.url,
              "another name": store.url.replace("127.0.0.1", "localhost")}[where]
        reg.on("GET", "/blobs/", redirect(status, lambda r: to + r.target + "?again"),
               when=lambda r: r.login and "again" not in r.target)
        result = carrier.export(reg, "--authfile", make_authfile(reg))
        assert result.rc == 0 and carries(carrier.bundle, app), result
        assert bool(store.journal) == (where != "the same place")
        assert not [r for r in store.journal if r.header("Authorization")]


# ---- 8: addresses in descriptors -----------------------------------------------------------

def test_addresses_in_a_descriptor_are_never_asked(carrier):
    with Scripted() as reg, Scripted() as other:
        other.blobs = reg.blobs
        document = json.loads(image([LAYER]).top.data)
        document["layers"][0].update(urls=[f"{other.url}/v2/team/app/blobs/{LAYER.digest}"],
                                     mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
        config = image([LAYER]).blobs[0]
        made = images.Image(blob(json.dumps(document).encode(), OCI_MANIFEST),
                            (blob(config.data, OCI_CONFIG), blob(LAYER.data, OCI_LAYER)))
        reg.store("team/app", "1.0", made)
        carrier.export(reg)
        assert reg.asked("GET", "/manifests/") and not other.journal


# ---- 13, 16, 18, 19: the bundle ------------------------------------------------------------

def test_an_index_that_names_another_image_than_the_inventory(honest, signer, sealift, tmp_path):
    """Signed by a trusted key, and still refused: skopeo and ctr would load what nobody approved."""
    forged = Forged(honest)
    other = image([LAYER])
    forged.members.append(("blobs/sha256/" + other.digest[7:], other.top.data))
    forged.remake("index.json", lambda d: d["manifests"][0].update(digest=other.digest, size=other.top.size))
    result = sealift("verify", forged.write(tmp_path / "b.tar", signer), *signer.trusting())
    assert result.rc == 4 and "index.json" in result.err and "what the inventory says" in result.err, result


@pytest.mark.parametrize("text", [b'{"_type":"https://in-toto.io/Statement/v1","subject":[]}\n', b"{}\n", b"\n", b"#!/bin/sh\n",
                                  b'{ "_type":"https://sealift/bundle/v1",'], ids=range(5))
def test_other_documents_that_the_key_signed_are_no_inventory(honest, signer, sealift, tmp_path, text):
    result = sealift("verify", Forged(honest).write(tmp_path / "b.tar", signer, text), *signer.trusting())
    assert result.rc == 4 and "inventory" in result.err, result


def test_a_blob_of_another_bundle_by_the_same_key(session_sealift, keys, honest, sealift, tmp_path):
    """Both are signed, both blobs have one size; only the inventory says which belongs where."""
    other = exported(session_sealift, keys, tmp_path, image([layer("THREATS", 70_000), layer("small", 900)]))
    mine, theirs = Forged(honest).members, Forged(other).members
    swapped = [(m, t) for m, t in zip(mine, theirs) if len(m[1]) == len(t[1]) > 20_000]
    assert len(swapped) == 1 and swapped[0][0] != swapped[0][1]
    with open(honest, "rb") as f:
        data = f.read().replace(reader.member(*swapped[0][0]), reader.member(*swapped[0][1]))
    (tmp_path / "b.tar").write_bytes(data)
    result = sealift("verify", tmp_path / "b.tar", *keys.p256.trusting())
    assert result.rc == 4 and swapped[0][0][0] in result.err, result


def test_a_bundle_that_changes_while_it_is_pushed(honest, keys, carrier, tmp_path):
    """The medium gives other bytes at the second look: no blob of them is completed, and no tag is set."""
    path = tmp_path / "b.tar"
    with open(honest, "rb") as f:
        data = f.read()
    path.write_bytes(data)
    victim = max(Forged(honest).members, key=lambda m: len(m[1]))
    def spoil(request, answer):
        with open(path, "r+b") as f:
            f.seek(data.index(victim[1]) + 20_000)
            f.write(b"spoilt")
        return answer()
    with Scripted() as reg:
        reg.on("GET", "^/v2/", spoil, times=1)
        reg.on("POST", "", spoil, times=1)
        result = carrier.push(reg, str(path), "--verify-first")
        assert reg.journal, result
        assert result.rc == 4 and "sha256:" + victim[0].rpartition("/")[2] in result.err, result
        assert not [key for key in reg.manifests if not key[1].startswith("sha256:")]
        assert all(images.sha256(blob_data) == digest for (_, digest), blob_data in reg.blobs.items())
        assert "sha256:" + victim[0].rpartition("/")[2] not in [digest for _, digest in reg.blobs]
