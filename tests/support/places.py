"""The real servers of PROTOCOL 16, each as somebody reaches it from outside: docker-registry in its configurations, and
what stands before it.

    with Place("N8", folder) as place:
        place.words                  options for a run against it
        place.fill("team/app", "1.0", image)
        place.inside                 a client of the registry behind all that, for a test to look with
        place.requests()             what the registry was asked
"""

import base64
import contextlib
import hashlib
import json
import os

from . import certificates, proxy
from .images import random_bytes
from .registry import Client, Registry, docker_auth, htpasswd
from .scripted import Listener, Answer
from .tokenserver import TokenServer

LOGIN = ("me", "pa:ss word")
ODD_REALM = 'auth:\n  htpasswd: {{realm: "the \\"odd\\", realm", path: {0}/htpasswd}}\n'
BALANCE = {"by method": "hash $request_method$scheme;"}  # a POST goes to the one, a PATCH to the other
PASS = "proxy_pass http://registry; proxy_http_version 1.1;"
FRONTS = {  # what stands in nginx's server block; of N1 the port has TLS
    "N1": "location / { %s proxy_set_header Host $http_host; }" % PASS,
    "N3": "client_max_body_size 1m; location / { %s proxy_set_header Host $http_host; }" % PASS,
    "N4": "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; location / { %s proxy_set_header Host $http_host; }" % PASS,
    "N8": "proxy_request_buffering off; location / { %s proxy_set_header Host $http_host; }" % PASS,
    "R10": "location / { %s proxy_set_header Host $http_host; }" % PASS,
    "by method": "location / { %s proxy_set_header Host $http_host; }" % PASS,
    "no mounts": "location / { if ($arg_mount) { return 405; } %s proxy_set_header Host $http_host; }" % PASS,
}


def htpasswd_registry(folder):
    """R1: a realm with a quotation mark and a comma inside."""
    os.makedirs(folder)
    htpasswd(os.path.join(folder, "htpasswd"), dict([LOGIN]))
    return Registry(folder, extra=ODD_REALM.format(folder))


class Store(Listener):
    """N2: signs what docker-registry's middleware redirects to, as S3 does; nginx keeps it, for as long as the address holds."""

    def __init__(self, folder):
        self.folder, self.secret = folder, base64.b64encode(random_bytes("store", 9)).decode()
        self.expired = 0  # so many addresses are given out too late
        self.by_way_of = None  # another port that leads to nginx's
        super().__init__()

    def serve(self, root):
        """Starts nginx over the registry's storage."""
        os.makedirs(self.folder)
        self.nginx = proxy.Proxy(self.folder, [self], f"""
            if ($http_authorization) {{ return 400; }}
            location / {{ root {root}; default_type application/octet-stream; secure_link $arg_md5,$arg_expires;
              secure_link_md5 "$secure_link_expires$uri {self.secret}"; if ($secure_link = "") {{ return 403; }}
              if ($secure_link = "0") {{ return 403; }} if ($request_method = HEAD) {{ return 403; }} }}""")

    def decide(self, request):
        when = 4102444800 + len(self.journal)  # each address is another
        if self.expired:
            self.expired, when = self.expired - 1, 1000000000
        mark = hashlib.md5(f"{when}{request.path} {self.secret}".encode()).digest()
        signed = base64.urlsafe_b64encode(mark).rstrip(b"=").decode()
        where = self.by_way_of or self.nginx.port
        return Answer(307, {"Location": f"http://127.0.0.1:{where}{request.path}?md5={signed}&expires={when}"})


class Place:
    def __init__(self, name, folder, front=None):
        """front: a key of FRONTS that stands before the server `name`."""
        self.name, self.folder, self.words, self.ca = name, str(folder), [], None
        self.stack, self.tokens, self.store, self.source, self.pair = contextlib.ExitStack(), None, None, None, None
        os.makedirs(self.folder, exist_ok=True)
        self.registry = self._registry()
        self.host, self.url = self.registry.host, self.registry.url
        self.inside = Client(self.registry.url, *(self.registry.login or ()), ca=self.registry.ca, pair=self.pair)
        front = front or (name if name in FRONTS else None)
        if front:
            self._before(front)
        if self.wants_login():
            self.words += ["--authfile", self.authfile(self.host)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def wants_login(self):
        return self.name in ("R1", "R2", "N8")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _start(self, folder, **more):
        made = Registry(self.path(folder), **more)
        self.stack.callback(made.remove)
        return made

    def _registry(self):
        make = getattr(self, "_" + self.name.lower(), None)
        return make() if make else self._start("registry")

    def _r1(self):
        made = htpasswd_registry(self.path("registry"))
        self.stack.callback(made.remove)
        made.users = dict([LOGIN])
        return made

    def _r2(self):
        self.tokens = self.stack.enter_context(TokenServer(self.folder, users=dict([LOGIN])))
        return self._start("registry", extra=self.tokens.configuration())

    _n8 = _r2

    def _r3(self):
        made = self._start("registry", tls=True)
        self.words += ["--ca-file", made.ca]
        return made

    def _r4(self):
        """Mutual TLS: the authority of the server is the clients', too."""
        made = self._start("registry", tls=True)
        made.stop()
        with open(os.path.join(made.folder, "config.yml"), "a") as f:
            f.write(f"    clientcas: ['{made.ca}']\n")
        text = open(f.name).read().replace("  tls: {certificate: ", "  tls:\n    certificate: ").replace(", key: ", "\n    key: ")
        with open(f.name, "w") as f:
            f.write(text.replace(".key}\n", ".key\n"))
        made.start()
        self.pair = [os.path.join(made.folder, "tls", name) for name in ("server.pem", "server.key")]
        self.words += ["--ca-file", made.ca, "--cert-file", self.pair[0], "--key-file", self.pair[1]]
        return made

    def _r6(self):
        """Pull-through: what is planted stands in another registry."""
        self.source = self._start("far")
        return self._start("registry", extra=f"proxy: {{remoteurl: '{self.source.url}'}}\n")

    def _r7(self):
        self.store = self.stack.enter_context(Store(self.path("store")))
        made = self._start("registry", extra=f"middleware:\n  storage:\n  - {{name: redirect, options: {{baseurl: '{self.store.url}/'}}}}\n")
        self.store.serve(os.path.join(made.folder, "data"))
        self.stack.callback(self.store.nginx.stop)
        return made

    def _r10(self):
        """Two replicas over one storage that share no secret."""
        first, self.second = self._start("registry"), self._start("second", secret="another")
        self.second.stop()
        os.makedirs(os.path.join(first.folder, "data"), exist_ok=True)
        os.symlink(os.path.join(first.folder, "data"), os.path.join(self.second.folder, "data"))
        self.second.start()
        return first

    def _before(self, front):
        pki = certificates.make(self.path("tls")) if front == "N1" else None
        all_of = [self.registry, self.second] if self.name == "R10" else [self.registry]
        made = proxy.Proxy(self.path("nginx"), all_of, ("" if front == "N3" else "client_max_body_size 0; ") + FRONTS[front],
                           certificate=pki, balance=BALANCE.get(front, ""))
        self.stack.callback(made.stop)
        self.host, self.url = made.host, ("https://" if pki else "http://") + made.host
        if pki:
            self.words += ["--ca-file", pki[0]]
        self.nginx = made

    def authfile(self, host):
        """The path of one that has the login for that host."""
        path = self.path(f"auth-{host.rpartition(':')[2]}.json")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(docker_auth({host: LOGIN}))
        return path

    def fill(self, repository, tag, what):
        """Into the storage, all that is below it first."""
        home = self.source or self.registry
        for at, child in enumerate(below(what)):
            home.plant(repository, f"part-{at}", child)
        home.plant(repository, tag, what)

    def requests(self):
        return self.nginx.requests() if self.name == "R10" else self.registry.requests()

    def push_words(self):
        return [*self.words, *([] if self.url.startswith("https") else ["--plain-http"])]

    def manifest(self, repository, which):
        """(bytes, type) as a client with the right to read gets them from the registry itself."""
        return self._client(repository).manifest(repository, which)

    def blob(self, repository, digest):
        return self._client(repository).ask("GET", f"/v2/{repository}/blobs/{digest}")[2]

    def _client(self, repository):
        if self.tokens:
            made = Client(self.registry.url)
            access = [{"type": "repository", "name": repository, "actions": ["pull"]}]
            made.headers["Authorization"] = "Bearer " + self.tokens.sign(access, 300)
            return made
        return self.inside


def below(what):
    """Every manifest below it, each after its own children."""
    return [one for child in what.children for one in (*below(child), child)]
