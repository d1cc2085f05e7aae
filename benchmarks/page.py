"""The results as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from benchmarks.figure import Figure, number

_HEAD = """# Benchmarks

Measured on {day} on {machine}, with nothing else running, by

    python -m benchmarks --write

which makes its own logs and measures the peers in the same run, on the same lines and the same core. A replay is
measured in a fresh process from the first byte read to the last commit: parsing, detection, scoring, evidence,
explanation, incidents and the store with `synchronous=FULL`. Kernels were compiled before, as the set-up does.

| measured | value | unit | target | |
|---|---:|---|---|---|
"""


def page_of(figures: Sequence[Figure], machine: str, day: date) -> str:
    """Markdown: how it was measured, the table, and the notes under it."""
    rows = [
        f"| {figure.name.strip()} | {number(figure.value)} | {figure.unit} | {figure.target()} "
        f"| {({True: 'met', False: 'missed', None: ''})[figure.is_met]} |"
        for figure in figures
    ]
    notes = [f"- {figure.name.strip()}: {figure.note}" for figure in figures if figure.note]
    return _HEAD.format(day=day.isoformat(), machine=machine) + "\n".join([*rows, "", *notes, ""])
