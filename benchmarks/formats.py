"""Lines a second of each format on one core, over the usable lines of its fixture, many times over.

    python -m benchmarks.formats [NAME...]

A fixture's lines are repeated until there are enough; what is a reject or another's there is left out, and headers
(`#fields ..`), of which a log has one for thousands of lines, come once a batch. The whole way is timed: envelope, all
formats offered in their order, schema columns.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before polars is imported

import sys
import time

from tests.formats.fixture import Section, read_fixture

from livesec.core.batch import batch_of_bytes
from livesec.core.protocols import Format
from livesec.formats import known_formats
from livesec.formats.stream_parser import StreamParser

LINES = 200_000
RUNS = 5
BATCH_BYTES = 3_000_000  # as replay reads
FLOOR = 150_000
FLOORS = {"syslog": 400_000, "csv": 800_000}


def lines_of(section: Section) -> list[bytes]:
    """The usable lines of a fixture's stream."""
    return [line.line for line in section.lines if line.disposition in {"rows", "part", "skip"}]


def lines_per_s(form: Format[object], formats: tuple[Format[object], ...]) -> float:
    """Speed of the format on its longest stream, the best of five runs, since others use the machine, too."""
    section = max(read_fixture(form.name), key=lambda section: len(lines_of(section)))
    lines = lines_of(section)
    best = 0.0
    for _ in range(RUNS):
        parser = StreamParser(section.stream, formats)
        seconds, done = 0.0, 0
        chunk = list(lines)
        records = [line for line in lines if not line.startswith(b"#")] or lines
        chunk += records * ((BATCH_BYTES - sum(map(len, lines))) // sum(map(len, records)))
        data = b"".join(line + b"\n" for line in chunk)
        while done < LINES:
            batch = batch_of_bytes(section.stream, data, first_sequence=done)
            started = time.perf_counter()
            parser.parse(batch)
            seconds += time.perf_counter() - started
            done += len(batch)
        best = max(best, done / seconds)
    return best


def main() -> None:
    """Print one row for each format."""
    formats = known_formats()
    for form in formats:
        if not sys.argv[1:] or form.name in sys.argv[1:]:
            print(f"{form.name:24} {lines_per_s(form, formats):12,.0f} lines/s", flush=True)


if __name__ == "__main__":
    main()
