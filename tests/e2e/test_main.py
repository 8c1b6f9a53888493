"""The main job on real registries: export, push, push again; skopeo and the access log judge."""

import hashlib
import json
import os
import subprocess

import pytest

from support.vendor import REGISTRY, references


def raw(host, login, reference):
    """What skopeo reads under a reference, byte for byte."""
    return subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", "--creds", ":".join(login),
                           f"docker://{host}/{reference}"], check=True, capture_output=True).stdout


def push(sealift, bundle, host, authfile, *more):
    return sealift("push", bundle.path, host, *bundle.keys.trusting(), "--plain-http", "--authfile", authfile, *more)


@pytest.fixture(scope="module")
def pushed(session_sealift, bundle, customer, authfile):
    """The bundle, pushed to the customer's registry under main/."""
    result = push(session_sealift, bundle, f"{customer.host}/main", authfile)
    assert result.rc == 0, repr(result)
    return result


@pytest.mark.parametrize("name, tag", references())
def test_digests_are_equal_at_both_ends(pushed, vendor, customer, name, tag):
    there = raw(vendor.host, vendor.login, f"{name}:{tag}")
    here = raw(customer.host, customer.login, f"main/{name}:{tag}")
    assert here == there
    for child in json.loads(here).get("manifests", []):
        data = raw(customer.host, customer.login, f"main/{name}@{child['digest']}")
        assert "sha256:" + hashlib.sha256(data).hexdigest() == child["digest"]


def test_every_image_can_be_pulled_whole(pushed, customer, tmp_path):
    for name, tag in references():
        subprocess.run(["skopeo", "copy", "-q", "--all", "--src-tls-verify=false", "--src-creds",
                        ":".join(customer.login), f"docker://{customer.host}/main/{name}:{tag}",
                        f"oci:{tmp_path}/layout:{name.replace('/', '-')}"], check=True)


def test_the_result_names_every_reference_and_digest(pushed, bundle, customer):
    for (name, tag), image in bundle.images.items():
        line = next(l for l in pushed.out.splitlines() if f"{customer.host}/main/{name}:{tag}" in l)
        assert image.digest in line


def test_no_other_tag_is_made(pushed, customer):
    client = customer.client()
    wanted = {f"main/{name}": [tag] for name, tag in references()} | {"main/immuta": ["4.13.5"]}
    found = {r: client.tags(r) for r in client.repositories() if r.startswith("main/")}
    assert found == wanted


def test_second_push_puts_nothing_and_asks_little(pushed, sealift, bundle, customer, authfile):
    before = len(customer.requests())
    result = push(sealift, bundle, f"{customer.host}/main", authfile)
    assert result.rc == 0, repr(result)
    asked = customer.requests(since=before)
    assert [r for r in asked if r.method not in ("GET", "HEAD")] == []
    manifests = sum(len(i.manifests()) for i in bundle.images.values()) + 1  # and the chart's
    assert 0 < len(asked) <= 3 * manifests, f"{len(asked)} requests for {manifests} manifests"


def test_the_tag_comes_last(pushed, customer, bundle):
    """Of every image, the tag is the last thing put into its repository."""
    for (name, tag), image in bundle.images.items():
        puts = [r.path for r in customer.requests()
                if r.method in ("PUT", "POST", "PATCH") and f"/v2/main/{name}/" in r.path and r.status < 300]
        assert puts[-1].endswith(f"/manifests/{tag}")
        if image.children:
            assert any(p.endswith(image.children[0].digest) for p in puts[:-1])


def test_names_stay_the_vendors(sealift, bundle):
    out = sealift.ok("inspect", bundle.path, "--json", *bundle.keys.trusting()).out
    for name, tag in references():
        assert f"{REGISTRY}/{name}:{tag}" in out
    assert "127.0.0.1" not in out


def test_signature_and_sums_hold_by_hand(bundle, tmp_path):
    """BUNDLE.md 1.8, line by line."""
    script = (
        f"tar -xf {bundle.path} --occurrence=1 --wildcards bundle/inventory.json 'bundle/sig/*.sig' &&"
        " base64 -d bundle/sig/*.sig > s.der &&"
        f" openssl dgst -sha256 -verify {bundle.keys.public} -signature s.der bundle/inventory.json &&"
        f" tar -xf {bundle.path} &&"
        " grep -o '\"path\":\"[^\"]*\",\"size\":[0-9]*,\"sha256\":\"[0-9a-f]*\"' bundle/inventory.json |"
        " awk -F'\"' '{print $10\"  \"$4}' | tee sums | sha256sum -c --quiet")
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "Verified OK" in done.stdout, done.stdout + done.stderr
    assert len((tmp_path / "sums").read_text().splitlines()) > 20


def test_untrusted_bundles_make_no_request(sealift, bundle, keys, registry, make_authfile):
    authfile = make_authfile(registry)
    for trust in ([], keys.other.trusting(), keys.ed25519.trusting()):
        result = sealift("push", bundle.path, registry.host, *trust, "--plain-http", "--authfile", authfile)
        assert result.rc == 3, repr(result)
    assert registry.requests() == []


def test_plan_fetches_no_layer(sealift, vendor, bundle, export_arguments):
    layers = {b.digest for i in bundle.images.values() for b in i.all_blobs() if "rootfs.diff" in b.media_type
              or "layer" in b.media_type}
    before = len(vendor.requests())
    result = sealift.ok("plan", "immuta", *export_arguments)
    asked = [r.path.rsplit("/", 1)[1] for r in vendor.requests(since=before) if r.method == "GET"]
    assert asked and not layers & set(asked)
    assert f"{os.path.getsize(bundle.path):,}" in result.out or str(os.path.getsize(bundle.path)) in result.out


def test_exporting_twice_gives_the_same_bytes(sealift, keys, export_arguments, tmp_path):
    for name in ("one.tar", "two.tar"):
        sealift.ok("export", "immuta", *export_arguments, *keys.ed25519.signing(), "-o", name,
                   env={"SOURCE_DATE_EPOCH": "1700000000"})
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_one_platform_carries_that_child(sealift, keys, export_arguments, bundle, registry, make_authfile):
    sealift.ok("export", "immuta", *export_arguments, *keys.p256.signing(), "--platform", "linux/amd64", "-o", "a.tar")
    sealift.ok("push", "a.tar", registry.host, *keys.p256.trusting(), "--plain-http", "--authfile",
               make_authfile(registry))
    for (name, tag), image in bundle.images.items():
        child = next((c for c in image.children if c.platform == "linux/amd64"), image)
        got = raw(registry.host, registry.login, f"{name}:{tag}")
        assert "sha256:" + hashlib.sha256(got).hexdigest() == child.digest


def test_TLS_at_both_ends(sealift, make_registry, vendor_images, keys):
    source, target = make_registry(tls=True), make_registry(tls=True)
    (name, tag), image = next(iter(vendor_images.items()))
    source.plant(name, tag, image)
    sealift.ok("export", "--image", f"{source.host}/{name}:{tag}", "--ca-file", source.ca, *keys.p256.signing(),
               "-o", "b.tar")
    refused = sealift("push", "b.tar", target.host, *keys.p256.trusting(), "--retries", "0")
    assert refused.rc == 5, repr(refused)
    sealift.ok("push", "b.tar", target.host, *keys.p256.trusting(), "--ca-file", target.ca)
    assert hashlib.sha256(target.client().manifest(name, tag)[0]).hexdigest() == image.digest.split(":")[1]


# ---- what stays behind ---------------------------------------------------------------------

LEFT = f"{REGISTRY}/memcached:1.6-alpine"


def test_an_excluded_image_is_not_pushed_and_named(sealift, bundle, customer, authfile, tmp_path):
    values = tmp_path / "mine.yaml"
    values.write_text("cache:\n  memcached:\n    imageRepository: registry.immuta.com/memcached  # ours\n    image: {tag: 1.6-alpine}\n"
                      "immutaVersion: 2024.1.5\nglobal:\n  imageRegistry: registry.immuta.com\n")
    reason = "CHG-7: \x1b[31mour own"
    result = push(sealift, bundle, f"{customer.host}/without", authfile, "--exclude", LEFT, "--reason", reason,
                  "-f", str(values), "-o", f"{tmp_path}/out/")
    assert result.rc == 0, repr(result)
    line = next(l for l in result.out.splitlines() if f"{customer.host}/without/memcached:1.6-alpine" in l)
    assert "left out: CHG-7: " in line and "\x1b" not in result.out + result.err
    assert any(l.startswith(f"{values}:3: EXCLUDED: cache.memcached.imageRepository") and "stays as it is" in l
               for l in result.out.splitlines()), result
    repositories = [r for r in customer.client().repositories() if r.startswith("without/")]
    assert repositories and not any("memcached" in r for r in repositories)
    written = (tmp_path / "out/mine.yaml").read_text()
    assert "imageRepository: registry.immuta.com/memcached  # ours" in written
    assert f"imageRegistry: {customer.host}/without" in written


def test_an_excluded_image_that_moves_with_others_is_told(sealift, bundle, customer, authfile, tmp_path):
    (tmp_path / "mine.yaml").write_text("global:\n  imageRegistry: registry.immuta.com\nimmutaVersion: 2024.1.5\n")
    result = push(sealift, bundle, f"{customer.host}/shared", authfile, "--exclude", LEFT, "--reason", "why",
                  "-f", "mine.yaml", "-o", "out/", "--dry-run")
    assert result.rc == 0, repr(result)
    assert any(l.startswith("mine.yaml:2: EXCLUDED: global.imageRegistry") and "moves all the same" in l
               for l in result.out.splitlines()), result


def test_exclusions_in_JSON(sealift, bundle, customer, authfile):
    result = push(sealift, bundle, f"{customer.host}/json", authfile, "--exclude", LEFT, "--reason", "why", "--json")
    assert result.rc == 0, repr(result)
    said = {p["ref"]: (p["state"], p.get("reason")) for p in result.events[-1]["pushed"]}
    assert said.pop(f"{customer.host}/json/memcached:1.6-alpine") == ("left out", "why")
    assert said and set(said.values()) == {("pushed", None)}


@pytest.mark.parametrize("more, words", [
    (["--exclude", LEFT], "expected a --reason for each --exclude, found 0 for 1"),
    (["--reason", "x"], "expected a --reason for each --exclude, found 1 for 0"),
    (["--exclude", LEFT, "--reason", ""], "expected a text"),
    (["--exclude", "registry.immuta.com/memcached", "--reason", "x"], "expected an image of this bundle, found registry.immuta.com/memcached:latest"),
    (["--exclude", "A b", "--reason", "x"], "--exclude"),
], ids=["no reason", "no image", "empty reason", "not in the bundle", "no name"])
def test_exclusions_that_are_refused(sealift, bundle, customer, authfile, more, words):
    before = len(customer.requests())
    result = push(sealift, bundle, f"{customer.host}/refused", authfile, *more)
    assert result.rc == 2 and words in result.err, repr(result)
    assert len(customer.requests()) == before
