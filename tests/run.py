#!/usr/bin/python3
"""Runs every test of a build and ends with one line of totals: N passed, N failed.

Unit tests (Criterion), the replay of every fuzz corpus, the self-test of lint, and the
end-to-end tests (pytest).  With --sanitizer, any report that a sanitizer wrote is a failure:
Criterion does not see what is reported after a test's verdict.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from support.figures import grouped

ROOT = pathlib.Path(__file__).resolve().parents[1]
SECONDS = 1500  # for one runner; far above what any needs
ALONE = ["tests/e2e/test_rate.py", "tests/e2e/test_many.py"]  # want the machine for themselves


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, what, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        more = f", {skipped} skipped" if skipped else ""
        print(f"-- {what}: {passed} passed, {failed} failed{more}", flush=True)

    def line(self):
        more = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{more}"


def run(command, env, **more):
    """The exit status; a runner that hangs is ended and has failed."""
    try:
        return subprocess.run(command, cwd=ROOT, env=env, timeout=SECONDS, **more)
    except subprocess.TimeoutExpired as late:
        print(f"run: {command[0]} did not end within {SECONDS} s", flush=True)
        return subprocess.CompletedProcess(command, 124, late.stdout or b"")


def programs(folder):
    """What stands in a folder; a test that was removed from the tree must not linger there."""
    sources = ROOT / ("tests/unit" if folder.name == "unit" else "tests/fuzz")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [p for p in found if (sources / p.name).is_dir() or (sources / f"{p.name}.c").is_file()]


def counted(report):
    """What Criterion counted; it writes no JSON when a failure's text has quotes in it."""
    text = report.read_text(errors="replace")
    try:
        counts = json.loads(text)
    except ValueError:
        counts = {key: int(re.search(rf'"{key}": *(\d+)', text)[1]) for key in ("passed", "failed", "skipped")}
    return counts["passed"], counts["failed"], counts["skipped"]


def unit(totals, build, env):
    for binary in programs(build / "unit"):
        report = build / f"unit-{binary.name}.json"
        report.unlink(missing_ok=True)
        status = run([binary, f"--json={report}"], env).returncode
        passed, failed, skipped = 0, 0, 0
        if report.is_file():
            passed, failed, skipped = counted(report)
        if status != 0 and failed == 0:
            failed = 1
        totals.add(f"unit {binary.name}", passed, failed, skipped)


def replay(totals, build, wrapper, env):
    """Each input of a corpus is one test; a target that does not reach the end has failed."""
    for binary in programs(build / "targets"):
        corpus = ROOT / "tests/fuzz/corpus" / binary.name
        done = run([*wrapper, binary, corpus], env, stdout=subprocess.PIPE)
        found = re.search(rb"(\d+) inputs replayed", done.stdout)
        whole = done.returncode == 0 and found is not None and int(found[1]) > 0
        totals.add(f"replay {binary.name}", int(found[1]) if whole else 0, 0 if whole else 1)


def lint_selftest(totals, env):
    done = run([sys.executable, "tests/lint/selftest.py"], env, stdout=subprocess.PIPE)
    found = re.search(rb"(\d+) passed, (\d+) failed", done.stdout)
    sys.stdout.write(done.stdout.decode())
    totals.add("lint selftest", *((int(found[1]), int(found[2])) if found else (0, 1)))


def end_to_end(totals, build, wrapper, env, chosen):
    """chosen: words for pytest. Files of tests run side by side, the tests of one file one after another."""
    report = build / "e2e.xml"
    report.unlink(missing_ok=True)
    command = [*wrapper, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit2",
               f"--junitxml={report}", "-n", str(os.cpu_count()), "--dist", "loadfile", *chosen]
    status = run(command, env).returncode
    passed, failed, skipped = 0, 0, 0
    if report.is_file():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures")) + int(suite.get("errors"))
            skipped += int(suite.get("skipped"))
            passed += max(0, int(suite.get("tests")) - bad - int(suite.get("skipped")))
            failed += bad
    if status != 0 and failed == 0:
        failed = 1
    totals.add("end to end", passed, failed, skipped)


def sanitized(kind, build, env):
    """Environment in which every report is a file in the folder that is returned."""
    folder = build / "reports"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = f"log_path={folder}/report"
    if kind == "address":
        env["ASAN_OPTIONS"] = f"abort_on_error=1:{log}"
        env["UBSAN_OPTIONS"] = f"print_stacktrace=1:halt_on_error=1:{log}"
    else:
        env["TSAN_OPTIONS"] = f"halt_on_error=0:exitcode=66:second_deadlock_stack=1:{log}"
    env.setdefault("SWEEP_STEP", "8")
    return folder


def reports(totals, folder):
    found = sorted(folder.iterdir())
    for report in found[:10]:
        print(f"---- {report.name}\n{report.read_text(errors='replace')[:6000]}", flush=True)
    totals.add("sanitizer reports", 0, len(found))


def without_aslr():
    """ThreadSanitizer's map of memory needs addresses that newer kernels give only on request."""
    wrapper = ["setarch", os.uname().machine, "-R"]
    allowed = shutil.which("setarch") and subprocess.run([*wrapper, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return wrapper if allowed else []


def claim(line):
    """What figures are sorted by: R2 before R13."""
    found = re.match(r"([A-Z]+)(\d*)", line)
    return (found[1], int(found[2] or 0), line) if found else ("", 0, line)


def short(line):
    """Whether a figure says "12 of 13": a count that is not whole."""
    found = re.search(r": ([\d,]+) of ([\d,]+) ", line)
    return found is not None and found[1] != found[2]


def finish(totals, figures):
    """Says what was counted.  The status."""
    lines = figures.read_text().splitlines() if figures.is_file() else []
    print("\n".join(grouped(line) for line in sorted(lines, key=claim)))
    if any(map(short, lines)):
        totals.add("figures", 0, sum(map(short, lines)))
    print(totals.line(), flush=True)
    return 1 if totals.failed or not totals.passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="the tree of objects to test")
    parser.add_argument("--sanitizer", choices=["address", "thread"])
    parser.add_argument("--torture", action="store_true", help="the end-to-end tests that take long, and nothing else")
    parser.add_argument("--matrix", action="store_true", help="the end-to-end tests that have a cell in the table, and nothing else")
    parser.add_argument("tests", nargs="*", default=["tests/e2e"], help="end-to-end tests to run")
    options = parser.parse_args()

    build = (ROOT / options.build).resolve()
    env = {**os.environ, "SEALIFT": str(build / "sealift"), "PYTHONPYCACHEPREFIX": str(ROOT / "build/pycache"),
           "SEALIFT_BUILD": str(build)}
    folder = sanitized(options.sanitizer, build, env) if options.sanitizer else None
    wrapper = without_aslr() if options.sanitizer == "thread" else []
    totals = Totals()
    figures = build / f"figures-{'torture' if options.torture else 'matrix' if options.matrix else 'check'}.txt"
    figures.unlink(missing_ok=True)
    env["FIGURES"] = str(figures)
    if options.torture:
        end_to_end(totals, build, wrapper, env, ["-m", "torture", *(f"--ignore={path}" for path in ALONE), *options.tests])
        end_to_end(totals, build, wrapper, env, ["-m", "torture", "-n", "0", *ALONE])
        return finish(totals, figures)
    if options.matrix:
        end_to_end(totals, build, wrapper, env, ["--matrix", "-m", "(cell or fault) and not torture", *options.tests])
        return finish(totals, figures)
    if options.sanitizer != "thread":  # Criterion keeps its state where ThreadSanitizer has its own
        unit(totals, build, env)
    replay(totals, build, wrapper, env)
    if not options.sanitizer:
        lint_selftest(totals, env)
    whole = ["--matrix"] if options.tests == ["tests/e2e"] else []
    end_to_end(totals, build, wrapper, env, [*whole, *options.tests])
    if folder:
        reports(totals, folder)
    return finish(totals, figures)


if __name__ == "__main__":
    sys.exit(main())
