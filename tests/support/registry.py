"""Real registries: Debian's docker-registry 2.8.2, each in a folder and on a port of its own.

    with Registry(folder, users={"vendor": "secret"}) as reg:
        reg.host                     "127.0.0.1:40123"
        reg.requests()               every request so far, as Request(method, path, status)
        reg.client()                 a small HTTP client with the first user's password
"""

import base64
import collections
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

from . import certificates, ports, processes

Request = collections.namedtuple("Request", "method path status")

_LINE = re.compile(r'^\S+ \S+ \S+ \[[^]]*\] "([A-Z]+) (\S+) [^"]*" (\d+) ')

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: false}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}{storage}}}
http:
  addr: 127.0.0.1:{port}
  secret: {secret}
"""

MANIFEST_TYPES = ", ".join((
    "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json"))


def htpasswd(path, users):
    """Writes a bcrypt password file; the passwords go through standard input."""
    with open(path, "w") as f:
        for user, password in users.items():
            line = subprocess.run(["htpasswd", "-iBn", user], input=password, text=True, check=True,
                                  capture_output=True).stdout.strip()
            f.write(line + "\n")


def docker_auth(hosts):
    """The text of an auth file: hosts is {"127.0.0.1:5000": ("user", "password")}."""
    auths = {host: {"auth": base64.b64encode(f"{u}:{p}".encode()).decode()} for host, (u, p) in hosts.items()}
    return json.dumps({"auths": auths}, indent=1)


def parse_access_log(text):
    """The requests of a log in the combined format, in order."""
    found = (_LINE.match(line) for line in text.splitlines())
    return [Request(m[1], m[2], int(m[3])) for m in found if m]


def _write(path, data):
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)


class Client:
    """Plain HTTP to a registry: enough to fill it and to look inside."""

    def __init__(self, url, user=None, password=None, ca=None, pair=None):
        """pair: the paths of a client certificate and of its key."""
        self.url = url
        self.headers = {}
        if user:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        handlers = [urllib.request.ProxyHandler({})]
        if ca:
            context = ssl.create_default_context(cafile=ca)
            if pair:
                context.load_cert_chain(*pair)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def ask(self, method, path, data=None, headers=None):
        """(status, headers, body); an HTTP error status is an answer, not an exception."""
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=data, method=method, headers={**self.headers, **(headers or {})})
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def _expect(self, wanted, method, path, **kw):
        status, headers, body = self.ask(method, path, **kw)
        if status not in wanted:
            raise RuntimeError(f"{method} {path}: expected {wanted}, got {status}: {body[:300]!r}")
        return headers, body

    def put_blob(self, repository, blob, mount_from=None):
        """Uploads a blob that the repository does not have, or mounts it from one that does."""
        if self.has_blob(repository, blob.digest):
            return
        if mount_from:
            self._expect((201,), "POST", f"/v2/{repository}/blobs/uploads/?mount={blob.digest}&from={mount_from}",
                         data=b"")
            return
        headers, _ = self._expect((202,), "POST", f"/v2/{repository}/blobs/uploads/", data=b"")
        where = headers["Location"]
        where += ("&" if "?" in where else "?") + "digest=" + blob.digest
        self._expect((201,), "PUT", where, data=blob.data, headers={"Content-Type": "application/octet-stream"})

    def put_manifest(self, repository, reference, data, media_type):
        self._expect((201,), "PUT", f"/v2/{repository}/manifests/{reference}", data=data,
                     headers={"Content-Type": media_type})

    def manifest(self, repository, reference):
        """(bytes, media type) of a manifest or index, or None when there is none."""
        status, headers, body = self.ask("GET", f"/v2/{repository}/manifests/{reference}",
                                         headers={"Accept": MANIFEST_TYPES})
        return (body, headers["Content-Type"]) if status == 200 else None

    def has_blob(self, repository, digest):
        return self.ask("HEAD", f"/v2/{repository}/blobs/{digest}")[0] == 200

    def tags(self, repository):
        status, _, body = self.ask("GET", f"/v2/{repository}/tags/list")
        return sorted(json.loads(body)["tags"] or []) if status == 200 else []

    def repositories(self):
        _, body = self._expect((200,), "GET", "/v2/_catalog?n=1000")
        return sorted(json.loads(body)["repositories"] or [])


class Registry:
    """One running registry. `folder` is created; data, log and configuration live in it."""

    def __init__(self, folder, users=None, tls=False, extra="", secret="fixed", storage=""):
        """users {name: password} (None: anonymous); extra: more YAML lines for the configuration, storage: of its
        storage; secret: what upload sessions are signed with."""
        self.folder = folder
        self.users = users or {}
        self.tls = tls
        self.extra = extra
        self.secret, self.storage = secret, storage
        self.port = ports.free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = ("https://" if tls else "http://") + self.host
        self.ca = None
        os.makedirs(folder, exist_ok=True)
        self._configure()
        self.start()

    def _configure(self):
        config = _CONFIG.format(root=os.path.join(self.folder, "data"), port=self.port, secret=self.secret, storage=self.storage)
        if self.tls:
            self.ca, cert, key = certificates.make(os.path.join(self.folder, "tls"))
            config += f"  tls: {{certificate: {cert}, key: {key}}}\n"
        if self.users:
            path = os.path.join(self.folder, "htpasswd")
            htpasswd(path, self.users)
            config += f"auth:\n  htpasswd: {{realm: registry, path: {path}}}\n"
        with open(os.path.join(self.folder, "config.yml"), "w") as f:
            f.write(config + self.extra)

    def start(self):
        """Starts the server (again); its data and log are kept."""
        self.server = processes.Server(
            ["docker-registry", "serve", os.path.join(self.folder, "config.yml")], self.folder, "registry",
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "OTEL_TRACES_EXPORTER": "none"},
            ready=lambda: ports.answers(self.port))

    def stop(self):
        self.server.stop()

    def remove(self):
        """Stops the server and deletes all it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    @property
    def login(self):
        """(user, password) of the first user, or None."""
        return next(iter(self.users.items()), None)

    def client(self):
        user, password = self.login or (None, None)
        return Client(self.url, user, password, self.ca)

    def blob_path(self, digest):
        """Where the registry keeps a blob."""
        hexed = digest.split(":")[1]
        return os.path.join(self.folder, "data/docker/registry/v2/blobs/sha256", hexed[:2], hexed, "data")

    def plant(self, repository, tag, image):
        """Writes an image straight into the registry's storage: much faster than pushing it."""
        home = os.path.join(self.folder, "data/docker/registry/v2/repositories", repository)

        def link(path, digest):
            _write(os.path.join(home, path, "link"), digest.encode())

        for part in (*image.all_blobs(), *image.manifests()):
            _write(self.blob_path(part.digest), part.data)
        for part in image.all_blobs():
            link("_layers/" + part.digest.replace(":", "/"), part.digest)
        for part in image.manifests():
            link("_manifests/revisions/" + part.digest.replace(":", "/"), part.digest)
        link(f"_manifests/tags/{tag}/current", image.digest)
        link(f"_manifests/tags/{tag}/index/" + image.digest.replace(":", "/"), image.digest)

    def empty(self):
        """Forgets everything that was stored; the log goes on."""
        self.stop()
        shutil.rmtree(os.path.join(self.folder, "data"), ignore_errors=True)
        self.start()

    def access_log(self):
        with open(self.server.out, errors="replace") as f:
            return f.read()

    def requests(self, since=0):
        """The requests answered so far, less the first `since`."""
        return parse_access_log(self.access_log())[since:]
