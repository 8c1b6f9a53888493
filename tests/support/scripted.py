"""A registry that does as it is told: an in-memory registry, and rules that spoil its answers.

    with Scripted(users={"me": "pw"}) as reg:
        reg.store("team/app", "1.0", image)             what support.images makes
        reg.on("GET", "/blobs/", cut(1000), times=1)    the first such answer ends after 1000 bytes
        reg.journal                                     every request so far, in order
    
A rule is a function (request, answer) -> Answer: it gets what the registry would say, and gives
back what goes on the wire. What must hold whatever is tested is checked after each run of the
program (CHECKS). `answer` is a function, so that a rule may come before the deed.
"""

import base64
import collections
import contextlib
import dataclasses
import hashlib
import json
import re
import socket
import struct
import threading
import time
import urllib.parse
import weakref

from .images import OCI_INDEX, blob as blob_of, sha256
from .ports import Acceptor


@dataclasses.dataclass
class Request:
    """One request as it came, and the status it got."""
    method: str
    target: str
    headers: list
    body: bytes = dataclasses.field(repr=False, default=b"")
    status: int = 0
    connection: int = 0
    whole: bool = True

    @property
    def path(self):
        return self.target.split("?")[0]

    @property
    def query(self):
        return urllib.parse.parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    @property
    def login(self):
        """(user, password) of Basic, or None."""
        value = self.header("Authorization") or ""
        if not value.lower().startswith("basic "):
            return None
        return tuple(base64.b64decode(value[6:]).decode().split(":", 1))


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = dataclasses.field(repr=False, default=b"")
    length: object = "body"  # what Content-Length says; None: none, the end is the connection's
    raw: tuple = ()  # further header lines
    cut: object = None  # so many bytes of the body go out, then the connection ends
    reset: bool = False  # and it ends with a reset
    chunked: bool = False
    silent: bool = False  # no answer at all
    wait: object = None  # an Event: after the bytes nothing comes until it is set


def error(status, code, message="", **headers):
    body = json.dumps({"errors": [{"code": code, "message": message, "detail": None}]}).encode()
    return Answer(status, {"Content-Type": "application/json", **headers}, body)


# --- rules ---

def say(status, body=b"", content_type="text/plain", **headers):
    """This instead of the registry's answer, which is never asked."""
    fixed = Answer(status, {"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}, body)
    return lambda request, answer: dataclasses.replace(fixed, headers=dict(fixed.headers))


def html(status=200):
    return say(status, b"<!DOCTYPE html>\n<html><body>Please log in</body></html>", "text/html; charset=utf-8")


def change(**fields):
    """The registry's answer with other fields; a callable field gets the answer."""
    def rule(request, answer):
        was = answer()
        return dataclasses.replace(was, **{k: v(was) if callable(v) else v for k, v in fields.items()})
    return rule


def headers(**more):
    """The registry's answer with more headers; None takes one away."""
    def rule(request, answer):
        was = answer()
        for name, value in more.items():
            name = name.replace("_", "-")
            if value is None:
                was.headers.pop(name, None)
            else:
                was.headers[name] = value
        return was
    return rule


def cut(count, reset=False):
    """Content-Length says all, the connection ends after count bytes."""
    return change(cut=count, reset=reset)


def stall(count, until):
    """Content-Length says all, and after count bytes nothing comes until that Event is set; then the connection ends."""
    return change(cut=count, wait=until)


def redirect(status, url):
    """To url; a callable gets the request."""
    return lambda request, answer: Answer(status, {"Location": url(request) if callable(url) else url})


def deed_then(what):
    """The registry does what was asked, and the client hears something else."""
    def rule(request, answer):
        answer()
        return what(request, answer)
    return rule


def vanish(request, answer):
    """A reset connection instead of an answer."""
    return Answer(0, silent=True, reset=True)


@dataclasses.dataclass
class Rule:
    method: str
    path: object
    act: object
    times: object
    when: object

    def takes(self, request):
        return (self.times != 0 and self.method in ("*", request.method) and self.path.search(request.target)
                and (self.when is None or self.when(request)))


class Listener:
    """HTTP/1.1 on a loopback port, byte by byte; what it answers is decided by `decide`."""

    living = weakref.WeakSet()

    def __init__(self):
        self.journal, self.rules = [], []
        self.told_logins = False  # a login may come here though it was not asked for: --pass-credentials
        self.continues = True  # "Expect: 100-continue" is answered
        self.lock = threading.RLock()
        self._connections = 0
        self._acceptor = Acceptor(self._serve)
        self.port = self._acceptor.port
        self.host = f"127.0.0.1:{self.port}"
        self.url = "http://" + self.host
        self.living.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._acceptor.stop()

    def on(self, method, path, act, times=None, when=None):
        """The next `times` requests (None: all) of that method whose target has that pattern are answered by act."""
        with self.lock:
            self.rules.append(Rule(method, re.compile(path), act, times, when))

    def asked(self, method="*", path=""):
        return [r for r in self.journal if method in ("*", r.method) and re.search(path, r.target)]

    def decide(self, request):
        return error(404, "NOT_FOUND")

    def early(self, request):
        """An answer before the body is read, or None."""
        return None

    def _serve(self, connection):
        with self.lock:
            self._connections += 1
            number = self._connections
        try:
            with connection, connection.makefile("rb") as stream:
                while self._one(connection, stream, number):
                    pass
        except (OSError, ValueError):  # it went away, or it does not speak HTTP
            pass

    def _one(self, connection, stream, number):
        line = stream.readline(65536)
        if not line.strip():
            return False
        method, target, _ = line.decode("latin-1").split(" ", 2)
        request = Request(method, target, [], connection=number)
        for field in iter(stream.readline, b"\r\n"):
            if not field:
                return False
            name, _, value = field.decode("latin-1").partition(":")
            request.headers.append((name.strip(), value.strip()))
        with self.lock:
            self.journal.append(request)
        early = self.early(request)
        if early:
            request.status = early.status
            self._send(connection, request, early)
            return False
        if (request.header("Expect") or "").lower() == "100-continue" and self.continues:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(request.header("Content-Length") or 0)
        request.body = stream.read(length)
        request.whole = len(request.body) == length
        if not request.whole:
            return False
        answer = self._ruled(request)
        request.status = answer.status
        return self._send(connection, request, answer)

    def _ruled(self, request):
        with self.lock:
            rule = next((r for r in self.rules if r.takes(request)), None)
            if rule and rule.times is not None:
                rule.times -= 1
        if not rule:
            return self.decide(request)
        return rule.act(request, lambda: self.decide(request))

    def _send(self, connection, request, answer):
        if not answer.silent:
            connection.sendall(self._head(answer))
            body = b"" if request.method == "HEAD" or answer.status in (204, 304) else answer.body
            body = body if answer.cut is None else body[:answer.cut]
            if answer.chunked:
                connection.sendall(b"%x\r\n" % (len(body) + (answer.cut is not None)))
            connection.sendall(body)
            if answer.chunked and answer.cut is None:
                connection.sendall(b"\r\n0\r\n\r\n")
        if answer.wait:
            answer.wait.wait(60)
        if answer.reset:
            time.sleep(0.05)  # the bytes before it are to arrive
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return answer.cut is None and not answer.silent and (answer.length is not None or answer.chunked)

    @staticmethod
    def _head(answer):
        lines = [f"HTTP/1.1 {answer.status} Because"]
        lines += [f"{k}: {v}" for k, v in answer.headers.items() if v is not None]
        lines += answer.raw
        if answer.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif answer.length == "body":
            lines.append(f"Content-Length: {len(answer.body)}" if "Content-Length" not in answer.headers else "X-Y: z")
        elif answer.length is not None:
            lines.append(f"Content-Length: {answer.length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Scripted(Listener):
    """The in-memory registry."""

    def __init__(self, users=None, bearer=None):
        """users: Basic is wanted; bearer: a TokenService whose tokens are wanted."""
        self.users, self.bearer = users, bearer
        self.referrers = False  # whether it lists what refers to a document, and says OCI-Subject
        self.blobs, self.manifests, self.uploads = {}, {}, {}
        self.mounts = True
        self.location = lambda request, path: path
        super().__init__()

    def store(self, repository, tag, image):
        for each in (*image.children, image):
            self.manifests[repository, each.digest] = each.top
        self.manifests[repository, tag] = image.top
        for part in image.all_blobs():
            self.blobs[repository, part.digest] = part.data

    def decide(self, request):
        return self._denied(request) or self._api(request)

    def _denied(self, request):
        if self.users and (request.login is None or self.users.get(request.login[0]) != request.login[1]):
            return error(401, "UNAUTHORIZED", "authentication required", **{
                "WWW-Authenticate": 'Basic realm="a \\"scripted\\" registry, for tests"'})
        if self.bearer:
            scope = self._scope(request)
            if not self.bearer.grants(request.header("Authorization") or "", scope):
                wanted = f',scope="{scope}"' if scope else ""
                return error(401, "UNAUTHORIZED", "authentication required", **{
                    "WWW-Authenticate": f'Bearer realm="{self.bearer.realm}",service="scripted"{wanted}'})
        return None

    @staticmethod
    def _scope(request):
        found = re.match(r"/v2/(.+?)/(blobs|manifests|tags|referrers)/", request.path)
        access = "pull" if request.method in ("GET", "HEAD") else "pull,push"
        return f"repository:{found[1]}:{access}" if found else ""

    def _api(self, request):
        if request.path == "/v2/":
            return Answer(200, {"Content-Type": "application/json"}, b"{}")
        upload = re.fullmatch(r"/v2/(.+)/blobs/uploads/(.*)", request.path)
        if upload:
            return self._upload(request, *upload.groups())
        listed = re.fullmatch(r"/v2/(.+)/(tags/list|referrers/([^/]+))", request.path)
        if listed and (self.referrers or listed[2] == "tags/list"):
            return self._referrers(*listed.group(1, 3)) if listed[3] else self._tags(listed[1])
        thing = re.fullmatch(r"/v2/(.+)/(blobs|manifests)/([^/]+)", request.path)
        if not thing:
            return Answer(404, {"Content-Type": "text/plain"}, b"404 page not found")
        repository, kind, which = thing.groups()
        return (self._blob if kind == "blobs" else self._manifest)(request, repository, which)

    def tags(self, repository):
        return sorted(which for where, which in self.manifests if where == repository and ":" not in which)

    def _tags(self, repository):
        if not any(where == repository for where, _ in self.manifests):
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        body = json.dumps({"name": repository, "tags": self.tags(repository)}).encode()
        return Answer(200, {"Content-Type": "application/json"}, body)

    def _referrers(self, repository, subject):
        entries, seen = [], set()
        for (where, _), top in self.manifests.items():
            document = json.loads(top.data)
            if where == repository and top.digest not in seen and (document.get("subject") or {}).get("digest") == subject:
                seen.add(top.digest)
                entries.append(top.descriptor(artifactType=document.get("artifactType") or document["config"]["mediaType"]))
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
        return Answer(200, {"Content-Type": OCI_INDEX}, body)

    def _blob(self, request, repository, digest):
        data = self.blobs.get((repository, digest))
        if data is None:
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        head = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        found = re.fullmatch(r"bytes=(\d+)-", request.header("Range") or "")
        if not found or request.method == "HEAD":
            return Answer(200, head, data)
        start = int(found[1])
        if start >= len(data):
            return error(416, "RANGE_INVALID")
        head["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return Answer(206, head, data[start:])

    def _manifest(self, request, repository, which):
        if request.method == "PUT":
            return self._put_manifest(request, repository, which)
        top = self.manifests.get((repository, which))
        if not top:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if top.media_type not in (request.header("Accept") or ""):
            return error(404, "MANIFEST_UNKNOWN", "manifest found, but accept header does not support it")
        return Answer(200, {"Content-Type": top.media_type, "Docker-Content-Digest": top.digest}, top.data)

    def _put_manifest(self, request, repository, which):
        top = blob_of(request.body, request.header("Content-Type"))
        document = json.loads(request.body)
        if which.startswith("sha256:") and which != top.digest:
            return error(400, "DIGEST_INVALID")
        parts = [document["config"], *document["layers"]] if "config" in document else []
        missing = [p["digest"] for p in parts if (repository, p["digest"]) not in self.blobs]
        missing += [m["digest"] for m in document.get("manifests", []) if (repository, m["digest"]) not in self.manifests]
        if missing:
            return error(400, "MANIFEST_BLOB_UNKNOWN", missing[0])
        self.manifests[repository, which] = self.manifests[repository, top.digest] = top
        told = {"OCI-Subject": document["subject"]["digest"]} if self.referrers and document.get("subject") else {}
        return Answer(201, {"Docker-Content-Digest": top.digest, "Location": f"/v2/{repository}/manifests/{top.digest}", **told})

    def _upload(self, request, repository, session):
        if request.method == "POST" and not session:
            return self._open(request, repository)
        if session not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if request.query.get("_state") != ["A==-_"]:
            return error(400, "BLOB_UPLOAD_INVALID", "the state was lost")
        act = {"PATCH": self._patch, "PUT": self._close, "GET": self._status}.get(request.method)
        return act(request, repository, session) if act else error(405, "UNSUPPORTED")

    def _open(self, request, repository):
        digest, source = (request.query.get(k, [None])[0] for k in ("mount", "from"))
        if digest and self.mounts and self._may_read(request, source) and (source, digest) in self.blobs:
            self.blobs[repository, digest] = self.blobs[source, digest]
            return Answer(201, {"Docker-Content-Digest": digest, "Location": f"/v2/{repository}/blobs/{digest}"})
        number = f"session-{len(self.asked('POST'))}"
        self.uploads[number] = b""
        return Answer(202, self._place(request, repository, number))

    def _may_read(self, request, repository):
        """As distribution: a mount out of a repository that the token does not open is an upload."""
        return not self.bearer or self.bearer.grants(request.header("Authorization") or "", f"repository:{repository}:pull")

    def _place(self, request, repository, session):
        """Where the session is, and what it has; distribution says 0-0 of nothing."""
        where = f"/v2/{repository}/blobs/uploads/{session}?_state=A%3D%3D-_"
        return {"Location": self.location(request, where), "Range": f"0-{max(0, len(self.uploads[session]) - 1)}"}

    def _patch(self, request, repository, session):
        have, given = len(self.uploads[session]), request.header("Content-Range")
        if given and given != f"{have}-{have + len(request.body) - 1}":
            return Answer(416, self._place(request, repository, session))
        self.uploads[session] += request.body
        return Answer(202, self._place(request, repository, session))

    def _status(self, request, repository, session):
        return Answer(204, self._place(request, repository, session))

    def _close(self, request, repository, session):
        digest = request.query.get("digest", [""])[0]
        data = self.uploads.pop(session) + request.body
        if sha256(data) != digest:
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.blobs[repository, digest] = data
        return Answer(201, {"Docker-Content-Digest": digest, "Location": f"/v2/{repository}/blobs/{digest}"})


class TokenService(Listener):
    """Gives tokens; `shape` makes the JSON of an answer from the token."""

    def __init__(self, users=None, anonymous=("pull",), shape=None):
        """users may everything; anybody may what `anonymous` lists."""
        self.users, self.anonymous = users or {}, anonymous
        self.shape = shape or (lambda token: {"token": token, "expires_in": 300})
        self.tokens, self.short_lived = {}, False
        super().__init__()
        self.realm = self.url + "/token?via=test"

    def grants(self, authorization, scope):
        granted = self.tokens.get(authorization.removeprefix("Bearer "))
        if granted is None:
            return False
        name, _, wanted = scope.rpartition(":")
        return not scope or set(wanted.split(",")) <= granted.get(name, set())

    def forget(self):
        """Every token that was given is worth nothing now."""
        self.tokens.clear()

    def decide(self, request):
        user = request.login
        if user and self.users.get(user[0]) != user[1]:
            return error(401, "UNAUTHORIZED", "incorrect username or password")
        if "via" not in request.query:
            return error(400, "BAD", "the realm's own query was lost")
        granted = {}
        for scope in request.query.get("scope", []):
            name, _, actions = scope.rpartition(":")
            granted[name] = {a for a in actions.split(",") if user or a in self.anonymous}
        token = hashlib.sha256(f"{len(self.tokens)} {time.monotonic_ns()}".encode()).hexdigest()
        self.tokens[token] = granted
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(self.shape(token)).encode())


# --- what must hold in every run ---

def _check_authorization(server, journal):
    asked_for = isinstance(server, TokenService) or server.told_logins
    for request in journal:
        if request.header("Authorization"):
            assert asked_for, f"a login came to {server.host}, which had not asked for one: {request}"
        asked_for = asked_for or request.status == 401


def _check_headers(server, journal):
    for request in journal:
        for name in ("Transfer-Encoding", "Accept-Encoding", "Cookie"):
            assert request.header(name) is None, f"{name} in {request}"
        assert request.header("User-Agent") == "sealift", request
        if request.method in ("POST", "PUT", "PATCH"):
            assert request.header("Content-Length") is not None, request


def _needed(document):
    """The digests that a manifest or an index names."""
    parts = [document.get("config") or {}, *(document.get("layers") or []), *(document.get("manifests") or [])]
    return {part.get("digest") for part in parts}


def _check_tags(server, journal):
    """A tag is put when all that it needs is there: nothing of that comes later (PSH-01)."""
    needed = {}
    for request in journal:
        found = re.match(r"/v2/(.+?)/(blobs/uploads|manifests)/([^/]*)", request.path)
        if request.method != "PUT" or not found or request.status not in (200, 201, 202, 204):
            continue
        repository, kind, which = found.groups()
        digest = which if kind == "manifests" else request.query.get("digest", [""])[0]
        assert digest not in needed.get(repository, ()), f"{repository}: {digest} was put after the tag that needs it"
        if kind == "manifests" and not which.startswith("sha256:"):
            needed.setdefault(repository, set()).update(_needed(json.loads(request.body)))


def _check_gets(server, journal):
    seen = set()
    for request in journal:
        if request.method == "GET" and request.status == 200 and re.search(r"/manifests/(?!sha256:)[^/]+$", request.path):
            assert request.path not in seen, f"asked twice for {request.path}"
            seen.add(request.path)


def _check_tokens(server, journal):
    """No more than two tokens are fetched for one scope (CHL-06, TOK-19)."""
    if isinstance(server, TokenService) and not server.short_lived:
        asked = collections.Counter(r.target + str(r.body) for r in journal if r.status == 200)
        assert all(count <= 2 for count in asked.values()), asked


CHECKS = [_check_authorization, _check_headers, _check_tags, _check_gets, _check_tokens]


@contextlib.contextmanager
def watched():
    """Around one run of the program: what every server that lives heard in it is checked afterwards."""
    before = {server: len(server.journal) for server in Listener.living}
    yield
    for server in Listener.living:
        for check in CHECKS:
            check(server, server.journal[before.get(server, 0):])
