"""What hosted registries do in their own way when one pushes to them, as data (PROTOCOL 19).

    persona("quay").apply(server)       adds its rules to a support.scripted.Scripted

A row: the persona's name, and its rules as the arguments of Scripted.on.
"""

import dataclasses

from .scripted import change, error, headers, say

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Persona:
    name: str
    rules: tuple

    def apply(self, server):
        for method, path, act, more in self.rules:
            server.on(method, path, act, **more)


def _over(limit):
    return {"when": lambda r: len(r.body) > limit}


def _said(text):
    return change(headers=lambda a: {**a.headers, "Range": text})


PERSONAS = (
    Persona("hub", (("DELETE", "", say(401), {}),)),
    Persona("ghcr", (("PATCH", "", say(416, b"request body too large"), _over(4 * MIB)), ("GET", "/referrers/", say(404), {}))),
    Persona("quay", (("PATCH", "", _said("bytes=0--1"), {}), ("GET", "/uploads/", headers(Location=None), {}),
                     ("PUT", "/manifests/", say(415), {"when": lambda r: ";" in r.header("Content-Type")}))),
    Persona("ecr", (("POST", "mount=", lambda r, a: error(405, "UNSUPPORTED"), {}), ("PATCH", "", change(
        status=201, headers=lambda a: {**a.headers, "Range": "0-0"}), {}))),
    Persona("acr", (("PUT", "/uploads/", say(413), _over(MIB)), ("GET", "/uploads/", lambda r, a: error(404, "BLOB_UPLOAD_INVALID"), {}))),
    Persona("gar", (("PATCH", "", say(405), {"when": lambda r: r.header("Content-Range")}),)),
    Persona("harbor", (("POST", "mount=", lambda r, a: error(401, "UNAUTHORIZED"), {}), ("*", "", headers(Set_Cookie="sid=1"), {}))),
    Persona("nexus", (("PUT", "/manifests/", lambda r, a: error(400, "BLOB_UNKNOWN"), {"times": 2}),)),
    Persona("gitea", (("PATCH", "", lambda r, a: error(400, "SIZE_INVALID"), {"when": lambda r: not r.header("Content-Range")}),)),
    Persona("zot", (("POST", "mount=", say(405), {}), ("POST", "digest=", say(415), {}))),
    Persona("pulp", (("PATCH", "", change(status=204), {}), ("HEAD", "/blobs/", say(403), {}))),
    Persona("behind a limit", (("PUT", "/uploads/", say(413), _over(MIB)), ("PATCH", "", say(413), _over(MIB)))),
)


def persona(name):
    return next(p for p in PERSONAS if p.name == name)
