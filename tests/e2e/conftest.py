"""Fixtures: real registries, a chart repository, keys, and the program under test.

    plain_build         skips a test in a build with a sanitizer or coverage
    sealift             runs the program: sealift("verify", path, ...) -> .rc .out .err; sealift.ok(...)
    vendor              the vendor's registry, with a password, filled with small stand-ins (session)
    vendor_images       {(repository, tag): support.images.Image}: what is in it (session)
    chart_repository    the chart repository with a password, the immuta chart in it (session)
    customer            the customer's registry, with a password (session): push under a prefix of your own
    registry            an empty registry with a password, for one test
    make_registry       make_registry(users=..., tls=True, ...): more of them, for one test
    make_authfile       make_authfile(registry, ...) -> path of an auth file with their logins
    authfile            such a file for vendor, chart_repository and customer (session)
    keys                keys.p256, keys.ed25519, keys.other, keys.locked (it has a passphrase): support.keys.KeyPair (session)
    export_arguments    what plan and export of `immuta` need to reach the vendor's side (session)
    bundle              a small bundle made by the program's export (session): .path .keys .images
    full_bundle         one that has files, labels, a channel and an end as well (session): .path .keys .files
    helm3, helm4        paths of the two helm binaries

Access logs: registry.requests() lists Request(method, path, status); take len() of it before and
pass it as `since` afterwards.
"""

import dataclasses
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support import fetch_helm, keys as key_pairs, matrix, vendor as vendor_side  # noqa: E402
from support.program import Program, binary  # noqa: E402
from support.registry import Registry, docker_auth  # noqa: E402

SMALL = 3_000_000  # bytes of layers at the vendor's side


def pytest_addoption(parser):
    parser.addoption("--matrix", action="store_true", help="print what is tested where; an empty cell is a failure")


def pytest_configure(config):
    config.pluginmanager.register(matrix.Table(config), "matrix")


@pytest.fixture(scope="session")
def plain_build():
    """Skips where a sanitizer or coverage changes what is measured or loaded."""
    with open(binary(), "rb") as f:
        code = f.read()
    if any(word in code for word in (b"__asan_init", b"__tsan_init", b"__llvm_profile")):
        pytest.skip("this build measures something else")


@pytest.fixture
def sealift(tmp_path):
    """The program, run in the test's own folder."""
    return Program(tmp_path)


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("session")


@pytest.fixture(scope="session")
def session_sealift(session_folder):
    """The program, run in the session's folder: for other session fixtures."""
    return Program(session_folder)


@pytest.fixture(scope="session")
def vendor(session_folder):
    server = Registry(str(session_folder / "vendor"), {"vendor": 'a "vendor\'s", pass: word'})
    yield server
    server.remove()


@pytest.fixture(scope="session")
def vendor_images(vendor):
    return vendor_side.fill(vendor, SMALL)


@pytest.fixture(scope="session")
def chart_repository(session_folder):
    server = vendor_side.chart_repository(str(session_folder / "charts"), {"charts": "charts-password"})
    yield server
    server.remove()


@pytest.fixture(scope="session")
def customer(session_folder):
    server = Registry(str(session_folder / "customer"), {"customer": "customer-password"})
    yield server
    server.remove()


@pytest.fixture
def make_registry(tmp_path):
    servers = []

    def make(users=None, **kw):
        servers.append(Registry(str(tmp_path / f"registry-{len(servers)}"), users, **kw))
        return servers[-1]

    yield make
    for server in servers:
        server.remove()


@pytest.fixture
def registry(make_registry):
    return make_registry({"customer": "customer-password"})


def _write_authfile(path, servers):
    text = docker_auth({server.host: server.login for server in servers if server.login})
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    return str(path)


@pytest.fixture
def make_authfile(tmp_path):
    made = []

    def make(*servers):
        made.append(_write_authfile(tmp_path / f"auth-{len(made)}.json", servers))
        return made[-1]

    return make


@pytest.fixture(scope="session")
def authfile(session_folder, vendor, chart_repository, customer):
    return _write_authfile(session_folder / "auth.json", (vendor, chart_repository, customer))


@dataclasses.dataclass(frozen=True)
class Keys:
    p256: key_pairs.KeyPair
    ed25519: key_pairs.KeyPair
    other: key_pairs.KeyPair
    locked: key_pairs.KeyPair


@pytest.fixture(scope="session")
def keys(session_sealift, session_folder):
    folder = str(session_folder)
    return Keys(key_pairs.make(session_sealift, folder, "vendor-key"),
                key_pairs.make(session_sealift, folder, "edwards-key", "ed25519"),
                key_pairs.make(session_sealift, folder, "other-key"),
                key_pairs.make_locked(session_sealift, folder, "locked-key"))


@pytest.fixture(scope="session")
def export_arguments(vendor, vendor_images, chart_repository, authfile):
    return vendor_side.export_arguments(vendor, chart_repository, authfile)


@dataclasses.dataclass(frozen=True)
class Bundle:
    path: str
    keys: key_pairs.KeyPair
    images: dict


@pytest.fixture(scope="session")
def bundle(session_sealift, session_folder, keys, vendor_images, export_arguments):
    path = str(session_folder / "immuta-2024.1.5.tar")
    session_sealift.ok("export", "immuta", *export_arguments, *keys.p256.signing(), "-o", path)
    return Bundle(path, keys.p256, vendor_images)


@dataclasses.dataclass(frozen=True)
class FullBundle(Bundle):
    files: dict


@pytest.fixture(scope="session")
def full_bundle(session_sealift, session_folder, keys, vendor_images, export_arguments):
    folder, path = session_folder / "beside", str(session_folder / "full.tar")
    folder.mkdir()
    files = {"immuta-values.yaml": b"a: 1\r\n", "driver-2.1.run": os.urandom(300_000), "empty.txt": b""}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    session_sealift.ok("export", "immuta", *export_arguments, *keys.p256.signing(), "-o", path,
                       *(word for name in files for word in ("--file", folder / name)), "--label", "change=CHG-1",
                       "--expires", "2100-01-01", "--channel", "edge")
    return FullBundle(path, keys.p256, vendor_images, files)


@pytest.fixture(scope="session")
def helm3():
    return fetch_helm.fetch("3.17.3")


@pytest.fixture(scope="session")
def helm4():
    return fetch_helm.fetch("4.1.4")
