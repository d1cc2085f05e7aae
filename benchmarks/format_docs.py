"""Writes docs/formats.md: what each format reads, from its module's own words, and what was measured.

python -m benchmarks.format_docs                  the words anew; the tables stay
python -m benchmarks.format_docs --speed          measures the speed of each format
python -m benchmarks.format_docs --data DIR       reads the labelled logs in DIR
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from livesec.core.protocols import Format
from livesec.core.settings import Settings
from livesec.formats import known_formats
from livesec.runners.inspect import inspect_file

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "formats.md"
INTRODUCTION = """# Formats

Each format is one file in `src/livesec/formats/` and one fixture of the same name in `tests/formats/`, which states
above each line what must become of it. What stands here is made by `python -m benchmarks.format_docs` from the formats'
own descriptions.

A line is recognised by its content, line by line: a file may mix formats. Syslog envelopes (RFC 3164, 3339 and 5424,
with or without a priority), journal entries and rsyslog's JSON are taken off first, once for all; what is inside is
offered to the format that owns the program, and otherwise read like a line without an envelope. `livesec check FILE`
shows what LiveSec sees in a file. Files may be compressed (gzip, xz, bzip2, zstd), in UTF-8 or UTF-16, or packet
captures (pcap, pcapng), which are read as the flows in them. What none of these formats reads can be described by a
mapping file: see [mapping.md](mapping.md).
"""


def fixture_source(name: str) -> str:
    """What a fixture's head says about where its samples come from: its first `#!` lines, in one."""
    words = []
    for line in (ROOT / "tests" / "formats" / f"{name}.log").read_bytes().splitlines():
        if not line.startswith(b"#! ") or line.startswith((b"#! zone", b"#! reference", b"#! stream")):
            break
        words.append(line[3:].decode())
    return " ".join(words)


def description(form: Format[Any]) -> str:
    """The docstring of the format's module, its indented samples as they are."""
    module = sys.modules[type(form).__module__]
    text = (module.__doc__ or "").strip()
    if module.__name__.rpartition(".")[2] != form.name:  # an instance of a shared class
        text = (sys.modules[f"livesec.formats.{form.name}"].__doc__ or text).strip()
    return text


def sections(formats: tuple[Format[Any], ...]) -> Iterator[str]:
    """The overview and one section per format, by name."""
    rows = ["| format | what | gives rows of | samples |", "|---|---|---|---|"]
    for form in formats:
        kinds = ", ".join(form.log_types) or "none: skipped"
        source = fixture_source(form.name).replace("|", "\\|")
        rows.append(f"| [{form.name}](#{form.name}) | {form.title} | {kinds} | {source} |")
    yield "## Overview\n\n" + "\n".join(rows)
    for form in formats:
        yield f"## {form.name}\n\n{description(form)}"


def written(tables: dict[str, str]) -> str:
    """The whole document."""
    formats = tuple(sorted(known_formats(), key=lambda form: form.name))
    measured = [f"<!-- {name} -->\n{tables.get(name, '').strip()}\n<!-- /{name} -->" for name in ("data", "speed")]
    real = (
        "## Real logs\n\nPublic logs with labels, which are no part of this repository. Lines = consumed + skipped + "
        f"rejects; events count repeats.\n\n{measured[0]}"
    )
    speed = (
        "## Speed\n\nUsable lines of each fixture, repeated, through envelope, recognition and schema, on one core "
        f"(`python -m benchmarks.formats`). Fixtures hold odd lines more often than logs do.\n\n{measured[1]}"
    )
    return "\n\n".join([INTRODUCTION.strip(), *sections(formats), real, speed]) + "\n"


def kept_tables() -> dict[str, str]:
    """The measured tables that the document has now."""
    text = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    return {found[1]: found[2] for found in re.finditer(r"<!-- (data|speed) -->\n(.*?)<!-- /\1 -->", text, re.DOTALL)}


def data_table(folder: Path) -> str:
    """What LiveSec reads of each log in `folder`."""
    lines = ["| file | formats | lines | events | skipped | rejects | lines/s |", "|---|---|--:|--:|--:|--:|--:|"]
    for path in sorted(folder.rglob("*")):
        if is_log(path):
            seen = inspect_file(str(path), Settings())
            formats = ", ".join(f"{name} {count:,}" for name, count in sorted(seen["formats"].items()))
            lines.append(
                f"| {path.relative_to(folder)} | {formats or 'none'} | {seen['lines']:,} | {seen['events']:,} "
                f"| {seen['skipped']:,} | {seen['rejects_total']:,} | {seen['lines_per_s']:,.0f} |"
            )
    return "\n".join(lines)


def is_log(path: Path) -> bool:
    """Whether a file of the labelled data is a log, and not about one."""
    told = path.suffix in (".yaml", ".assert") or path.name.startswith(
        ("LICENSE", "README", "SOURCE_README", "labels.")
    )
    aside = {"nab", "adbench"} & set(path.parts)  # numbers without an event: for the model lab
    return path.is_file() and not told and not aside and ".labels." not in path.name


def speed_table() -> str:
    """Lines a second of each format, measured in a process of its own, which polars gives one thread."""
    measured = subprocess.run(
        [sys.executable, "-m", "benchmarks.formats"], stdout=subprocess.PIPE, text=True, check=True
    )
    words = sorted(line.split() for line in measured.stdout.splitlines())
    return "\n".join(["| format | lines/s |", "|---|--:|", *(f"| {name} | {speed} |" for name, speed, _ in words)])


def main() -> None:
    """Write the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    tables = kept_tables()
    if given.data is not None:
        tables["data"] = data_table(given.data)
    if given.speed:
        tables["speed"] = speed_table()
    DOCUMENT.write_text(written(tables))


if __name__ == "__main__":
    main()
