"""Anomalies and incidents as they are stored, and the transaction that stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from livesec.core.batch import RawBatch
from livesec.core.explanation import Explanation
from livesec.core.finding import Scalar
from livesec.core.schema import LogType
from livesec.core.severity import Severity
from livesec.core.snapshot import Snapshot

NEW, SUPPRESSED = "new", "suppressed"
"""Status of an anomaly: nobody looked at it yet, or somebody does not want to see it."""
KEPT_LINE_BYTES = 4096
"""Raw bytes kept of an evidence line or a reject."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One line that led to an anomaly, with its original bytes (at most KEPT_LINE_BYTES).

    Length 0: it could not be read any more when the anomaly was found.
    """

    stream_id: int
    offset: int
    length: int
    line: bytes


@dataclass(slots=True)
class Anomaly:
    """A finding, scored, described and explained."""

    id: str
    sequence: int
    time_us: int
    type: str
    log_type: LogType
    severity: Severity
    score: float
    entity_type: str
    entity: str
    user: str | None
    src_ip: str | None
    dst_ip: str | None
    host: str | None
    description: str
    details: Mapping[str, Scalar]
    techniques: tuple[str, ...]
    reason: str
    confidence: float
    explanation: Explanation
    evidence: tuple[EvidenceLine, ...]
    status: str = NEW
    incident_id: str | None = None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """Anomalies that belong together, as they stand after a batch."""

    id: str
    title: str
    severity: Severity
    score: float
    first_us: int
    last_us: int
    anomaly_ids: tuple[str, ...]
    """Members that joined in this batch."""
    anomalies: int
    """Members in all."""
    entities: tuple[tuple[str, str], ...]
    tactics: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityRisk:
    """Risk, 0-100, of an entity at a time."""

    entity_type: str
    entity: str
    risk: float
    time_us: int
    anomalies: int


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that a format could not use."""

    stream_id: int
    offset: int
    length: int
    reason: str
    line: bytes


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """A row as the desk's live streams show it; `fields` is a JSON object."""

    log_type: LogType
    time_us: int
    stream_id: int
    offset: int
    fields: str


@dataclass(frozen=True, slots=True)
class DetectorCounts:
    """Rows seen and judged and findings made by one detector in a batch; entities in its state after it."""

    rows: int
    judged: int
    findings: int
    entities: int


@dataclass(frozen=True, slots=True)
class Maturity:
    """How many of a detector's entities have the history that it asks for, and how many there are."""

    mature: int
    keys: int


@dataclass
class BatchResult:
    """Everything that one batch changes in the store, but for the stream positions."""

    lines: int = 0
    consumed: int = 0
    skipped: int = 0
    rejected: int = 0
    events: int = 0
    anomalies: list[Anomaly] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    risks: list[EntityRisk] = field(default_factory=list)
    reject_counts: dict[tuple[int, str], int] = field(default_factory=dict)
    rejects: list[RejectedLine] = field(default_factory=list)
    minute_counts: dict[tuple[LogType, int], int] = field(default_factory=dict)
    recent: list[RecentEvent] = field(default_factory=list)
    detectors: dict[str, DetectorCounts] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    """Lines taken per format."""


@dataclass(slots=True)
class StreamPosition:
    """A stream as its row in the store says."""

    stream_id: int
    uid: str
    kind: str
    path: str
    generation: int
    reference_time_us: int
    time_zone: str
    offset: int = 0
    device: int | None = None
    inode: int | None = None
    size: int | None = None
    oldest_unread_us: int | None = None
    head_bytes: int = 0
    head_hash: str = ""
    tail_hash: str = ""
    history_end: int = 0
    not_before_us: int = 0
    cursor: str | None = None
    state: str = "active"
    error: str | None = None
    format: str | None = None
    modified_us: int | None = None
    """mtime of its file when last looked at."""
    searched: int = 0
    """Up to here no line break was found behind `offset`: the end of a long line is searched from here on."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that may have been lost, and why."""

    stream_id: int
    path: str
    start_offset: int | None
    end_offset: int | None
    reason: str


@dataclass
class Commit:
    """One transaction: results, positions, the journalled batch and perhaps saved state."""

    result: BatchResult = field(default_factory=BatchResult)
    streams: Sequence[StreamPosition] = ()
    batch: RawBatch | None = None
    historical: bool = False
    gaps: Sequence[Gap] = ()
    snapshot: Snapshot | None = None
    """State as of the last committed batch; with it the journal is not needed up to there."""
    next_sequence: int = 0
    alerting: bool = True
    """Whether its anomalies go to the alert outbox; those of a replay are looked at, not sent."""
