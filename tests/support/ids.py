#!/usr/bin/python3
"""Which statements of statements.txt no test shows.

A test shows a statement when its number stands in the test's name (test_UPL_06_..., Test(x, UPL_06_...)) or at the beginning
of a text in a table of cases ("UPL-06 UPL-05 a Location without a port"). Ends with 1 while a MUST has no test, or a SHOULD
has neither a test nor a reason.
"""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
ONE = r"(?:RULE[-_]\d|[A-Z]{2,3}[-_]\d\d)"
NAMES = re.compile(rf"^\s*(?:async )?def test_(\w+)|\bTest\(\w+,\s*(\w+)", re.M)
TEXTS = re.compile(rf"[\"']((?:{ONE}[ ,]*)+)")


def shown(text):
    """The numbers that one file of tests shows."""
    said = [name or other for name, other in NAMES.findall(text)] + TEXTS.findall(text)
    return {number.replace("_", "-") for words in said for number in re.findall(rf"(?<![A-Z0-9]){ONE}(?![0-9])", words)}


def statements():
    """[(number, level, reason or "")]"""
    lines = (TESTS / "support/statements.txt").read_text().splitlines()
    found = [re.match(r"(\S+) (MUST|SHOULD|MAY) [^#]*?(?: -- (.*))?$", line) for line in lines if line and line[0] != "#"]
    return [(m[1], m[2], m[3] or "") for m in found]


def main():
    tests = [p for where in ("e2e/*.py", "unit/*/*.c", "support/*.py") for p in TESTS.glob(where)]
    known = set().union(*(shown(p.read_text()) for p in tests))
    every = statements()
    lacking = [(number, level, reason) for number, level, reason in every if number not in known]
    for number, level, reason in lacking:
        print(f"{number} {level}: {reason or 'no test'}")
    bad = [number for number, level, reason in lacking if level == "MUST" or not reason]
    print(f"{len(every)} statements, {len(every) - len(lacking)} shown by tests, {len(lacking) - len(bad)} with a reason, "
          f"{len(bad)} without a test")
    unknown = known - {number for number, _, _ in every} - {n for n in known if n[:3] in ("R1-", "SHA")}
    for number in sorted(n for n in unknown if n.split("-")[0] in {e[0].split("-")[0] for e in every}):
        print(f"{number}: a test carries it, but there is no such statement")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
