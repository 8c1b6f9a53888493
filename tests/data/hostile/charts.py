"""Hostile charts: what a chart repository could serve as app-1.2.3.tgz.

    for chart in CHARTS:
        chart.make()                        the bytes
        chart.because, chart.status         words of the refusal's sentence; the exit status
        chart.carried                       words of the sentence when a trusted key signed a bundle with it; None: it is
                                            of use there
"""

import bz2
import collections
import gzip
import lzma
import zlib

from support.images import random_bytes

from .tars import entry, field, pax

METADATA = b"apiVersion: v2\nname: app\nversion: 1.2.3\n"
OWN = entry(b"app/Chart.yaml", METADATA)
END = bytes(1024)

Chart = collections.namedtuple("Chart", "what make because status carried")
CHARTS = []


def row(what, raw, *because, status=1, carried=()):
    """raw: a tar file without its end, or a function that gives the bytes of the .tgz"""
    CHARTS.append(Chart(what, raw if callable(raw) else lambda: gzip.compress(raw + END, 9, mtime=0), because, status,
                        because if carried == () else carried))


# ---- paths ---------------------------------------------------------------------------------

PATHS = [b"../evil", b"app/../../evil", b"app/..", b"..", b".", b"./app/x", b"app/./x", b"/etc/cron.d/evil", b"app//x", b"//x", b"app\\..\\evil",
         b"C:\\evil", b"app/templates/../../../evil", b"app/\\x"]
for path in PATHS:
    row(f"a file at {path.decode()!r}", OWN + entry(path, b"evil"), "expected a file inside the chart's folder")
row("a folder at '..'", OWN + entry(b"..", kind=b"5"), "expected a file inside the chart's folder")
row("a file beside the folder", OWN + entry(b"evil", b"evil"), "expected all files in one folder", "evil outside of it")
row("two folders", OWN + entry(b"other/values.yaml", b"evil"), "expected all files in one folder", "other")
row("a path upwards by pax", OWN + pax(path="../../evil") + entry(b"app/x", b"evil"), "inside the chart's folder", "../../evil")
row("a path upwards by a GNU long name", OWN + entry(b"././@LongLink", b"../../evil\0", b"L") + entry(b"app/x", b"evil"),
    "inside the chart's folder", "../../evil")
row("a path upwards by a prefix", OWN + field(345, b"../..")(entry(b"evil")), "inside the chart's folder")
row("no name", OWN + entry(b"", b"evil"), "expected files with names")

# ---- kinds ---------------------------------------------------------------------------------

for name, kind in {"symbolic link": b"2", "hard link": b"1", "character device": b"3", "block device": b"4", "pipe": b"6"}.items():
    row(f"Chart.yaml is a {name}", entry(b"app/Chart.yaml", kind=kind, link=b"/etc/passwd"), "found a link or a device")
    row(f"a template is a {name}", OWN + entry(b"app/templates/x", kind=kind, link=b"../Chart.yaml"), "found a link or a device")
row("the folder is a link", entry(b"app", kind=b"2", link=b"/etc") + OWN, "found a link or a device")
row("a link by pax", OWN + pax(linkpath="/etc/passwd") + entry(b"app/x", kind=b"2", link=b"y"), "found a link or a device")

# ---- how much it is ------------------------------------------------------------------------


def zeros(name, size):
    """A member of that many zeros, without holding them."""
    return [entry(name, size=b"%011o\0" % size), size, bytes(-size % 512)]


def bomb(*pieces, level=9):
    def make():
        press = zlib.compressobj(level, zlib.DEFLATED, 31)
        out = []
        for piece in pieces:
            if isinstance(piece, int):
                out += [press.compress(bytes(1 << 20)) for _ in range(piece >> 20)]
                piece = bytes(piece & (1 << 20) - 1)
            out.append(press.compress(piece))
        return b"".join([*out, press.flush()])
    return make


MIB = 1 << 20
BYTES, TIMES = "expected at most 104857600 bytes unpacked", "expected at most 200 times"
row("10 MiB of zeros", bomb(OWN, *zeros(b"app/x", 10 * MIB), END), TIMES)
row("1,000 files of 100 KiB of zeros", bomb(OWN, *[p for i in range(1000) for p in zeros(b"app/%d" % i, 102_400)], END), TIMES)
row("100 MiB and a byte in one file", bomb(OWN, *zeros(b"app/x", 100 * MIB + 1), END), BYTES)
row("100 MiB and more in files, of which one cannot be compressed", bomb(OWN, entry(b"app/noise", random_bytes("noise", MIB)), *[
    p for i in range(100) for p in zeros(b"app/%d" % i, MIB)], END), BYTES)
row("8 MiB and more to download", bomb(OWN, *zeros(b"app/x", 9 * MIB), END, level=0), "expected at most 8388608 bytes")
row("a size of 8 GiB and nothing behind", OWN + entry(b"app/x", size=b"\x80" + (8 << 30).to_bytes(11, "big")), BYTES)
row("a size of 2^63-1", OWN + entry(b"app/x", size=b"\x80" + (2 ** 63 - 1).to_bytes(11, "big")), "found a damaged one: Tar entry size overflow")
row("a size of 2^64", OWN + entry(b"app/x", size=b"\x80" + (2 ** 64).to_bytes(11, "big")), "found a damaged one: Tar entry size overflow")
row("a size below zero", OWN + entry(b"app/x", size=b"\xff" * 12), "found a damaged one: Tar entry has negative size")
row("a size of 2^62 by pax", OWN + pax(size=str(2 ** 62)) + entry(b"app/x"), BYTES)
row("a size of 8 GiB of a sparse file", OWN + pax(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__name="app/x",
                                                 GNU__sparse__realsize=str(8 << 30)) + entry(b"app/x", b"1\n0\n0\n".ljust(512, b"\0")),
    "expected at most")
row("10,001 entries", OWN + b"".join(entry(b"app/%d" % i) for i in range(10_000)), "expected at most 10000 files")
row("10,001 folders", OWN + b"".join(entry(b"app/%d/" % i, kind=b"5") for i in range(10_000)), "expected at most 10000 files")
row("values.yaml of 5 MiB and a byte", bomb(OWN, *zeros(b"app/values.yaml", 5 * MIB + 1), END, level=0), "expected at most 5242880 bytes of values.yaml")
row("Chart.yaml of 5 MiB and a byte", bomb(*zeros(b"app/Chart.yaml", 5 * MIB + 1), END, level=0), "expected at most 5242880 bytes of Chart.yaml")
row("Chart.yaml is shorter than it says", entry(b"app/Chart.yaml", size=b"%011o\0" % 100_000), "found a damaged one: Truncated tar archive")

# ---- what it is ----------------------------------------------------------------------------

GOOD = OWN + entry(b"app/values.yaml", b"a: 1\n")
NONE, ELSE = "expected a chart (.tgz)", ("expected a .tgz, found something else",)
row("nothing", lambda: b"", NONE, "found 0 bytes", carried=("expected a .tgz, found nothing",))
row("an HTML page", lambda: b"<!DOCTYPE html><html>Sign in</html>", "an HTML page", status=5,
    carried=("expected a .tgz, found an HTML page",))
row("JSON", lambda: b'{"errors":[]}', NONE, "found 13 bytes of something else", carried=("expected a .tgz, found JSON",))
row("a tar that is not compressed", lambda: GOOD + END, NONE, carried=ELSE)
row("bzip2", lambda: bz2.compress(GOOD + END), NONE, carried=ELSE)
row("xz", lambda: lzma.compress(GOOD + END), NONE, carried=ELSE)
row("a zip", lambda: b"PK\x05\x06" + bytes(18), NONE, carried=ELSE)
row("gzip in gzip", lambda: gzip.compress(gzip.compress(GOOD + END, mtime=0), mtime=0), "compressed twice")
row("a zip in gzip", lambda: gzip.compress(b"PK\x05\x06" + bytes(18), mtime=0), "found a damaged one")
row("text in gzip", lambda: gzip.compress(b"not a tar file at all", mtime=0), "found a damaged one")
row("a tar of nothing", b"", "expected Chart.yaml in the .tgz")
row("no Chart.yaml", entry(b"app/values.yaml", b"a: 1\n"), "expected Chart.yaml in the .tgz")
row("chart.yaml in small letters", entry(b"app/chart.yaml", METADATA), "expected Chart.yaml in the .tgz")
row("Chart.yaml of a chart within alone", entry(b"app/charts/x/Chart.yaml", METADATA), "expected Chart.yaml in the .tgz")
row("Chart.yaml twice", OWN + OWN, "expected one Chart.yaml, found two")
row("values.yaml twice", GOOD + entry(b"app/values.yaml", b"b: 1\n"), "expected one values.yaml, found two")
row("Chart.yaml twice, once by pax", OWN + pax(path="app/Chart.yaml") + entry(b"app/x", METADATA), "expected one Chart.yaml, found two")
row("cut in the middle", lambda: gzip.compress(OWN + entry(b"app/x", bytes(range(256)) * 400) + END, mtime=0)[:200], "found a damaged one: truncated gzip input")
row("cut before its end", lambda: gzip.compress(OWN + entry(b"app/x", b"x" * 4000), mtime=0)[:-30],
    "found a damaged one: truncated gzip input")
row("a bit of the deflate stream", lambda: (lambda z: z[:40] + bytes([z[40] ^ 0x55]) + z[41:])(gzip.compress(GOOD + END, mtime=0)),
    "found a damaged one: gzip decompression failed")
row("a header's checksum does not hold", lambda: gzip.compress((OWN[:148] + b"000000\0 " + OWN[156:]) + END, mtime=0), "found a damaged one")
row("an empty Chart.yaml", entry(b"app/Chart.yaml"), "Chart.yaml: ")


# ---- what it says --------------------------------------------------------------------------

def metadata(what, text, *because, carried=()):
    row(f"Chart.yaml: {what}", entry(b"app/Chart.yaml", text if isinstance(text, bytes) else text.encode()), "Chart.yaml", *because,
        carried=carried)


metadata("a name with a path in it", "name: ../../evil\nversion: 1.2.3\n", "expected a name")
metadata("a name with a slash", "name: evil/app\nversion: 1.2.3\n", "expected a name")
metadata("no name", "version: 1.2.3\n", "expected a name", "none")
metadata("a name that is a list", "name: [app]\nversion: 1.2.3\n", "expected a name")
metadata("a name of 200 letters", f"name: {'a' * 200}\nversion: 1.2.3\n", "expected a name")
metadata("a name with an escape character", 'name: "\\e[2J"\nversion: 1.2.3\n', "expected a name")
metadata("a name in other letters", "name: аpp\nversion: 1.2.3\n", "expected a name")
metadata("no version", "name: app\n", "expected a version", "none")
metadata("a version with a path in it", "name: app\nversion: ../1\n", "expected a version")
metadata("a version with a line end", 'name: app\nversion: "1.2.3\\n"\n', "expected a version")
metadata("a version that begins with a dash", "name: app\nversion: -rf\n", "expected a version")
metadata("no YAML", "name: [\n", "expected YAML")
metadata("no mapping", "- app\n", "expected a name", "none")
metadata("bytes that are no text", b"name: app\nversion: 1.2.3\nx: \xff\xfe\n", "expected UTF-8")
metadata("a depth of 5,000", "name: app\nversion: 1.2.3\nx: " + "[" * 5000 + "]" * 5000 + "\n", "expected at most 64 levels")
metadata("aliases that multiply", "name: app\nversion: 1.2.3\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi")) + "sources: *i\n", "as JSON: expected at most 1048576 bytes",
    carried=None)
metadata("an alias of itself", "name: app\nversion: 1.2.3\nsources: &a [*a]\n", "expected an alias of something else")
metadata("two documents", "name: app\nversion: 1.2.3\n---\nname: evil\n", "expected one document")
