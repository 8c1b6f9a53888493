"""Passwords and passphrases: never in argv, output or bundle, and never in a core file."""

import base64
import json
import os
import resource
import signal
import time

import pytest

from support import vendor as vendor_side
from support.relay import Relay

USER, PASSWORD = "operator", "p4ss:w0rd \"quoted\" ünïcode"


@pytest.fixture
def source(make_registry, vendor_images):
    """A registry of one image, behind a password of its own."""
    registry = make_registry({USER: PASSWORD})
    (name, tag), image = next(iter(vendor_images.items()))
    registry.plant(name, tag, image)
    registry.reference = f"{registry.host}/{name}:{tag}"
    return registry


def export(registry, keys, *more):
    return ["export", "--image", registry.reference, "--plain-http", *keys.locked.signing(), "-o", "b.tar", *more]


def docker_config(folder, host):
    os.makedirs(folder, exist_ok=True)
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    path = os.path.join(folder, "config.json")
    with open(path, "w") as f:
        json.dump({"auths": {host: {"auth": auth}}}, f)
    return path


def forms(secret):
    """A secret as it stands, and in base64 as a header would hold it."""
    return [secret.encode(), base64.b64encode(secret.encode()), base64.b64encode(f"{USER}:{secret}".encode())]


def test_password_from_standard_input(sealift, source, keys):
    sealift.ok(*export(source, keys), "-u", USER, "--password-stdin", input=PASSWORD + "\n")


def test_DOCKER_CONFIG(sealift, source, keys, tmp_path):
    docker_config(tmp_path / "docker", source.host)
    sealift.ok(*export(source, keys), env={"DOCKER_CONFIG": str(tmp_path / "docker")})


def test_home_docker_config(sealift, source, keys, tmp_path):
    docker_config(tmp_path / ".docker", source.host)
    sealift.ok(*export(source, keys))


def test_REGISTRY_AUTH_FILE(sealift, source, keys, tmp_path):
    path = docker_config(tmp_path / "elsewhere", source.host)
    sealift.ok(*export(source, keys), env={"REGISTRY_AUTH_FILE": path})


def test_no_password_is_an_option(sealift):
    """No verb takes a secret as an argument."""
    for verb in ("keygen", "plan", "export", "push", "values", "verify", "inspect"):
        help_text = sealift.ok(verb, "--help").out
        for word in ("--password ", "--password=", "--passphrase ", "--passphrase=", "--token"):
            assert word not in help_text


@pytest.mark.parametrize("how", [["-v"], ["--json"], ["-v", "--json"], []])
def test_secrets_are_in_no_output_and_in_no_bundle(sealift, source, keys, tmp_path, how):
    result = sealift.ok(*export(source, keys), "-u", USER, "--password-stdin", *how, input=PASSWORD + "\n")
    said = (result.out + result.err).encode()
    bundle = (tmp_path / "b.tar").read_bytes()
    for secret in (PASSWORD, keys.locked.passphrase):
        for form in forms(secret):
            assert form not in said and form not in bundle


def test_wrong_password_is_denied_and_not_shown(sealift, source, keys, tmp_path):
    wrong = "wr0ng-" + PASSWORD
    result = sealift(*export(source, keys), "-v", "-u", USER, "--password-stdin", input=wrong + "\n")
    assert result.rc == 6, repr(result)
    for form in forms(wrong):
        assert form not in (result.out + result.err).encode()
    assert not (tmp_path / "b.tar").exists()


def test_wrong_passphrase_is_not_shown(sealift, source, keys, tmp_path):
    path = tmp_path / "wrong.pass"
    path.write_text("not the passphrase\n")
    before = len(source.requests())
    result = sealift("export", "--image", source.reference, "--plain-http", "--sign-key", keys.locked.private,
                     "--passphrase-file", path, "-o", "b.tar")
    assert result.rc != 0 and "not the passphrase" not in result.out + result.err
    assert len(source.requests()) == before, "the network was asked before the key was open"


def test_argv_environment_and_core_of_a_running_export(sealift, source, keys, tmp_path):
    """Looked at from outside while it runs; then it is made to crash with core files allowed."""
    wire = Relay(source.port)
    reference = source.reference.replace(source.host, wire.host)
    wire.freeze_at(100_000)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    process = sealift.start("export", "--image", reference, "--plain-http", *keys.locked.signing(), "-o", "b.tar",
                            "-u", USER, "--password-stdin", stdin=-1)
    process.stdin.write((PASSWORD + "\n").encode())
    process.stdin.close()
    assert wire.frozen.wait(20)
    for name in ("cmdline", "environ"):
        try:
            with open(f"/proc/{process.pid}/{name}", "rb") as f:
                seen = f.read()
        except PermissionError:
            continue  # the process lets nobody look, not even its own user
        assert b"export" in seen or name == "environ"
        for secret in (PASSWORD, keys.locked.passphrase):
            assert not any(form in seen for form in forms(secret))
    with open(f"/proc/{process.pid}/limits") as f:
        limit = next(line for line in f if line.startswith("Max core file size")).split()
    assert limit[4:6] == ["0", "0"], limit
    process.send_signal(signal.SIGQUIT)
    end = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    wire.stop()
    assert process.returncode == -signal.SIGQUIT
    assert not [n for n in os.listdir(tmp_path) if n.startswith("core")]


def test_credentials_stay_with_their_host(sealift, vendor, vendor_images, chart_repository, keys, make_registry,
                                          make_authfile):
    """A login for one host is not offered to another: without its own, the second one denies."""
    other = make_registry({"someone": "else"})
    (name, tag), image = next(iter(vendor_images.items()))
    other.plant(name, tag, image)
    result = sealift("export", "--image", f"{other.host}/{name}:{tag}", "--plain-http", *keys.locked.signing(),
                     "--authfile", make_authfile(vendor, chart_repository), "-o", "b.tar")
    assert result.rc == 6, repr(result)
    assert all(r.status == 401 for r in other.requests())


def test_charts_password_is_asked_for(sealift, vendor, vendor_images, chart_repository, keys, make_authfile):
    arguments = vendor_side.export_arguments(vendor, chart_repository, make_authfile(vendor))
    result = sealift("export", "immuta", *arguments, *keys.locked.signing(), "-o", "b.tar")
    assert result.rc == 6 and chart_repository.host in result.err, repr(result)
