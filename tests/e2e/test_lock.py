"""Reviewed exports: a plan is written as a lock, and what is exported from it is what was read: judged by yaml and tar."""

import hashlib
import json

import pytest
import yaml

from support import images
from support.artifacts import artifact, cosign, cosign_tag
from support.carry import HOST, REF, blobs, member
from support.charts import pack
from support.scripted import Scripted
from test_charts import Charts, index

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
TGZ = pack("app", {"Chart.yaml": b"apiVersion: v2\nname: app\nversion: 1.2.3\n", "values.yaml": b"a: 1\n"})
OLD, NEW = (images.index([images.image([images.layer(seed, 900)]), images.image([images.layer(seed + "arm", 900)], "linux/arm64")])
            for seed in ("old", "new"))


class Vendor:
    """A registry, a chart repository and a release file with a file of its own."""

    def __init__(self, sealift, keys, folder, registry, charts):
        self.sealift, self.keys, self.folder, self.registry, self.charts = sealift, keys, folder, registry, charts
        self.mirror = ("--mirror", f"{HOST}={registry.url}", "--retries", "0", "--no-progress")
        registry.store("team/app", "1.0", OLD)
        charts.files = {"/index.yaml": index(digest=""), "/app-1.2.3.tgz": TGZ}
        (folder / "shop").mkdir()
        (folder / "shop/starter.yaml").write_bytes(b"a: 2\n")
        (folder / "shop/shop.yaml").write_text(
            'release: shop\nparameters:\n  v: {description: version}\n'
            f'chart: {{name: app, repo: "{charts.url}", version: "1.2.3"}}\n'
            f'images:\n  - ref: "{HOST}/team/app:${{v}}"\n    values:\n'
            '      name: web\n      whole: [web.image, \'web."odd.key"\']\n      registry: [global.registry]\n'
            '      empty_is_value: [registry]\n      tag_must_be_semver: true\n'
            'files: [starter.yaml]\nversions: [appVersion]\n')

    def plan(self, *more):
        return self.sealift("plan", "shop/shop.yaml", "--param", "v=1.0", *self.mirror, "-o", "shop.lock", *more, env=EPOCH)

    def export(self, release="shop.lock", *more, out="out.tar"):
        return self.sealift("export", release, *self.mirror, *self.keys.signing(), "-o", out, *more, env=EPOCH)


@pytest.fixture
def vendor(sealift, keys, tmp_path):
    with Scripted() as registry, Charts() as charts:
        yield Vendor(sealift, keys.p256, tmp_path, registry, charts)


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def test_a_lock_says_what_was_found(vendor):
    result = vendor.plan()
    assert result.rc == 0 and "pinned: shop.lock; sealift export shop.lock carries exactly this" in result.out, result
    said = yaml.safe_load((vendor.folder / "shop.lock").read_text())
    assert said == {
        "release": "shop", "version": "1.2.3", "locked": "2023-11-14T22:13:20Z", "versions": ["appVersion"],
        "chart": {"name": "app", "repo": vendor.charts.url, "version": "1.2.3", "digest": digest(TGZ)},
        "images": [{"ref": REF, "digest": OLD.digest, "values": [
            {"name": "web", "whole": ["web.image", 'web."odd.key"'], "registry": ["global.registry"],
             "empty_is_value": ["registry"], "tag_must_be_semver": True}]}],
        "files": [{"path": str(vendor.folder / "shop/starter.yaml"), "digest": digest(b"a: 2\n")}]}
    assert not vendor.registry.asked("GET", "/blobs/sha256:" + OLD.children[0].blobs[-1].digest[7:]), "a layer was fetched"


def test_what_was_read_is_what_travels(vendor):
    """The tag moves after the plan; the lock's bundle is the one that an export at the time of the plan made."""
    assert vendor.export("shop/shop.yaml", "--param", "v=1.0", out="then.tar").rc == 0
    vendor.plan()
    vendor.registry.store("team/app", "1.0", NEW)
    (vendor.folder / "elsewhere").mkdir()
    (vendor.folder / "shop.lock").rename(vendor.folder / "elsewhere/shop.lock")
    result = vendor.export("elsewhere/shop.lock")
    assert result.rc == 0, result
    then, now = (json.loads(member(vendor.folder / name, "bundle/inventory.json")) for name in ("then.tar", "out.tar"))
    assert now["images"] == then["images"] and now["images"][0]["digest"] == OLD.digest
    assert now["charts"] == then["charts"] and now["files"] == then["files"]
    there = blobs(vendor.folder / "out.tar")
    assert all(b.digest in there for b in OLD.all_blobs()) and not any(b.digest in there for b in NEW.all_blobs())


def test_one_platform_is_pinned_too(vendor):
    assert vendor.plan("--platform", "linux/arm64").rc == 0
    assert yaml.safe_load((vendor.folder / "shop.lock").read_text())["platform"] == "linux/arm64"
    assert vendor.export().rc == 0
    assert json.loads(member(vendor.folder / "out.tar", "bundle/inventory.json"))["images"][0]["digest"] == OLD.children[1].digest


def forget(vendor):
    for name in [n for n in vendor.registry.manifests if n[1] == OLD.digest]:
        del vendor.registry.manifests[name]


def rebuild_chart(vendor):
    vendor.charts.files["/app-1.2.3.tgz"] = pack("app", {"Chart.yaml": b"apiVersion: v2\nname: app\nversion: 1.2.3\n"})


GONE = {
    "the image is gone": (forget, 7, ["what the lock pins has gone", OLD.digest]),
    "the chart was made anew": (rebuild_chart, 4, ["expected the chart that the lock pins", digest(TGZ)]),
    "the chart is gone": (lambda v: v.charts.files.clear(), 7, ["chart app"]),
    "the file was changed": (lambda v: (v.folder / "shop/starter.yaml").write_bytes(b"a: 3\n"), 4, ["starter.yaml", "the lock pins"]),
    "the file is gone": (lambda v: (v.folder / "shop/starter.yaml").unlink(), 7, ["starter.yaml"]),
}


@pytest.mark.parametrize("what", GONE)
def test_what_has_changed_or_gone_is_refused(vendor, what):
    spoil, status, words = GONE[what]
    vendor.plan()
    spoil(vendor)
    result = vendor.export()
    assert result.rc == status and all(word in result.err for word in words), result
    assert not list(vendor.folder.glob("out.tar*"))


MORE = [("--image", f"{HOST}/team/other:1"), ("--images", "list"), ("--chart", "x"), ("--file", "shop.lock"),
        ("--platform", "linux/amd64"), ("--name", "n"), ("--release-version", "9"), ("--param", "v=1")]


@pytest.mark.parametrize("more", MORE, ids=lambda more: more[0])
def test_nothing_is_added_to_a_lock(vendor, more):
    vendor.plan()
    asked = len(vendor.registry.journal)
    result = vendor.export("shop.lock", *more)
    assert result.rc == 2 and ("give them to plan" in result.err or "it has none" in result.err), result
    assert len(vendor.registry.journal) == asked


@pytest.mark.parametrize("what", ["images", "chart", "files"])
def test_a_lock_that_leaves_something_open_is_none(vendor, what):
    vendor.plan()
    path = vendor.folder / "shop.lock"
    said = yaml.safe_load(path.read_text())
    (said[what] if what == "chart" else said[what][0]).pop("digest")
    path.write_text(yaml.safe_dump(said))
    result = vendor.export()
    assert result.rc == 1 and "expected a digest for everything in a lock" in result.err, result


def test_a_lock_is_not_written_over(vendor):
    assert vendor.plan().rc == 0
    before = (vendor.folder / "shop.lock").read_bytes()
    again = vendor.plan()
    assert again.rc == 1 and "shop.lock" in again.err and (vendor.folder / "shop.lock").read_bytes() == before
    assert vendor.plan("-o", "lock").rc == 2


def test_images_named_one_by_one_are_pinned(vendor):
    result = vendor.sealift("plan", "--image", REF, *vendor.mirror, "-o", "my.lock", env=EPOCH)
    assert result.rc == 0, result
    said = yaml.safe_load((vendor.folder / "my.lock").read_text())
    assert said["images"] == [{"ref": REF, "digest": OLD.digest}] and (said["release"], said["version"]) == ("app", "1.0")
    assert vendor.export("my.lock").rc == 0


# --- what refers to an image ---

SBOM, LATER = (artifact("application/spdx+json", [text], subject=OLD) for text in (b"read by the board", b"made since"))
SIGNATURE = cosign(OLD)


def attach(registry, *listed):
    registry.referrers = True
    for one in listed:
        registry.store("team/app", one.digest, one)
    registry.store("team/app", cosign_tag(OLD), SIGNATURE)


def carried(vendor):
    image = json.loads(member(vendor.folder / "out.tar", "bundle/inventory.json"))["images"][0]
    return {r["digest"]: r["via"] for r in image["referrers"]}


def test_what_refers_to_an_image_is_pinned_and_nothing_else_travels(vendor):
    """A signature that was added since the board read the plan stays at home."""
    attach(vendor.registry, SBOM)
    vendor.plan()
    said = yaml.safe_load((vendor.folder / "shop.lock").read_text())["images"][0]
    read = {SBOM.digest: "api", SIGNATURE.digest: f"tag:{cosign_tag(OLD)}"}
    assert {r["digest"]: r["via"] for r in said["referrers"]} == read
    attach(vendor.registry, SBOM, LATER)
    asked = len(vendor.registry.journal)
    assert vendor.export().rc == 0 and carried(vendor) == read
    assert not [r for r in vendor.registry.journal[asked:] if "referrers" in r.path or "tags" in r.path], "nothing is searched for"


def test_a_signature_that_has_gone_since_is_refused(vendor):
    attach(vendor.registry, SBOM)
    vendor.plan()
    del vendor.registry.manifests["team/app", SBOM.digest]
    result = vendor.export()
    assert result.rc == 7 and "what the lock pins has gone" in result.err and SBOM.digest[:19] in result.err, result


@pytest.mark.parametrize("spoilt", [{"via": "api"}, {"digest": "sha256:" + "0" * 64, "via": "web"}, {"digest": "sha256:" + "0" * 64}])
def test_a_lock_with_a_broken_referrer_is_refused(vendor, spoilt):
    attach(vendor.registry, SBOM)
    vendor.plan()
    path = vendor.folder / "shop.lock"
    said = yaml.safe_load(path.read_text())
    said["images"][0]["referrers"][0] = spoilt
    path.write_text(yaml.safe_dump(said))
    result = vendor.export()
    assert result.rc == 1 and "shop.lock" in result.err, result


def test_a_lock_of_a_plan_without_referrers_carries_none(vendor):
    attach(vendor.registry, SBOM)
    vendor.plan("--no-referrers")
    assert vendor.export().rc == 0 and carried(vendor) == {}
