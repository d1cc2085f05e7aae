"""Reads `tests/formats/<name>.log`: log lines, with what the format must make of each stated directly above.

    #! Anything about where the samples come from.
    #! reference 2026-03-05T00:00:00Z
    #! zone Europe/Paris
    #> login user=root src_ip=192.0.2.1 outcome=failure count=1 event_time=2026-03-02T00:00:00Z
    Mar  2 00:00:00 host sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2

Expectations: a log type with fields (several for several rows of one line), `part` (consumed without a row),
`skip`, `reject some words of the reason`, `other` (not this format's). A field's value is a word, or JSON;
only the named fields are compared, and `event_time` is RFC 3339. `#! stream` starts another stream, with a fresh
state. Empty lines without an expectation only separate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from livesec.core.batch import Parsed, StreamInfo, batch_of_bytes
from livesec.core.protocols import Format, Shape
from livesec.core.schema import COLUMNS, LOG_TYPES, LogType
from livesec.formats.envelope import EnvelopeState
from livesec.formats.unwrapping import is_json, unwrap

HERE = Path(__file__).parent
DISPOSITIONS = ("part", "skip", "reject", "other")
STREAM_COLUMNS = {"sequence", "stream_time_us", "stream_id", "line_offset", "line_length"}


def time_us(text: str) -> int:
    """Microseconds since 1970 UTC of an RFC 3339 time.

    >>> time_us("1970-01-01T00:00:01.5Z")
    1500000
    """
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@dataclass(frozen=True)
class ExpectedRow:
    """One row that a line must give: its log type and the fields compared, as written in the fixture."""

    log_type: LogType
    fields: dict[str, str]


@dataclass(frozen=True)
class ExpectedLine:
    """One line and what must become of it: "rows" or one of DISPOSITIONS, and words of a reject's reason."""

    number: int
    line: bytes
    disposition: str
    rows: tuple[ExpectedRow, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Section:
    """The lines of one stream of a fixture."""

    stream: StreamInfo
    lines: list[ExpectedLine] = field(default_factory=list)

    def data(self) -> list[bytes]:
        """The lines as they stand in the log, without line breaks."""
        return [expected.line for expected in self.lines]


@dataclass(frozen=True)
class Outcome:
    """What a format made of a whole stream, with `line_index` counted over the stream and cuts forgotten."""

    rows: dict[LogType, list[dict[str, Any]]]
    dispositions: dict[int, str]
    reasons: dict[int, str]


def fixture_path(name: str) -> Path:
    """Where the fixture of format `name` is."""
    return HERE / f"{name}.log"


def _fields(text: str, where: str) -> dict[str, str]:
    found, at = {}, 0
    while at < len(text):
        name = re.compile(r"\s*(\w+)=").match(text, at)
        if name is None:
            raise ValueError(f"{where}: expected name=value at {text[at:]!r}")
        at = name.end()
        if text[at : at + 1] in ('"', "[", "{"):
            _, end = json.JSONDecoder().raw_decode(text, at)
        else:
            end = at + len(text[at:].partition(" ")[0])
        found[name[1]] = text[at:end]
        at = end
    return found


def _expected(number: int, line: bytes, stated: Sequence[str], where: str) -> ExpectedLine:
    kind, _, rest = stated[0].partition(" ")
    if kind in DISPOSITIONS:
        if len(stated) > 1:
            raise ValueError(f"{where}: {kind} stands alone")
        return ExpectedLine(number, line, kind, reason=rest.strip())
    rows = []
    for text in stated:
        kind, _, rest = text.partition(" ")
        if kind not in LOG_TYPES:
            raise ValueError(f"{where}: expectation {kind!r}; it is one of {[*LOG_TYPES, *DISPOSITIONS]}")
        rows.append(ExpectedRow(LogType(kind), _fields(rest.strip(), where)))
    return ExpectedLine(number, line, "rows", tuple(rows))


def read_fixture(name: str) -> list[Section]:
    """The streams of a fixture. Raises ValueError naming file and line where it is not well formed."""
    path = fixture_path(name)
    stream = StreamInfo(1, "0" * 16, path.name, time_us("2026-03-05T00:00:00Z"))
    sections = [Section(stream)]
    stated: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        where = f"{path.name}:{number}"
        if line.startswith(b"#! "):
            word, _, rest = line[3:].decode().partition(" ")
            if word == "reference":
                stream = replace(stream, reference_time_us=time_us(rest.strip()))
            elif word == "zone":
                stream = replace(stream, time_zone=rest.strip())
            elif word != "stream":
                continue
            if sections[-1].lines:
                sections.append(Section(stream))
            sections[-1] = Section(stream)
        elif line.startswith(b"#> "):
            stated.append(line[3:].decode().strip())
        elif stated:
            sections[-1].lines.append(_expected(number, line, stated, where))
            stated = []
        elif line:
            raise ValueError(f"{where}: a line without an expectation (`#> ...`) above it")
    if stated:
        raise ValueError(f"{path.name}: the last expectation has no line below it")
    return sections


def pieces(lines: Sequence[bytes], cuts: Iterable[int]) -> Iterator[Sequence[bytes]]:
    """`lines` cut at the given positions (any order, repeats give empty pieces)."""
    edges = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    for start, end in pairwise(edges):
        yield lines[start:end]


def check_parsed(parsed: Parsed, offered: int) -> None:
    """Assert what is always owed: known columns, times, one disposition per line, rows of consumed lines."""
    consumed, skipped = parsed.consumed.tolist(), parsed.skipped.tolist()
    rejected = parsed.rejects["line_index"].to_list()
    every = [*consumed, *skipped, *rejected]
    assert parsed.consumed.dtype == parsed.skipped.dtype == np.uint32, "places of lines are uint32, also where none are"
    assert len(every) == len(set(every)), "a line has two dispositions"
    assert all(0 <= index < offered for index in every), "a disposition of a line that was not offered"
    assert parsed.rejects["reason"].null_count() == 0
    assert all(reason.strip() for reason in parsed.rejects["reason"]), "a reject without a reason"
    for log_type, rows in parsed.rows.items():
        known = set(rows.columns) - {"line_index"}
        allowed = set(COLUMNS[log_type]) - STREAM_COLUMNS
        assert known <= allowed, f"columns {known - allowed} are not a format's to fill"
        assert rows.schema["line_index"] == pl.UInt32
        assert rows.schema["event_time_us"] == pl.Int64
        assert rows["event_time_us"].null_count() == 0
        assert set(rows["line_index"].to_list()) <= set(consumed), "a row of a line that was not consumed"


def offered_to(form: Format[Any], lines: pl.DataFrame, envelope: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    """What StreamParser would offer `form` of `lines`, if it were the only one."""
    if form.whole_lines:
        return lines if form.shape == Shape.ANY else lines.filter(is_json(lines["line"]) == (form.shape == Shape.JSON))
    messages = unwrap(lines, envelope, stream).messages
    if form.shape == Shape.SYSLOG:
        own = [program for program in messages["program"].fill_null("").unique() if form.owns(program)]
        return messages.filter(messages["program"].fill_null("").is_in(own))
    inner = messages.select("line_index", pl.col("message").fill_null("").alias("line"))
    bare = lines.join(inner, on="line_index", how="anti", maintain_order="left")
    lines = pl.concat([bare, inner]).sort("line_index")
    if form.shape == Shape.ANY:
        return lines
    return lines.filter(is_json(lines["line"]) == (form.shape == Shape.JSON))


def run_format(
    form: Format[Any],
    stream: StreamInfo,
    lines: Sequence[bytes],
    cuts: Iterable[int] = (),
    *,
    restore: bool = False,
) -> Outcome:
    """Offer `lines` to `form` in pieces; `restore` saves and restores its state between them."""
    state = form.initial(stream)
    envelope = EnvelopeState()
    outcome = Outcome({}, {}, {})
    base = 0
    for piece in pieces(lines, cuts):
        batch = batch_of_bytes(stream, b"".join(line + b"\n" for line in piece))
        if restore:
            state = form.from_bytes(form.to_bytes(state))
            envelope = EnvelopeState.from_bytes(envelope.to_bytes())
        state, parsed = form.parse(state, stream, offered_to(form, batch.lines, envelope, stream))
        check_parsed(parsed, len(piece))
        for log_type, rows in parsed.rows.items():
            by = ["line_index", "row_in_line"] if "row_in_line" in rows.columns else ["line_index"]
            for row in rows.sort(by, maintain_order=True).to_dicts():
                given = {name: value for name, value in row.items() if value is not None}
                outcome.rows.setdefault(log_type, []).append(given | {"line_index": row["line_index"] + base})
        for index in parsed.consumed.tolist():
            outcome.dispositions[base + index] = "consumed"
        for index in parsed.skipped.tolist():
            outcome.dispositions[base + index] = "skip"
        for index, reason in parsed.rejects.select("line_index", "reason").iter_rows():
            outcome.dispositions[base + index] = "reject"
            outcome.reasons[base + index] = reason
        base += len(piece)
    return outcome
