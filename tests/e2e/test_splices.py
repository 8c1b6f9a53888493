"""The bytes of every scalar, and what a splice of it changes, judged by python3-yaml (VALUES 5): over the files of
tests/data/values, and of SEALIFT_CHARTS, a folder of real ones, where it is set."""

import collections
import glob
import json
import os
import random
import re
import subprocess

import pytest
import yaml

from support.figures import figure
from support.program import binary
from support.fetch_helm import root

VALUE = "registry.invalid:5000/apps/other@1.0"
GROUPS = 6  # in which all scalars of a file are replaced, so that no two neighbours are in one
ALONE = 40  # replaced one at a time, of each file

BOM, LINE = "\ufeff", re.compile(r"(?m)^(?=[A-Za-z_])")


def with_comments(text):
    """Before each key that begins a line, since nothing but a comment may stand there: "é" is two bytes, "🚢" four."""
    return LINE.sub("# é 🚢 \u00a0…\n", text)


def crlf(text):
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


VARIANTS = {"as is": lambda text: text, "CRLF": crlf, "BOM": lambda text: BOM + text.removeprefix(BOM), "non-ASCII": with_comments,
            "all three": lambda text: BOM + crlf(with_comments(text.removeprefix(BOM)))}


def files():
    folders = ["tests/data/values", *filter(None, os.environ.get("SEALIFT_CHARTS", "").split(":"))]
    found = [path for folder in folders for kind in ("*.yaml", "edge/*.yaml") for path in sorted(glob.glob(os.path.join(root(), folder, kind)))]
    return [path for path in found if not re.search(r"Chart\.yaml$|refused|invalid|multidoc", path)]


class Splices:
    """build/splices over one text."""

    def __init__(self, path, text):
        path.write_bytes(text.encode())
        self.process = subprocess.Popen([os.path.join(os.environ.get("SEALIFT_BUILD", os.path.dirname(binary())), "splices"), path],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.scalars = [json.loads(line) for line in iter(self.process.stdout.readline, b"\n") if line]

    def __call__(self, numbers):
        self.process.stdin.write(f"{VALUE} {' '.join(map(str, numbers))}\n".encode())
        self.process.stdin.flush()
        return self.process.stdout.read(int(self.process.stdout.readline()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def leaves(node, place=(), found=None):
    """{place: (tag, value, whether an alias stands there too)} of a tree that python3-yaml made; keys belong to the place."""
    found = {} if found is None else found
    if isinstance(node, yaml.ScalarNode):
        found[place] = (node.tag, node.value, id(node))
        return found
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(None, item) for item in node.value]
    for n, (key, value) in enumerate(pairs):
        found[(*place, n, "key")] = (key.tag, key.value) if key is not None else None
        leaves(value, (*place, n), found)
    found[(*place, "count")] = len(pairs)
    return found


def tree(text):
    return leaves(yaml.compose(text, Loader=yaml.CSafeLoader))


def bare(found):
    return {place: what[:2] if isinstance(what, tuple) else what for place, what in found.items()}


def stands_there(text, scalar, want):
    """Whether the bytes alone are the same text."""
    alone = text.encode()[scalar["start"]:scalar["end"]].decode()
    again = yaml.compose(alone, Loader=yaml.CSafeLoader) if alone else None
    got = again.value if again is not None else ""
    trim = str.strip if alone[:1] in ("|", ">") else str
    return trim(got.replace("\r\n", "\n")) == trim(want) == trim(scalar["text"])


def keeps_bytes(before, scalars, after):
    """Whether every byte outside those scalars stands where it stood, and the value in each style that there is between them."""
    at, rest = 0, after
    for scalar in sorted(scalars, key=lambda s: s["start"]):
        kept = before[at:scalar["start"]]
        style = next((s for s in (f" {VALUE}", f'"{VALUE}"', f"'{VALUE}'", VALUE) if rest.startswith(kept + s.encode())), None)
        if style is None:
            return False
        at, rest = scalar["end"], rest[len(kept) + len(style):]
    return rest == before[at:]


def changes_only(before, places, after):
    """Whether what is read anew differs in those places, where it is the value, and nowhere else."""
    return bare(tree(after)) == {**bare(before), **dict.fromkeys(places, ("tag:yaml.org,2002:str", VALUE))}


def judge(path, text, rng):
    """Lists of verdicts: of each scalar's bytes, and of each splice."""
    before = tree(text)
    shared = collections.Counter(what[2] for what in before.values() if isinstance(what, tuple) and len(what) == 3)
    with Splices(path, text) as splices:
        places = [tuple(scalar["place"]) for scalar in splices.scalars]
        ranges = [stands_there(text, scalar, before[place][1]) for scalar, place in zip(splices.scalars, places)]
        free = [n for n, place in enumerate(places) if shared[before[place][2]] == 1]
        groups = [free[g::GROUPS] for g in range(GROUPS)] + [[n] for n in rng.sample(free, min(ALONE, len(free)))]
        spliced = []
        for group in filter(None, groups):
            after = splices(group)
            right = (keeps_bytes(text.encode(), [splices.scalars[n] for n in group], after)
                     and changes_only(before, [places[n] for n in group], after.decode()))
            spliced += [right] * len(group)
    return ranges, spliced


@pytest.mark.parametrize("variant", VARIANTS)
def test_Y1_every_scalar_and_every_splice(tmp_path, variant):
    rng, seen, ranges, spliced = random.Random(variant), 0, [], []
    for path in files():
        with open(path, encoding="utf-8", newline="") as f:
            text = VARIANTS[variant](f.read())
        verdicts = judge(tmp_path / "values.yaml", text, rng)
        assert all(verdicts[0]) and all(verdicts[1]), path
        seen, ranges, spliced = seen + 1, ranges + verdicts[0], spliced + verdicts[1]
    figure("Y1", f"{variant}, {seen} files, scalars in the bytes that are said", sum(ranges), len(ranges), "right")
    figure("Y1", f"{variant}, {seen} files, splices that change their own place only", sum(spliced), len(spliced), "right")
