#!/usr/bin/python3
"""Writes docs/RELIABILITY.md from the figures of the last `make check` and `make torture`.

Usage: reliability.py BUILD FILE
"""

import pathlib
import re
import sys

from figures import grouped

CLAIMS = {
    "R1": ("Every single bit of a small bundle flipped", "in process, through the reader; each refusal has the "
           "exit status that its region asks for"),
    "R2": ("The bundle cut at every length, and longer by every count up to 10,240", "in process"),
    "R3": ("Every block of 512 bytes removed, doubled, swapped", "in process"),
    "R4": ("Whom a bundle is believed for: keys, scopes, thresholds, expiry, replay, certificates, approvals",
           "tables of cases; openssl makes keys and certificates"),
    "R5": ("Hostile tar files and charts", "made by generators; the reason is checked, not the refusal alone"),
    "R7": ("System calls fail", "strace: EIO, ENOSPC, EINTR at the nth call of each kind on the files that are read or written, one "
           "a run; then the same command again"),
    "R8": ("Killed at any call", "strace: kill -9 at the nth call of each kind on what is written; then the same command again"),
    "R9": ("The disk full at every 4 KiB, and a limit on the size of files", "a small tmpfs; RLIMIT_FSIZE stands in "
           "for FAT32"),
    "R11": ("A push whose program, or whose registry, is killed fifty times", "kill -9 at random moments; what the registry stored is compared file by file"),
    "R13": ("Memory does not grow with the bundle", "peak resident size of the process"),
    "R14": ("Members at 2, 4 and 8 GiB, a block less and a block more; 16,384 members", "sparse files; tar, bsdtar and "
            "Python agree on names and sizes"),
    "R15": ("Other people's tools check and load a bundle", "tar, bsdtar, BusyBox, Python, openssl, minisign, par2, "
            "skopeo, podman, ctr, docker"),
    "R16": ("A second reader, written from the manual alone, agrees", "on every corpus and mutation"),
    "R17": ("The same inputs give the same bytes", "under other time zones, locales, masks, folders, orders"),
    "R21": ("Parts: missing, swapped, foreign, damaged ones are named; a patch heals", "cat, cmp and par2 judge"),
    "V": ("Verifying is as fast as hashing", "in memory: beside `openssl speed`, which reads nothing, on the same cores; "
          "not in memory: beside `dd`. The test fails below 0.70 only, since its machine has other work too"),
    "Y1": ("A values file changes in the bytes that are listed and nowhere else", "every scalar is replaced, six groups of them at a time, "
           "then forty alone, and the file read again by python3-yaml; SEALIFT_CHARTS names folders of more files"),
}

HEAD = """# Reliability, in figures

What the tests count, and what they counted when this table was written (`make check`, `make torture`, then
`make reliability`). Each line of figures is printed by the run that made it.

| claim | how | counted |
|---|---|---|
"""

TAIL = """
Not in these figures, since no such machine is at hand: thousands of processor hours of fuzzing; real FAT32 and
exFAT file systems and power cuts; burning discs; a machine booted in FIPS mode; the cosign program (the npm
verifier stands in); a hardware token (SoftHSM stands in); Docker newer than Debian's.
"""


def figures(build):
    found = {}
    for name in ("figures-check.txt", "figures-torture.txt"):
        path = pathlib.Path(build) / name
        for line in sorted(set(path.read_text().splitlines())) if path.is_file() else []:
            match = re.match(r"(R\d+|V) (.*)", line)
            if match:
                found.setdefault(match[1], []).append(grouped(match[2]))
    return found


def main():
    build, path = sys.argv[1:]
    found = figures(build)
    unknown = sorted(set(found) - set(CLAIMS))
    if unknown or not found:
        sys.exit(f"reliability: figures without a claim: {unknown}" if unknown else "reliability: run make check first")
    rows = [f"| {claim}: {what} | {how} | {'<br>'.join(found[claim])} |" for claim, (what, how) in CLAIMS.items()
            if claim in found]
    pathlib.Path(path).write_text(HEAD + "\n".join(rows) + "\n" + TAIL)


if __name__ == "__main__":
    main()
