"""README and manual pages say what the program does: the session runs as it stands, and help,
option tables and pages name the same options, verbs and exit statuses."""

import os
import re
import subprocess

import pytest

from support import processes, vendor as vendor_side
from support.fetch_helm import root
from support.outside import Outside
from support.program import binary
from support.registry import docker_auth

VERBS = [
    "keygen",
    "plan",
    "export",
    "inspect",
    "sign",
    "attach",
    "verify",
    "preflight",
    "push",
    "values",
    "extract",
    "head",
    "approve",
    "trust list",
    "trust add",
    "trust remove",
    "split",
    "parts need",
    "parts patch",
    "parts apply",
    "state reset",
]


def read(name):
    with open(os.path.join(root(), name)) as f:
        return f.read()


def session():
    """The commands of README's session."""
    return re.search(r"## A session\n.*?```sh\n(.*?)```", read("README.md"), re.S)[1]


def section(text, title):
    """One section of a manual page."""
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", text, re.S | re.M)[1]


def options_of_help(text):
    return set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", text, re.M))


def test_session_runs_as_it_stands(tmp_path, sealift, vendor, vendor_images, chart_repository, customer):
    hosts = {vendor_side.REGISTRY: vendor, vendor_side.CHARTS: chart_repository, "registry.corp": customer}
    logins = {("registry.corp:5000" if name == "registry.corp" else name): s.login for name, s in hosts.items()}
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sealift").symlink_to(binary())
    (tmp_path / "auth.json").write_text(docker_auth(logins))
    (work / "passphrase.txt").write_text("a passphrase\n")
    (work / "immuta-values.yaml").write_text(read("tests/demo/customer-values.yaml"))
    with Outside(str(tmp_path / "outside"), {name: s.url for name, s in hosts.items()}) as world:
        env = sealift.environment({**world.environment, "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")})
        env["PATH"] = f"{tmp_path}/bin:{env['PATH']}"
        done = subprocess.run(**processes.child(["sh", "-eu"]), input=session(), cwd=work, env=env, capture_output=True, text=True,
                              timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for (name, tag), image in vendor_images.items():
        assert f"registry.corp:5000/apps/{name}:{tag}" in done.stdout
        raw, _ = customer.client().manifest(f"apps/{name}", tag)
        assert raw == image.top.data
    assert "registry.corp:5000/apps" in (work / "values" / "immuta-values.yaml").read_text()


def test_session_has_ten_lines_at_most():
    assert len(session().splitlines()) <= 10


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_complete_and_ends_with_an_example(sealift, verb):
    text = sealift.ok(*verb.split(), "--help").out
    assert text.startswith(f"Usage: sealift {verb} ")
    assert {"json", "quiet", "verbose", "no-progress", "help"} <= options_of_help(text)
    assert f"  sealift {verb} " in text[text.index("\nExample:\n"):]
    assert all(len(line) <= 96 for line in text.splitlines())


def test_manual_names_the_options_of_help(sealift):
    page = section(read("docs/sealift.1"), "VERBS") + section(read("docs/sealift.1"), "OPTIONS")
    described = set(re.findall(r"^\.It Fl (?:\w , Fl )?\\?-([a-z-]+)", page, re.M))
    helped = set().union(*(options_of_help(sealift.ok(*verb.split(), "--help").out) for verb in VERBS))
    assert described == helped


def test_verbs_are_the_same_everywhere(sealift):
    listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +", sealift.ok("--help").out, re.M)
    assert listed == VERBS
    assert re.findall(r"^\| `([a-z]+(?: [a-z]+)?)` \|", read("README.md"), re.M) == VERBS
    assert re.findall(r"^\.Ss ([a-z]+(?: [a-z]+)?)", section(read("docs/sealift.1"), "VERBS"), re.M) == VERBS


def test_exit_statuses_are_the_same_everywhere(sealift):
    readme = re.findall(r"^\| (\d+) \|", read("README.md"), re.M)
    manual = re.findall(r"^\.It (\d+)$", section(read("docs/sealift.1"), "EXIT STATUS"), re.M)
    helped = re.findall(r"\b(\d+) [a-z]", sealift.ok("--help").out[sealift.ok("--help").out.index("Exit status"):])
    assert readme == manual == helped == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130"]


def test_options_in_readme_exist(sealift):
    helped = set().union(*(options_of_help(sealift.ok(*verb.split(), "--help").out) for verb in VERBS))
    named = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", read("README.md"))) - {"help", "install"}
    assert named <= helped


def test_version_is_the_same_everywhere(sealift):
    version = re.search(r'SEALIFT_VERSION "(.*)"', read("cmd/version.h"))[1]
    assert sealift.ok("--version").out == f"sealift/{version}\n"
    assert re.search(r"^(\d\S*)$", read("CHANGES"), re.M)[1] == version
