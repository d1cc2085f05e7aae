"""The contracts of the parts that are found by discovery: formats, lookups, detectors, correlators.

All are pure: no I/O, clock, randomness, logging or globals. The runner owns every state and hands it in; `step` and
`parse` may change it in place. Whatever they give depends only on the order of the lines they were given, never on how
the lines were cut into batches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.finding import Finding, Findings
from livesec.core.maturity import mature_keys
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import ColumnSpec, KeyedState


def param(
    default: Any,
    unit: str,
    source: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    setting: str | None = None,
) -> Any:
    """A detector parameter: a dataclass field with its unit, where its default comes from and its range.

    `setting` names the top-level setting (config.py) that supplies the value where it is not set for the detector.
    """
    return field(
        default=default,
        metadata={"unit": unit, "source": source, "minimum": minimum, "maximum": maximum, "setting": setting},
    )


@dataclass(frozen=True)
class ParamInfo:
    """A parameter as `livesec detectors` shows it."""

    name: str
    default: Any
    unit: str
    source: str
    minimum: float | None
    maximum: float | None
    setting: str | None


def param_infos(params: type[Any]) -> tuple[ParamInfo, ...]:
    """The parameters of a detector's `Params` dataclass, in order."""
    return tuple(
        ParamInfo(
            item.name,
            None if item.default is MISSING else item.default,
            **{name: item.metadata[name] for name in ("unit", "source", "minimum", "maximum", "setting")},
        )
        for item in fields(params)
    )


@dataclass(frozen=True)
class NoParams:
    """For a detector without parameters."""


@dataclass(frozen=True)
class Guidance:
    """What the deterministic explanation says about every finding of a detector."""

    meaning: str
    """One or two sentences: what this is a sign of."""
    usual: str
    """A template over the details: what is normal for this entity, in numbers where the detector has them."""
    benign: tuple[str, ...]
    """Other explanations an analyst should exclude."""
    next_steps: tuple[str, ...]
    """What to look at and to do, in words; templates over details and user, src_ip, dst_ip, host."""
    commands: tuple[str, ...] = ()
    """Ids of read-only commands (`core.commands`), the most telling first; shown before the other steps."""
    would_change: tuple[str, ...] = ()
    """Templates: what, if it were found, would make this worse or harmless."""


P = TypeVar("P")


class Detector(ABC, Generic[P]):
    """One detection, keyed by an entity. A file `detectors/<log_type>/<name>.py` exports it as DETECTOR."""

    name: ClassVar[str]
    log_type: ClassVar[LogType]
    key: ClassVar[tuple[str, ...]]
    """Columns of the entity; rows with a null in one are not judged."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Further columns without which a row cannot be judged."""
    technique: ClassVar[tuple[str, ...]]
    """ATT&CK ids, the most fitting first."""
    base_severity: ClassVar[int]
    """0-99; the score of a finding of confidence 1."""
    columns: ClassVar[Mapping[str, ColumnSpec]] = {}
    """Value columns of its KeyedState; `last_us` among them if it expires."""
    statistical: ClassVar[bool] = False
    """Whether confidence comes from a p-value (True) or is 1 (a rule)."""
    summary: ClassVar[str]
    """One-line description, a template over details and user, src_ip, dst_ip, host."""
    guidance: ClassVar[Guidance]
    params: ClassVar[type[Any]] = NoParams
    max_keys: ClassVar[int] = 1 << 20
    why_off: str | None = None
    """Why it cannot run as it is set, in words for people; None: it runs."""

    def __init__(self, params: P, *, seed_mode: bool = False) -> None:
        self.p = params
        self.seed_mode = seed_mode

    def initial(self) -> KeyedState:
        """The state before the first row."""
        return KeyedState(self.columns, self.max_keys)

    def wants(self, rows: Rows) -> NDArray[np.bool_] | None:
        """Which rows matter to it beyond key and needs, shape (n,); None for all. Cheap, and without state."""
        return None

    @abstractmethod
    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Take the rows at positions `at` (ascending; never empty) and give what they show."""

    def mature(self, state: KeyedState) -> int:
        """How many entities of `state` have the history they are judged by; of a rule all: it asks for none."""
        return mature_keys(state, self.p) if self.statistical else len(state)

    def expire(self, state: KeyedState, now_us: int) -> int:
        """Free keys that `step` would treat as never seen at `now_us` or later; returns how many."""
        after_s = self.idle_s()
        return 0 if after_s is None else state.expire(now_us - int(after_s * 1_000_000))

    def idle_s(self) -> float | None:
        """A key whose `last_us` is older than this many seconds is never seen to `step`; None: no such age."""
        return None


class State(Protocol):
    """State of a format, lookup or correlator: whatever it likes, as long as it can be saved and restored."""

    def to_bytes(self) -> bytes:
        """Versioned bytes, never pickle."""
        ...


S = TypeVar("S")


class Shape(StrEnum):
    """What the lines of a format look like from outside: nothing else is offered to it."""

    SYSLOG = "syslog"
    """Messages of programs, taken out of their envelope (see `Format.parse`)."""
    JSON = "json"
    """Lines whose first character but blanks is `{` or `[`."""
    TEXT = "text"
    """All other lines."""
    ANY = "any"
    """Lines of both JSON and TEXT."""


class Format(ABC, Generic[S]):
    """One log format. A file `formats/<name>.py` exports an instance as FORMAT.

    `parse` is offered the lines of its shape that no format before it (by `order`, then name) took, and takes those
    that are its own. It never raises, whatever the bytes. What a user's mapping file describes is a format too.
    """

    name: str
    title: str
    """For people, such as "OpenSSH through syslog"."""
    log_types: tuple[LogType, ...]
    shape: Shape = Shape.ANY
    order: int = 50
    """Position among the formats; formats of a fixed shape before general ones."""
    whole_lines: bool = False
    """Whether it is offered whole lines before syslog envelopes are taken off: a line that a user describes may look
    like one. JSON formats are offered what was in the envelopes too."""

    platform: Platform = Platform.UNIX
    """Where its logs are written, and so which commands look further into them."""
    journal_programs: tuple[str, ...] = ()
    """SYSLOG_IDENTIFIERs under which its programs write to the systemd journal: what the journal is asked for."""

    def owns(self, program: str) -> bool:
        """Whether a program's messages are this format's, for shape SYSLOG; "" stands for a message without a tag."""
        return False

    @abstractmethod
    def initial(self, stream: StreamInfo) -> S:
        """The state at the start of a stream."""

    @abstractmethod
    def parse(self, state: S, stream: StreamInfo, lines: pl.DataFrame) -> tuple[S, Parsed]:
        """Take from `lines` what is this format's.

        `lines` ascend by line_index (UInt32) and have the text as line (String), which in a syslog envelope is the
        message. For shape SYSLOG they are the messages of the programs it owns, without those whose time cannot be
        read, as `envelope.decode` gives them: line_index, event_time_us, host, program, pid, message.
        """

    @abstractmethod
    def to_bytes(self, state: S) -> bytes:
        """`state` as versioned bytes, never pickle."""

    @abstractmethod
    def from_bytes(self, blob: bytes) -> S:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""


class Lookup(ABC, Generic[S]):
    """A stage-1 lookup: adds schema columns to rows, in sequence order."""

    name: ClassVar[str]
    log_types: ClassVar[tuple[LogType, ...]]
    data_version: str = ""
    """Source and date of the data that it looks up in, if it brings any."""

    @abstractmethod
    def initial(self) -> S:
        """The state before the first row."""

    @abstractmethod
    def step(self, state: S, rows: Rows) -> Rows:
        """`rows` with the columns it adds."""

    @abstractmethod
    def to_bytes(self, state: S) -> bytes:
        """`state` as versioned bytes, never pickle."""

    @abstractmethod
    def from_bytes(self, blob: bytes) -> S:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""


class Correlator(ABC, Generic[P, S]):
    """A stage-3 correlator: sees all findings and rows in order and adds findings of its own."""

    name: ClassVar[str]
    log_type: ClassVar[LogType]
    technique: ClassVar[tuple[str, ...]]
    base_severity: ClassVar[int]
    summary: ClassVar[str]
    guidance: ClassVar[Guidance]
    params: ClassVar[type[Any]] = NoParams

    def __init__(self, params: P, *, seed_mode: bool = False) -> None:
        self.p = params
        self.seed_mode = seed_mode

    @abstractmethod
    def initial(self) -> S:
        """The state before the first row."""

    @abstractmethod
    def step(self, state: S, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """New findings, given the batch's `findings` in order and its rows by log type."""

    @abstractmethod
    def to_bytes(self, state: S) -> bytes:
        """`state` as versioned bytes, never pickle."""

    @abstractmethod
    def from_bytes(self, blob: bytes) -> S:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
