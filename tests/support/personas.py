"""What hosted registries do in their own way, as data (PROTOCOL 19).

    with Hosted(persona("quay")) as server:       a support.scripted.Scripted that behaves so
        server.words(folder)                      the options that a login there needs
        with Hosted(who, refusing=0) as server:   and refuses what the first row of who.refusals says

A row's rules are the arguments of Scripted.on; each comes after the registry's own question for a login.
"""

import contextlib
import dataclasses
import os

from .registry import docker_auth
from .scripted import Answer, Listener, Scripted, TokenService, change, error, headers, redirect, say

MIB = 1 << 20
LOGIN = ("me", "pa:ss word")


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A push that this registry does not take: why, its rules, the exit status, words of the sentence."""
    name: str
    rules: tuple
    status: int
    words: tuple


@dataclasses.dataclass(frozen=True)
class Persona:
    name: str
    rules: tuple = ()
    auth: str = "bearer"  # basic, bearer or nothing
    token_rules: tuple = ()  # of its token service
    shape: object = None  # of the token service's answers
    challenge: object = None  # (request, WWW-Authenticate) -> header lines instead of it, of a 401
    stores: bool = False  # blobs are at another host, which takes no Authorization and no HEAD
    moves: bool = False  # manifests, too, are at another host, with a token service of its own
    public: bool = True  # anybody may pull, where a token service gives tokens to anybody
    refusals: tuple = ()

    @property
    def pushes(self):
        return not self.moves


class Elsewhere(Listener):
    """An object store: what is asked for by an address is there for whoever has the address."""

    def __init__(self, home):
        super().__init__()
        self.home = home

    def decide(self, request):
        if request.header("Authorization"):
            return Answer(400, {"Content-Type": "application/xml"}, b"<Error><Code>InvalidArgument</Code></Error>")
        if request.method == "HEAD":
            return Answer(403, {"Content-Type": "application/xml"})
        return self.home.decide_all(request)


class Hosted(Scripted):
    def __init__(self, who, refusing=None):
        self.who, self.stack = who, contextlib.ExitStack()
        super().__init__(users=dict([LOGIN]) if who.auth == "basic" else None,
                         bearer=self._tokens(("pull",) if who.public else ()) if who.auth == "bearer" else None)
        self.rows = (*(who.refusals[refusing].rules if refusing is not None else ()), *who.rules)
        if who.moves:
            self._move()
        for method, path, act, more in self.rows:
            self.on(method, path, self._after_login(act), **more)
        if who.stores:
            store = self.stack.enter_context(Elsewhere(self))
            self.on("*", "/blobs/sha256:", self._after_login(redirect(307, lambda r: store.url + r.target)), when=lambda r: r.method in ("GET", "HEAD"))

    def __exit__(self, *_):
        self.stack.close()
        super().__exit__()

    def _tokens(self, anonymous):
        service = self.stack.enter_context(TokenService(dict([LOGIN]), anonymous, self.who.shape))
        for method, path, act, more in self.who.token_rules:
            service.on(method, path, act, **more)
        return service

    def _move(self):
        """All but the front door answers from another host."""
        self.far = self.stack.enter_context(Scripted(bearer=self._tokens(("pull",))))
        self.far.manifests, self.far.blobs = self.manifests, self.blobs
        self.on("GET", "/(manifests|blobs)/", redirect(307, lambda r: self.far.url + r.target))

    def _after_login(self, act):
        return lambda request, answer: self._denied(request) or act(request, answer)

    def _denied(self, request):
        answer = super()._denied(request)
        if answer and self.who.challenge:
            said = answer.headers.pop("WWW-Authenticate")
            answer.raw = tuple(f"WWW-Authenticate: {line}" for line in self.who.challenge(request, said))
        return answer

    def decide_all(self, request):
        """What a request gets that needs no login."""
        return self._api(request)

    def words(self, folder):
        """Options with the login of this registry."""
        path = os.path.join(str(folder), f"login-{self.port}.json")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(docker_auth({self.host: LOGIN}))
        return "--authfile", path


def _over(limit):
    return {"when": lambda r: len(r.body) > limit}


def _said(text):
    return change(headers=lambda a: {**a.headers, "Range": text})


def _says(status, code, message=""):
    return lambda request, answer: error(status, code, message)


def _tag(act):
    return ("PUT", "/manifests/1.0", act, {})


def _open(act):
    return ("POST", "/uploads/", act, {})


IMMUTABLE = "the tag is there and may not be changed"
NO_POST = (("POST", "", say(404), {}),)
ONCE = {"times": 1}

PERSONAS = (
    Persona("hub", stores=True, token_rules=(("GET", "scope=.*scope=", _says(401, "UNAUTHORIZED"), {}),),
            rules=(("DELETE", "", say(401), {}), ("GET", "_catalog", say(401), {}),
                   ("GET", "/manifests/", _says(429, "TOOMANYREQUESTS", "rate exceeded"), ONCE),
                   ("HEAD", "/manifests/", headers(RateLimit_Limit="100;w=21600", RateLimit_Remaining="76;w=21600"), {})),
            refusals=(Refusal("another's repository", (_open(_says(403, "DENIED", "requested access to the resource is denied")),), 6, ("DENIED",)),
                      Refusal("a layer first", (("PUT", "/manifests/sha256", _says(400, "MANIFEST_INVALID"), {}),), 5, ("MANIFEST_INVALID",)))),
    Persona("k8s", auth="nothing", moves=True, rules=(("GET", "_catalog", say(404), {}),)),
    Persona("ghcr", token_rules=(("POST", "", say(405), {}),), rules=(
        ("PATCH", "", say(416, b"request body too large"), _over(4 * MIB)), ("GET", "/referrers/", say(404), {})),
            refusals=(Refusal("no package of that name", (_open(_says(403, "DENIED", "permission_denied: write_package")),), 6, ("write_package",)),)),
    Persona("quay", shape=lambda token: {"token": token}, token_rules=(("GET", "delete|%2A|\\*", say(400), {}),), rules=(
        ("PATCH", "", _said("bytes=0--1"), {}), ("GET", "/uploads/", headers(Location=None), {}),
        ("PUT", "/manifests/", say(415), {"when": lambda r: ";" in r.header("Content-Type")})),
            refusals=(Refusal("immutable", (_tag(_says(409, "TAG_IMMUTABLE", "tag is immutable")),), 6, (IMMUTABLE,)),
                      Refusal("no organization", (_open(_says(404, "NAME_UNKNOWN", "organization not found")),), 7, ("NAME_UNKNOWN",)),
                      Refusal("sparse", (_tag(_says(400, "MANIFEST_INVALID", "manifest references unknown")),), 5, ("MANIFEST_INVALID",)))),
    Persona("ecr", auth="basic", stores=True, rules=(
        ("POST", "mount=", _says(405, "UNSUPPORTED"), {}), ("PATCH", "", change(
            status=201, headers=lambda a: {**a.headers, "Range": "0-0"}), {})),
            refusals=(Refusal("no repository", (_open(_says(404, "NAME_UNKNOWN", "The repository with name 'apps/team/app' does not exist")),), 7,
                              ("NAME_UNKNOWN", "must be made at the registry first")),
                      Refusal("immutable", (_tag(_says(400, "TAG_INVALID", "The image tag '1.0' already exists and is immutable")),), 6, (IMMUTABLE,)),
                      Refusal("an odd manifest", (_tag(_says(405, "UNSUPPORTED", "Invalid parameter")),), 5, ("UNSUPPORTED",)))),
    Persona("acr", stores=True, token_rules=(("POST", "", say(400), {}),), rules=(
        ("PUT", "/uploads/", say(413), _over(MIB)), ("GET", "/uploads/", _says(404, "BLOB_UPLOAD_INVALID"), {})),
            refusals=(Refusal("no right", (_open(_says(403, "DENIED", "retention policy")),), 6, ("DENIED",)),)),
    Persona("gar", token_rules=NO_POST, challenge=lambda request, said: [] if request.method == "HEAD" else [said],
            rules=(("PATCH", "", say(405), {"when": lambda r: r.header("Content-Range")}),),
            refusals=(Refusal("no repository", (_open(_says(404, "NAME_UNKNOWN", "Repository \"apps\" not found")),), 7, ("NAME_UNKNOWN",)),)),
    Persona("harbor", challenge=lambda request, said: ['Basic realm="harbor"'] if request.header("Authorization") else [said], rules=(
        ("POST", "mount=", _says(401, "UNAUTHORIZED"), {}), ("*", "", headers(Set_Cookie="sid=1"), {})),
            refusals=(Refusal("immutable", (_tag(_says(412, "PRECONDITION", "Failed to process request due to 'immutable rule'")),), 6, ("immutable",)),
                      Refusal("no project", (_open(_says(401, "UNAUTHORIZED", "project apps not found")),), 6, ("project apps not found",)),
                      Refusal("no project, for ever 500", (_open(_says(500, "UNKNOWN", "internal server error")),), 5, ("500",)),
                      Refusal("a large manifest", (_tag(say(413)),), 1, ("413",)))),
    Persona("nexus", auth="basic", challenge=lambda request, said: ['BASIC realm="Sonatype Nexus Repository Manager"'],
            rules=(("PUT", "/manifests/", _says(400, "BLOB_UNKNOWN"), {"times": 2}),),
            refusals=(Refusal("sparse", (_tag(_says(404, "MANIFEST_BLOB_UNKNOWN")),), 7, ("MANIFEST_BLOB_UNKNOWN",)),
                      Refusal("no second deployment", (_tag(_says(400, "UNKNOWN", "Repository does not allow updating assets")),), 5, ("updating assets",)))),
    Persona("artifactory", token_rules=(("POST", "", say(401), {}),),
            refusals=(Refusal("no repository key", (_open(_says(404, "NAME_UNKNOWN", "Repository 'apps' not found")),), 7, ("NAME_UNKNOWN",)),
                      Refusal("no OCI", (("PUT", "/manifests/", _says(415, "MANIFEST_INVALID", "media type"), {}),), 1, ("media type",)))),
    Persona("gitlab", shape=lambda token: {"token": token, "expires_in": 300}, rules=(("HEAD", "/blobs/", say(403), {}),),
            refusals=(Refusal("a type that is not on its list", (_tag(_says(400, "MANIFEST_INVALID", "unknown media type")),), 5, ("MANIFEST_INVALID",)),
                      Refusal("no project", (_open(_says(403, "DENIED", "requested access to the resource is denied")),), 6, ("DENIED",)))),
    Persona("gitea", challenge=lambda request, said: [said.replace(',service="scripted"', ""), "Basic"], rules=(
        ("PATCH", "", _says(400, "SIZE_INVALID"), {"when": lambda r: not r.header("Content-Range")}),),
            refusals=(Refusal("sparse or nested", (_tag(_says(400, "MANIFEST_INVALID")),), 5, ("MANIFEST_INVALID",)),)),
    Persona("zot", auth="basic", rules=(("POST", "mount=", say(405), {}), ("POST", "digest=", say(415), {})),
            refusals=(Refusal("Docker's types", (("PUT", "/manifests/", _says(415, "MANIFEST_INVALID"), {}),), 1, ("media type",)),)),
    Persona("dist3", rules=(("PATCH", "", _says(416, "RANGE_INVALID"), {"when": lambda r: not r.header("Content-Range")}),),
            refusals=(Refusal("sparse", (_tag(_says(400, "MANIFEST_BLOB_UNKNOWN")),), 5, ("MANIFEST_BLOB_UNKNOWN",)),)),
    Persona("pulp", auth="basic", stores=True, rules=(("PATCH", "", change(status=204), {}),),
            refusals=(Refusal("no right", (_open(_says(403, "DENIED")),), 6, ("DENIED",)),)),
    Persona("behind a limit", auth="nothing", rules=(("PUT", "/uploads/", say(413), _over(MIB)), ("PATCH", "", say(413), _over(MIB)))),
)


def persona(name):
    return next(p for p in PERSONAS if p.name == name)
