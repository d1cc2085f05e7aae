"""What correlators share: findings and rows in one order, causes remembered by entity, findings made of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livesec.core.batch import pack_address
from livesec.core.clock import US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding, Scalar
from livesec.core.protocols import Correlator
from livesec.core.rows import Rows
from livesec.core.schema import COLUMNS, LogType

MAX_ENTITIES = 1 << 16
"""Entities that one memory holds; the one written least recently makes way."""

ALERT_SCORE = 40.0
"""Where medium begins: what is an alert by itself counts fully in a combination, weaker things by their share."""

STREAMS_APART_US = 60 * US_PER_S
"""Two logs may be written or read this far apart: a cause that much later than its sequel is still before it."""

_EVIDENCE_KEPT = 7  # lines of the cause; the sequel's own comes on top
_VERSION = 2


@dataclass(frozen=True, slots=True)
class Event:
    """A row, as far as correlators need it."""

    log_type: LogType
    sequence: int
    row_in_line: int
    event_time_us: int
    stream_time_us: int
    stream_id: int
    line_offset: int
    user: str | None
    src_ip: str | None
    dst_ip: str | None
    host: str | None
    path: str | None = None
    destination: str | None = None
    bytes: int | None = None
    is_internal: bool | None = None
    auth_method: str | None = None

    @property
    def address(self) -> int:
        """Packed address of its line."""
        return pack_address(self.stream_id, self.line_offset)


def events(rows: Rows, at: NDArray[np.int64]) -> list[Event]:
    """The rows at positions `at`, which ascend."""
    if len(at) == 0:
        return []
    names = [name for name in Event.__slots__ if name in COLUMNS[rows.log_type]]
    columns = [rows.column(name).gather(at).to_list() for name in names]
    return [
        Event(log_type=rows.log_type, **({"user": None, "dst_ip": None} | dict(zip(names, values, strict=True))))
        for values in zip(*columns, strict=True)
    ]


def merged(findings: Sequence[Finding], rows: Sequence[Event]) -> Iterator[Finding | Event]:
    """Both in the order of lines; a line's rows come before what was found at it."""
    tagged: list[tuple[tuple[int, int, int], Finding | Event]] = [
        *(((item.sequence, 0, item.row_in_line), item) for item in rows),
        *(((item.sequence, 1, item.row_in_line), item) for item in findings),
    ]
    tagged.sort(key=lambda pair: pair[0])
    yield from (item for _, item in tagged)


def weight(finding: Finding) -> float:
    """How much a finding counts in a combination, in (0, 1]."""
    return min(1.0, finding.base_severity * finding.confidence / ALERT_SCORE)


@dataclass(slots=True)
class Cause:
    """What happened to an entity that makes a later thing matter."""

    what: str
    """The detector that found it, or what else names it."""
    time_us: int
    weight: float
    evidence: tuple[int, ...]
    attempts: int = 1
    user: str | None = None
    reports: int = 0
    """Sequels reported so far."""
    sequels: int = 0
    """Sequels seen so far."""
    reported: float = 0.0
    """Confidence of the surest report."""

    def since_s(self, time_us: int) -> float | None:
        """Seconds from it to `time_us`, None where that was well before it."""
        since_us = time_us - self.time_us
        return None if since_us < -STREAMS_APART_US else max(0, since_us) / US_PER_S


def cause_of(finding: Finding) -> Cause:
    """`finding` as a cause."""
    attempts = finding.details.get("attempts")
    return Cause(
        finding.detector,
        finding.stream_time_us,
        weight(finding),
        finding.evidence[-_EVIDENCE_KEPT:],
        attempts if isinstance(attempts, int) else 1,
        finding.user,
    )


class Memory:
    """Causes by entity, least recently written first; bounded.

    Those older than twice the window go little by little: what is saved every half minute stays small.
    """

    def __init__(self, name: str, window_s: float) -> None:
        self._name = name
        self._window_us = int(window_s * US_PER_S)
        self.causes: dict[str, Cause] = {}

    def remember(self, entity: str, cause: Cause) -> None:
        """The last cause of `entity` is `cause`."""
        self.causes.pop(entity, None)
        self.causes[entity] = cause
        for _ in range(2):  # more than come in
            oldest = next(iter(self.causes))
            is_over = cause.time_us - self.causes[oldest].time_us > 2 * self._window_us
            if is_over or len(self.causes) > MAX_ENTITIES:
                del self.causes[oldest]

    def to_bytes(self) -> bytes:
        """JSON."""
        rows = [[entity, *astuple(cause)] for entity, cause in self.causes.items()]
        return json.dumps({"version": _VERSION, "causes": rows}).encode()

    @classmethod
    def from_bytes(cls, name: str, window_s: float, blob: bytes) -> Memory:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"{name}: saved state of version {saved['version']}")
        memory = cls(name, window_s)
        for entity, what, time_us, counts, evidence, *others in saved["causes"]:
            memory.causes[entity] = Cause(what, time_us, counts, tuple(evidence), *others)
        return memory


def raised(
    part: Correlator[Any, Any],
    at: Finding | Event,
    entity_type: str,
    entity: str,
    reason: str,
    details: Mapping[str, Scalar],
    evidence: Sequence[int],
    confidence: float = 1.0,
) -> Finding:
    """A finding of `part` at the line of `at`."""
    own = pack_address(at.stream_id, at.line_offset)
    return Finding(
        detector=part.name,
        log_type=at.log_type,
        sequence=at.sequence,
        row_in_line=at.row_in_line,
        event_time_us=at.event_time_us,
        stream_time_us=at.stream_time_us,
        stream_id=at.stream_id,
        line_offset=at.line_offset,
        entity_type=entity_type,
        entity=entity,
        reason=reason,
        base_severity=part.base_severity,
        confidence=confidence,
        user=at.user,
        src_ip=at.src_ip,
        dst_ip=at.dst_ip,
        host=at.host,
        details=details,
        evidence=(*(line for line in evidence if line != own), own),
        techniques=part.technique,
    )
