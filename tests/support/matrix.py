"""The table of what is tested where (PROTOCOL 20): rows are what sealift does, columns the servers; and the faults of PROTOCOL 17.

    @pytest.mark.cell("push", "R0", "R2")       this test shows a push into R0 and into R2
    @pytest.mark.fault("F-RANGE", "F-TRUNC")    and these faults
    @pytest.mark.parametrize("where", on("push", "R0", "N3"))       one test a server, each in its cell

Table counts what passed. With --matrix it prints the counts, and a run in which a cell that every commit needs has no test
fails; with --collect-only it counts what would run. (A fault that a unit test names in a comment counts once.)
"""

import collections
import pathlib
import re
import time

import pytest

UNIT = pathlib.Path(__file__).resolve().parents[1] / "unit"

# Which servers share a column.
COLUMNS = {"R0": "R0 N6 N7 N5", "R1": "R1", "R2": "R2", "R3/R4": "R3 R4", "R6": "R6", "R7+N2": "R7 N2", "N1-N8": "N1 N3 N4 N8 X1",
           "R10": "R10", "Q": "Q"}

# For each column: ● every commit, ○ by night, – never; then the faults, which need a test each on every commit.
ROWS = {
    "resolve": ("●●●●●●●○●", "F-CT F-DCD F-HEAD F-ACCEPT F-SCHEMA1"),
    "pull": ("●○●○○●●○●", "F-REDIR F-TRUNC F-OVERSIZE F-CORRUPT F-STALL F-RANGE F-ENC F-FOREIGN"),
    "resume": ("●–●–○●○–○", "KILL"),
    "push": ("●●●●●○●●●", "F-PUT-STATUS F-EVENTUAL F-SPARSE F-IMMUT F-NOREPO F-NAME"),
    "upload": ("●○●○––●●●", "F-LOC F-RANGEHDR F-PATCH F-PUTLIM F-413 F-416 F-RST F-COMMIT F-CORRUPT-UP F-EXPECT F-UPREDIR F-MOUNT"),
    "login": ("–●●○–○●–●", "F-PING F-CHL F-LOOP F-REALM F-REDIR-AUTH F-401-MID F-401-PUT F-401-RESUME"),
    "referrers": ("●–○–○–––●", "F-REF F-LINK F-TAGS"),
    "push again": ("●●●○––●●●", ""),
    "charts": ("●––○––●––", "F-HTML F-HDIG F-HREDIR"),
    "oci charts": ("●–○–––––●", ""),
    "network": ("○–○○––○––", "F-H2 F-HDR F-TLSMIX F-HOSTMAP"),
    "limits": ("●–––––––●", "F-429 F-WARN F-ERR"),
}


def column(server):
    return next(name for name, servers in COLUMNS.items() if server in servers.split())


def on(row, *servers):
    """Parameters: the names of servers, each in its cell of a row."""
    return [pytest.param(server, id=server, marks=pytest.mark.cell(row, server)) for server in servers]


def needed():
    """{(row, column): ● or ○} of what may be tested, and {(row, fault): ●}."""
    cells = {(row, name): mark for row, (marks, _) in ROWS.items() for name, mark in zip(COLUMNS, marks) if mark != "–"}
    return {**cells, **{(row, fault): "●" for row, (_, faults) in ROWS.items() for fault in faults.split()}}


def cells_of(item):
    """The cells that a test's marks name; an unknown one is the test's error."""
    homes = {fault: row for row, (_, faults) in ROWS.items() for fault in faults.split()}
    named = {(mark.args[0], column(server)) for mark in item.iter_markers("cell") for server in mark.args[1:]}
    named |= {(homes[fault], fault) for mark in item.iter_markers("fault") for fault in mark.args}
    wrong = named - needed().keys()
    assert not wrong, f"{item.nodeid}: PROTOCOL 20 has no cell {wrong}"
    return sorted(named)


def in_unit_tests():
    """The faults that unit tests name in their comments; make check runs those."""
    homes = {fault: row for row, (_, faults) in ROWS.items() for fault in faults.split()}
    return [(homes[code], code) for path in sorted(UNIT.glob("*/*.c")) for code in re.findall(r"\bF-[A-Z0-9-]+", path.read_text())]


class Table:
    """A plugin of pytest. The workers of xdist send what their tests count along with each report."""

    def __init__(self, config):
        self.demanded, self.leads = config.getoption("matrix"), not hasattr(config, "workerinput")
        self.counts, self.began = collections.Counter(in_unit_tests()), time.monotonic()

    @pytest.hookimpl(trylast=True)  # after -m has chosen
    def pytest_collection_modifyitems(self, items, config):
        for item in items:
            item.user_properties += [("cell", "\t".join(cell)) for cell in cells_of(item)]
            if config.option.collectonly:
                self.counts.update(cells_of(item))

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.counts.update(tuple(text.split("\t")) for name, text in report.user_properties if name == "cell")

    def lacking(self):
        return [cell for cell, mark in needed().items() if mark == "●" and not self.counts[cell]]

    def pytest_sessionfinish(self, session):
        if self.demanded and self.leads and self.lacking() and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter):
        if self.demanded and self.leads:
            terminalreporter.write_line("\n".join(self.lines()))

    def lines(self):
        yield "tests that passed, by what is done and where (PROTOCOL 20; · by night, none by day; - never)"
        yield f"{'':12}" + "".join(f"{name:>8}" for name in COLUMNS) + f"{'faults':>8}"
        for row, (_, faults) in ROWS.items():
            shown = [self._shown(row, name) for name in COLUMNS]
            total = sum(self.counts[row, fault] for fault in faults.split())
            yield f"{row:12}" + "".join(f"{text:>8}" for text in (*shown, total or "-"))
        yield from (f"no test: {row}, {where}" for row, where in self.lacking())
        yield f"{sum(self.counts.values())} marks in {len(+self.counts)} cells, {len(self.lacking())} empty, {time.monotonic() - self.began:.0f} s"

    def _shown(self, row, name):
        mark = needed().get((row, name))
        return str(self.counts[row, name] or {"●": "none", "○": "·", None: "-"}[mark])
