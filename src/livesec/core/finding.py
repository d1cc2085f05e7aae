"""What detectors and correlators put out.

`Findings` is columnar, straight from a kernel; the pipeline turns each into one `Finding`, the only object per event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from livesec.core.schema import LogType

Scalar = str | int | float | bool | None
"""What a detail may be: JSON's plain values."""

DetailColumn = NDArray[np.generic] | Sequence[Scalar]


@dataclass(frozen=True)
class Findings:
    """n findings of one detector over one batch.

    `at`: (n,) positions of the triggering rows, ascending. `details`: one value per finding and name: the numbers
    behind it, with units in the names. `evidence`: (n, k) packed line addresses, NO_ADDRESS where unused; the
    triggering line need not be among them, it is always added. `confidence`: (n,) in (0, 1], or None for a rule (1).
    `reasons`: (n,) short codes that tell apart two findings of one detector on one row and entity.
    """

    at: NDArray[np.int64]
    details: Mapping[str, DetailColumn] = field(default_factory=dict)
    evidence: NDArray[np.int64] | None = None
    confidence: NDArray[np.float64] | None = None
    reasons: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.at)


NO_FINDINGS = Findings(np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding with its place in the order, its entity and what the row said."""

    detector: str
    log_type: LogType
    sequence: int
    row_in_line: int
    event_time_us: int
    stream_time_us: int
    stream_id: int
    line_offset: int
    entity_type: str
    """Names of the key columns joined by "|", such as "src_ip" or "src_ip|dst_ip"."""
    entity: str
    """The key's text, joined by "|" the same way."""
    reason: str
    base_severity: int
    confidence: float
    user: str | None
    src_ip: str | None
    dst_ip: str | None
    host: str | None
    details: Mapping[str, Scalar]
    evidence: tuple[int, ...]
    """Packed addresses of the lines that led to it, oldest first; the triggering line last."""
    techniques: tuple[str, ...]

    @property
    def order(self) -> tuple[int, int, str, str, str]:
        """Correlators take findings in this order."""
        return (self.sequence, self.row_in_line, self.detector, self.entity, self.reason)
