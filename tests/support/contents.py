"""The second reader's other half: the inventory, and the documents that other programs read.

Written from sealift-bundle(5) alone, section by section; it shares nothing with the program.

    inventory = parse(text)                     INVENTORY; Damaged, or Newer for what a later version may mean
    check(inventory, blobs)                     what manifests name is there, and OTHER READERS say the same
"""

import calendar
import hashlib
import json
import math
import re

FIRST = '{"_type":"https://sealift/bundle/v1",'
FIXED = ["README-VERIFY.txt", "SHA256SUMS", "oci-layout", "index.json", "manifest.json"]
AREA, LISTED_MAX, DOCUMENT_MAX, DESCRIPTORS_MAX, DEPTH_MAX = 32768, 16384, 8 << 20, 4096, 8
OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
INDEXES = (OCI + "index.v1+json", DOCKER + "distribution.manifest.list.v2+json")
MANIFESTS = (OCI + "manifest.v1+json", DOCKER + "distribution.manifest.v2+json")
CONFIGS = (OCI + "config.v1+json", DOCKER + "container.image.v1+json")


class Damaged(Exception):
    pass


class Newer(Exception):
    pass


def need(condition, what, error=Damaged):
    if not condition:
        raise error(what)


# ---- JSON ----------------------------------------------------------------------------------

def _once(pairs):
    need(len(dict(pairs)) == len(pairs), "a key twice")
    return dict(pairs)


def _integer(digits):
    need(-2 ** 63 <= int(digits) < 2 ** 63, "a number")
    return int(digits)


def _real(digits):
    need(math.isfinite(float(digits)), "a number")
    return float(digits)


def _texts(value):
    if isinstance(value, dict):
        return [t for key, v in value.items() for t in (key, *_texts(v))]
    return [t for v in value for t in _texts(v)] if isinstance(value, list) else [value] * isinstance(value, str)


def strict(raw):
    """One JSON document in UTF-8, no key twice, no NUL and no half of a pair in a text."""
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_once, parse_int=_integer, parse_float=_real,
                              parse_constant=lambda word: need(False, word))
        need("\0" not in "".join(_texts(document)).encode().decode(), "a NUL")
    except (ValueError, RecursionError) as error:
        raise Damaged("JSON") from error
    return document


# ---- INVENTORY -----------------------------------------------------------------------------

def matching(pattern):
    return lambda v: need(isinstance(v, str) and re.fullmatch(pattern, v, re.A), pattern)


def number(v):
    need(type(v) is int and 0 <= v < 2 ** 53, "number")


def each(check):
    def elements(v):
        need(isinstance(v, list) and len(v) <= LISTED_MAX, "a list")
        for one in v:
            check(one)
    return elements


def record(**fields):
    def members(v):
        need(isinstance(v, dict), "an object")
        for name, check in fields.items():
            need(name in v, name)
            check(v[name])
    return members


def time(v):
    matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")(v)
    year, month, day, *clock = map(int, re.findall(r"\d+", v))
    need(year >= 1970 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1], "day")
    need(clock[0] < 24 and max(clock[1:]) < 60, "time of day")


def expiry(v):
    need(v != "1970-01-01T00:00:00Z", "expires")
    return v is None or time(v)


def labels(v):
    need(isinstance(v, dict) and len(v) <= 64 and list(v) == sorted(v), "labels")
    for key, value in v.items():
        matching(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")(key)
        matching(r"[ -~]{0,256}")(value)


def nothing(empty):
    return lambda v: need(v == empty and type(v) is type(empty), "a part of a later version", Newer)


def file_name(v):
    matching(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")(v)
    need(not v.endswith(".") and not re.match(r"(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)", v, re.I), "name")


text, digest, hexadecimal = matching("(?s:.*)"), matching("sha256:[0-9a-f]{64}"), matching("[0-9a-f]{64}")
WORD = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
HOST = rf"(?=[^/]*[.:A-Z]|localhost/)({LABEL}(\.{LABEL})*|\[[0-9A-Fa-f:]{{2,}}\])(:(?P<port>[0-9]{{1,5}}))?"
REF = re.compile(rf"(?P<name>(?P<host>{HOST})/(?P<path>{WORD}(/{WORD})*)(?P<tag>:\w[\w.-]{{0,127}})?)"
                 r"(@sha256:[0-9a-f]{64})?", re.A)


def reference(v):
    text(v)
    found = REF.fullmatch(v)
    need(found and len(found["host"]) <= 255 and len(found["path"]) <= 255, "reference")
    need(found["port"] is None or 0 < int(found["port"]) < 65536, "port")
    need(found["tag"] or "@" in v, "neither tag nor digest")
    need(found["host"] != "index.docker.io" and (found["host"] != "docker.io" or "/" in found["path"]), "short name")


REFERRER = record(digest=digest, mediaType=text, artifactType=text, via=matching(r"api|tag:\w[\w.-]{0,127}"))
CHART = record(name=text, version=text, blob=digest, source=text, manifest=record(digest=digest, size=number, mediaType=text))
IMAGE = record(ref=reference, digest=digest, sourceDigest=digest, mediaType=text, size=number, platforms=each(text),
               blobs=each(digest), referrers=each(REFERRER))
FILE = record(name=file_name, blob=digest, size=number, mediaType=text)
BUNDLE = record(name=text, channel=matching("[A-Za-z0-9][A-Za-z0-9._-]{0,63}"), version=text, sequence=number, tool=text,
                expires=expiry, labels=labels, created=time)
KEYS = dict(requires=nothing([]), bundle=BUNDLE, sigArea=lambda v: need(v == AREA and type(v) is int, "area"),
            total=number, release=digest, base=nothing(None), absent=nothing([]), charts=each(CHART), images=each(IMAGE),
            files=each(FILE), members=each(record(path=text, size=number, sha256=hexadecimal)))


def parse(raw):
    """The inventory of the bytes, by all rules but those that need the members' bytes."""
    need(raw.startswith(FIRST.encode()) and re.fullmatch(rb"[ -~]*\n", raw), "bytes")
    inventory = strict(raw)
    need(isinstance(inventory, dict) and set(KEYS) <= set(inventory), "keys")
    need(isinstance(inventory["requires"], list), "requires")
    record(**KEYS)(inventory)
    _check_lists(inventory)
    return inventory


def _check_lists(inventory):
    members = inventory["members"]
    paths = [m["path"] for m in members]
    need(paths[:5] == FIXED and len(set(paths)) == len(paths), "members")
    need(all(m["path"] == "blobs/sha256/" + m["sha256"] for m in members[5:]), "path of a blob")
    sizes = {"sha256:" + m["sha256"]: m["size"] for m in members[5:]}
    named = [(inventory["release"], None)]
    for image in inventory["images"]:
        named += [(image["digest"], image["size"]), *((b, None) for b in image["blobs"])]
        named += [(r["digest"], None) for r in image["referrers"]]
    for chart in inventory["charts"]:
        named += [(chart["blob"], None), (chart["manifest"]["digest"], chart["manifest"]["size"])]
    named += [(f["blob"], f["size"]) for f in inventory["files"]]
    need(all(d in sizes and size in (None, sizes[d]) for d, size in named), "what is named")
    for names in ([i["ref"] for i in inventory["images"]], [f["name"] for f in inventory["files"]]):
        need(names == sorted(set(names)), "order")
    folded = [f["name"].lower() for f in inventory["files"]]
    sources = [c["source"] for c in inventory["charts"]]
    need(len(set(folded)) == len(folded) and sources == sorted(sources), "files and charts")


# ---- DOCUMENTS -----------------------------------------------------------------------------

def document(raw, said=None):
    """(media type, descriptors) of a manifest or an index; of a manifest the config comes first. Without a type of its
    own it is what is said of it."""
    need(len(raw) <= DOCUMENT_MAX, "size of a document")
    doc = strict(raw)
    need(isinstance(doc, dict), "a document")
    names = ["config", "fsLayers", "layers", "manifests", "mediaType", "schemaVersion"]
    need(all(key in names or key.lower() not in map(str.lower, names) for key in doc), "spelling")
    version, index = doc.get("schemaVersion"), "manifests" in doc
    need("fsLayers" not in doc and not (type(version) is int and version == 1), "schema 1")
    need(index != ("layers" in doc or "config" in doc), "one of two")
    kinds, kind = INDEXES if index else MANIFESTS, doc.get("mediaType")
    kind = kind if isinstance(kind, str) else said or kinds[0]
    listed = doc.get("manifests" if index else "layers")
    listed = [] if listed is None else listed
    need(kind in kinds and isinstance(listed, list) and len(listed) < DESCRIPTORS_MAX, "lists")
    parts = listed if index else [doc.get("config"), *listed]
    for part in parts:
        record(mediaType=matching(r"[!#-\[\]-~]{1,255}"), digest=digest, size=number)(part)
    return kind, parts


def check_documents(inventory, blobs):
    """Each document is of the type that is said of it, and what it names is a member of that size."""
    todo = [(i["digest"], i["mediaType"]) for i in inventory["images"]]
    todo += [(r["digest"], r["mediaType"]) for i in inventory["images"] for r in i["referrers"]]
    todo += [(c["manifest"]["digest"], c["manifest"]["mediaType"]) for c in inventory["charts"]]
    met = set()
    while todo:
        name, said = todo.pop()
        if (name, said) in met:
            continue
        met.add((name, said))
        kind, parts = document(blobs[name], said)
        need(kind == said, "type")
        for part in parts:
            need(part["digest"] in blobs and len(blobs[part["digest"]]) == part["size"], "a part")
            if kind in INDEXES and part["mediaType"] in INDEXES + MANIFESTS:
                todo.append((part["digest"], part["mediaType"]))


def quoted(v):
    units = v.encode("utf-16-be")
    points = [units[i] << 8 | units[i + 1] for i in range(0, len(units), 2)]
    return '"' + "".join("\\" + chr(p) if p in (34, 92) else chr(p) if 32 <= p < 127 else f"\\u{p:04x}" for p in points) + '"'


def written(v):
    """JSON as a bundle has it: no blanks, ASCII."""
    if isinstance(v, dict):
        return "{" + ",".join(quoted(k) + ":" + written(one) for k, one in v.items()) + "}"
    return "[" + ",".join(map(written, v)) + "]" if isinstance(v, list) else quoted(v) if isinstance(v, str) else str(v)


def _platform(part):
    where = part.get("platform")
    where = where if isinstance(where, dict) else {}
    words = [w if isinstance(w := where.get(k), str) else "" for k in ("os", "architecture", "variant")]
    notes = part.get("annotations")
    aside = isinstance(notes, dict) and {"vnd.docker.reference.type", "vnd.docker.reference.digest"} & set(notes)
    return words, bool(aside) or words[:2] == ["unknown", "unknown"]


def _manifest(blobs, name):
    """The parts of the one manifest of an image that manifest.json lists, or None."""
    for _ in range(DEPTH_MAX + 1):
        try:
            kind, parts = document(blobs[name])
        except (KeyError, Damaged):
            return None
        if kind in MANIFESTS:
            return parts
        seen = [(part, *_platform(part)) for part in parts]
        plain = [part for part, _, aside in seen if not aside]
        usual = [part for part, words, aside in seen if not aside and words[0] == "linux"
                 and words[1] in ("amd64", "x86_64", "x86-64") and words[2] in ("", "v1")]
        if not plain:
            return None
        name = (usual or plain)[0]["digest"]
    return None


def _path(part):
    return "blobs/" + part["digest"].replace(":", "/")


def others(inventory, blobs):
    """{name: bytes} of the documents that other programs read; README-VERIFY.txt is prose."""
    entries, tags = [], []
    for image in inventory["images"]:
        notes = dict.fromkeys(("io.containerd.image.name", "org.opencontainers.image.ref.name"), image["ref"])
        entries.append(dict(mediaType=image["mediaType"], digest=image["digest"], size=image["size"], annotations=notes))
        parts, named = _manifest(blobs, image["digest"]), REF.fullmatch(image["ref"])
        if parts and parts[0]["mediaType"] in CONFIGS:
            tags.append(dict(Config=_path(parts[0]), RepoTags=[named["name"]] if named["tag"] else [],
                             Layers=[_path(p) for p in parts[1:]]))
    sums = "".join(f"{m['sha256']}  {m['path']}\n" for m in inventory["members"] if m["path"] != "SHA256SUMS")
    index = dict(schemaVersion=2, mediaType=INDEXES[0], manifests=entries)
    return {"SHA256SUMS": sums, "oci-layout": '{"imageLayoutVersion":"1.0.0"}', "index.json": written(index),
            "manifest.json": written(tags)}


def check(inventory, blobs):
    """blobs: {digest: bytes} of every blob."""
    check_documents(inventory, blobs)
    sums = {m["path"]: m["sha256"] for m in inventory["members"]}
    for name, content in others(inventory, blobs).items():
        need(hashlib.sha256(content.encode()).hexdigest() == sums[name], name)
