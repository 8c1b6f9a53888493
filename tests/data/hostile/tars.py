"""Hostile tar files: bundles whose inventory a trusted key signed, in a tar file that says something else.

    for case in TARS:
        case.make(Tar(path))        the bytes
        case.because, case.status   words that the refusal's sentence has; the exit status
        case.inside                 the sentence names the last member, a layer, and the byte where it begins
    case.stream                 words of the sentence when it comes through a pipe, where no length is known before

Each is what another reader of tar would follow, or pass over, or read otherwise.
"""

import collections
import gzip
import json

from support import reader

BLOCK = 512
EVIL = b"evil bytes"

Case = collections.namedtuple("Case", "what make because status inside stream", defaults=(False, None))
TARS = []


class Tar:
    """A bundle in pieces: head (inventory and its header), area, members [(name, header, padded data)], trailer."""

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        self.text, at = reader.split(data)
        self.head, self.area = data[:at], data[at:at + reader.AREA]
        self.members, at = [], at + reader.AREA
        for m in json.loads(self.text)["members"]:
            end = at + BLOCK + reader.padded(m["size"])
            self.members.append((m["path"], data[at:at + BLOCK], data[at + BLOCK:end]))
            at = end
        self.trailer = data[at:]

    def bytes(self):
        return b"".join([self.head, self.area, *(h + d for _, h, d in self.members), self.trailer])

    @property
    def last(self):
        """(path, offset of its header, size) of the last member."""
        listed = json.loads(self.text)["members"][-1]
        return listed["path"], len(self.bytes()) - len(self.trailer) - BLOCK - reader.padded(listed["size"]), listed["size"]

    def insert(self, raw, at=-1):
        """raw stands before a member."""
        name, header, data = self.members[at]
        self.members[at] = (name, raw + header, data)
        return self.bytes()

    def header(self, edit):
        """The last member's header is edit(header)."""
        name, header, data = self.members[-1]
        self.members[-1] = (name, edit(header), data)
        return self.bytes()


def summed(raw):
    """With the checksum that it must have."""
    blank = raw[:148] + b" " * 8 + raw[156:]
    return raw[:148] + b"%06o\0 " % sum(blank) + raw[156:]


def field(at, content, size=None):
    """An edit of a header: content at a place, NULs up to size."""
    content = content.ljust(size or len(content), b"\0")
    return lambda raw: summed(raw[:at] + content + raw[at + len(content):])


def entry(name, data=b"", kind=b"0", link=b"", **more):
    """A member of any kind, with a checksum that holds."""
    raw = bytearray(reader.header("x", len(data)))
    raw[:100], raw[156:157], raw[157:257] = name.ljust(100, b"\0")[:100], kind, link.ljust(100, b"\0")[:100]
    raw = bytes(raw)
    if "size" in more:
        raw = raw[:124] + more["size"] + raw[136:]
    return summed(raw) + data + bytes(reader.padded(len(data)) - len(data))


def records(**pairs):
    """The body of a pax header."""
    out = b""
    for key, value in pairs.items():
        line = b" %s=%s\n" % (key.replace("__", ".").encode(), value.encode())
        size = len(line) + 1
        while len(b"%d" % size) + len(line) != size:
            size += 1
        out += b"%d" % size + line
    return out


def pax(kind=b"x", **pairs):
    return entry(b"PaxHeaders/x", records(**pairs), kind)


def row(what, make, *because, status=4, inside=False, stream=None):
    TARS.append(Case(what, make, because, status, inside, stream))


def case(what, *because, **more):
    """A decorator: the function is the generator."""
    return lambda make: row(what, make, *because, **more)


# ---- headers that other readers follow: something stands before a layer ---------------------

BEFORE = {
    "pax size": pax(size="1"), "pax size of 2^64": pax(size=str(2 ** 64)), "pax size below zero": pax(size="-512"),
    "pax path": pax(path="../../etc/cron.d/evil"), "pax linkpath": pax(linkpath="/etc/passwd"),
    "pax global header": pax(b"g", path="evil"), "pax sparse map": pax(GNU__sparse__major="1", GNU__sparse__minor="0",
                                                                        GNU__sparse__name="evil", GNU__sparse__realsize="9"),
    "pax with an empty record": entry(b"PaxHeaders/x", b"", b"x"), "pax record without end": entry(b"x", b"99999 a=", b"x"),
    "Solaris pax": pax(b"X", size="1"), "GNU long name": entry(b"././@LongLink", b"../evil\0", b"L"),
    "GNU long link": entry(b"././@LongLink", b"/etc/passwd\0", b"K"), "GNU volume label": entry(b"label", kind=b"V"),
    "GNU rest of another volume": entry(b"evil", EVIL, b"M"), "GNU folder list": entry(b"evil/", b"Yevil\0\0", b"D"),
    "GNU long name without end": entry(b"././@LongLink", b"a" * 512, b"L"),
    "a folder": entry(b"blobs/sha256/", kind=b"5"), "a file more": entry(b"evil", EVIL),
    "a block of zeros": bytes(BLOCK), "the end of the file": bytes(2 * BLOCK),
}
for name, raw in BEFORE.items():
    row(f"before a layer: {name}", lambda t, raw=raw: t.insert(raw), "expected the end of the file",
        stream=("expected its tar header",))


# ---- a layer's own header ------------------------------------------------------------------

def renamed(name):
    return field(0, name, 100)


def sized(content):
    return field(124, content, 12)


OWN = {
    "hard link": field(156, b"1SHA256SUMS"), "symbolic link": field(156, b"2/etc/passwd"),
    "character device": field(156, b"3"), "block device": field(156, b"4"), "folder": field(156, b"5"),
    "pipe": field(156, b"6"), "contiguous file": field(156, b"7"), "old file (NUL)": field(156, b"\0"),
    "GNU sparse file": field(156, b"S"), "vendor's own kind": field(156, b"Z"), "file with a link name": field(157, b"SHA256SUMS"),
    "name with ..": renamed(b"blobs/../../../etc/cron.d/evil"), "absolute name": renamed(b"/etc/cron.d/evil"),
    "name that begins with ./": lambda h: renamed(b"./" + h[:77])(h), "name with //": lambda h: renamed(b"blobs//" + h[6:77])(h),
    "name in capitals": lambda h: renamed(h[:77].upper())(h), "name with a backslash": renamed(b"blobs\\..\\evil"),
    "name with bytes behind its NUL": lambda h: renamed(h[:77] + b"\0evil")(h), "name of 100 bytes": renamed(b"e" * 100),
    "name in a prefix": field(345, b"../../etc"), "name of nothing": renamed(b""),
    "name of another script": lambda h: renamed(h[:76] + "а".encode())(h), "name with an escape": renamed(b"\x1b[2Jevil"),
    "name with a new line": lambda h: renamed(h[:77] + b"\n")(h), "name with a slash behind": lambda h: renamed(h[:77] + b"/")(h),
    "name of another member": renamed(b"SHA256SUMS"),
    "size below zero": sized(b"\xff" * 12), "size of 2^95-1": sized(b"\x80" + b"\x7f" + b"\xff" * 10),
    "size of 2^64 more": lambda h: sized(b"\x80\0\0\x01" + int(h[124:135], 8).to_bytes(8, "big"))(h),
    "small size in base 256": lambda h: sized(b"\x80" + int(h[124:135], 8).to_bytes(11, "big"))(h),
    "size with blanks before": lambda h: sized(b"%11o\0" % int(h[124:135], 8))(h),
    "size with a blank behind": lambda h: sized(h[124:135] + b" ")(h),
    "size of 12 digits": lambda h: sized(b"0" + h[124:135])(h), "size with a 9": sized(b"00000000009\0"),
    "size with a minus": lambda h: sized(b"-" + h[125:135] + b"\0")(h), "size with a plus": lambda h: sized(b"+" + h[125:136])(h),
    "size that ends early": lambda h: sized(h[128:135])(h), "size of nothing": sized(b""), "size of zero": sized(b"0" * 11),
    "size of a byte less": lambda h: sized(b"%011o\0" % (int(h[124:135], 8) - 1))(h),
    "size that swallows the next header": lambda h: sized(b"%011o\0" % (int(h[124:135], 8) + 512))(h),
    "size in hexadecimal": lambda h: sized(b"0x%09x\0" % int(h[124:135], 8))(h),
    "checksum that does not hold": lambda h: h[:148] + b"000000\0 " + h[156:],
    "checksum of signed bytes": lambda h: (lambda r: r[:148] + b"%06o\0 " % (sum(
        b - 256 * (b > 127) for b in r[:148] + b" " * 8 + r[156:])) + r[156:])(renamed(b"\xe9" + h[1:77])(h)),
    "checksum with a blank before": lambda h: h[:148] + b" " + h[149:156] + h[156:],
    "checksum that ends in blanks": lambda h: h[:154] + b"  " + h[156:],
    "setuid": field(100, b"0004755"), "another mode": field(100, b"0000777"), "an owner": field(108, b"0001750"),
    "a time": field(136, b"14500000000"), "an owner's name": field(265, b"root"), "device numbers": field(329, b"0000010"),
    "GNU magic": field(257, b"ustar  \0"), "no magic": field(257, bytes(8)), "bytes behind the prefix": field(500, b"tar\0"),
    "star's magic": field(508, b"tar\0"),
}
for name, edit in OWN.items():
    row(f"a layer's header: {name}", lambda t, edit=edit: t.header(edit), "expected its tar header", inside=True)


# ---- members -------------------------------------------------------------------------------

def again(t, name, data=EVIL, **more):
    """One member more at the end: extracting, it is the last that counts."""
    t.members.append(("again", b"", entry(name, data, **more)))
    return t.bytes()


END = "expected the end of the file"
MEMBER, MORE, LESS = ({"stream": (words,)} for words in ("expected 1024 zero bytes", "found more bytes", "found the end of the pipe"))
row("at the end: the inventory once more", lambda t: again(t, b"bundle/inventory.json", t.text.replace(b"1.0", b"6.6")), END, **MEMBER)
row("at the end: a layer once more", lambda t: again(t, t.members[-1][0].encode()), END, **MEMBER)
row("at the end: index.json once more", lambda t: again(t, b"index.json", b"{}"), END, **MEMBER)
row("at the end: index.json in capitals", lambda t: again(t, b"INDEX.JSON", b"{}"), END, **MEMBER)
row("at the end: a signature once more", lambda t: again(t, t.area[:100].rstrip(b"\0")), END, **MEMBER)
row("at the end: a symbolic link over the blobs", lambda t: again(t, b"blobs", b"", kind=b"2", link=b"/tmp"), END, **MEMBER)


@case("two layers in each other's place", "its tar header, found other bytes")
def _(t):
    t.members[-1], t.members[-2] = t.members[-2], t.members[-1]
    return t.bytes()


@case("two members' data in each other's place", "expected bytes with the digest", inside=True)
def _(t):
    name, header, data = t.members[-1]
    t.members[-1] = (name, header, data[:1000][::-1] + data[1000:])
    return t.bytes()


@case("a layer left out", END, stream=("expected its tar header",))
def _(t):
    del t.members[-1]
    return t.bytes()


@case("a layer left out, and as many zeros behind the end", "expected its tar header", inside=True)
def _(t):
    _, header, data = t.members.pop()
    return t.bytes() + bytes(len(header + data))


@case("a byte in the padding of a layer", "zero bytes", inside=True)
def _(t):
    assert t.last[2] % BLOCK
    name, header, data = t.members[-1]
    t.members[-1] = (name, header, data[:-1] + b"x")
    return t.bytes()


@case("other bytes in README-VERIFY.txt", "README-VERIFY.txt", "expected bytes with the digest")
def _(t):
    name, header, data = t.members[0]
    t.members[0] = (name, header, data.replace(b"openssl", b"OPENSSL", 1))
    return t.bytes()


# ---- the end -------------------------------------------------------------------------------

row("a byte behind the end", lambda t: t.bytes() + b"x", END, **MORE)
row("a zero behind the end", lambda t: t.bytes() + b"\0", END, **MORE)
row("zeros up to 20 blocks, as GNU tar writes them", lambda t: t.bytes() + bytes(-len(t.bytes()) % 10240 or 10240), END, **MORE)
row("a second archive behind the end", lambda t: t.bytes() + entry(b"evil", EVIL) + bytes(1024), END, **MORE)
row("a second bundle behind the end", lambda t: t.bytes() * 2, END, **MORE)
row("a zip behind the end", lambda t: t.bytes() + b"PK\x05\x06" + bytes(18), END, **MORE)
row("half of the end", lambda t: t.bytes()[:-512], END, **LESS)
row("no end", lambda t: t.bytes()[:-1024], END, **LESS)
row("a byte in the end", lambda t: t.bytes()[:-1] + b"x", "the end of the tar file", "zero bytes")
row("a header in the end", lambda t: t.bytes()[:-512] + entry(b"evil"), "the end of the tar file", "zero bytes")
row("the bundle backed up into itself", lambda t: t.bytes()[:-1024] + entry(b"b.tar", t.bytes()) + bytes(1024), END, **MEMBER)


# ---- the first member, which decides whether it is a bundle --------------------------------

NONE, FIRST = "expected a bundle, which begins with bundle/inventory.json", dict(status=3)
row("first: a pax header", lambda t: pax(comment="x") + t.bytes(), NONE, **FIRST)
row("first: a pax global header", lambda t: pax(b"g", comment="x") + t.bytes(), NONE, **FIRST)
row("first: a folder", lambda t: entry(b"bundle/", kind=b"5") + t.bytes(), NONE, **FIRST)
row("first: another inventory", lambda t: entry(b"bundle/inventory.json", b"{}") + t.bytes(), "signature area, byte 0")
row("first: zeros", lambda t: bytes(512) + t.bytes(), NONE, **FIRST)
row("first: a block of another tape", lambda t: t.bytes()[512:], NONE, **FIRST)
row("first: ./bundle/inventory.json", lambda t: entry(b"./bundle/inventory.json", t.text) + t.bytes()[len(t.head):], NONE, **FIRST)
row("first: an inventory of 8 MiB and a byte", lambda t: field(124, b"%011o" % ((8 << 20) + 1))(t.head[:512]) + t.bytes()[512:],
    NONE, **FIRST)
row("first: an inventory of nothing", lambda t: field(124, b"0" * 11)(t.head[:512]) + t.bytes()[512:], NONE, **FIRST)
row("first: an inventory of 2^63 bytes", lambda t: field(124, b"\x80\0\0\0\x80".ljust(12, b"\0"))(t.head[:512]) + t.bytes()[512:],
    NONE, **FIRST)
row("first: an inventory of less than it is", lambda t: field(124, b"%011o" % 100)(t.head[:512]) + t.bytes()[512:],
    "expected zero bytes after bundle/inventory.json", **FIRST)
row("first: a link", lambda t: field(156, b"2/etc/passwd")(t.head[:512]) + t.bytes()[512:], NONE, **FIRST)
row("compressed with gzip", lambda t: gzip.compress(t.bytes(), 1), NONE, **FIRST)
row("an old tar (v7)", lambda t: field(257, bytes(80))(t.head[:512]) + t.bytes()[512:], NONE, **FIRST)
row("a cpio archive", lambda t: b"070701" + b"0" * 104 + b"bundle/inventory.json\0\0\0" + t.text, NONE, **FIRST)
row("an empty tar file", lambda t: bytes(10240), NONE, **FIRST)
row("the inventory's padding is not zero", lambda t: t.head[:-1] + b"x" + t.bytes()[len(t.head):],
    "expected zero bytes after bundle/inventory.json", **FIRST)
row("a byte of the inventory is another", lambda t: t.bytes().replace(b'"channel":"s', b'"channel":"S', 1), "signature", **FIRST)


# ---- the signature area ---------------------------------------------------------------------

def area(*members, pad=None):
    """An area of any members that have the size of one together."""
    taken = b"".join(members)
    left = reader.AREA - len(taken) - BLOCK
    return lambda t: t.head + taken + (pad or entry(b"bundle/pad", bytes(left))) + t.bytes()[len(t.head) + reader.AREA:]


def signature(t):
    return t.area[:BLOCK + reader.padded(int(t.area[124:135], 8))]


KID = b"bundle/sig/0123456789abcdef"
SHAPE, ITS_HEADER = "expected bundle/sig/KID.SUFFIX, sorted, or bundle/pad", "expected the header of a signature"
AREAS = {
    "a name with ..": ((entry(b"bundle/sig/../../evil.sig", b"x"),), SHAPE),
    "an absolute name": ((entry(b"/bundle/sig/0123456789abcdef.sig", b"x"),), SHAPE),
    "a kid in capitals": ((entry(KID.upper().replace(b"BUNDLE/SIG", b"bundle/sig") + b".sig", b"x"),), SHAPE),
    "a short kid": ((entry(KID[:-1] + b".sig", b"x"),), SHAPE), "no suffix": ((entry(KID, b"x"),), SHAPE),
    "a suffix with a slash": ((entry(KID + b".sig/evil", b"x"),), SHAPE),
    "two of one name": ((entry(KID + b".sig", b"x"),) * 2, SHAPE),
    "not sorted": ((entry(KID + b".sig", b"x"), entry(KID + b".p7s", b"x")), SHAPE),
    "33 signatures": (tuple(entry(b"bundle/sig/%016x.sig" % i) for i in range(33)), SHAPE),
    "a file of another kind": ((entry(b"evil", b"x"),), SHAPE), "a pax header": ((pax(size="1"),), SHAPE),
    "a GNU long name": ((entry(b"././@LongLink", b"evil\0", b"L"),), SHAPE),
    "a folder": ((entry(b"bundle/sig/", kind=b"5"),), SHAPE), "a block of zeros": ((bytes(512),), SHAPE),
    "a symbolic link": ((entry(KID + b".sig", kind=b"2", link=b"/etc/passwd"),), ITS_HEADER),
    "8 KiB and a byte": ((entry(KID + b".sig", b"x" * 8193),), ITS_HEADER),
    "a size below zero": ((entry(KID + b".sig", size=b"\xff" * 12),), ITS_HEADER),
    "a size in base 256": ((entry(KID + b".sig", b"x", size=b"\x80" + bytes(10) + b"\x01"),), ITS_HEADER),
    "a size with blanks": ((entry(KID + b".sig", b"x", size=b"          1\0"),), ITS_HEADER),
    "bytes behind a name's NUL": ((entry(KID + b".sig\0evil", b"x"),), ITS_HEADER),
    "padding that is not zero": ((entry(KID + b".sig", b"x")[:-1] + b"x",), "expected zero bytes after a signature"),
}
for name, (members, because) in AREAS.items():
    row(f"signature area: {name}", area(*members), "signature area", because)


@case("signature area: bytes in the pad", "signature area", "expected zero bytes")
def _(t):
    return t.head + t.area[:-1] + b"x" + t.bytes()[len(t.head) + reader.AREA:]


@case("signature area: a pad that is too short, and evil behind it", "signature area")
def _(t):
    own = signature(t)
    left = reader.AREA - len(own) - 3 * BLOCK
    return t.head + own + entry(b"bundle/pad", bytes(left)) + entry(b"evil", EVIL) + t.bytes()[len(t.head) + reader.AREA:]


row("signature area: stripped to its pad", area(), "signature", status=3)
row("signature area: taken out", lambda t: t.head + t.bytes()[len(t.head) + reader.AREA:], "signature area")
row("signature area: under another name", lambda t: t.bytes().replace(t.area[:27], KID, 1).replace(
    t.area[:512], b"", 0), "signature area", ITS_HEADER)


@case("signature area: the signature under another key's name", "signature", status=3)
def _(t):
    own = signature(t)
    return area(renamed(KID + b".sig")(own[:512]) + own[512:])(t)


@case("signature area: one byte of the signature", "signature", status=3)
def _(t):
    own = signature(t)
    flipped = own[:530] + (b"A" if own[530:531] != b"A" else b"B") + own[531:]
    return area(flipped)(t)
