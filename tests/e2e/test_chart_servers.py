"""Charts out of real servers, nginx and docker-registry, with Helm 3 and 4 as judges (PROTOCOL 14, 15)."""

import hashlib
import json
import os
import subprocess

import pytest
import yaml

from support import measure, ports, processes, program
from support.carry import Carrier, blobs, member
from support.charts import pack
from support.registry import htpasswd, parse_access_log

SERVER = """\
daemon off; master_process off; worker_processes 1;
pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; default_type application/octet-stream;
  log_format logins '$server_port $request_uri "$http_authorization"';
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
{servers}
}}
"""


class Nginx:
    """nginx with these server blocks; {port0}, {port1} ... are its ports, {folder} is its own."""

    def __init__(self, folder, *servers, users=None):
        self.folder = str(folder)
        os.makedirs(os.path.join(self.folder, "www"), exist_ok=True)
        if users:
            htpasswd(os.path.join(self.folder, "passwords"), users)
        self.ports = [ports.free_port() for _ in servers]
        words = {f"port{i}": port for i, port in enumerate(self.ports)}
        text = "\n".join("server { listen 127.0.0.1:%d; access_log %s/access.log; access_log %s/logins.log logins; %s }" % (
            port, self.folder, self.folder, block) for port, block in zip(self.ports, servers))
        for name, value in {**words, "folder": self.folder}.items():
            text = text.replace("{%s}" % name, str(value))
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(SERVER.format(folder=self.folder, servers=text))
        self.server = processes.Server(["nginx", "-p", self.folder, "-c", config, "-e", os.path.join(self.folder, "error.log")],
                                       self.folder, "nginx", ready=lambda: all(map(ports.answers, self.ports)))

    def put(self, path, data):
        path = os.path.join(self.folder, "www", path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    def url(self, at=0):
        return f"http://127.0.0.1:{self.ports[at]}"

    def requests(self):
        with open(os.path.join(self.folder, "access.log")) as f:
            return parse_access_log(f.read())

    def logins(self, at):
        """Authorization headers that came to a server."""
        with open(os.path.join(self.folder, "logins.log")) as f:
            lines = [line.split(" ", 2) for line in f.read().splitlines()]
        return {value.strip('"') for port, _, value in lines if int(port) == self.ports[at]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()


def packed(version="1.2.3", name="app", more=b""):
    return pack(name, {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode() + more, "values.yaml": b"a: b\n"})


def index(*entries, name="app"):
    """(version, url, tgz) each."""
    lines = [f"  - name: {name}\n    version: {version}\n    urls: [\"{url}\"]\n    digest: {hashlib.sha256(tgz).hexdigest()}\n"
             for version, url, tgz in entries]
    return (f"apiVersion: v1\nentries:\n  {name}:\n" + "".join(lines)).encode()


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


def export(carrier, *words):
    return carrier.program("export", *words, *carrier.keys.signing(), "-o", carrier.bundle, "--retries", "1", "--retry-wait",
                           "10", "--no-progress")


def chart(carrier):
    return json.loads(member(carrier.bundle, "bundle/inventory.json"))["charts"][0]


BASIC = "auth_basic charts; auth_basic_user_file {folder}/passwords;"
TGZ = packed()


@pytest.mark.cell("charts", "N6", "N7")
def test_HLM_01_HLM_02_HLM_03_HLM_21_nginx_with_a_password(carrier, tmp_path, make_authfile):
    """The index's absolute address is another server, which sees no login."""
    with Nginx(tmp_path / "n", f"root {{folder}}/www/repo; {BASIC}", "root {folder}/www/store;", users={"me": "p:w x"}) as server:
        server.put("repo/charts/index.yaml", index(("1.2.3", server.url(1) + "/app-1.2.3.tgz", TGZ), ("1.0.0", "../app-1.0.0.tgz", TGZ)))
        server.put("store/app-1.2.3.tgz", TGZ)
        server.host, server.login = f"127.0.0.1:{server.ports[0]}", ("me", "p:w x")
        words = "--chart", "app", "--repo", server.url() + "/charts", "--version", "^1"
        denied = export(carrier, *words)
        assert denied.rc == 6 and server.host in denied.err and "no credentials" in denied.err, denied
        result = export(carrier, *words, "--authfile", make_authfile(server))
        assert result.rc == 0, result
        assert server.logins(1) == {"-"} and any(v.startswith("Basic ") for v in server.logins(0))


@pytest.mark.cell("charts", "N6")
def test_HLM_01_a_token_in_the_query(carrier, tmp_path):
    with Nginx(tmp_path / "n", "root {folder}/www; if ($arg_token != sesame) { return 403; }") as server:
        server.put("index.yaml", index(("1.2.3", "charts/app-1.2.3.tgz", TGZ)))
        server.put("charts/app-1.2.3.tgz", TGZ)
        result = export(carrier, "--chart", "app", "--repo", server.url() + "/?token=sesame", "--version", "1.2.3")
        assert result.rc == 0, result
        assert "sesame" not in result.err + result.out + json.dumps(chart(carrier)), "the token stays out of all that is kept"


@pytest.mark.cell("charts", "N6", "N7")
@pytest.mark.fault("F-HREDIR", "F-ENC")
def test_HLM_12_HLM_14_HLM_15_moved_gzip_labelled_and_plus(carrier, tmp_path):
    tgz = packed("1.2.3+b.1")
    servers = ("location /old/ { rewrite ^/old/(index.yaml)$ {to}/new/$1 permanent; return 404; }".replace("{to}", "http://127.0.0.1:{port1}"),
               "root {folder}/www; location ~ tgz$ { if ($request_uri ~ [+]) { return 403; } add_header Content-Encoding gzip; }")
    with Nginx(tmp_path / "n", *servers) as server:
        server.put("new/index.yaml", index(("1.2.3+b.1", "app-1.2.3+b.1.tgz", tgz)))
        server.put("new/app-1.2.3+b.1.tgz", tgz)
        direct = export(carrier, "--chart", "app", "--repo", server.url(1) + "/new", "--version", "1.2.3+b.1")
        assert direct.rc == 0 and blobs(carrier.bundle)["sha256:" + hashlib.sha256(tgz).hexdigest()] == tgz, direct
        assert "%2B" in " ".join(r.path for r in server.requests())


@pytest.mark.parametrize("gzip", [pytest.param("on", marks=pytest.mark.cell("charts", "N4")), pytest.param("off", marks=pytest.mark.cell("charts", "N6"))])
def test_HLM_07_a_large_index_in_little_memory(carrier, tmp_path, gzip):
    """110 MB, of which one chart is wanted (N4: a proxy that would compress)."""
    with Nginx(tmp_path / "n", f"root {{folder}}/www; gzip {gzip}; gzip_types *;") as server:
        filler = "".join(f"  other-{i}:\n" + "".join(
            f"  - name: other-{i}\n    version: 1.{v}.0\n    description: {'x' * 300}\n    urls: [\"https://x.example/{i}/{v}.tgz\"]\n"
            for v in range(20)) for i in range(400)).encode()
        wanted = index(("1.2.3", "app-1.2.3.tgz", TGZ)).partition(b"entries:\n")[2]
        text = b"apiVersion: v1\nentries:\n" + filler * 18 + wanted + filler * 18 + b"generated: now\n"
        assert len(text) > 100_000_000
        server.put("index.yaml", text)
        server.put("app-1.2.3.tgz", TGZ)
        cost = measure.run([program.binary(), "export", "--chart", "app", "--repo", server.url(), *carrier.keys.signing(),
                            "-o", carrier.bundle, "--no-progress"], env=carrier.program.environment(), cwd=carrier.folder)
        assert cost.rc == 0, cost.out
        assert "MB" in cost.out, "told that it is large"
        print(f"index of {len(text) / 1e6:.0f} MB: {cost.seconds:.1f} s, {cost.peak / 2**20:.1f} MiB")
        assert os.environ.get("SEALIFT") or cost.peak < 32 * 2 ** 20


def helm_do(helm, home, *words):
    done = subprocess.run([helm, *map(str, words)], capture_output=True, text=True, cwd=home,
                          env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.cell("oci charts", "R0")
@pytest.mark.parametrize("version", ["1.2.3", "1.2.3+build.7"])
@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_HOC_02_HOC_03_HOC_04_HOC_06_HOC_08_HOC_09_charts_of_registries(carrier, request, make_registry, tmp_path, helm, version):
    """What Helm pushed comes out of the other registry by Helm, the same bytes under the same digest."""
    helm = request.getfixturevalue(helm)
    source, target = make_registry(), make_registry()
    tgz = packed(version)
    (tmp_path / "in.tgz").write_bytes(tgz)
    helm_do(helm, tmp_path, "push", "in.tgz", f"oci://{source.host}/vendor/charts", "--plain-http")
    tag = version.replace("+", "_")
    pushed = source.client().manifest("vendor/charts/app", tag)
    result = export(carrier, "--chart", "app", "--repo", f"oci://{source.host}/vendor/charts", "--version", "^1.2", "--plain-http")
    assert result.rc == 0, result
    assert chart(carrier)["version"] == version
    assert chart(carrier)["manifest"]["digest"] == "sha256:" + hashlib.sha256(pushed[0]).hexdigest()
    assert carrier.push(target, carrier.bundle).rc == 0
    assert target.client().manifest("apps/vendor/charts/app", tag)[0] == pushed[0]
    out = tmp_path / "out"
    out.mkdir()
    helm_do(helm, out, "pull", f"oci://{target.host}/apps/vendor/charts/app", "--version", version, "--plain-http")
    assert (out / f"app-{version}.tgz").read_bytes() == tgz


@pytest.mark.cell("oci charts", "R0")
@pytest.mark.parametrize("version", ["1.2.3", "1.2.3+build.7"])
def test_HOC_03_HOC_04_HOC_05_HOC_09_from_a_repository_to_a_registry_and_back(carrier, make_registry, tmp_path, helm3, helm4, version):
    tgz, target = packed(version, more=b"description: a chart\nkeywords: [a, b]\n"), make_registry()
    with Nginx(tmp_path / "n", "root {folder}/www;") as server:
        server.put("index.yaml", index((version, f"app-{version}.tgz", tgz)))
        server.put(f"app-{version}.tgz", tgz)
        first = export(carrier, "--chart", "app", "--repo", server.url(), "--version", version)
        assert first.rc == 0, first
        digest = chart(carrier)["manifest"]["digest"]
        assert carrier.push(target, carrier.bundle, prefix="charts").rc == 0
        for helm, folder in ((helm3, tmp_path / "three"), (helm4, tmp_path / "four")):
            folder.mkdir()
            helm_do(helm, folder, "pull", f"oci://{target.host}/charts/app", "--version", version, "--plain-http")
            assert (folder / f"app-{version}.tgz").read_bytes() == tgz
            assert f"version: {version}" in helm_do(helm, folder, "show", "chart", f"oci://{target.host}/charts/app", "--version",
                                                    version, "--plain-http")
        os.rename(carrier.bundle, carrier.bundle + ".first")
        again = export(carrier, "--chart", f"oci://{target.host}/charts/app@{digest}", "--plain-http")
        assert again.rc == 0, again
        assert chart(carrier)["manifest"]["digest"] == digest and chart(carrier)["version"] == version
    carrier.program.ok("extract", carrier.bundle, "--charts", "-o", "static", *carrier.keys.trusting())
    assert (tmp_path / f"static/app-{version}.tgz").read_bytes() == tgz


@pytest.mark.cell("charts", "N6")
def test_HLM_22_a_folder_that_nginx_gives_out(carrier, tmp_path, helm3, helm4):
    """Charts with an index beside them: Helm finds and pulls them, and so does another export."""
    new = packed("1.3.0+b.1", more=b"description: newer\n")
    with Nginx(tmp_path / "n", "root {folder}/www;") as server:
        server.put("b/app-1.3.0+b.1.tgz", new)
        first = export(carrier, "--chart", server.url() + "/b/app-1.3.0+b.1.tgz", "--release-version", "1")
        assert first.rc == 0, first
        words = carrier.bundle, "--charts", "--chart-index", *carrier.keys.trusting()
        for folder in ("n/www/out", "again"):
            carrier.program.ok("extract", *words, "-o", tmp_path / folder)
        text = (tmp_path / "n/www/out/index.yaml").read_bytes()
        assert text == (tmp_path / "again/index.yaml").read_bytes()
        entry = yaml.safe_load(text)["entries"]["app"][0]
        assert entry["digest"] == hashlib.sha256(new).hexdigest() and entry["urls"] == ["app-1.3.0+b.1.tgz"]
        assert entry["version"] == "1.3.0+b.1" and entry["description"] == "newer"
        for helm, home in ((helm3, tmp_path / "three"), (helm4, tmp_path / "four")):
            home.mkdir()
            helm_do(helm, home, "pull", "app", "--repo", server.url() + "/out", "--version", "^1")
            assert (home / "app-1.3.0+b.1.tgz").read_bytes() == new
        os.rename(carrier.bundle, carrier.bundle + ".first")
        again = export(carrier, "--chart", "app", "--repo", server.url() + "/out")
        assert again.rc == 0 and chart(carrier)["blob"] == "sha256:" + hashlib.sha256(new).hexdigest(), again
    refused = carrier.program("extract", carrier.bundle, "--chart-index", "--files", *carrier.keys.trusting())
    assert refused.rc == 2 and "--charts" in refused.err


def test_HOC_07_a_registry_has_no_index(carrier):
    result = carrier.program("plan", "--chart", "app", "--repo", "http://127.0.0.1:1/x", "--retries", "0")
    assert result.rc == 5
    (missing := carrier.program("plan", "--chart", "oci://127.0.0.1:1/x/app", "--plain-http", "--retries", "0"))
    assert missing.rc == 5 and "tags" in missing.err
