"""Signed lies: bundles of a key that is trusted, whose inventory or documents are not what they must be.

    for lie in LIES:
        text = lie.tell(Forged(path))       changes it; the inventory's bytes when they are none that it makes
        lie.because, lie.status             words of the refusal's sentence; the exit status
"""

import collections
import copy
import hashlib
import json

from support.forge import blob, dump

Lie = collections.namedtuple("Lie", "what tell because status")
LIES = []


def row(what, tell, *because, status=4):
    LIES.append(Lie(what, tell, ("inventory", *because), status))


def lie(what, *because, status=4):
    def keep(tell):
        LIES.append(Lie(what, tell, because, status))
        return tell
    return keep


def said(**changes):
    """The inventory says so; __ goes down, as in bundle__name."""
    def tell(b):
        text = json.loads(b.text())
        for path, value in changes.items():
            *way, last = path.split("__")
            at = text
            for key in way:
                at = at[int(key) if key.lstrip("-").isdigit() else key]
            at[int(last) if last.lstrip("-").isdigit() else last] = value
        return dump(text)
    return tell


def bytes_of(change):
    """change(the inventory's bytes)"""
    return lambda b: change(b.text())


def first_key(raw):
    """More behind the first key, which must stand first."""
    return bytes_of(lambda t: t.replace(b'v1",', b'v1",' + raw, 1))


# ---- bytes of the inventory ----------------------------------------------------------------

SHAPE = "found something else"
row("another type", bytes_of(lambda t: t.replace(b"/v1", b"/v2", 1)), SHAPE)
row("a blank at the start", bytes_of(lambda t: b" " + t), SHAPE)
row("a blank behind the brace", bytes_of(lambda t: t.replace(b"{", b"{ ", 1)), SHAPE)
row("a byte order mark", bytes_of(lambda t: b"\xef\xbb\xbf" + t), SHAPE)
row("no line end", bytes_of(lambda t: t[:-1]), SHAPE)
row("two lines", bytes_of(lambda t: t.replace(b",", b",\n", 1)), "one line of ASCII")
row("a carriage return", bytes_of(lambda t: t[:-1] + b"\r\n"), "one line of ASCII")
row("a NUL", first_key(b'"x":"\0",'), "one line of ASCII")
row("a letter beyond ASCII", first_key('"x":"ä",'.encode()), "one line of ASCII")
row("an escape character", first_key(b'"x":"\x1b[2J",'), "one line of ASCII")
row("a second object behind", bytes_of(lambda t: t[:-1] + b"{}\n"), "one JSON object")
row("a comma too many", bytes_of(lambda t: t[:-2] + b",}\n"), "one JSON object")
row("no comma", first_key(b'"x":1 "y":2,'), "one JSON object")
row("cut in the middle", bytes_of(lambda t: t[:len(t) // 2] + b"\n"), "found")
row("a comment", first_key(b"/* x */"), "one JSON object")
row("NaN", first_key(b'"x":NaN,'), '"x"')
row("a key twice", first_key(b'"total":1,'), '"total" once')
row("an unknown key twice", first_key(b'"x":1,"x":2,'), '"x" once')
row("a key twice further in", first_key(b'"x":{"a":1,"a":2},'), '"x"', "duplicate")
row("a key twice in the bundle's own part", bytes_of(lambda t: t.replace(b'"channel":', b'"channel":"edge","channel":', 1)), "duplicate")
row("a key twice by an escape", first_key(b'"tot\\u0061l":1,'), "one JSON object")
row("a depth of 5,000", first_key(b'"x":' + b"[" * 5000 + b"]" * 5000 + b","), '"x"', "depth")
row("half of a pair", first_key(b'"x":"\\ud800",'), '"x"')
row("a NUL as an escape", first_key(b'"x":"\\u0000",'), '"x"')
row("an unknown value of 100 KiB", first_key(b'"x":"' + b"a" * 100_000 + b'",'), '"x"', "65536")
row("100 unknown keys", first_key(b"".join(b'"x%d":1,' % i for i in range(100))), "at most 64 keys")
for key in ("requires", "sigArea", "release", "bundle", "charts", "images", "files", "base", "absent", "members", "total"):
    row(f"no {key}", bytes_of(lambda t, k=key: dump({n: v for n, v in json.loads(t).items() if n != k})), f'expected "{key}"')

# ---- what it says --------------------------------------------------------------------------

NEWER = dict(status=1)
row("a feature of a later version", said(requires=["delta"]), 'requires "delta"', **NEWER)
row("a base", said(base={}), '"base":null', **NEWER)
row("blobs that are not here", said(absent=["sha256:" + "0" * 64]), '"absent":[]', **NEWER)
row("requires that is no list", said(requires="base"), "requires: expected a JSON document")
row("a larger area", said(sigArea=65536), "signature area of 32768 bytes")
row("an area as text", said(sigArea="32768"), "signature area of 32768 bytes")
row("a total of a byte more", lambda b: said(total=json.loads(b.text())["total"] + 1)(b), "expected a total of")
row("a total of 2^53", said(total=2 ** 53), '"total"')
row("a total below zero", said(total=-1), '"total"')
row("a total of 2^64 more", lambda b: said(total=2 ** 64 + json.loads(b.text())["total"])(b), '"total"')
row("a total with a fraction", lambda b: b.text().replace(b'"total":', b'"total":0.', 1), '"total"')
row("a total with an exponent", said(total=1e3), '"total"')
row("a release that is no member", said(release="sha256:" + "0" * 64), "the release among the members")
row("a sha512 release", said(release="sha512:" + "0" * 128), "sha512")
row("a release with a path in it", said(release="sha256:../../../etc/passwd"), "digest")
row("a sequence below zero", said(bundle__sequence=-1), "sequence")
row("a sequence of 2^53", said(bundle__sequence=2 ** 53), "sequence")
row("a time that is none", said(bundle__created="2024-02-30T00:00:00Z"), '"created"')
row("an end that is none", said(bundle__expires="never"), '"expires"')
row("a channel with a path in it", said(bundle__channel="../x"), '"channel"')
row("a name that is no text", said(bundle__name=["x"]), "name")
row("a label with an escape character", said(bundle__labels={"x": "\x1b[2J"}), "label")

row("members that are no list", said(members={}), '"members"')
row("an empty list of members", said(members=[]), "at least 5 members")
row("a member without a size", said(members__0={"path": "README-VERIFY.txt", "sha256": "0" * 64}), "size")
row("a size below zero", said(**{"members__-1__size": -1}), "size")
row("a size of 2^63", said(**{"members__-1__size": 2 ** 63}), "expected")
row("sizes that are more than 2^64 together", said(**{"members__-1__size": 2 ** 53 - 1, "members__-2__size": 2 ** 53 - 1}), "2^53")
LIES.append(Lie("a size of a byte more, of as many blocks", lambda b: said(
    **{"members__-1__size": json.loads(b.text())["members"][-1]["size"] + 1})(b), ("expected its tar header",), 4))
row("a size of a block more", lambda b: said(**{"members__-1__size": json.loads(b.text())["members"][-1]["size"] + 512})(b), "total")
row("a size as text", said(**{"members__-1__size": "4096"}), "size")
row("a digest in capitals", lambda b: said(**{"members__-1__sha256": json.loads(b.text())["members"][-1]["sha256"].upper()})(b),
    "expected")
row("a path that is not its digest", said(**{"members__-1__path": "blobs/sha256/" + "0" * 64}), "a member's path")
for path in ("../../etc/cron.d/evil", "/etc/cron.d/evil", "blobs/sha512/" + "0" * 128, "evil", "", "bundle/sig/0123456789abcdef.sig",
             "bundle/inventory.json", "blobs/SHA256/" + "0" * 64, "INDEX.JSON", "./index.json", "blobs/sha256/", "a" * 5000,
             "\x1b[2J", "blobs\\sha256\\x"):
    row(f"a member with the path {path[:40]!r}", said(**{"members__-1__path": path}), "a member's path")


@lie("a member twice", "inventory", "each member once")
def _(b):
    b.members.append(b.members[-1])


@lie("index.json twice", "inventory", "as member")
def _(b):
    b.members.append(b.members[3])


@lie("documents in another order", "inventory", "expected README-VERIFY.txt as member 0")
def _(b):
    b.members[0], b.members[1] = b.members[1], b.members[0]


@lie("a blob first", "inventory", "as member 0")
def _(b):
    b.members.insert(0, b.members.pop())


@lie("16,385 members", "inventory", 'at most 16384 in "members"')
def _(b):
    b.members += [blob(b"%d" % i) for i in range(16_385 - len(b.members))]


# ---- images, charts, files -----------------------------------------------------------------

NAME = "whole name of an image"
for ref in ("app", "docker.io/app:1", "registry.test/../etc:1", "registry.test/team/app", "Registry.test/TEAM/app:1",
            "registry.test:99999/a:1", "registry.test/a:1\n", "registry.test/a b:1", "/a:1", "registry.test/a:" + "t" * 129, "\x1b[2J"):
    row(f"an image of the name {ref[:40]!r}", said(images__0__ref=ref), NAME)
row("an image twice", lambda b: said(images=json.loads(b.text())["images"][:1] * 2)(b), "sorted, each once")
row("images in another order", lambda b: said(images=json.loads(b.text())["images"][::-1])(b), "sorted, each once")
row("an image that is no member", said(images__0__digest="sha256:" + "0" * 64), "among the members, found none")
row("an image of a sha512", said(images__0__digest="sha512:" + "0" * 128), "sha512")
row("an image of another size", said(images__0__size=7), "expected 7 bytes")
row("a blob of an image that is no member", said(images__0__blobs=["sha256:" + "f" * 64]), "among the members, found none")
row("an image's platforms are a number", said(images__0__platforms=7), "platforms")
row("an image with a signature that is no member", said(images__0__referrers=[
    {"digest": "sha256:" + "0" * 64, "mediaType": "a/b", "artifactType": "c/d", "via": "api"}]), "among the members, found none")
for name in ("../evil", "/etc/passwd", "", ".", "..", ".bashrc", "a/b", "a\\b", "con", "NUL.txt", "a b", "a\n", "-rf", "ä", "x" * 101, "end."):
    row(f"a file of the name {name[:20]!r}", lambda b, n=name: with_file(b, n), "plain name of a file")


def with_file(b, *names):
    """Files of these names, each with its bytes."""
    data = b"a file"
    if blob(data) not in b.members:
        b.members.append(blob(data))
    b.inventory["files"] = [{"name": n, "blob": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data),
                             "mediaType": "text/plain"} for n in names]


row("files that differ in case alone", lambda b: with_file(b, "Values.yaml", "values.yaml"), "more than case")
row("a file twice", lambda b: with_file(b, "a", "a"), "sorted, each once")
row("files in another order", lambda b: with_file(b, "b", "a"), "sorted, each once")
row("a file that is no member", said(files=[{"name": "a", "blob": "sha256:" + "0" * 64, "size": 1, "mediaType": "a/b"}]),
    "among the members, found none")

# ---- the documents that other programs read -------------------------------------------------

OTHERS = "what the inventory says"


def document(name, change):
    return lambda b: b.remake(name, change)


def foreign(what, name, change):
    LIES.append(Lie(what, document(name, change), (name, OTHERS), 4))


foreign("index.json names another image", "index.json", lambda d: d["manifests"][0].update(digest="sha256:" + "0" * 64))
foreign("index.json names an image more", "index.json", lambda d: d["manifests"].append(copy.deepcopy(d["manifests"][0])))
foreign("index.json names none", "index.json", lambda d: d["manifests"].clear())
foreign("index.json gives another name", "index.json", lambda d: d["manifests"][0]["annotations"].update(
    {"io.containerd.image.name": "evil.test/a:1"}))
foreign("index.json exchanges two names", "index.json", lambda d: d["manifests"].reverse())
foreign("manifest.json gives another name", "manifest.json", lambda d: d[0].update(RepoTags=["evil.test/a:1"]))
foreign("manifest.json with a path upwards", "manifest.json", lambda d: d[0].update(Config="../../etc/passwd"))
foreign("manifest.json leaves out a layer", "manifest.json", lambda d: d[0]["Layers"].pop())
foreign("manifest.json has the layers in another order", "manifest.json", lambda d: d[0]["Layers"].reverse())
foreign("manifest.json names none", "manifest.json", lambda d: d.clear())
foreign("oci-layout of another version", "oci-layout", lambda d: d.update(imageLayoutVersion="6.6.6"))


@lie("SHA256SUMS of another layer", "SHA256SUMS", OTHERS)
def _(b):
    text = json.loads(b.text())
    sums = dict(b.members)["SHA256SUMS"].replace(text["members"][-1]["sha256"].encode(), b"0" * 64)
    b.members[1] = ("SHA256SUMS", sums)
    text["members"][1].update(sha256=hashlib.sha256(sums).hexdigest())
    return dump(text)


# ---- manifests -----------------------------------------------------------------------------

def rewritten(what, change, *because):
    """The manifest of the first image is another one; everybody who names it knows."""
    def tell(b):
        listed = b.inventory["images"][0]
        at = [name for name, _ in b.members].index("blobs/" + listed["digest"].replace(":", "/"))
        data = change(b.members[at][1])
        b.members[at] = blob(data)
        old, new = listed["digest"], "sha256:" + hashlib.sha256(data).hexdigest()
        listed.update(digest=new, size=len(data), blobs=[new if d == old else d for d in listed["blobs"]])
        b.remake("index.json", lambda d: d["manifests"][0].update(digest=new, size=len(data)))
    LIES.append(Lie(what, tell, because, 4))


def changed(change):
    def edit(raw):
        doc = json.loads(raw)
        change(doc)
        return json.dumps(doc).encode()
    return edit


rewritten("a manifest that is no JSON", lambda raw: raw[:-1], "blobs/sha256/", "JSON")
rewritten("a manifest that has a key twice", lambda raw: raw.replace(b"{", b'{"layers":[],', 1), "duplicate")
rewritten("a manifest with a depth of 5,000", lambda raw: raw.replace(b"{", b'{"x":' + b"[" * 5000 + b"]" * 5000 + b",", 1), "depth")
rewritten("a manifest that is an index as well", changed(lambda d: d.update(manifests=[])), "claims to be both")
rewritten("a manifest of schema 1", changed(lambda d: d.update(schemaVersion=1, fsLayers=[])), "schema")
rewritten("a manifest of another type", changed(lambda d: d.update(mediaType="application/vnd.oci.image.index.v1+json")),
          "as its sender says")
rewritten("a manifest with a layer that is not here", changed(lambda d: d["layers"][0].update(digest="sha256:" + "0" * 64)),
          "which it names, among the members, found none")
rewritten("a manifest that lies about a size", changed(lambda d: d["layers"][0].update(size=1)), "expected 1 bytes in")
rewritten("a manifest with a size below zero", changed(lambda d: d["layers"][0].update(size=-1)), "size")
rewritten("a manifest with a size of 2^53", changed(lambda d: d["layers"][0].update(size=2 ** 53)), "size")
rewritten("a manifest with a sha512", changed(lambda d: d["layers"][0].update(digest="sha512:" + "0" * 128)), "sha512")
rewritten("a manifest with a path for a digest", changed(lambda d: d["config"].update(digest="sha256:../../etc/passwd")), "digest")
rewritten("a manifest of 5,000 layers", changed(lambda d: d.update(layers=d["layers"][:1] * 5000)), "4096")
rewritten("a manifest with its keys in other letters", changed(lambda d: d.update(Layers=[])), "Layers")
