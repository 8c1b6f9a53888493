"""Changes to a small bundle, sampled: to its bytes, and to what a trusted key signs (support.forge).

    for name, make in of_bytes(data, chance, count): make()
    for name, make in of_lies(path, signer, chance, count): make()     openssl signs each

The names say what was done; make gives the bytes. The same seed gives the same changes.
"""

import copy
import functools
import hashlib
import json

from . import contents, forge, reader

PALETTE = [None, 0, 1, -1, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 1.5, 1e3, "", "x", "\0", "\ud800", "é", "../x", [], {}, [[]], True, False,
           "sha256:" + "0" * 64, "sha512:" + "0" * 128, "a" * 300, ["x"], {"x": 1}, [None], "registry.test/team/app",
           "docker.io/app:1", "Registry.test:99999/a:1", "1970-01-01T00:00:00Z", "2024-02-30T00:00:00Z", *contents.INDEXES,
           *contents.MANIFESTS, "application/json"]
TOKENS = [b" ", b"\t", b"\n", b"\0", b"\x80", b"\xc3\xa9", b"\x7f", b",", b":", b'"', b"\\", b"\\u0041", b"[", b"]", b"{", b"}", b"0",
          b"-", b"1e5", b".0", b"null", b'"x":1,', b'"x":@,', b'"_type":1,', b'"x":{"a":1,"a":2},', b"//", b"NaN", b"Infinity",
          b'"\\ud800"', b'"\\u0000"']


# ---- bytes ---------------------------------------------------------------------------------

def of_bytes(data, chance, count):
    edits = [_flip, _cut, _drop, _twice, _swap, _zeros, _insert, _append]
    for _ in range(count):
        edit = edits[0] if chance.random() < 0.5 else chance.choice(edits)
        changed = edit(data, chance)
        yield f"{edit.__name__[1:]} ({hashlib.sha256(changed).hexdigest()[:8]})", functools.partial(bytes, changed)


def _flip(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]


def _cut(data, chance):
    return data[:chance.randrange(len(data))]


def _block(data, chance):
    return chance.randrange(len(data) // 512) * 512


def _drop(data, chance):
    at = _block(data, chance)
    return data[:at] + data[at + 512:]


def _twice(data, chance):
    at = _block(data, chance)
    return data[:at + 512] + data[at:]


def _swap(data, chance):
    one, other = sorted((_block(data, chance), _block(data, chance)))
    blocks = data[one:one + 512], data[other:other + 512]
    return data if one == other else data[:one] + blocks[1] + data[one + 512:other] + blocks[0] + data[other + 512:]


def _zeros(data, chance):
    at, size = chance.randrange(len(data)), chance.choice([1, 8, 512, 4096])
    return (data[:at] + bytes(size) + data[at + size:])[:len(data)]


def _insert(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.choice([1, 512])) + data[at:]


def _append(data, chance):
    return data + bytes(chance.choice([1, 511, 512, 10240]))


# ---- signed lies ---------------------------------------------------------------------------

def _places(tree, found):
    """Every (container, key) of a JSON tree."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        found.append((tree, key))
        if isinstance(tree[key], (dict, list)):
            _places(tree[key], found)
    return found


def _twist(tree, chance):
    """Changes one place of a JSON tree; says how."""
    container, key = chance.choice(_places(tree, []))
    was, how = container[key], chance.choice(["replace", "replace", "remove", "again", "reorder", "near"])
    if how == "replace":
        container[key] = copy.deepcopy(chance.choice(PALETTE))
    elif how == "remove":
        del container[key]
    elif how == "again" and isinstance(container, list):
        container.insert(key, copy.deepcopy(was))
    elif how == "again":
        container[chance.choice([key.upper(), key + "x"])] = was
    elif how == "reorder" and isinstance(container, list):
        container.reverse()
    elif how == "reorder":
        container[key] = container.pop(key)
    elif type(was) is int:
        container[key] = was + chance.choice([-1, 1, 512])
    elif isinstance(was, str):
        at = chance.randrange(len(was) + 1)
        container[key] = was[:at] + chance.choice(["", "A", "0", "/", ":", "é"]) + was[at + 1:]
    return f"{how} {key}"


def _retold(bundle):
    """The documents for other programs and the list of members say what the rest says, where they can."""
    blobs = {"sha256:" + name.rpartition("/")[2]: data for name, data in bundle.members[5:]}
    bundle.text()
    try:
        told = contents.others(bundle.inventory, blobs)
    except (KeyError, TypeError, AttributeError, ValueError):
        return
    bundle.members = [(name, told[name].encode() if name in told else data) for name, data in bundle.members]


def _inventory(bundle, chance):
    text = json.loads(bundle.text())
    said = _twist(text, chance)
    return "inventory: " + said, forge.dump(text)


def _honest_inventory(bundle, chance):
    said = _twist({k: v for k, v in bundle.inventory.items() if k not in ("members", "total")}, chance)
    _retold(bundle)
    return "inventory, retold: " + said, None


def _tokens(bundle, chance):
    text = bundle.text()
    places = [i for i, c in enumerate(text) if c in b'{}[],:"']
    at = chance.choice(places) + chance.randrange(2)
    token, gone = chance.choice(TOKENS), chance.randrange(2)
    return f"inventory: {token} at {at}, {gone} gone", text[:at] + token + text[at + gone:]


def _total_kept(bundle, chance):
    """The same with a total that fits."""
    said, text = _tokens(bundle, chance)
    size = len(bundle.text())
    more = reader.padded(len(text)) - reader.padded(size)
    return said + ", total", text.replace(b'"total":%d' % bundle.inventory["total"],
                                          b'"total":%d' % (bundle.inventory["total"] + more))


def _foreign(bundle, chance):
    at = chance.randrange(1, 5)
    name, data = bundle.members[at]
    try:
        tree = json.loads(data)
        said = _twist(tree, chance)
        data = json.dumps(tree, separators=(",", ":")).encode()
    except ValueError:
        spot = chance.randrange(len(data))
        said, data = f"byte {spot}", data[:spot] + b"0" + data[spot + 1:]
    bundle.members[at] = (name, data)
    return f"{name}: {said}", None


def _document(bundle, chance):
    """A manifest or an index is another one; whoever names it knows."""
    image = chance.choice(bundle.inventory["images"])
    at = [name for name, _ in bundle.members].index("blobs/" + image["digest"].replace(":", "/"))
    tree = json.loads(bundle.members[at][1])
    said = _twist(tree, chance)
    data = json.dumps(tree, separators=(",", ":")).encode()
    if chance.random() < 0.2:
        spot = chance.randrange(len(data))
        data = data[:spot] + chance.choice(TOKENS) + data[spot:]
    bundle.members[at] = forge.blob(data)
    image.update(digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
    image["blobs"] = [b for b in image["blobs"] if b != image["digest"]]
    _retold(bundle)
    return f"document: {said}", None


def _members(bundle, chance):
    how, at = chance.choice(["drop", "again", "swap", "more", "empty"]), chance.randrange(len(bundle.members))
    if how == "drop":
        del bundle.members[at]
    elif how == "again":
        bundle.members.insert(at, bundle.members[at])
    elif how == "swap":
        other = chance.randrange(len(bundle.members))
        bundle.members[at], bundle.members[other] = bundle.members[other], bundle.members[at]
    else:
        bundle.members.append(forge.blob(b"" if how == "empty" else b"more"))
    if chance.random() < 0.5:
        _retold(bundle)
    return f"members: {how} {at}", None


def _later(bundle, chance):
    """What a later version may write; now and then with a fault beside it."""
    where, key, value = chance.choice([
        (bundle.inventory, "requires", ["base"]), (bundle.inventory, "base", {}), (bundle.inventory, "absent", ["x"])])
    where[key] = value
    said = ", " + _twist(bundle.inventory["images"][0], chance) if chance.random() < 0.4 else ""
    return f"later: {key}{said}", None


LIES = [_later, _inventory, _inventory, _honest_inventory, _tokens, _total_kept, _foreign, _document, _document, _members]


def of_lies(path, signer, chance, count):
    """(name, function that gives the bytes, or None when no file could be made of it)"""
    honest = forge.Forged(path)
    for _ in range(count):
        bundle = copy.deepcopy(honest)
        name, text = chance.choice(LIES)(bundle, chance)
        yield name, functools.partial(_signed, bundle, signer, text)


def _signed(bundle, signer, text):
    try:
        return bundle.bytes(signer, text)
    except (KeyError, TypeError, UnicodeEncodeError):
        return None
