"""Rewritten values, judged by helm: what the chart renders with them points to the customer's registry.

The chart is our own; it makes image references by the rules of the vendor's (one test for each rule).
"""

import os
import re
import shlex
import subprocess

import pytest

from support import vendor as vendor_side

HOST = "registry.example.com:5000"
TARGET = f"{HOST}/team/x"
SOURCE = vendor_side.REGISTRY
REFERENCES = [f"{name}:{tag}" for name, tag in vendor_side.references()]

# The shape of the vendor's starter file; the words are our own.
STARTER = """\
# Written by the platform team.
immutaVersion: 2024.1.5
imageTag: "2024.1.5"
imagePullSecrets: [immuta-registry]
web:
  imageRepository: registry.immuta.com/immuta/immuta-service
database:
  imageRepository: registry.immuta.com/immuta/immuta-db
  superuserPassword: 'hunter2-database'
  password: "hunter2-immuta"
queryEngine:
  imageRepository: registry.immuta.com/immuta/immuta-db
  password: hunter2-engine
fingerprint:
  imageRepository: registry.immuta.com/immuta/immuta-fingerprint
configHook:
  imageRepository: registry.immuta.com/immuta/immuta-deploy-tools
memcached:
  imageRepository: registry.immuta.com/memcached
nginxIngress:
  imageRepository: registry.immuta.com/ingress-nginx-controller
"""


@pytest.fixture(scope="session")
def chart(session_folder):
    path = session_folder / "chart.tgz"
    path.write_bytes(vendor_side.chart())
    return str(path)


@pytest.fixture(params=["3.17.3", "4.1.4"])
def helm(request, tmp_path, chart):
    """helm(file, ...) -> the image references that the chart renders with these values files."""
    binary = request.getfixturevalue("helm3" if request.param.startswith("3") else "helm4")

    def run(*files):
        flags = [flag for f in files for flag in ("-f", str(f))]
        return subprocess.run([binary, "template", "immuta", chart, *flags], capture_output=True, text=True,
                              cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, timeout=60)

    def render(*files):
        done = run(*files)
        assert done.returncode == 0, done.stderr
        return set(re.findall(r'(?m)^ *(?:- )?image: *"?([^"\s]+)', done.stdout))

    render.run = run
    return render


class Values:
    """Runs of `sealift values` on files made for one test."""

    def __init__(self, sealift, bundle, folder):
        self.sealift, self.bundle, self.folder = sealift, bundle, folder
        self.input, self.out = folder / "customer.yaml", folder / "out"
        self.file, self.overlay = self.out / "customer.yaml", self.out / "sealift-images.yaml"

    def write(self, text):
        self.input.write_bytes(text if isinstance(text, bytes) else text.encode())

    def run(self, *more, text=None, out="out/", target=TARGET):
        given = []
        if text is not None:
            self.write(text)
            given = ["-f", "customer.yaml"]
        return self.sealift("values", self.bundle.path, target, *given, "-o", out,
                            "--trust", self.bundle.keys.public, *more)

    def ok(self, *more, **kw):
        result = self.run(*more, **kw)
        assert result.rc == 0, repr(result)
        return result

    def written(self):
        """The files to give to helm, in the order that counts."""
        return [path for path in (self.file, self.overlay) if path.exists()]

    def refused(self, text, code, *more):
        """Runs on a file that needs a decision; the report."""
        result = self.run(*more, text=text)
        assert result.rc == 9, repr(result)
        assert f" {code}: " in f" {result.out}", repr(result)
        assert not self.out.exists()
        return result


@pytest.fixture
def values(sealift, bundle, tmp_path):
    return Values(sealift, bundle, tmp_path)


def moved(references, to=TARGET):
    """How many of the six point to the target; a reference that is none of the six is an error."""
    known = {f"{host}/{ref}" for host in (SOURCE, to) for ref in REFERENCES}
    assert references <= known, references - known
    assert len(references) == len(REFERENCES), references
    return sum(ref.startswith(to + "/") for ref in references)


def assert_all_moved(values, helm, text, to=TARGET):
    """Six of six, though not one pointed there before; returns the report."""
    values.write(text)
    assert moved(helm(values.input)) == 0
    result = values.ok(text=text, target=to)
    assert moved(helm(*values.written()), to) == len(REFERENCES)
    return result


# ---- the rules by which the chart makes references: VALUES 1.3 ----------------------------------


def test_row_1_the_first_tag_counts_and_none_is_edited(values, helm):
    text = ("immutaVersion: 2099.9\nimageTag: 2024.1.5\n"
            "web: {imageTag: 2024.1.5, image: {tag: 2098.1}}\n"
            "fingerprint: {image: {tag: '2024.1.5'}}\n")
    values.write(text)
    assert moved(helm(values.input)) == 0
    values.ok(text=text)
    assert values.file.read_text() == text
    assert moved(helm(*values.written())) == 6


def test_row_1_a_tag_that_wins_and_is_not_carried_is_refused(values):
    result = values.refused("web: {imageTag: 2098.1, image: {tag: 2024.1.5}}\n", "TAG-NOT-IN-BUNDLE")
    assert "customer.yaml:1: TAG-NOT-IN-BUNDLE: web.imageTag: " in result.out


@pytest.mark.parametrize("text", ["nginxIngress: {controller: {image: {tag: ''}}}\n",
                                  "deployTools: {image: {tag: }}\n",
                                  "cache: {memcached: {image: {tag: ''}}}\n",
                                  "nginxIngress: {controller: {image: }}\n"])
def test_row_1_no_tag_at_all_is_refused(values, helm, text):
    values.write(text)
    done = helm.run(values.input)
    assert done.returncode != 0 or '/memcached:"' in done.stdout
    result = values.run(text=text)
    assert result.rc == 9, repr(result)
    assert "TAG-NOT-IN-BUNDLE: " in result.out and "no value says the tag of " in result.out
    assert not values.out.exists()


def test_row_3_a_suffix_that_is_not_carried_is_refused(values, helm):
    values.write("imageType: fat\n")
    assert "immuta-db:2024.1.5-fat" in helm.run(values.input).stdout
    values.refused("imageType: fat\n", "TAG-NOT-IN-BUNDLE")


def test_row_2_a_whole_reference_hides_registry_and_repository(values, helm):
    text = STARTER.replace("web:\n", "web:\n  image: {registry: elsewhere.example.com, repository: some/thing}\n")
    text += "imageType: slim\nimageRegistry: other.example.com\n"
    text = text.replace("nginxIngress:\n", "nginxIngress:\n  controller: {image: {registry: registry.immuta.com}}\n")
    assert_all_moved(values, helm, text)
    new = values.file.read_text()
    assert "registry: elsewhere.example.com, repository: some/thing" in new
    assert "imageRegistry: other.example.com\n" in new
    assert not values.overlay.exists()


@pytest.mark.parametrize("registry, where", [
    ("global: {imageRegistry: registry.immuta.com}\n", "global.imageRegistry"),
    ("imageRegistry: registry.immuta.com\nglobal: {imageRegistry: unused.example.com}\n", "imageRegistry"),
    ("imageRegistry: ''\nglobal: {imageRegistry: registry.immuta.com}\n", "global.imageRegistry"),
    ("imageRegistry:\nglobal: {imageRegistry: registry.immuta.com}\n", "global.imageRegistry"),
], ids=["global", "top beats global", "empty top", "null top"])
def test_row_3_which_registry_counts(values, helm, registry, where):
    result = assert_all_moved(values, helm, registry)
    assert not values.overlay.exists()
    assert f": {where}: {SOURCE} -> {TARGET}\n" in result.out
    assert result.out.count(" -> ") == 1


def test_row_3_the_components_own_registry_counts(values, helm):
    text = ("global: {imageRegistry: registry.immuta.com}\n"
            "web: {image: {registry: registry.immuta.com}}\n"
            "database: {image: {registry: }}\n"
            "fingerprint: {image: {registry: '', repository: registry.immuta.com/immuta/immuta-fingerprint}}\n")
    assert_all_moved(values, helm, text)
    new = values.file.read_text()
    assert "database: {image: {registry: }}\n" in new
    assert f"registry: '', repository: {TARGET}/immuta/immuta-fingerprint" in new


def test_row_4_the_old_name_of_deploy_tools_wins(values, helm):
    text = ("configHook: {imageTag: 1.0.0, image: {registry: registry.immuta.com}}\n"
            "deployTools: {imageTag: 1.0.1, image: {registry: not.used.example.com}}\n")
    result = assert_all_moved(values, helm, text)
    assert "customer.yaml:1: DEAD-KEY: configHook.imageTag: " in result.out
    assert "customer.yaml:2: DEAD-KEY: deployTools.imageTag: " in result.out
    assert "registry: not.used.example.com" in values.file.read_text()


def test_row_5_the_old_place_of_memcached_wins(values, helm):
    text = ("memcached: {imageTag: '1.4', imageRepository: registry.immuta.com/memcached}\n"
            "cache: {memcached: {imageRepository: not.used.example.com/memcached}}\n")
    result = assert_all_moved(values, helm, text)
    assert "customer.yaml:1: DEAD-KEY: memcached.imageTag: " in result.out
    assert "not.used.example.com/memcached" in values.file.read_text()


def test_row_6_only_the_controllers_keys_count(values, helm):
    text = "nginxIngress: {imageRepository: registry.immuta.com/ingress-nginx-controller}\n"
    result = assert_all_moved(values, helm, text)
    assert "customer.yaml:1: DEAD-KEY: nginxIngress.imageRepository: " in result.out
    assert values.file.read_text() == text


def test_row_7_tags_that_are_compared_as_versions_stay(values, helm):
    text = ("deployTools: {image: {tag: 2.4.3, registry: registry.immuta.com}}\n"
            "nginxIngress: {controller: {image: {tag: v1.1.0, registry: registry.immuta.com}}}\n")
    assert_all_moved(values, helm, text)
    assert "tag: 2.4.3," in values.file.read_text() and "tag: v1.1.0," in values.file.read_text()


@pytest.mark.parametrize("text", ["deployTools: {image: {tag: latest}}\n",
                                  "nginxIngress: {controller: {image: {tag: stable}}}\n"])
def test_row_7_a_tag_that_is_no_version_is_refused(values, helm, text):
    values.write(text)
    assert helm.run(values.input).returncode != 0
    values.refused(text, "TAG-NOT-IN-BUNDLE")


@pytest.mark.parametrize("to", ["registry.example.com", "registry.example.com/a", "10.1.2.3:5000", "[fd00::1]:5000/a/b",
                                "localhost:5000/deep/er/prefix-1"])
def test_row_8_the_registry_takes_port_and_prefix(values, helm, to):
    assert_all_moved(values, helm, "global: {imageRegistry: registry.immuta.com}\n", to)
    assert values.file.read_text() == f"global: {{imageRegistry: {to}}}\n".replace(
        to, f'"{to}"' if to.startswith("[") else to)


# ---- negative controls --------------------------------------------------------------------------


def test_global_alone_moves_one_of_six(values, helm, tmp_path):
    values.write(STARTER)
    (tmp_path / "global.yaml").write_text(f"global: {{imageRegistry: '{TARGET}'}}\n")
    assert moved(helm(values.input, tmp_path / "global.yaml")) == 1


def test_splices_alone_move_five_and_the_overlay_the_sixth(values, helm):
    values.ok(text=STARTER)
    assert moved(helm(values.input)) == 0
    assert moved(helm(values.file)) == 5
    assert moved(helm(values.input, values.overlay)) == 1
    assert moved(helm(values.file, values.overlay)) == 6


def test_overlay_alone_without_a_file(values, helm):
    result = values.ok()
    assert values.written() == [values.overlay]
    assert moved(helm()) == 0
    assert moved(helm(values.overlay)) == 6
    assert result.out.rstrip().endswith(" -f out/sealift-images.yaml")


def test_overlay_alone_into_a_file(values, helm, tmp_path):
    values.ok(out="images.yaml")
    assert moved(helm(tmp_path / "images.yaml")) == 6


# ---- what is written, and what is not -----------------------------------------------------------


def test_the_input_is_never_changed(values):
    values.write(STARTER)
    os.utime(values.input, ns=(10**18, 10**18))
    before = os.stat(values.input)
    values.ok("-f", "customer.yaml")
    after = os.stat(values.input)
    assert values.input.read_text() == STARTER
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_ino) == \
        (after.st_mtime_ns, after.st_ctime_ns, after.st_ino)


@pytest.mark.parametrize("out", ["customer.yaml", "./customer.yaml", ".", "link.yaml"])
def test_the_input_is_no_output(values, tmp_path, out):
    text = "global: {imageRegistry: registry.immuta.com}\n"
    (tmp_path / "link.yaml").symlink_to("customer.yaml")
    result = values.run("--force", text=text, out=out)
    assert result.rc == 2, repr(result)
    assert "is the input, which is never changed" in result.err
    assert values.input.read_text() == text


def test_one_file_is_refused_when_an_overlay_is_needed(values, tmp_path):
    result = values.run(text=STARTER, out="new.yaml")
    assert result.rc == 2, repr(result)
    assert "an overlay is needed besides customer.yaml" in result.err
    assert sorted(os.listdir(tmp_path)) == ["customer.yaml"]


def test_one_file_is_enough_when_no_overlay_is_needed(values, tmp_path, helm):
    values.ok(text="global: {imageRegistry: registry.immuta.com}\n", out="new.yaml")
    assert moved(helm(tmp_path / "new.yaml")) == 6


def test_output_that_equals_the_input_is_written(values):
    text = f"# all is well\nglobal: {{imageRegistry: {TARGET}}}\n"
    result = values.ok(text=text)
    assert values.file.read_text() == text
    assert not values.overlay.exists()
    assert " -> " not in result.out


def test_the_second_rewriting_changes_nothing(values, tmp_path):
    values.ok(text=STARTER)
    first = [path.read_bytes() for path in values.written()]
    assert len(first) == 2
    values.ok(text=first[0].decode(), out="again/")
    assert [(tmp_path / "again" / p.name).read_bytes() for p in values.written()] == first


@pytest.mark.parametrize("name", ["customer.yaml", "sealift-images.yaml"])
def test_a_file_that_exists_is_replaced_only_with_force(values, name):
    values.out.mkdir()
    (values.out / name).write_text("precious\n")
    result = values.run(text=STARTER)
    assert result.rc == 1, repr(result)
    assert f"out/{name} exists already" in result.err
    assert [p.name for p in values.out.iterdir()] == [name]
    assert (values.out / name).read_text() == "precious\n"
    values.ok("--force", text=STARTER)
    assert (values.out / name).read_text() != "precious\n"


def spans(old, new):
    """Where new differs from old, as (old bytes, new bytes), line by line; the rest is equal."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    assert len(before) == len(after)
    return [(b, a) for b, a in zip(before, after) if b != a]


def test_every_byte_outside_the_listed_spans_stays(values, helm):
    text = ("\ufeff# Zürich — 東京  \r\n"
            "note: 'äöü 🙂'   # trailing blanks   \r\n"
            "global:\r\n"
            '  imageRegistry:   "registry.immuta.com"   # Spiegel\t\r\n'
            "\r\n"
            "web: {image: {registry: 'registry.immuta.com' , tag: '2024.1.5'}} # ü\r\n"
            "list: [ a,b ,  c ]\r\n"
            "last: no newline at the end").encode()
    assert_all_moved(values, helm, text)
    assert spans(text, values.file.read_bytes()) == [
        (b'  imageRegistry:   "registry.immuta.com"   # Spiegel\t\r\n',
         f'  imageRegistry:   "{TARGET}"   # Spiegel\t\r\n'.encode()),
        ("web: {image: {registry: 'registry.immuta.com' , tag: '2024.1.5'}} # ü\r\n".encode(),
         f"web: {{image: {{registry: '{TARGET}' , tag: '2024.1.5'}}}} # ü\r\n".encode())]


# ---- what needs a decision ----------------------------------------------------------------------


def test_a_version_that_lags_behind_is_refused(values):
    result = values.refused(STARTER.replace('imageTag: "2024.1.5"', 'imageTag: "2023.4.0"'), "TAG-BEHIND")
    assert "customer.yaml:3: TAG-BEHIND: imageTag: 2023.4.0 -> 2024.1.5" in result.out


def test_a_version_follows_the_bundle_where_that_is_said(values, helm, tmp_path):
    """As if it had been written so: byte for byte, and its line is told apart from the others."""
    values.ok(text=STARTER, out="new/")
    result = values.ok("--update-tags", text=STARTER.replace('imageTag: "2024.1.5"', 'imageTag: "2023.4.0"'))
    assert values.file.read_bytes() == (tmp_path / "new/customer.yaml").read_bytes()
    assert moved(helm(*values.written())) == len(REFERENCES)
    assert [line for line in result.out.splitlines() if line.startswith("version: ")] == [
        "version: customer.yaml:3: imageTag: 2023.4.0 -> 2024.1.5"]


def test_other_tags_do_not_follow_it(values):
    values.refused(STARTER + "web:\n  image: {tag: 2023.4.0}\n  imageTag: 2023.4.0\n", "TAG-NOT-IN-BUNDLE", "--update-tags")


def test_what_is_waived_by_its_name_stays_and_the_rest_moves(values, helm):
    fork = "quay.example.com/fork/immuta-service"
    text = f"web: {{imageRepository: {fork}}}\n"
    result = values.ok("--waive", "NOT-IN-BUNDLE:web.imageRepository", text=text)
    assert "customer.yaml:1: NOT-IN-BUNDLE: web.imageRepository: " in result.out and result.out.count(" (waived)\n") == 1
    rendered = helm(*values.written())
    assert {ref.rpartition(":")[0] for ref in rendered if not ref.startswith(TARGET + "/")} == {fork}
    assert len(rendered) == len(REFERENCES)
    event = values.ok("--waive", "NOT-IN-BUNDLE:web.imageRepository", "--json", "--force", text=text).events[1]
    assert as_text(event) == result.out.splitlines()[1:]


@pytest.mark.parametrize("waiver", ["NOT-IN-BUNDLE", "NOT-IN-BUNDLE:web", "TAG-BEHIND:web.imageRepository", "DEAD-KEY:web.old", ""])
def test_a_waiver_of_nothing_is_refused(values, waiver):
    result = values.run("--waive", waiver, text="web: {imageRepository: quay.example.com/fork/immuta-service}\n")
    assert result.rc == 2 and "NOT-IN-BUNDLE:web.imageRepository" in result.err and not values.out.exists(), result


@pytest.mark.parametrize("text, path", [
    ("web: {imageRepository: quay.example.com/fork/immuta-service}\n", "web.imageRepository"),
    ("fingerprint: {image: {repository: immuta/other}}\n", "fingerprint.image.repository"),
    ("memcached: {imageRepository: memcached}\n", "memcached.imageRepository"),
])
def test_an_image_that_is_not_carried_is_refused(values, text, path):
    result = values.refused(text, "NOT-IN-BUNDLE")
    assert f"customer.yaml:1: NOT-IN-BUNDLE: {path}: " in result.out, result.out


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a:\n\t- b\n", "a: [1\n", "a: \x01\n"])
def test_a_file_that_is_not_understood_is_refused_with_its_place(values, text):
    result = values.run(text=text)
    assert result.rc == 1, repr(result)
    assert re.search(r"customer\.yaml:\d+:\d+: ", result.err), result.err
    assert not values.out.exists()


def test_push_uploads_nothing_for_values_that_need_a_decision(values, sealift, bundle, registry, make_authfile):
    values.write(STARTER.replace('imageTag: "2024.1.5"', "imageTag: 2023.4.0"))
    arguments = ["push", bundle.path, f"{registry.host}/team", "--trust", bundle.keys.public, "--plain-http",
                 "--authfile", make_authfile(registry), "-f", "customer.yaml", "-o", "out/"]
    result = sealift(*arguments)
    assert result.rc == 9, repr(result)
    assert "TAG-BEHIND" in result.out
    assert [r for r in registry.requests() if r.method not in ("GET", "HEAD")] == []
    assert not values.out.exists()
    values.write(STARTER)  # the control: the same line does upload
    sealift.ok(*arguments)
    assert [r for r in registry.requests() if r.method == "PUT"]
    assert len(values.written()) == 2


# ---- the report ---------------------------------------------------------------------------------


def test_the_cluster_may_call_the_registry_otherwise(values, helm, sealift, bundle, registry, make_authfile):
    values.write(STARTER)
    arguments = ["push", bundle.path, f"{registry.host}/team", "--trust", bundle.keys.public, "--plain-http",
                 "--authfile", make_authfile(registry), "--values-registry", TARGET]
    result = sealift.ok(*arguments, "-f", "customer.yaml", "-o", "out/")
    assert moved(helm(*values.written())) == len(REFERENCES)
    assert f" oci://{TARGET}/" in result.out and registry.host.encode() not in values.file.read_bytes() + values.overlay.read_bytes()
    assert registry.client().manifest("team/memcached", "1.6-alpine")
    for more, word in ([], "--output with --values-registry"), (["-f", "customer.yaml", "-o", "again/", "--values-registry", "https://x"], "--values-registry"):
        refused = sealift(*arguments, *more)
        assert refused.rc == 2 and word in refused.err, refused


def test_passwords_are_never_shown(values):
    for more in ((), ("--json",), ("-v",)):
        result = values.run("--force", *more, text=STARTER)
        assert result.rc == 0, repr(result)
        assert "hunter2" in STARTER and "hunter2" not in result.out + result.err
        assert "hunter2" not in values.overlay.read_text()


def test_the_helm_line_names_every_file(values):
    result = values.ok(text=STARTER)
    words = shlex.split(result.out.splitlines()[-1])
    assert words == ["helm", "upgrade", "--install", "immuta", f"oci://{TARGET}/immuta", "--version",
                     vendor_side.CHART_VERSION, "-f", "out/customer.yaml", "-f", "out/sealift-images.yaml"]


def as_text(event):
    """The JSON report as the lines of the other one."""
    lines = []  # but for the first, which names the bundle
    for c in event["changes"]:
        where = "version: " * c["version"] + (f"customer.yaml:{c['line']}" if c["kind"] == "splice" else "overlay")
        lines.append(f"{where}: {c['path']}: {c.get('old', '(unset)')} -> {c['new']}")
    for f in event["findings"]:
        where = f"customer.yaml:{f['line']}: " if f["line"] else ""
        lines.append(f"{where}{f['code']}: {f.get('path', 'customer.yaml')}: {f['text']}" + " (waived)" * f["waived"])
    return lines + ([event["helm"]] if "helm" in event else [])


def test_json_says_what_the_text_says(values):
    text = values.ok(text=STARTER).out.splitlines()
    bundle, event = values.ok("--json", "--force", text=STARTER).events
    assert bundle["event"] == "bundle"
    assert event["event"] == "values"
    assert len(event["changes"]) == 7 and len(event["findings"]) >= 1
    assert as_text(event) == text[1:]


def test_json_says_why_nothing_was_written(values):
    text = STARTER.replace('imageTag: "2024.1.5"', "imageTag: 2023.4.0")
    shown = values.refused(text, "TAG-BEHIND").out.splitlines()[1:]
    result = values.run("--json", text=text)
    assert result.rc == 9
    event = next(e for e in result.events if e["event"] == "values")
    assert any(f["blocking"] for f in event["findings"])
    assert [line for line in as_text(event) if not line.startswith("helm ")] == shown


def test_the_helm_line_can_be_pasted(values, tmp_path):
    """Whatever the folder is called, the shell reads the line as the files that were written."""
    result = values.ok(text=STARTER, out="my values; $(id) 'x'/")
    words = shlex.split(result.out.splitlines()[-1])
    files = [words[i + 1] for i, word in enumerate(words) if word == "-f"]
    assert len(files) == 2 and all((tmp_path / f).exists() for f in files), words
