"""Stage 2: hands rows to detectors and turns what they put out into findings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import NO_ADDRESS
from livesec.core.finding import Finding, Findings, Scalar
from livesec.core.protocols import Detector
from livesec.core.rows import Rows, network_64
from livesec.core.schema import COLUMNS, IP_COLUMNS
from livesec.core.state import KeyedState

_NUMBERS = ("sequence", "row_in_line", "event_time_us", "stream_time_us", "stream_id", "line_offset")  # never null
_TEXTS = ("host", "user", "src_ip", "dst_ip")


def judged_positions(detector: Detector[Any], rows: Rows) -> tuple[NDArray[np.int64], int]:
    """(positions of the rows that matter to `detector`, number of rows it could judge)."""
    known = rows.known(*detector.key, *detector.needs)
    judged = int(np.count_nonzero(known))
    wanted = detector.wants(rows)
    if wanted is not None:
        known &= wanted
    elif judged == len(rows):
        return np.arange(len(rows), dtype=np.int64), judged
    return np.flatnonzero(known).astype(np.int64, copy=False), judged


def _plain(value: Any) -> Scalar:
    """A detail as JSON has it; what is not a finite number is unknown."""
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _texts(name: str, values: Sequence[Any]) -> list[str]:
    """Values of key column `name` as the text of entities."""
    return [network_64(str(value)) for value in values] if name in IP_COLUMNS else [str(value) for value in values]


def to_findings(detector: Detector[Any], rows: Rows, found: Findings) -> list[Finding]:
    """One Finding per finding, in row order."""
    count = len(found)
    texts = [name for name in dict.fromkeys([*_TEXTS, *detector.key]) if name in COLUMNS[rows.log_type]]
    picked = pl.DataFrame([rows.column(name) for name in texts])[found.at].to_dict(as_series=False)
    details = [[_plain(value) for value in values] for values in found.details.values()]
    own = rows.addresses()[found.at].tolist()
    evidence = [()] * count if found.evidence is None else found.evidence.tolist()
    columns = (
        *(rows.integers(name)[found.at].tolist() for name in _NUMBERS),
        *(picked.get(name, [None] * count) for name in _TEXTS),
        map("|".join, zip(*(_texts(name, picked[name]) for name in detector.key), strict=True)),
        found.reasons if found.reasons is not None else ["threshold"] * count,
        found.confidence.tolist() if found.confidence is not None else [1.0] * count,
        zip(*details, strict=True) if details else [()] * count,
        map(_evidence, evidence, own),
    )
    names, entity_type = tuple(found.details), "|".join(detector.key)
    return [
        Finding(
            detector=detector.name,
            log_type=detector.log_type,
            sequence=sequence,
            row_in_line=row_in_line,
            event_time_us=event_time_us,
            stream_time_us=stream_time_us,
            stream_id=stream_id,
            line_offset=line_offset,
            entity_type=entity_type,
            entity=entity,
            reason=reason,
            base_severity=detector.base_severity,
            confidence=confidence,
            user=user,
            src_ip=src_ip,
            dst_ip=dst_ip,
            host=host,
            details=dict(zip(names, values, strict=True)),
            evidence=lines,
            techniques=detector.technique,
        )
        for (
            sequence, row_in_line, event_time_us, stream_time_us, stream_id, line_offset,
            host, user, src_ip, dst_ip, entity, reason, confidence, values, lines,
        ) in zip(*columns, strict=True)
    ]  # fmt: skip


def _evidence(remembered: Sequence[int], own: int) -> tuple[int, ...]:
    """Addresses by stream and offset, which is their order of arrival within a stream; the triggering line last."""
    others = sorted({*remembered} - {own, NO_ADDRESS})
    return (*others, own)


def run_detector(detector: Detector[Any], state: KeyedState, rows: Rows) -> tuple[list[Finding], int, int]:
    """(findings, rows judged, entities in the state) of one detector over `rows`."""
    at, judged = judged_positions(detector, rows)
    if len(at) == 0:
        return [], judged, len(state)
    found = detector.step(state, rows, at)
    return (to_findings(detector, rows, found) if len(found) else []), judged, len(state)
