"""The figures that a run of tests publishes: counts with the id of their claim (docs/RELIABILITY.md).

    figure("R5", "hostile tars", refused, tried, "refused")

prints and records "R5 hostile tars: 64 of 64 refused"; the run's last lines repeat all that were recorded.
"""

import os
import re


def record(line):
    print(f"\n{line}")
    if os.environ.get("FIGURES"):
        with open(os.environ["FIGURES"], "a") as f:
            f.write(line + "\n")


def figure(claim, what, got, of, word):
    record(f"{claim} {what}: {got:,} of {of:,} {word}")


def measured(claim, what, text):
    """A figure that is no count: a rate, a peak."""
    record(f"{claim} {what}: {text}")


def grouped(text):
    """Large numbers with commas."""
    return re.sub(r"(?<![\d.,\w])\d{5,}(?![\d\w])", lambda m: f"{int(m[0]):,}", text)
