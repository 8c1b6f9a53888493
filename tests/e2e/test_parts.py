"""The parts themselves: what the tests stand on is judged by other people's tools."""

import hashlib
import json
import subprocess

from support import images


def skopeo(*args, registry=None):
    login = ["--creds", ":".join(registry.login)] if registry and registry.login else []
    return subprocess.run(["skopeo", *args[:1], *login, *args[1:]], capture_output=True, check=True).stdout


def test_made_images_are_whole(registry, tmp_path):
    base = images.layer("base", 20_000)
    whole = images.index([images.image([base, images.layer("a", 3000)], "linux/amd64"),
                          images.image([base], "linux/arm64/v8")])
    images.push(registry.client(), "team/app", "1.0", whole)
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/team/app:1.0",
                 registry=registry)
    assert "sha256:" + hashlib.sha256(raw).hexdigest() == whole.digest
    login = ["--src-creds", ":".join(registry.login)]
    subprocess.run(["skopeo", "copy", "--all", "--src-tls-verify=false", *login,
                    f"docker://{registry.host}/team/app:1.0", f"oci:{tmp_path}/layout:app"], check=True,
                   capture_output=True)
    config = json.loads(skopeo("inspect", "--config", "--override-arch", "amd64", f"oci:{tmp_path}/layout:app"))
    layer = tmp_path / "layout" / "blobs" / "sha256" / base.digest.split(":")[1]
    unpacked = subprocess.run(["gzip", "-dc", str(layer)], check=True, capture_output=True).stdout
    assert config["rootfs"]["diff_ids"][0] == "sha256:" + hashlib.sha256(unpacked).hexdigest()


def test_images_are_the_same_on_every_run():
    first, second = (images.image([images.layer("x", 5000)], docker=True) for _ in range(2))
    assert first.digest == second.digest
    assert first.top.media_type == images.DOCKER_MANIFEST


def test_access_log_counts_requests(registry):
    client = registry.client()
    before = len(registry.requests())
    client.ask("GET", "/v2/")
    client.ask("HEAD", "/v2/none/manifests/1")
    assert [(r.method, r.status) for r in registry.requests(since=before)] == [("GET", 200), ("HEAD", 404)]


def test_TLS_registry_answers(make_registry):
    assert make_registry(tls=True).client().ask("GET", "/v2/")[0] == 200
