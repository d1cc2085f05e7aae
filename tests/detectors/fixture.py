"""Reads labelled detector fixtures and judges rows as the engine does.

A fixture is a CSV file beside this one, `<log type>/<detector>.csv`. Its header names `case,at_s,expect`,
optionally `repeat,step_s,event_at_s,details`, and any columns of the schema. Each case runs on a fresh state.

`at_s`        seconds after Monday 2026-03-02T00:00:00Z; the rows of a case are put in order of time, stably
`repeat`, `step_s`  the row stands `repeat` times, `step_s` seconds apart; what is expected holds for the last of them
`event_at_s`  the time the line states, where it is not `at_s` (late lines, wrong clocks)
`expect`      empty: no finding at this row; `fire` or `fire:reason`: exactly one
`details`     `name=number;name=text`: some of the finding's details (or its `confidence`), numbers within 0.1 %

Empty cells are null. Lines that begin with # are comments; `# set: capacity=6` sets a parameter (a TOML
value) for the whole file; a text `made:name` stands for a model file of made_models. A case whose name begins with
`seed_` runs with seed_mode.
"""

from __future__ import annotations

import csv
import math
import string
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tests.detectors.made_models import PREFIX, made_model

from livesec.core.finding import Findings, Scalar
from livesec.core.protocols import Detector
from livesec.core.rows import Rows, make_rows, shard_of
from livesec.core.schema import LogType, dtypes
from livesec.core.state import KeyedState
from livesec.core.text import shown

HERE = Path(__file__).parent
MONDAY_US = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z
ROW_FIELDS = ("user", "src_ip", "dst_ip", "host")  # what templates may name besides details
_OWN_COLUMNS = frozenset({"case", "at_s", "repeat", "step_s", "event_at_s", "expect", "details"})

AnyDetector = Detector[Any]


@dataclass(frozen=True)
class Expectation:
    """What a row must give; `reason` None accepts any."""

    reason: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Rows in order, and what is expected at which position."""

    name: str
    rows: Rows
    expected: Mapping[int, Expectation]

    @property
    def seed_mode(self) -> bool:
        """Whether it runs as the seed did."""
        return self.name.startswith("seed_")


@dataclass(frozen=True)
class Fixture:
    """A detector's file: parameters that differ from the defaults, and its cases."""

    parameters: Mapping[str, object]
    cases: tuple[Case, ...]

    def detector(self, kind: type[AnyDetector], *, seed_mode: bool) -> AnyDetector:
        """The detector under the fixture's parameters."""
        given = {name: _with_model(value) for name, value in self.parameters.items()}
        return kind(kind.params(**given), seed_mode=seed_mode)


def _with_model(value: object) -> object:
    is_made = isinstance(value, str) and value.startswith(PREFIX)
    return made_model(str(value).removeprefix(PREFIX)) if is_made else value


def _value(text: str, dtype: pl.DataType | type[pl.DataType]) -> Scalar:
    if text == "":
        return None
    if dtype == pl.Boolean:
        return {"true": True, "false": False}[text.lower()]
    if dtype in (pl.Float32, pl.Float64):
        return float(text)
    return int(text) if dtype in (pl.Int32, pl.Int64, pl.UInt32) else text


def _expectation(record: Mapping[str, str]) -> Expectation | None:
    expect = record["expect"].strip()
    if not expect:
        return None
    word, colon, reason = expect.partition(":")
    if word != "fire":
        raise ValueError(f"case {record['case']}: expect is empty, fire or fire:reason, not {expect!r}")
    parts = [part.partition("=") for part in (record.get("details") or "").split(";") if part.strip()]
    return Expectation(reason if colon else None, {name.strip(): value.strip() for name, _, value in parts})


def _case(name: str, records: Iterable[Mapping[str, str]], log_type: LogType) -> Case:
    wanted = dtypes(log_type)
    expanded: list[tuple[float, dict[str, Scalar], Expectation | None]] = []
    for record in records:
        values = {key: _value(text, wanted[key]) for key, text in record.items() if key not in _OWN_COLUMNS}
        repeat, step_s = int(record.get("repeat") or 1), float(record.get("step_s") or 0)
        for number in range(repeat):
            at_s = float(record["at_s"]) + number * step_s
            event_s = float(record.get("event_at_s") or at_s)
            times = {"stream_time_us": _us(at_s), "event_time_us": _us(event_s)}
            expanded.append((at_s, values | times, _expectation(record) if number == repeat - 1 else None))
    expanded.sort(key=lambda item: item[0])
    frame = pl.DataFrame(
        [values for _, values, _ in expanded],
        schema={key: wanted[key] for key in expanded[0][1]},
    )
    expected = {at: item[2] for at, item in enumerate(expanded) if item[2] is not None}
    return Case(name, numbered(frame, log_type), expected)


def _us(at_s: float) -> int:
    return MONDAY_US + round(at_s * 1e6)


def numbered(frame: pl.DataFrame, log_type: LogType) -> Rows:
    """Rows of `frame`, each from a line of its own; stream 1 where it names none."""
    order = np.arange(frame.height, dtype=np.int64)
    made = {
        "sequence": pl.Series(order),
        "row_in_line": pl.Series(order * 0),
        "line_length": pl.Series(order * 0 + 99),
    }
    if "stream_id" not in frame.columns:
        made["stream_id"] = pl.Series(order * 0 + 1)
    return make_rows(log_type, frame.with_columns(line_offset=pl.Series(order * 100), **made))


def load_fixture(path: Path, log_type: LogType) -> Fixture:
    """The fixture in `path`. Raises ValueError or KeyError that names what is wrong."""
    parameters: dict[str, object] = {}
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# set:"):
            for name, value in tomllib.loads(line.removeprefix("# set:")).items():
                parameters[name] = tuple(value) if isinstance(value, list) else value
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
    by_case: dict[str, list[Mapping[str, str]]] = {}
    for record in csv.DictReader(lines, strict=True):
        by_case.setdefault(record["case"], []).append(record)
    return Fixture(parameters, tuple(_case(name, records, log_type) for name, records in by_case.items()))


@dataclass(frozen=True)
class Judged:
    """One finding, comparable: floats as their exact text, so that NaN equals NaN."""

    sequence: int
    key: int
    reason: str
    confidence: str
    details: tuple[tuple[str, str], ...]
    evidence: tuple[int, ...]


def plain(value: object) -> Scalar:
    """A detail as JSON's plain value."""
    if isinstance(value, np.generic):
        value = value.item()
    assert value is None or isinstance(value, str | int | float | bool), f"{value!r} is not a plain detail"
    return value


def positions(detector: AnyDetector, rows: Rows, shards: frozenset[int] | None = None) -> NDArray[np.int64]:
    """The rows that `step` may judge, of all shards or of those named."""
    keys = rows.key(*detector.key)
    mask = (keys != 0) & rows.known(*detector.needs)
    wanted = detector.wants(rows)
    if wanted is not None:
        assert wanted.dtype == np.bool_ and wanted.shape == (len(rows),)
        mask &= wanted
    if shards is not None:
        mask &= np.isin(shard_of(keys), list(shards))
    return np.flatnonzero(mask).astype(np.int64)


def check_shape(findings: Findings, at: NDArray[np.int64]) -> None:
    """Assert that `findings` are what core.finding.Findings promises."""
    n = len(findings)
    assert np.isin(findings.at, at).all(), "a finding at a row that was not given"
    assert (np.diff(findings.at) >= 0).all(), "findings are not in the order of rows"
    assert all(len(column) == n for column in findings.details.values())
    assert findings.reasons is None or len(findings.reasons) == n
    if findings.evidence is not None:
        assert findings.evidence.shape[:1] == (n,)
    if findings.confidence is not None:
        assert findings.confidence.shape == (n,)
        assert ((findings.confidence > 0) & (findings.confidence <= 1)).all()


def judge(
    detector: AnyDetector, state: KeyedState, rows: Rows, shards: frozenset[int] | None = None
) -> list[tuple[Judged, dict[str, Scalar], int]]:
    """What the detector finds: (finding, details, position), in order."""
    at = positions(detector, rows, shards)
    if not len(at):
        return []
    findings = detector.step(state, rows, at)
    check_shape(findings, at)
    keys, sequences = rows.key(*detector.key), rows.integers("sequence")
    judged = []
    for i, position in enumerate(findings.at.tolist()):
        details = {name: plain(column[i]) for name, column in findings.details.items()}
        evidence = () if findings.evidence is None else tuple(findings.evidence[i].tolist())
        found = Judged(
            sequence=int(sequences[position]),
            key=int(keys[position]),
            reason="" if findings.reasons is None else findings.reasons[i],
            confidence="1.0" if findings.confidence is None else repr(float(findings.confidence[i])),
            details=tuple(sorted((name, repr(value)) for name, value in details.items())),
            evidence=evidence,
        )
        judged.append((found, details, position))
    return judged


def cut(rows: Rows, starts: Sequence[int]) -> list[Rows]:
    """The rows in batches that begin at `starts` (ascending, the first is 0)."""
    ends = [*starts[1:], len(rows)]
    return [Rows(rows.log_type, rows.frame[start:end]) for start, end in zip(starts, ends, strict=True)]


def judge_batches(
    detector: AnyDetector,
    batches: Iterable[Rows],
    shards: frozenset[int] | None = None,
    between: Callable[[KeyedState, Rows], KeyedState] | None = None,
) -> list[Judged]:
    """Findings over batches on one state; `between` gives the state to go on with after each batch."""
    state = detector.initial()
    found: list[Judged] = []
    for rows in batches:
        found.extend(item for item, _, _ in judge(detector, state, rows, shards))
        if between is not None:
            state = between(state, rows)
    return found


class _Template(string.Formatter):
    """Fills a template; what is unknown says so, whatever its format asks for."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "unknown"
        return shown(value) if isinstance(value, str) else format(value, format_spec)


def filled(template: str, details: Mapping[str, Scalar], row: Mapping[str, Scalar]) -> str:
    """`template` over details and the row's fields. Raises KeyError for a name that neither has."""
    for _, name, _, _ in string.Formatter().parse(template):
        assert name is None or name.isidentifier(), f"{name!r}: templates name details, nothing deeper"
    fields: dict[str, Scalar] = {name: row.get(name) for name in ROW_FIELDS}
    return _Template().format(template, **(fields | dict(details)))
