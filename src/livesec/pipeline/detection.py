"""Stage 2: hands rows to detectors and turns what they put out into findings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livesec.core.batch import NO_ADDRESS
from livesec.core.finding import Finding, Findings, Scalar
from livesec.core.protocols import Detector
from livesec.core.rows import Rows, network_64
from livesec.core.schema import IP_COLUMNS
from livesec.core.state import KeyedState

_ROW_FIELDS = (
    "sequence",
    "row_in_line",
    "event_time_us",
    "stream_time_us",
    "stream_id",
    "line_offset",
    "host",
)
_ENTITY_FIELDS = ("user", "src_ip", "dst_ip")


def judged_positions(detector: Detector[Any], rows: Rows) -> tuple[NDArray[np.int64], int]:
    """(positions of the rows that matter to `detector`, number of rows it could judge)."""
    known = rows.known(*detector.key, *detector.needs)
    judged = int(known.sum())
    wanted = detector.wants(rows)
    if wanted is not None:
        known &= wanted
    return np.flatnonzero(known).astype(np.int64), judged


def _plain(value: Any) -> Scalar:
    """A detail as JSON has it; what is not a finite number is unknown."""
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _entity_text(name: str, value: object) -> str:
    return network_64(str(value)) if name in IP_COLUMNS else str(value)


def to_findings(detector: Detector[Any], rows: Rows, found: Findings) -> list[Finding]:
    """One Finding per finding, in row order."""
    columns = rows.frame.columns
    wanted = list(dict.fromkeys([*_ROW_FIELDS, *(name for name in _ENTITY_FIELDS if name in columns), *detector.key]))
    picked = rows.frame.select(wanted)[found.at].to_dicts()
    names = list(found.details)
    details = [[_plain(value) for value in found.details[name]] for name in names]
    own = rows.addresses()[found.at]
    findings = []
    for number, row in enumerate(picked):
        findings.append(
            Finding(
                detector=detector.name,
                log_type=detector.log_type,
                sequence=row["sequence"],
                row_in_line=row["row_in_line"],
                event_time_us=row["event_time_us"],
                stream_time_us=row["stream_time_us"],
                stream_id=row["stream_id"],
                line_offset=row["line_offset"],
                entity_type="|".join(detector.key),
                entity="|".join(_entity_text(name, row[name]) for name in detector.key),
                reason=found.reasons[number] if found.reasons is not None else "threshold",
                base_severity=detector.base_severity,
                confidence=float(found.confidence[number]) if found.confidence is not None else 1.0,
                user=row.get("user"),
                src_ip=row.get("src_ip"),
                dst_ip=row.get("dst_ip"),
                host=row["host"],
                details={name: values[number] for name, values in zip(names, details, strict=True)},
                evidence=_evidence(found.evidence[number] if found.evidence is not None else (), int(own[number])),
                techniques=detector.technique,
            )
        )
    return findings


def _evidence(remembered: Sequence[int] | NDArray[np.int64], own: int) -> tuple[int, ...]:
    """Addresses by stream and offset, which is their order of arrival within a stream; the triggering line last."""
    others = sorted({int(address) for address in remembered if address != NO_ADDRESS} - {own})
    return (*others, own)


def run_detector(detector: Detector[Any], state: KeyedState, rows: Rows) -> tuple[list[Finding], int, int]:
    """(findings, rows judged, entities in the state) of one detector over `rows`."""
    at, judged = judged_positions(detector, rows)
    if len(at) == 0:
        return [], judged, len(state)
    found = detector.step(state, rows, at)
    return (to_findings(detector, rows, found) if len(found) else []), judged, len(state)
