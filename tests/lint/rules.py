#!/usr/bin/python3
"""The rules of the house that no compiler knows.

Usage: rules.py FOLDER.  Prints "file:line: rule: what is wrong" for each violation and fails
when there is one.  tests/lint/selftest.py plants a violation of each.
"""

import pathlib
import re
import sys

# Which rooms a room may include: cmd -> registry, bundle -> manifests -> base.
ARROWS = {
    "base": {"base"},
    "manifests": {"base", "manifests"},
    "registry": {"base", "manifests", "registry"},
    "bundle": {"base", "manifests", "bundle"},
    "cmd": {"base", "manifests", "registry", "bundle", "cmd"},
}

# The only files that may include a foreign library's headers.
FOREIGN = {
    "curl/": {"registry/http.c", "registry/transfer.h", "registry/tls.c", "registry/failure.h", "registry/proxy.c",
              "registry/url.c"},
    "jansson": {"manifests/json.c"},
    "yaml.h": {"manifests/yaml.c", "manifests/yamlstream.c"},
    "archive": {"manifests/chart.c"},
    "openssl/": {"manifests/digest.c", "bundle/key.c", "bundle/key_make.c", "bundle/signature.c", "bundle/minisig.c",
                 "bundle/chain.c", "bundle/certificate.c", "bundle/cms.c", "bundle/cms.h",
                 "bundle/bio.c", "bundle/bio.h"},
}

# Headers of the C library and the system; whatever else is in <> is foreign.
SYSTEM = re.compile(
    r"assert|ctype|dirent|errno|fcntl|inttypes|limits|locale|malloc|math|netdb|poll|pthread|regex|sched|signal|spawn|spawn|"
    r"std\w+|string|strings|termios|threads|time|unistd|sys/\w+|arpa/inet|netinet/\w+|linux/\w+")

FUNCTION_LINES = 60
FILE_LINES = {"cmd/main.c": 120, "cmd/export.c": 120, "cmd/push.c": 120}
BAD_NAMES = re.compile(r"(utils?|common|helpers?|misc|context)\.[ch]$")
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
CONDITIONAL = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b")
GOTO = re.compile(r"^[^\"/*]*\bgoto\s+\w+;")
EXIT = re.compile(r"^[^\"/*]*(?<![\w.>])_?exit\(")
EXIT_FILES = {"cmd/main.c", "base/own.c"}
GLOBAL = re.compile(r"^(?:static\s+)?(?!const\b|static\b|typedef\b|extern\b|struct \w+ \{|enum\b|union\b)"
                    r"[a-z_][\w\s*]*?\b(\w+)(?:\[\w*\])?\s*(?:=.*)?;")
GLOBAL_FILES = {"base/stop.c"}
OWN_PATHS = re.compile(r"(?<![\w.~/])/(?:work|Users)/\w")


def room_of(name):
    return name.split("/")[0]


def includes(name, lines):
    """Arrows between rooms, and foreign headers in their one place."""
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, header = found.groups()
        if quote == '"' and room_of(header) not in ARROWS[room_of(name)]:
            yield number, "arrow", f"{room_of(name)}/ must not include {header}"
        if quote == "<" and not SYSTEM.fullmatch(header.removesuffix(".h")):
            places = next((p for prefix, p in FOREIGN.items() if header.startswith(prefix)), set())
            if name not in places:
                allowed = ", ".join(sorted(places)) or "no file"
                yield number, "foreign", f"<{header}> belongs in {allowed}"


def functions(name, lines):
    """No function over the limit; the format puts a body's braces in column 0."""
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > FUNCTION_LINES:
                yield start, "long", f"a function of {number - start} lines; {FUNCTION_LINES} is the most"
            start = 0


def goto_beside_owned(name, lines):
    start, owned, jumps = 0, False, []
    for number, line in enumerate(lines, 1):
        if line == "{":
            start, owned, jumps = number, False, []
        elif start and "OWNED(" in line:
            owned = True
        elif start and GOTO.match(line):
            jumps.append(number)
        elif line == "}" and start:
            start = 0
            for jump in jumps if owned else []:
                yield jump, "goto", "goto in a function that has OWNED"


def single_lines(name, lines):
    for number, line in enumerate(lines, 1):
        if CONDITIONAL.match(line):
            yield number, "conditional", "nothing is optional at compile time"
        if EXIT.match(line) and name not in EXIT_FILES:
            yield number, "exit", "exit() skips cleanups; return false instead"
        if name.endswith(".c") and name not in GLOBAL_FILES and GLOBAL.match(line):
            yield number, "global", "no global variables; the stop flag is the only one"


def files(name, lines):
    if BAD_NAMES.search(name):
        yield 1, "name", "a file is named after what it is about"
    if len(lines) > FILE_LINES.get(name, len(lines)):
        yield FILE_LINES[name], "file", f"{len(lines)} lines; {FILE_LINES[name]} is the most"
    if name.endswith(".h") and "#pragma once" not in lines:
        yield 1, "once", "a header says #pragma once"


def own_paths(name, lines):
    for number, line in enumerate(lines, 1):
        if OWN_PATHS.search(line):
            yield number, "path", "a path of one machine"


# ---- docs/THREATS.md -----------------------------------------------------------------------

THREATS = "docs/THREATS.md"
NAMED_TEST = re.compile(r"`((?:e2e|unit)/[\w/]+\.(?:py|c))::(\w+)`")
NAMED_CODE = re.compile(r"`((?:%s)/\w+\.[ch])`" % "|".join(ARROWS))


def has_test(path, name):
    """Whether that file of tests/ has that test."""
    if not path.is_file():
        return False
    shape = rf"^def {name}\(" if path.suffix == ".py" else rf"^Test\(\w+, {name}\s*[,)]"
    return re.search(shape, path.read_text(), re.M) is not None


def threats(root, lines):
    """Each row names a test, and all tests and files that it names exist."""
    for number, line in enumerate(lines, 1):
        if not re.match(r"\| \d+ \|", line):
            continue
        cells = line.strip("| ").split(" | ")
        named = NAMED_TEST.findall(cells[-1])
        if len(cells) != 4 or not named or NAMED_TEST.sub("", cells[-1]).strip(", "):
            yield number, "threat", "a row is number, attack, defence and the names of its tests"
        for file, name in named:
            if not has_test(root / "tests" / file, name):
                yield number, "threat", f"there is no test {name} in tests/{file}"
        for file in NAMED_CODE.findall(line):
            if not (root / file).is_file():
                yield number, "threat", f"there is no file {file}"


CODE_RULES = [includes, functions, goto_beside_owned, single_lines, files, own_paths]


def violations(root):
    for room in ARROWS:
        for path in sorted((root / room).glob("*.[ch]")):
            name = path.relative_to(root).as_posix()
            lines = path.read_text().splitlines()
            for rule in CODE_RULES:
                for number, word, text in rule(name, lines):
                    yield f"{name}:{number}: {word}: {text}"
    if (root / THREATS).is_file():
        for number, word, text in threats(root, (root / THREATS).read_text().splitlines()):
            yield f"{THREATS}:{number}: {word}: {text}"
    for path in sorted(p for folder in ("tests", "docs") for p in (root / folder).rglob("*")):
        if path.suffix in {".c", ".h", ".py", ".sh", ".md", ".1", ".5"}:
            name = path.relative_to(root).as_posix()
            for number, word, text in own_paths(name, path.read_text().splitlines()):
                yield f"{name}:{number}: {word}: {text}"


def main():
    found = list(violations(pathlib.Path(sys.argv[1])))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
