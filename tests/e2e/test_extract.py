"""Charts, files and the head out of a bundle; tarfile, hashlib and helm judge what came out."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from support import reader
from support.forge import Forged, Signer
from support.program import binary

CHART = "immuta-4.13.5.tgz"


@pytest.fixture
def extract(sealift, full_bundle):
    def run(*words, bundle=full_bundle.path, trust=None):
        return sealift("extract", bundle, *(full_bundle.keys.trusting() if trust is None else trust), *words)
    return run


def inventory(path):
    with tarfile.open(path) as tar:
        return json.load(tar.extractfile("bundle/inventory.json"))


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def sum_of(path):
    return "sha256:" + hashlib.sha256(contents(path)).hexdigest()


def id_of(path):
    with tarfile.open(path) as tar:
        return "sha256:" + hashlib.sha256(tar.extractfile("bundle/inventory.json").read()).hexdigest()


# ---- extract -------------------------------------------------------------------------------

def test_files_and_charts_come_out_as_they_went_in(extract, full_bundle, tmp_path, helm3):
    out = tmp_path / "out"
    result = extract("--files", "--charts", "-o", out)
    assert result.rc == 0, result
    assert result.out.splitlines()[0].startswith(f"{full_bundle.path}: {id_of(full_bundle.path)}")
    assert {p.name for p in out.iterdir()} == {CHART, *full_bundle.files}
    assert {name: contents(out / name) for name in full_bundle.files} == full_bundle.files
    said = inventory(full_bundle.path)
    assert sum_of(out / CHART) == said["charts"][0]["blob"]
    for f in said["files"]:
        assert sum_of(out / f["name"]) == f["blob"]
    shown = subprocess.run([helm3, "show", "chart", out / CHART], capture_output=True, text=True)
    assert shown.returncode == 0 and "version: 4.13.5" in shown.stdout, shown
    assert not (out / CHART).stat().st_mode & 0o111


def test_each_kind_alone_into_this_folder(sealift, full_bundle, tmp_path):
    for kind, names in (("--charts", {CHART}), ("--files", set(full_bundle.files))):
        folder = tmp_path / kind
        folder.mkdir()
        result = sealift("extract", kind, full_bundle.path, *full_bundle.keys.trusting(), "--json", cwd=folder)
        assert result.rc == 0 and {p.name for p in folder.iterdir()} == names, result
        told = result.events[-1]
        assert told["event"] == "result" and told["id"] == id_of(full_bundle.path)
        assert {os.path.normpath(f["path"]): f["digest"] for f in told["files"]} == {
            n: sum_of(folder / n) for n in names}
        assert {f["size"] for f in told["files"]} == {(folder / n).stat().st_size for n in names}


def test_what_exists_is_listed_and_nothing_is_written(extract, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "empty.txt").write_text("mine")
    (out / CHART).symlink_to("nowhere")
    before = sorted(os.listdir(out))
    result = extract("--files", "--charts", "-o", out)
    assert result.rc == 1 and "2 of 4" in result.err, result
    assert f"exists already: {out}/empty.txt" in result.err and f"exists already: {out}/{CHART}" in result.err
    assert sorted(os.listdir(out)) == before and (out / "empty.txt").read_text() == "mine"


@pytest.mark.parametrize("words, status", [([], 2), (["--files", "-o", ""], 2), (["--images"], 2)])
def test_usage(extract, words, status):
    assert extract(*words).rc == status


def test_nothing_of_what_is_not_trusted(extract, keys, tmp_path):
    for trust in ([], keys.other.trusting()):
        assert extract("--files", "-o", tmp_path / "out", trust=trust).rc == 3
    assert not (tmp_path / "out").exists()


def test_a_bundle_without_files_says_so(extract, bundle, tmp_path):
    result = extract("--files", "-o", tmp_path / "out", bundle=bundle.path)
    assert result.rc == 7 and not (tmp_path / "out").exists(), result


@pytest.mark.parametrize("name", ["driver-2.1.run", "immuta-values.yaml", CHART])
def test_a_changed_byte_leaves_no_file(extract, full_bundle, tmp_path, name):
    data, said = bytearray(contents(full_bundle.path)), inventory(full_bundle.path)
    digest = {f["name"]: f["blob"] for f in said["files"]} | {CHART: said["charts"][0]["blob"]}
    with tarfile.open(full_bundle.path) as tar:
        at = tar.getmember("blobs/sha256/" + digest[name][7:]).offset_data
    data[at + 2] ^= 1
    (tmp_path / "bad.tar").write_bytes(data)
    out = tmp_path / "out"
    result = extract("--files", "--charts", "-o", out, bundle=tmp_path / "bad.tar")
    assert result.rc == 4 and digest[name][7:] in result.err, result
    assert name not in os.listdir(out)
    for there in os.listdir(out):  # whole, or not there
        assert sum_of(out / there) == digest[there]


def test_a_truncated_bundle_is_refused_before_anything_is_written(extract, full_bundle, tmp_path):
    (tmp_path / "cut.tar").write_bytes(contents(full_bundle.path)[:-1024])
    assert extract("--files", "-o", tmp_path / "out", bundle=tmp_path / "cut.tar").rc == 4
    assert not (tmp_path / "out").exists()


def forged(full_bundle, tmp_path, change):
    signer, path = Signer(tmp_path), tmp_path / "forged.tar"
    lie = Forged(full_bundle.path)
    change(lie.inventory)
    lie.write(path, signer)
    return path, signer.trusting()


@pytest.mark.parametrize("key, value", [
    ("name", "../../evil"), ("name", "/evil"), ("name", ".evil"), ("name", "-evil"), ("version", "1/../../evil"),
    ("version", "1\n2"), ("version", "1 2"), ("version", "1\u202e2"), ("name", "nul.x"), ("name", "x" * 300)])
def test_a_chart_whose_name_is_no_file_name_is_refused(extract, full_bundle, tmp_path, key, value):
    path, trust = forged(full_bundle, tmp_path, lambda i: i["charts"][0].update({key: value}))
    result = extract("--charts", "-o", tmp_path / "out", bundle=path, trust=trust)
    assert result.rc == 4 and "chart" in result.err and not (tmp_path / "out").exists(), result


def test_plus_stays_in_a_version(extract, full_bundle, tmp_path):
    path, trust = forged(full_bundle, tmp_path, lambda i: i["charts"][0].update(version="4.13.5+b7"))
    assert extract("--charts", "-o", tmp_path / "out", bundle=path, trust=trust).rc == 0
    assert os.listdir(tmp_path / "out") == ["immuta-4.13.5+b7.tgz"]


def test_a_chart_called_like_a_file_is_refused(extract, full_bundle, tmp_path):
    def change(inventory):
        inventory["files"][0]["name"] = "IMMUTA-4.13.5.tgz"
        inventory["files"].sort(key=lambda f: f["name"])

    path, trust = forged(full_bundle, tmp_path, change)
    result = extract("--charts", "--files", "-o", tmp_path / "out", bundle=path, trust=trust)
    assert result.rc == 1 and "one folder" in result.err and not (tmp_path / "out").exists(), result
    assert extract("--charts", "-o", tmp_path / "out", bundle=path, trust=trust).rc == 0


def test_a_file_that_a_lie_names_is_refused(extract, full_bundle, tmp_path):
    for i, name in enumerate(("../evil", "/evil", ".evil", "-evil", "a b", "Nul.txt", "evil.", "driver-2.1.RUN", "")):
        def change(inventory, name=name):
            inventory["files"][-1]["name"] = name
            inventory["files"].sort(key=lambda f: f["name"])

        folder = tmp_path / str(i)
        folder.mkdir()
        path, trust = forged(full_bundle, folder, change)
        result = extract("--files", "-o", folder / "out", bundle=path, trust=trust)
        assert result.rc == 4 and "file" in result.err and not (folder / "out").exists(), result


def test_an_expired_bundle_gives_nothing(extract, full_bundle, tmp_path):
    path, trust = forged(full_bundle, tmp_path, lambda i: i["bundle"].update(expires=i["bundle"]["created"]))
    result = extract("--files", "-o", tmp_path / "out", bundle=path, trust=trust)
    assert result.rc == 3 and not (tmp_path / "out").exists(), result


@pytest.fixture
def parts(sealift, full_bundle, tmp_path):
    """The folder of the bundle in parts, full.tar.001 and so on."""
    (tmp_path / "parts").mkdir()
    shutil.copy(full_bundle.path, tmp_path / "full.tar")
    sealift.ok("split", tmp_path / "full.tar", "--split", "1M", "-o", tmp_path / "parts")
    return tmp_path / "parts"


def test_out_of_parts_where_they_are(extract, full_bundle, parts, tmp_path, sealift, keys):
    first = parts / "full.tar.001"
    assert len(list(parts.glob("full.tar.*"))) > 2
    assert extract("--files", "-o", tmp_path / "out", bundle=first).rc == 0
    assert {name: contents(tmp_path / "out" / name) for name in full_bundle.files} == full_bundle.files
    sealift.ok("head", first, "-o", tmp_path / "h")
    assert contents(tmp_path / "h") == contents(parts / "full.head")
    (parts / "full.tar.002").unlink()
    result = extract("--files", "-o", tmp_path / "none", bundle=first)
    assert result.rc == 7 and "full.tar.002" in result.err and not (tmp_path / "none").exists(), result
    sealift.ok("verify", "--head-only", first, *keys.p256.trusting())


def test_a_pipe_gives_a_head_but_no_files(sealift, full_bundle, tmp_path):
    trust = full_bundle.keys.trusting()
    shell = f"cat {full_bundle.path} | {binary()}"
    refused = subprocess.run(["sh", "-c", f"{shell} extract - --files -o y --trust {trust[1]}"], cwd=tmp_path,
                             env=sealift.environment(), capture_output=True, text=True)
    assert refused.returncode == 2 and "pipe" in refused.stderr and not (tmp_path / "y").exists(), refused
    subprocess.run(["sh", "-c", f"{shell} head - -o h"], cwd=tmp_path, env=sealift.environment(), check=True)
    whole = contents(full_bundle.path)
    assert contents(tmp_path / "h") == whole[:reader.split(whole)[1] + reader.AREA]


# ---- the head ------------------------------------------------------------------------------

@pytest.fixture
def head(sealift, full_bundle, tmp_path):
    """The head of the bundle as the program takes it, and as the second reader cuts it."""
    path = tmp_path / "full.head"
    result = sealift.ok("head", full_bundle.path, "-o", path)
    assert result.out.splitlines()[0] == f"{full_bundle.path}: {id_of(full_bundle.path)}"
    assert "nothing was verified" in result.out
    return path


def test_the_head_is_the_beginning_byte_for_byte(head, full_bundle):
    whole = contents(full_bundle.path)
    end = reader.split(whole)[1] + reader.AREA
    assert contents(head) == whole[:end]


def test_a_head_is_inspected_and_verified(head, full_bundle, sealift, keys):
    assert sealift.ok("inspect", head).out.splitlines()[2:] == sealift.ok("inspect", full_bundle.path).out.splitlines()[2:]
    trusted = sealift.ok("inspect", head, *keys.p256.trusting()).out
    assert id_of(full_bundle.path) in trusted.splitlines()[0] and "file driver-2.1.run" in trusted
    verified = sealift.ok("verify", "--head-only", head, *keys.p256.trusting()).out
    assert id_of(full_bundle.path) in verified.splitlines()[0] and "no content was checked" in verified
    assert sealift("verify", "--head-only", head, *keys.other.trusting()).rc == 3
    assert sealift("verify", "--head-only", head).rc == 3
    assert "no content was checked" in sealift.ok("verify", "--head-only", full_bundle.path, *keys.p256.trusting()).out


def test_a_head_is_no_bundle(head, sealift, keys, tmp_path):
    (tmp_path / "v.yaml").write_text("a: 1\n")
    trust = keys.p256.trusting()
    for words in (["verify", head], ["push", head, "127.0.0.1:9/apps"], ["extract", head, "--files", "-o", tmp_path / "x"],
                  ["values", head, "127.0.0.1:9/apps", "-f", tmp_path / "v.yaml", "-o", tmp_path / "y"]):
        result = sealift(*words, *trust)
        assert result.rc == 4 and "only its head" in result.err, result
    assert not (tmp_path / "x").exists() and not (tmp_path / "y").exists()


def test_a_changed_head_is_refused(head, sealift, keys):
    data = contents(head)
    for at in (0, 700, reader.split(data)[1] + 600, len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 1
        head.write_bytes(changed)
        assert sealift("verify", "--head-only", head, *keys.p256.trusting()).rc in (3, 4), at
    head.write_bytes(data[:-1])
    assert sealift("verify", "--head-only", head, *keys.p256.trusting()).rc == 4


def test_a_head_is_taken_from_a_head_and_never_over_a_file(head, sealift, full_bundle, tmp_path):
    sealift.ok("head", head, "-o", tmp_path / "again.head")
    assert contents(tmp_path / "again.head") == contents(head)
    before = contents(full_bundle.path)
    for target in (head, full_bundle.path):
        result = sealift("head", full_bundle.path, "-o", target)
        assert result.rc == 1 and "exists already" in result.err and "--force" not in result.err, result
    assert contents(full_bundle.path) == before
    assert sealift("head", full_bundle.path).rc == 2
    (tmp_path / "junk").write_bytes(b"x" * 5000)
    assert sealift("head", tmp_path / "junk", "-o", tmp_path / "j.head").rc == 3
    assert not (tmp_path / "j.head").exists()


def test_a_head_is_not_written_to_a_file_called_like_standard_output(sealift, full_bundle, tmp_path):
    refused = sealift("head", full_bundle.path, "-o", "-", cwd=tmp_path)
    assert refused.rc == 2 and "standard output" in refused.err and not list(tmp_path.iterdir())


# ---- the id comes first --------------------------------------------------------------------

def test_every_verb_that_opens_a_bundle_says_its_id_first(sealift, full_bundle, customer, authfile, tmp_path):
    path, trust = full_bundle.path, full_bundle.keys.trusting()
    (tmp_path / "v.yaml").write_text("a: 1\n")
    to = f"{customer.host}/first"
    shutil.copy(path, tmp_path / "b.tar")
    for words, line in ((["verify", path, *trust], 0), (["verify", "--head-only", path, *trust], 0),
                        (["inspect", path, *trust], 0), (["inspect", path], 1),
                        (["extract", path, *trust, "--charts", "-o", tmp_path / "x"], 0),
                        (["head", path, "-o", tmp_path / "h"], 0),
                        (["values", path, to, *trust, "-f", tmp_path / "v.yaml", "-o", f"{tmp_path}/o/"], 0),
                        (["push", path, to, *trust, "--plain-http", "--authfile", authfile], 0)):
        assert id_of(path) in sealift.ok(*words).out.splitlines()[line], words


def test_every_verb_says_the_id_first_to_a_program_too(sealift, full_bundle, customer, authfile, tmp_path):
    path, trust = full_bundle.path, full_bundle.keys.trusting()
    (tmp_path / "v.yaml").write_text("a: 1\n")
    to = f"{customer.host}/first-json"
    for words in (["verify", path, *trust], ["inspect", path], ["extract", path, *trust, "--charts", "-o", tmp_path / "x"],
                  ["head", path, "-o", tmp_path / "h"],
                  ["values", path, to, *trust, "-f", tmp_path / "v.yaml", "-o", f"{tmp_path}/o/"],
                  ["push", path, to, *trust, "--plain-http", "--authfile", authfile, "--dry-run"]):
        first = sealift.ok(*words, "--json").events[0]
        assert first["id"] == id_of(path) and list(first)[:2] == ["event", "id"], words
