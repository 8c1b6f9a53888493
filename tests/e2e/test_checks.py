"""R15: a cautious customer's checks without sealift (BUNDLE.md 1.8), by the very commands of README-VERIFY.txt.

The commands come out of the bundle's own README-VERIFY.txt; only BUNDLE, pub.pem and KID are put in, as a reader
would. Each must succeed on a good bundle and catch what it is there for.
"""

import base64
import os
import random
import re
import subprocess
import tarfile
import types

import pytest

from support import corporate, images, keys as key_pairs, reader
from support.carry import HOST, Carrier, member
from support.forge import Forged, Signer, blob
from support.fetch_helm import root
from support.scripted import Scripted

KINDS = ["p256", "p384", "ed25519"]
TAKERS = ["tar", "bsdtar", "busybox"]
IMAGE = images.image([images.layer("checks-1", 40_000), images.layer("checks-2", 600)])


@pytest.fixture(scope="module")
def pairs(session_sealift, keys, tmp_path_factory):
    """{kind of key: KeyPair}"""
    third = key_pairs.make(session_sealift, str(tmp_path_factory.mktemp("p384")), "third-key", "p384")
    return {"p256": keys.p256, "p384": third, "ed25519": keys.ed25519}


@pytest.fixture(scope="module")
def bundles(session_sealift, pairs, tmp_path_factory):
    """{kind of key: path}"""
    made = {}
    with Scripted() as server:
        server.store("team/app", "1.0", IMAGE)
        for kind in KINDS:
            carrier = Carrier(session_sealift, pairs[kind], tmp_path_factory.mktemp(kind))
            result = carrier.export(server)
            assert result.rc == 0, result
            made[kind] = carrier.bundle
    return made


def joined(text):
    """Its command lines, each one line, not indented."""
    return [line.strip() for line in re.sub(r" *\\\n +", " ", text).splitlines() if line.strip()]


def blocks_of(text):
    """The commands of README-VERIFY.txt: a list of blocks, each a list of whole lines."""
    return [joined(block) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


def steps(path):
    """.kid, .take {tool: commands}, .sign {kind of key: commands}, .sums: as the bundle has them."""
    shown = blocks_of(member(path, "README-VERIFY.txt").decode())
    kid, tar, bsdtar, busybox, p256, p384, ed25519, by_minisign, by_cms, sums = shown
    return types.SimpleNamespace(kid=kid, take={"tar": tar, "bsdtar": bsdtar, "busybox": busybox}, sums=sums,
                                 sign={"p256": p256, "p384": p384, "ed25519": ed25519, "minisig": by_minisign, "p7s": by_cms})


class Desk:
    """Somebody with a bundle, a key and an empty folder."""

    def __init__(self, folder, path, public, suffix="sig", other=None):
        """other: the file of minisign.pub or corp.pem"""
        self.path, self.public, self.folder = str(path), public, str(folder / "desk")
        os.mkdir(self.folder)
        self.steps, self.kid, self.suffix, self.other = steps(path), "KID", suffix, str(other)
        self.kid = self.run(self.steps.kid).stdout[:16]

    def run(self, commands):
        words = {"BUNDLE": self.path, "pub.pem": self.public, "KID": self.kid, "minisign.pub": self.other,
                 "corp.pem": self.other, "bundle/sig/KID.sig": f"bundle/sig/{self.kid}.{self.suffix}"}
        shape = r"(?<![\w/.])bundle/sig/KID\.sig\b|\b(?:BUNDLE|pub\.pem|KID|minisign\.pub|corp\.pem)\b"
        lines = [re.sub(shape, lambda found: words[found[0]], line) for line in commands]
        return subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=self.folder, capture_output=True, text=True)

    def verdicts(self, kind, taker="tar"):
        """Whether each of the three steps succeeds."""
        return [self.run(commands).returncode == 0
                for commands in (self.steps.take[taker], self.steps.sign[kind], self.steps.sums)]


def changed(path, to, change):
    """A copy of a bundle with change(bytearray) made."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    change(data)
    to.write_bytes(data)
    return to


def offset(path, name):
    with tarfile.open(path) as tar:
        return tar.getmember(name).offset_data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("taker", TAKERS)
def test_R15_readme_commands_accept_a_good_bundle(bundles, pairs, tmp_path, kind, taker):
    desk = Desk(tmp_path, bundles[kind], pairs[kind].public)
    for commands in (desk.steps.take[taker], desk.steps.sign[kind], desk.steps.sums):
        done = desk.run(commands)
        assert done.returncode == 0, f"{commands}\n{done}"
    checked = done.stdout.splitlines()
    assert all(line.endswith(": OK") for line in checked)
    with tarfile.open(bundles[kind]) as tar:
        assert {line[:-4] for line in checked} == {n for n in tar.getnames() if not n.startswith("bundle/")}
    copied = subprocess.run(["skopeo", "copy", "-q", f"oci:{desk.folder}/members:{HOST}/team/app:1.0",
                             f"dir:{tmp_path}/copy"], capture_output=True, text=True)
    assert copied.returncode == 0 and images.sha256((tmp_path / "copy/manifest.json").read_bytes()) == IMAGE.digest


@pytest.mark.parametrize("taker", ["tar", "bsdtar"])
def test_R15_the_inventory_is_taken_out_without_reading_on(bundles, keys, tmp_path, taker):
    """Behind the area nothing is there at all, and the first two steps do not miss it."""
    with open(bundles["p256"], "rb") as f:
        data = f.read()
    (tmp_path / "b.tar").write_bytes(data[:reader.split(data)[1] + 4096])
    desk = Desk(tmp_path, bundles["p256"], keys.p256.public)
    desk.path = str(tmp_path / "b.tar")
    if taker == "bsdtar":  # reads blocks of 10 KiB
        (tmp_path / "b.tar").write_bytes(data[:reader.split(data)[1] + 20480])
    assert desk.verdicts("p256", taker) == [True, True, False]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("taker", TAKERS)
def test_R15_a_changed_inventory_or_another_key(bundles, keys, pairs, tmp_path, kind, taker):
    path = changed(bundles[kind], tmp_path / "b.tar", lambda d: d.__setitem__(600, d[600] ^ 1))
    assert Desk(tmp_path, path, pairs[kind].public).verdicts(kind, taker)[:2] == [True, False]
    (tmp_path / "desk").rename(tmp_path / "first")
    assert Desk(tmp_path, bundles[kind], keys.other.public).verdicts(kind, taker)[0] is False


def test_R15_SHA256SUMS_alone_is_fooled(bundles, keys, tmp_path):
    """A layer and the list of sums are changed together: only the sums from the signed bytes see it."""
    forged, name = Forged(bundles["p256"]), "blobs/sha256/" + IMAGE.blobs[2].digest.split(":")[1]
    honest = dict(forged.members)
    forged.members = [(n, b"x" + d[1:] if n == name else d) for n, d in forged.members]
    forged.text()
    lying = dict(forged.members)
    def lie(data):
        for n in (name, "SHA256SUMS"):
            at = offset(bundles["p256"], n)
            assert len(lying[n]) == len(honest[n])
            data[at:at + len(lying[n])] = lying[n]
    desk = Desk(tmp_path, changed(bundles["p256"], tmp_path / "b.tar", lie), keys.p256.public)
    assert desk.verdicts("p256") == [True, True, False]
    fooled = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=desk.folder + "/members", capture_output=True, text=True)
    assert fooled.returncode == 0 and f"{name}: OK" in fooled.stdout, fooled
    assert f"{name}: FAILED" in desk.run(["cd members", "sha256sum -c ../sums || true"]).stdout


@pytest.mark.parametrize("name", ["bundle/inventory.json", "./bundle/inventory.json", "../bundle/inventory.json"])
def test_R15_a_second_inventory_does_not_take_the_place_of_the_first(bundles, keys, tmp_path, name):
    """It stands behind the signed one and lists what the changed layer really is."""
    forged, victim = Forged(bundles["p256"]), "blobs/sha256/" + IMAGE.blobs[2].digest.split(":")[1]
    forged.members = [(n, b"x" + d[1:] if n == victim else d) for n, d in forged.members]
    own = forged.text()
    with open(bundles["p256"], "rb") as f:
        data = f.read()
    head = data[:reader.split(data)[1] + reader.AREA]
    rest = [*forged.members, (name, own)]
    (tmp_path / "b.tar").write_bytes(head + b"".join(reader.member(*m) for m in rest) + bytes(reader.TRAILER))
    desk = Desk(tmp_path, tmp_path / "b.tar", keys.p256.public)
    assert desk.verdicts("p256") == [True, True, False]
    with open(desk.folder + "/bundle/inventory.json", "rb") as f:
        assert f.read() == reader.split(data)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_R15_the_other_tool_does_not_say_yes(bundles, pairs, tmp_path, kind):
    """No command for another kind of key succeeds on just anything."""
    desk = Desk(tmp_path, bundles[kind], pairs[kind].public)
    assert desk.run(desk.steps.take["tar"]).returncode == 0
    assert kind in [k for k in KINDS if desk.run(desk.steps.sign[k]).returncode == 0]  # pkeyutl knows P-256, too
    (tmp_path / "desk/bundle/inventory.json").write_bytes(b"{}")
    assert not [k for k in KINDS if desk.run(desk.steps.sign[k]).returncode == 0]


# ---- other forms of a signature, made by their own tools -------------------------------------

def tool(folder, line, **more):
    return subprocess.run(["sh", "-ec", line], cwd=folder, capture_output=True, check=True, **more)


def minisign(folder, text):
    """(kid, public key, file for the tool, signature) of minisign."""
    (folder / "inventory.json").write_bytes(text)
    tool(folder, "minisign -G -W -p minisign.pub -s minisign.key; minisign -S -s minisign.key -m inventory.json -x x.minisig")
    raw = base64.b64decode((folder / "minisign.pub").read_text().splitlines()[1])[10:]
    tool(folder, "openssl pkey -pubin -inform DER -out pub.pem", input=bytes.fromhex("302a300506032b6570032100") + raw)
    return folder / "pub.pem", folder / "minisign.pub", (folder / "x.minisig").read_bytes()


def cms(folder, text):
    """The same of a certificate for signing code, by an authority."""
    root = corporate.Authority(folder, "corp")
    leaf = corporate.Leaf(root, "release")
    tool(folder, f"openssl pkey -in {leaf.key} -pubout -out pub.pem")
    return folder / "pub.pem", root.cert, leaf.p7s(text)


@pytest.mark.parametrize("suffix,maker", [("minisig", minisign), ("p7s", cms)])
def test_R15_other_forms_of_a_signature(bundles, sealift, tmp_path, suffix, maker):
    forged, signer = Forged(bundles["p256"]), Signer(tmp_path)
    text = forged.text()
    public, file, signature = maker(tmp_path, text)
    more = [(f"bundle/sig/{reader.kid_of(str(public))}.{suffix}", signature)]
    desk = Desk(tmp_path, forged.write(tmp_path / "b.tar", signer, text, more), str(public), suffix, file)
    assert desk.verdicts(suffix) == [True, True, True]
    if suffix == "p7s":
        sealift.ok("verify", desk.path, "--trust-ca", file)
    (tmp_path / "desk/bundle/inventory.json").write_bytes(text.replace(b"stable", b"stoble"))
    assert desk.run(desk.steps.sign[suffix]).returncode != 0


def test_R15_minisign_takes_what_the_program_signed(bundles, keys, tmp_path):
    desk = Desk(tmp_path, bundles["ed25519"], keys.ed25519.public, "minisig", keys.ed25519.public[:-4] + ".minipub")
    assert desk.verdicts("minisig") == [True, True, True]
    path = tmp_path / "desk/bundle/inventory.json"
    path.write_bytes(path.read_bytes().replace(b"stable", b"stoble"))
    assert desk.run(desk.steps.sign["minisig"]).returncode != 0


def test_R15_python_reads_what_the_inventory_lists(bundles):
    with tarfile.open(bundles["p256"]) as tar:
        found = [(m.name, m.size, m.isreg(), images.sha256(tar.extractfile(m).read())) for m in tar.getmembers()]
    listed = Forged(bundles["p256"]).inventory["members"]
    assert found[-len(listed):] == [(m["path"], m["size"], True, "sha256:" + m["sha256"]) for m in listed]


LISTERS = {"tar": ["tar", "-xOf"], "bsdtar": ["bsdtar", "-xOf"], "busybox": ["busybox", "tar", "-xOf"],
           "python": ["/usr/bin/python3", "-c", "import sys, tarfile\nwith tarfile.open(sys.argv[1]) as tar:\n"
                      "    sys.stdout.buffer.write(tar.extractfile(sys.argv[2]).read())"]}


@pytest.mark.parametrize("tool", LISTERS)
def test_R15_tools_read_base_256_sizes(tmp_path, tool):
    """A member of 9 GiB, nearly all of it a hole: what stands behind it is found."""
    path, size = tmp_path / "large.tar", 9 << 30
    with open(path, "wb") as f:
        f.write(reader.header("blobs/sha256/" + "a" * 64, size))
        f.seek(reader.BLOCK + size)
        f.write(reader.member(*blob(b"behind it")) + bytes(reader.TRAILER))
    if tool == "busybox":  # reads every byte of the hole: a little is as good, the form is the same
        small = reader.header("blobs/sha256/" + "a" * 64, 8 << 30)
        small = small[:124] + b"\x80" + (1 << 20).to_bytes(11, "big") + small[136:148] + b" " * 8 + small[156:]
        small = small[:148] + b"%06o\0 " % sum(small) + small[156:]
        path.write_bytes(small + bytes(1 << 20) + reader.member(*blob(b"behind it")) + bytes(reader.TRAILER))
    done = subprocess.run([*LISTERS[tool], str(path), blob(b"behind it")[0]], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"behind it"), done


# ---- damage --------------------------------------------------------------------------------

def manual_commands(section):
    """The command lines that sealift-bundle(5) shows in that section."""
    with open(os.path.join(root(), "docs/sealift-bundle.5")) as f:
        text = f.read().partition(f".Sh {section}\n")[2].partition("\n.Sh ")[0]
    shown = "\n".join(re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", text, re.M | re.S))
    return joined(shown.replace("\\e\n", "\\\n").replace(" |\n    ", " \\\n    | "))


def test_the_manual_shows_the_commands_of_the_bundle(bundles):
    shown = member(bundles["p256"], "README-VERIFY.txt").decode()
    wanted = [line for block in blocks_of(shown) for line in block]
    assert manual_commands("CHECKING BY HAND") == list(dict.fromkeys(wanted))


def test_R15_par2_heals_a_hole_of_8_blocks(bundles, keys, sealift, tmp_path):
    make, check, heal = manual_commands("PARITY")
    with open(bundles["p256"], "rb") as f:
        data = f.read()
    (tmp_path / "b.tar").write_bytes(data)
    def run(line):
        return subprocess.run(["sh", "-ec", line], cwd=tmp_path, capture_output=True, text=True)
    assert run(make).returncode == 0 and run(check).returncode == 0
    at, hole = random.Random(8).randrange(len(data) // 512 - 8) * 512, 8 * 512
    (tmp_path / "b.tar").write_bytes(data[:at] + bytes(b ^ 0xff for b in data[at:at + hole]) + data[at + hole:])
    assert sealift("verify", "b.tar", *keys.p256.trusting()).rc in (3, 4)
    assert run(check).returncode != 0
    done = run(heal)
    assert done.returncode == 0, done
    assert (tmp_path / "b.tar").read_bytes() == data
    sealift.ok("verify", "b.tar", *keys.p256.trusting())
