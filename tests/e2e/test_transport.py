"""How hosts are reached: certificates, proxies, redirects, odd HTTP, settings (PROTOCOL 6 and 13)."""

import os
import subprocess
import time

import pytest

from support import certificates, images, ports
from support.carry import Carrier, HOST, carries
from support.corporate import Authority
from support.scripted import Answer, Scripted, TokenService, cut, redirect, say
from support.squid import Squid
from support.tinyproxy import Tinyproxy

WHAT = images.image([images.layer("transport", 30_000)])
P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


@pytest.fixture
def server():
    with Scripted() as reg:
        reg.store("team/app", "1.0", WHAT)
        yield reg


@pytest.fixture
def tls(make_registry):
    reg = make_registry(tls=True)
    images.push(reg.client(), "team/app", "1.0", WHAT)
    return reg


@pytest.fixture
def mutual(make_registry, tmp_path):
    """A registry that wants a client certificate, and one: (registry, ca, certificate, key)."""
    ca, cert, key = certificates.make(str(tmp_path / "mutual"))
    reg = make_registry()
    reg.plant("team/app", "1.0", WHAT)
    reg.stop()
    config = os.path.join(reg.folder, "config.yml")
    with open(config, "a") as f:
        f.write(f"  tls: {{certificate: {cert}, key: {key}, clientcas: ['{ca}']}}\n")
    reg.start()
    client = [str(tmp_path / f"client.{end}") for end in ("cert", "key", "csr")]
    subprocess.run(["openssl", "req", *P256, "-keyout", client[1], "-out", client[2], "-subj", "/CN=client"], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", client[2], "-CA", ca, "-CAkey", ca.replace(".pem", ".key"),
                    "-CAcreateserial", "-out", client[0], "-days", "3"], check=True, capture_output=True)
    reg.url = "https://" + reg.host
    return reg, ca, client[0], client[1]


def write(path, text, mode=0o600):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return str(path)


def copy(source, target):
    with open(source) as f:
        return write(target, f.read())


def settings(tmp_path, host, **rows):
    lines = "".join(f"    {k.replace('_', '-')}: {v}\n" for k, v in rows.items())
    return "--config", write(str(tmp_path / "settings.yaml"), f"registries:\n  {host}:\n{lines}")


def good(result, carrier):
    assert result.rc == 0, result
    assert carries(carrier.bundle, WHAT)


# --- certificates ---

@pytest.mark.cell("login", "R3")
def test_TLS_02_certs_d_of_a_user(carrier, tls, tmp_path):
    copy(tls.ca, str(tmp_path / f".config/containers/certs.d/{tls.host}/corp.crt"))
    good(carrier.export(tls), carrier)


@pytest.mark.parametrize("name", ["127.0.0.1", "{}.evil.test", "127.0.0.1:443"])
def test_TLS_02_the_folder_is_named_exactly_as_the_host(carrier, tls, tmp_path, name):
    copy(tls.ca, str(tmp_path / f".config/containers/certs.d/{name.format(tls.host)}/corp.crt"))
    carrier.failed(carrier.export(tls, "--retries", "0"), 5, "--ca-file")


@pytest.mark.parametrize("name", ["client.cert", "client.key"])
def test_TLS_02_half_a_pair_is_named(carrier, tls, tmp_path, name):
    path = write(str(tmp_path / f".config/containers/certs.d/{tls.host}/{name}"), "x")
    carrier.failed(carrier.export(tls, "--ca-file", tls.ca), 1, path, "beside it")


@pytest.mark.cell("login", "R3")
def test_TLS_02_R4_client_certificate_of_certs_d(carrier, mutual, tmp_path):
    reg, ca, cert, key = mutual
    folder = tmp_path / f".config/containers/certs.d/{reg.host}"
    for source, name in ((ca, "ca.crt"), (cert, "me.cert"), (key, "me.key")):
        copy(source, str(folder / name))
    good(carrier.export(reg), carrier)


@pytest.mark.fault("F-TLSMIX")
@pytest.mark.cell("login", "R3")
def test_TLS_03_R4_client_certificate_of_the_command_line(carrier, mutual):
    reg, ca, cert, key = mutual
    good(carrier.export(reg, "--ca-file", ca, "--cert-file", cert, "--key-file", key), carrier)


@pytest.mark.fault("F-TLSMIX")
@pytest.mark.cell("login", "R3")
def test_TLS_03_R4_a_missing_client_certificate_is_named(carrier, mutual):
    reg, ca, _, _ = mutual
    for _ in range(5):  # it shows at another moment each time
        carrier.failed(carrier.export(reg, "--ca-file", ca), 5, "client certificate", "--cert-file")


@pytest.mark.fault("F-TLSMIX")
def test_TLS_04_plain_http_to_a_TLS_port(carrier, tls):
    carrier.failed(carrier.export(tls, url=f"http://{tls.host}"), 5, "speaks https")


@pytest.mark.fault("F-TLSMIX")
def test_TLS_05_insecure_never_becomes_plain_http(carrier, server):
    carrier.failed(carrier.export(server, "--insecure-skip-tls-verify", url=f"https://{server.host}"), 5, "--plain-http")
    assert not server.journal


@pytest.mark.fault("F-TLSMIX")
def test_TLS_05_insecure_of_one_registry(carrier, tls, tmp_path):
    good(carrier.export(tls, *settings(tmp_path, tls.host, insecure="true")), carrier)


@pytest.mark.fault("F-TLSMIX")
def test_TLS_06_insecure_is_not_for_another_host(carrier, tls, tmp_path):
    """A redirect from a host that is not verified to one that is another name."""
    with Scripted() as near:
        near.on("GET", "/manifests/", redirect(307, f"https://localhost:{tls.port}/v2/team/app/manifests/1.0"))
        carrier.failed(carrier.export(near, "--insecure-skip-tls-verify", "--retries", "0"), 5, f"localhost:{tls.port}",
                       "--ca-file")
        near.on("GET", "/blobs/", redirect(307, lambda r: f"https://localhost:{tls.port}{r.target}"))
        good(carrier.export(near, *settings(tmp_path, f"localhost:{tls.port}", insecure="true")), carrier)


@pytest.mark.fault("F-TLSMIX")
@pytest.mark.parametrize("dates, words", [(("-startdate", "200101000000Z", "-enddate", "210101000000Z"), "has expired"),
                                          (("-startdate", "400101000000Z", "-enddate", "410101000000Z"), "not yet valid")])
def test_TLS_07_a_certificate_of_another_time_tells_our_clock(carrier, make_registry, tmp_path, dates, words):
    root = Authority(tmp_path, "root")
    with open(root.config, "a") as f:
        f.write("[server]\nbasicConstraints = CA:false\nsubjectAltName = IP:127.0.0.1\n")
    key = str(tmp_path / "server.key")
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True,
                   capture_output=True)
    root.issue(root.request(key, "/CN=late"), str(tmp_path / "server.pem"), "server", dates=dates)
    reg = make_registry(extra=f"  tls: {{certificate: {tmp_path}/server.pem, key: {key}}}\n")
    carrier.failed(carrier.export(reg, "--ca-file", root.cert, url="https://" + reg.host), 5, words, "clock says 20", " UTC")


@pytest.mark.cell("login", "R3")
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "CURL_CA_BUNDLE"])
def test_TLS_08_files_of_the_environment(carrier, tls, name):
    good(carrier.export(tls, env={name: tls.ca}), carrier)


@pytest.mark.cell("login", "R3")
def test_TLS_08_folder_of_the_environment(carrier, tls, tmp_path):
    copy(tls.ca, str(tmp_path / "cas/corp.pem"))
    subprocess.run(["openssl", "rehash", str(tmp_path / "cas")], check=True, capture_output=True)
    good(carrier.export(tls, env={"SSL_CERT_DIR": str(tmp_path / "cas")}), carrier)


# --- proxies ---

@pytest.fixture(params=["tinyproxy", "squid"])
def make_proxy(request, tmp_path):
    """make_proxy(login=None): a forward proxy with a url and a log()."""
    made = []

    def make(login=None):
        made.append(Squid(login) if request.param == "squid" else Tinyproxy(tmp_path / f"proxy-{len(made)}", login=login))
        return made[-1]

    yield make
    for each in made:
        each.__exit__()


@pytest.fixture
def proxy(make_proxy):
    return make_proxy()


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_PRX_01_plain_http_by_a_proxy_of_the_environment(carrier, server, proxy, name):
    good(carrier.export(server, env={name: proxy.url}), carrier)
    assert server.host in proxy.log()


@pytest.mark.cell("network", "R3")
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_PRX_01_https_by_a_tunnel(carrier, tls, proxy, name):
    good(carrier.export(tls, "--ca-file", tls.ca, env={name: proxy.url}), carrier)
    assert f"CONNECT {tls.host}" in proxy.log()


@pytest.mark.parametrize("value", ["*", "127.0.0.1", "127.0.0.0/8", "other.test,127.0.0.1"])
def test_PRX_01_NO_PROXY(carrier, server, proxy, value):
    good(carrier.export(server, env={"http_proxy": proxy.url, "NO_PROXY": value}), carrier)
    assert server.host not in proxy.log()


def test_PRX_01_a_CGI_programs_HTTP_PROXY_is_its_callers(carrier, server, proxy):
    good(carrier.export(server, env={"HTTP_PROXY": proxy.url, "REQUEST_METHOD": "GET"}), carrier)
    assert server.host not in proxy.log()


def test_PRX_02_login_of_the_proxy(carrier, tls, server, make_proxy):
    url = make_proxy(("who", "canary")).url.replace("//", "//who:canary@")
    good(carrier.export(tls, "--ca-file", tls.ca, env={"https_proxy": url}), carrier)
    os.unlink(carrier.bundle)
    good(carrier.export(server, env={"http_proxy": url}), carrier)
    assert not [r for r in server.journal if r.header("Proxy-Authorization") or r.header("Authorization")]


@pytest.mark.cell("network", "R3")
def test_PRX_02_a_tunnel_with_a_wrong_login(carrier, tls, make_proxy):
    url = make_proxy(("who", "canary")).url.replace("//", "//who:wrong@")
    result = carrier.export(tls, "--ca-file", tls.ca, env={"https_proxy": url})
    assert "the proxy refuses the login" in result.err or "another than it got" in result.err, "tinyproxy says 401, squid 407"
    carrier.failed(result, 6, "the proxy")
    assert "wrong@" not in result.err


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_PRX_02_407_is_the_proxys_and_not_tried_again(carrier, tls, server, make_proxy, scheme):
    which, more = (server, ()) if scheme == "http" else (tls, ("--ca-file", tls.ca))
    result = carrier.export(which, *more, env={f"{scheme}_proxy": make_proxy(("who", "canary")).url})
    carrier.failed(result, 6, "proxy", "407", "USER:PASSWORD")
    assert "attempt" not in result.err and not server.journal


def test_PRX_03_a_proxy_that_cuts_ranges_and_lies(carrier, server):
    """What a cache between here and there spoils is caught by digest, and Range is not needed."""
    layer = WHAT.all_blobs()[-1].digest
    server.on("GET", layer, cut(10_000), times=1)
    server.on("GET", layer, lambda r, a: Answer(200, {}, [b.data for b in WHAT.all_blobs() if b.digest == layer][0]), times=1)
    good(carrier.export(server, "-j", "1"), carrier)


def test_PRX_04_token_service_and_redirects_each_by_its_own_host(carrier, proxy, tmp_path):
    with TokenService(anonymous=("pull",)) as tokens, Scripted(bearer=tokens) as reg, Scripted() as store:
        reg.store("team/app", "1.0", WHAT)
        store.store("team/app", "1.0", WHAT)
        reg.on("GET", "/blobs/", redirect(307, lambda r: store.url + r.target), when=lambda r: r.header("Authorization"))
        rows = "".join(f"  {s.host}:\n    proxy: none\n" for s in (reg, tokens))
        config = write(str(tmp_path / "s.yaml"), "registries:\n" + rows)
        good(carrier.export(reg, "--config", config, env={"http_proxy": proxy.url}), carrier)
        log = proxy.log()
        assert store.host in log and reg.host not in log and tokens.host not in log


def test_PRX_04_a_proxy_of_one_registry(carrier, server, proxy, tmp_path):
    good(carrier.export(server, *settings(tmp_path, server.host, proxy=proxy.url), env={"NO_PROXY": "*"}), carrier)
    assert server.host in proxy.log()


# --- redirects ---

@pytest.mark.fault("F-REDIR")
def test_DL_05_no_redirect_into_this_machine(carrier, tmp_path):
    """A registry that is elsewhere (its name is known to the proxy alone) and sends us home."""
    with Scripted() as far, Scripted() as here:
        here.store("team/app", "1.0", WHAT)
        far.on("GET", "registry.far/v2/", redirect(307, lambda r: here.url + "/v2/team/app/manifests/1.0"))
        env = {"http_proxy": far.url, "NO_PROXY": "127.0.0.1"}
        result = carrier.plan(far, url="http://registry.far", env=env)
        assert result.rc == 5 and "allow-private-redirect" in result.err, result
        assert not here.journal
        far.on("GET", "", say(404))
        allowed = settings(tmp_path, "registry.far", allow_private_redirect="true")
        carrier.plan(far, *allowed, url="http://registry.far", env=env)
        assert here.journal


@pytest.mark.fault("F-REDIR")
@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://[::1]:9/x", "http://localhost:9/x"])
def test_DL_05_addresses_of_this_machine_and_link(carrier, target):
    with Scripted() as far:
        far.on("GET", "", redirect(302, target))
        result = carrier.plan(far, "--retries", "0", url="http://registry.far", env={"http_proxy": far.url})
        assert result.rc == 5 and "refused" in result.err, result


@pytest.mark.fault("F-HEAD")
@pytest.mark.parametrize("status", [403, 405, 400, 404])
def test_DL_06_a_HEAD_that_is_refused_behind_a_redirect_decides_nothing(carrier, server, status):
    """Signed for GET alone: existence is not known, so the push goes on."""
    assert carrier.export(server).rc == 0
    with Scripted() as reg, Scripted() as store:
        reg.on("HEAD", "/blobs/", redirect(307, lambda r: store.url + r.target))
        store.on("HEAD", "", say(status))
        result = carrier.push(reg, carrier.bundle)
        assert result.rc == 0, result
        assert {d for _, d in reg.blobs} == {b.digest for b in WHAT.all_blobs()}
        assert store.asked("HEAD")


@pytest.mark.fault("F-REALM")
def test_CHL_07_CHL_08_a_plain_token_service_has_to_be_allowed(carrier, make_registry, tmp_path):
    """A registry with TLS whose token service has none."""
    ca, cert, key = certificates.make(str(tmp_path / "pki"))
    with TokenService(anonymous=("pull",)) as tokens:
        bundle = write(str(tmp_path / "root.pem"), open(ca).read())
        reg = make_registry(extra=f"  tls: {{certificate: {cert}, key: {key}}}\nauth:\n  token: {{realm: '{tokens.realm}', "
                            f"service: s, issuer: i, rootcertbundle: {bundle}}}\n")
        more = ("--ca-file", ca, "--retries", "0")
        carrier.failed(carrier.export(reg, *more, url="https://" + reg.host), 6, "allow-http-realm")
        assert not tokens.journal
        carrier.export(reg, *more, *settings(tmp_path, reg.host, allow_http_realm="true"), url="https://" + reg.host)
        assert tokens.journal[0].query["service"] == ["s"] and "via" in tokens.journal[0].query


# --- mirrors ---

def test_MIR_01_a_registries_conf_that_is_not_read_is_told_of(carrier, server, tmp_path):
    path = write(str(tmp_path / ".config/containers/registries.conf"), '# x\n[[registry]]\nlocation = "x"\n')
    result = carrier.export(server)
    good(result, carrier)
    assert result.err.count(path) == 1 and "--mirror" in result.err


def test_MIR_01_one_without_registries_is_not(carrier, server, tmp_path):
    write(str(tmp_path / ".config/containers/registries.conf"), 'unqualified-search-registries = ["docker.io"]\n')
    assert "registries.conf" not in carrier.export(server).err


def test_MIR_02_the_name_in_the_bundle_stays_the_original(carrier, server):
    assert carrier.export(server).rc == 0
    with open(carrier.bundle, "rb") as f:
        head = f.read(100_000)
    assert f"{HOST}/team/app:1.0".encode() in head and server.host.encode() not in head


def test_MIR_03_a_push_goes_where_it_is_told(carrier, server):
    assert carrier.export(server).rc == 0
    count = len(server.journal)
    with Scripted() as target:
        assert carrier.push(target, carrier.bundle).rc == 0
        assert carrier.program("push", carrier.bundle, target.host, "--mirror", f"{target.host}={server.url}").rc == 2
    assert len(server.journal) == count


# --- hosts and odd HTTP ---

@pytest.mark.cell("network", "R0")
def test_HST_01_IPv6(carrier, make_registry, tmp_path):
    ca, cert, key = certificates.make(str(tmp_path / "six"))
    reg = make_registry()
    reg.plant("team/app", "1.0", WHAT)
    reg.stop()
    config = os.path.join(reg.folder, "config.yml")
    text = open(config).read().replace(f"127.0.0.1:{reg.port}", f'"[::1]:{reg.port}"')
    open(config, "w").write(text + f"  relativeurls: true\n  tls: {{certificate: {cert}, key: {key}}}\n")
    reg.server.__init__(["docker-registry", "serve", config], reg.folder, "registry",
                        env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
                        ready=lambda: subprocess.run(["curl", "-ks", "-o", "/dev/null", f"https://[::1]:{reg.port}/v2/"]
                                                     ).returncode == 0)
    good(carrier.export(reg, "--ca-file", ca, url=f"https://[::1]:{reg.port}"), carrier)
    result = carrier.program("push", carrier.bundle, f"[::1]:{reg.port}/apps", *carrier.keys.trusting(), "--ca-file", ca,
                             "--no-progress")
    assert result.rc == 0, result


def test_HST_02_one_User_Agent_for_everything(carrier, server):
    assert carrier.export(server).rc == 0 and carrier.push(server, carrier.bundle).rc == 0
    assert {r.header("User-Agent") for r in server.journal} == {"sealift"}


ODD = {
    "lower case names": lambda a: a.__class__(a.status, {k.lower(): v for k, v in a.headers.items()}, a.body),
    "twice the same length": lambda a: a.__class__(a.status, a.headers, a.body, raw=(f"Content-Length: {len(a.body)}",)),
    "a large header": lambda a: a.__class__(a.status, a.headers, a.body, raw=("X-Large: " + "x" * 60_000,)),
    "a folded header": lambda a: a.__class__(a.status, a.headers, a.body, raw=("X-Folded: one", " two",)),
}


@pytest.mark.fault("F-HDR")
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_HST_03_odd_headers(carrier, server, odd):
    server.on("GET", "", lambda r, a: odd(a()))
    good(carrier.export(server), carrier)


@pytest.mark.fault("F-HDR")
@pytest.mark.parametrize("interim", ["HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nDocker-Content-Digest: sha256:"
                                     + "0" * 64 + "\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"])
def test_HST_03_headers_of_an_interim_answer_are_not_the_answers(carrier, interim):
    class Early(Scripted):
        def _head(self, answer):
            return interim.encode() + Scripted._head(answer)
    with Early() as reg:
        reg.store("team/app", "1.0", WHAT)
        good(carrier.export(reg), carrier)


@pytest.mark.fault("F-HDR")
def test_HST_03_headers_of_a_redirect_are_not_the_answers(carrier, server):
    with Scripted() as front:
        front.on("GET", "", lambda r, a: Answer(307, {
            "Location": server.url + r.target, "Docker-Content-Digest": "sha256:" + "0" * 64,
            "WWW-Authenticate": 'Basic realm="x"'}))
        good(carrier.export(front), carrier)


@pytest.mark.fault("F-HDR")
def test_HST_03_HTTP_1_0(carrier):
    class Old(Scripted):
        def _head(self, answer):
            return Scripted._head(answer).replace(b"HTTP/1.1", b"HTTP/1.0")

        def _send(self, *args):
            super()._send(*args)
            return False
    with Old() as reg:
        reg.store("team/app", "1.0", WHAT)
        good(carrier.export(reg), carrier)


def test_HST_04_no_connection_is_shared_between_certificates(carrier, mutual, tmp_path):
    """A host that gets a certificate, and the same port by another name, which gets none."""
    reg, ca, cert, key = mutual
    config = settings(tmp_path, reg.host, client_cert=cert, client_key=key)
    good(carrier.export(reg, "--ca-file", ca, *config), carrier)
    os.unlink(carrier.bundle)
    result = carrier.program("plan", "--image", "a.test/team/app:1.0", "--image", "b.test/team/app:1.0", "--mirror",
                             f"a.test={reg.url}", "--mirror", f"b.test=https://localhost:{reg.port}", "--ca-file", ca,
                             *config, "--retries", "0")
    assert result.rc == 5 and "client certificate" in result.err and "localhost" in result.err, result


# --- settings ---

@pytest.mark.parametrize("text, word", [
    ("registries:\n  h:\n    nonsense: 1\n", "nonsense"), ("registries:\n  h:\n    insecure: maybe\n", "true or false"),
    ("registries:\n  h:\n    token-method: put\n", "token-method"), ("other: 1\n", "registries"),
    ("registries:\n  h:\n    client-cert: x\n", "client-key"), ("registries:\n- h\n", "name of a registry"),
    ("registries: [\n", "settings.yaml")])
def test_settings_that_are_not_understood(carrier, server, tmp_path, text, word):
    path = write(str(tmp_path / "settings.yaml"), text)
    result = carrier.export(server, "--config", path)
    assert result.rc in (1, 2) and word in result.err and path in result.err, result


@pytest.mark.parametrize("place, env", [(".config/sealift/config.yaml", {}), ("x/sealift/config.yaml", {"XDG_CONFIG_HOME": "{}/x"})])
def test_settings_in_their_usual_place(carrier, tls, tmp_path, place, env):
    write(str(tmp_path / place), f"registries:\n  {tls.host}:\n    ca-file: {tls.ca}\n")
    good(carrier.export(tls, env={k: v.format(tmp_path) for k, v in env.items()}), carrier)


def test_settings_plain_http_of_one_registry(carrier, server, tmp_path):
    result = carrier.program("plan", "--image", f"{server.host}/team/app:1.0",
                             *settings(tmp_path, server.host, plain_http="true"))
    assert result.rc == 0, result


def test_UPL_19_expect_off(carrier, tmp_path):
    big = images.image([images.layer("big", 1_500_000)])
    with Scripted() as reg:
        reg.store("team/app", "1.0", big)
        assert carrier.export(reg).rc == 0
        assert carrier.push(reg, carrier.bundle, prefix="one").rc == 0
        assert carrier.push(reg, carrier.bundle, *settings(tmp_path, reg.host, expect="off"), prefix="two").rc == 0
        large = [r for r in reg.asked("PUT", "/blobs/") if len(r.body) > 1_048_576]
        assert [bool(r.header("Expect")) for r in large] == [True, False]


@pytest.mark.cell("upload", "Q")
@pytest.mark.parametrize("upload, methods", [("put", ["PUT"]), ("patch-chunk", ["PATCH", "PUT"]),
                                             ("patch-whole", ["PATCH", "PUT"])])
def test_UPL_08_the_way_of_uploads_that_settings_say(carrier, server, tmp_path, upload, methods):
    assert carrier.export(server).rc == 0
    with Scripted() as reg:
        result = carrier.push(reg, carrier.bundle, "-j", "1", *settings(tmp_path, reg.host, upload=upload))
        assert result.rc == 0, result
        assert [r.method for r in reg.journal if "/uploads/session" in r.path][:len(methods)] == methods


@pytest.mark.cell("upload", "Q")
def test_UPL_02_no_mount_where_settings_say_so(carrier, server, tmp_path):
    server.store("team/other", "1.0", WHAT)
    assert carrier.export(server, "--image", f"{HOST}/team/other:1.0").rc == 0
    with Scripted() as reg:
        assert carrier.push(reg, carrier.bundle, *settings(tmp_path, reg.host, mount="off")).rc == 0
        assert not reg.asked("POST", "mount=")


def test_limit_rate(carrier, server):
    big = images.image([images.layer("slow", 2_000_000)])
    server.store("team/slow", "1.0", big)
    began = time.monotonic()
    result = carrier.export(server, "--limit-rate", "800K", "-j", "1", ref=f"{HOST}/team/slow:1.0")
    assert result.rc == 0, result
    took = time.monotonic() - began
    assert 1.0 < took < 20, f"2 MB at 800 KB a second took {took}"


@pytest.mark.parametrize("rate", ["0", "fast", "1T", "", "-1", "1.5M"])
def test_limit_rate_that_is_none(carrier, server, rate):
    carrier.failed(carrier.export(server, "--limit-rate", rate), 2, "--limit-rate")
