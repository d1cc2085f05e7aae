"""Reads labelled correlator fixtures: findings and rows of one story, as the engine hands them over.

A fixture is a CSV file beside this one, `<correlator>.csv`. Its header names `case,at_s,what,expect`, optionally
`repeat,step_s,details,score,confidence,attempts,key`, and any columns of the schemas. Each case runs on a fresh state.

`at_s`      seconds after Monday 2026-03-02T00:00:00Z; a case's lines are put in order of time, stably
`what`      a log type: the line is a row of it. Otherwise a detector's name: the line is a finding of it, about the
            columns that `key` names (src_ip where it is given, else user)
`score`, `confidence`, `attempts`  of a finding: base severity (47), confidence (1), and the detail
`repeat`, `step_s`  the line stands `repeat` times, `step_s` seconds apart; what is expected holds for the last
`expect`    empty: nothing is raised at this line; `fire` or `fire:reason`: exactly one finding
`details`   `name=number;name=text`: some of the finding's details (or its `confidence`), numbers within 0.1 %

Empty cells are null. Lines that begin with # are comments; `# set: window_s=60` sets a parameter for the whole file.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from tests.detectors.fixture import MONDAY_US, Expectation, _expectation, _value

from livesec.core.batch import pack_address
from livesec.core.finding import Finding
from livesec.core.protocols import Correlator
from livesec.core.rows import Rows, make_rows
from livesec.core.schema import LOG_TYPES, LogType, dtypes
from livesec.pipeline.assembly import detector_classes

HERE = Path(__file__).parent
STREAMS = {log_type: number for number, log_type in enumerate(LOG_TYPES, start=1)}
_OWN_COLUMNS = frozenset({"case", "at_s", "what", "expect", "repeat", "step_s", "details"})
_OF_FINDINGS = frozenset({"score", "confidence", "attempts", "key"})

AnyCorrelator = Correlator[Any, Any]
Line = Finding | tuple[LogType, Mapping[str, Any]]
"""A finding, or a row's values; the line's place in the story is its sequence number."""


@dataclass(frozen=True)
class Story:
    """Lines in order, and what is expected at which."""

    name: str
    lines: Sequence[Line]
    expected: Mapping[int, Expectation]


@dataclass(frozen=True)
class Fixture:
    """A correlator's file: parameters that differ from the defaults, and its cases."""

    parameters: Mapping[str, object]
    stories: Sequence[Story]


def load_fixture(path: Path) -> Fixture:
    """The fixture in `path`. Raises ValueError or KeyError that names what is wrong."""
    parameters: dict[str, object] = {}
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# set:"):
            parameters |= tomllib.loads(line.removeprefix("# set:"))
        elif line.strip() and not line.startswith("#"):
            kept.append(line)
    by_case: dict[str, list[Mapping[str, str]]] = {}
    for record in csv.DictReader(kept, strict=True):
        by_case.setdefault(record["case"], []).append(record)
    return Fixture(parameters, [_story(name, records) for name, records in by_case.items()])


def _story(name: str, records: Sequence[Mapping[str, str]]) -> Story:
    timed: list[tuple[float, Mapping[str, str], Expectation | None]] = []
    for record in records:
        repeat, step_s = int(record.get("repeat") or 1), float(record.get("step_s") or 0)
        for number in range(repeat):
            at_s = float(record["at_s"]) + number * step_s
            timed.append((at_s, record, _expectation(record) if number == repeat - 1 else None))
    timed.sort(key=lambda item: item[0])
    lines = [_line(sequence, at_s, record) for sequence, (at_s, record, _) in enumerate(timed)]
    return Story(name, lines, {at: item[2] for at, item in enumerate(timed) if item[2] is not None})


def _line(sequence: int, at_s: float, record: Mapping[str, str]) -> Line:
    time_us, what = MONDAY_US + round(at_s * 1e6), record["what"]
    if what not in STREAMS:
        return finding_of(record, sequence, time_us)
    log_type = LogType(what)
    wanted = dtypes(log_type)
    given = {key: text for key, text in record.items() if key not in _OWN_COLUMNS | _OF_FINDINGS and text}
    values = {key: _value(text, wanted[key]) for key, text in given.items()}
    return log_type, {"stream_id": STREAMS[log_type]} | values | row_fields(sequence, time_us)


def row_fields(sequence: int, time_us: int) -> dict[str, int]:
    """Place and time of a row."""
    return {
        "sequence": sequence,
        "row_in_line": 0,
        "event_time_us": time_us,
        "stream_time_us": time_us,
        "line_offset": sequence * 100,
        "line_length": 99,
    }


def finding_of(record: Mapping[str, str], sequence: int, time_us: int) -> Finding:
    """The finding that a line of a fixture describes."""
    fields = {name: record.get(name) or None for name in ("user", "src_ip", "dst_ip", "host")}
    key = record.get("key") or ("src_ip" if fields["src_ip"] else "user")
    attempts = record.get("attempts")
    known = detector_classes().get(record["what"])
    return Finding(
        detector=record["what"],
        log_type=LogType.LOGIN if known is None else known.log_type,
        sequence=sequence,
        row_in_line=0,
        event_time_us=time_us,
        stream_time_us=time_us,
        stream_id=1,
        line_offset=sequence * 100,
        entity_type=key,
        entity="|".join(str(fields[name]) for name in key.split("|")),
        reason="threshold",
        base_severity=int(record.get("score") or 47),
        confidence=float(record.get("confidence") or 1),
        details={"attempts": int(attempts)} if attempts else {},
        evidence=(pack_address(1, sequence * 100),),
        techniques=("T1110",) if known is None else known.technique,
        **fields,
    )


def rows_of(lines: Sequence[Line]) -> dict[LogType, Rows]:
    """The rows among `lines` by log type."""
    made = {}
    for log_type in LOG_TYPES:
        values = [line[1] for line in lines if not isinstance(line, Finding) and line[0] is log_type]
        if values:
            wanted = dtypes(log_type)
            names = [name for name in wanted if any(name in row for row in values)]
            frame = pl.DataFrame(values, schema={name: wanted[name] for name in names})
            made[log_type] = make_rows(log_type, frame)
    return made


def judge(
    part: AnyCorrelator,
    lines: Sequence[Line],
    starts: Sequence[int] = (0,),
    between: Callable[[Any], Any] | None = None,
) -> list[Finding]:
    """What `part` raises over `lines` in batches that begin at `starts`; `between` gives the state to go on with."""
    state, raised = part.initial(), []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        batch = lines[start:end]
        findings = [line for line in batch if isinstance(line, Finding)]
        raised.extend(part.step(state, findings, rows_of(batch)))
        if between is not None:
            state = between(state)
    return raised
