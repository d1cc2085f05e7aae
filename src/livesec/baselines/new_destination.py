"""What each source sent to a destination that hardly anybody uses: the key is the destination.

    new      on at most `most_days` days with a row so far, this one among them
    rare     used by at most `most_sources` sources so far
    offends  new and rare, with rows on `least_days` days, and one source has sent `floor` in all, and more than it
             received

An offending source is reported, then again as what it has sent grows fourfold. Sources beyond MOST_SOURCES are counted
no more: a destination that has had so many is rare for nobody, until no row came for `forget_s`. Whether a destination
began `early`, among the log's first rows, is told with the report. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.core.age_of_log import began
from livesec.core.hashing import Keys
from livesec.core.human_units import size_text, size_texts
from livesec.core.jit import kernel
from livesec.core.rows import Rows
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

MOST_SOURCES = 4
_LARGEST = 1 << 45  # 35 TB in one row; GROWTH times the sum of all still fits
_LARGEST_SUM = 1 << 60
_DAY_US = 86_400_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,
        "from_start": np.uint8,
        "days": np.int64,  # with a row
        "sources": np.int32,  # so far; MOST_SOURCES + 1 stands for more
        "source": (np.uint64, MOST_SOURCES),
        "sent": (np.int64, MOST_SOURCES),
        "received": (np.int64, MOST_SOURCES),
        "report_at": (np.int64, MOST_SOURCES),  # bytes sent of the next report; 0 before the first
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Floors and lengths; see above."""

    floor: int
    most_days: int
    most_sources: int
    forget_s: float
    least_days: int = 1


class _DestinationState(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    from_start: NDArray[np.uint8]
    days: NDArray[np.int64]
    sources: NDArray[np.int32]
    source: NDArray[np.uint64]
    sent: NDArray[np.int64]
    received: NDArray[np.int64]
    report_at: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _DestinationRows(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    sources: Keys
    sent: NDArray[np.int64]
    received: NDArray[np.int64]
    early: NDArray[np.bool_]
    addresses: NDArray[np.int64]


class _DestinationOut(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 6): sent, received, sources, age in us, days, whether from the start."""
    evidence: NDArray[np.int64]


@kernel
def _begin(keyed: _DestinationState, slot: int, time_us: int, early: bool) -> None:
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.from_start[slot] = early
    keyed.days[slot] = 1
    keyed.sources[slot] = 0
    keyed.evidence_next[slot] = 0


@kernel
def _place_of(keyed: _DestinationState, slot: int, source: np.uint64) -> int:
    """The place of a source, which is given one if it is new; -1 where there is none left."""
    sources = int(keyed.sources[slot])
    for place in range(min(sources, MOST_SOURCES)):
        if keyed.source[slot, place] == source:
            return place
    keyed.sources[slot] = min(sources + 1, MOST_SOURCES + 1)
    if sources >= MOST_SOURCES:
        return -1
    keyed.source[slot, sources] = source
    keyed.sent[slot, sources] = 0
    keyed.received[slot, sources] = 0
    keyed.report_at[slot, sources] = 0
    return sources


@kernel
def _add(keyed: _DestinationState, slot: int, place: int, sent: int, received: int, rules: Rules) -> bool:
    """Add to what a source sent; whether it is to be reported."""
    total = min(keyed.sent[slot, place] + min(max(sent, 0), _LARGEST), _LARGEST_SUM)
    back = min(keyed.received[slot, place] + min(max(received, 0), _LARGEST), _LARGEST_SUM)
    keyed.sent[slot, place] = total
    keyed.received[slot, place] = back
    if total < max(rules.floor, keyed.report_at[slot, place]) or total <= back or keyed.days[slot] < rules.least_days:
        return False
    keyed.report_at[slot, place] = GROWTH * total
    return True


@kernel
def _send(index: Index, keyed: _DestinationState, given: _DestinationRows, rules: Rules, out: _DestinationOut) -> int:
    reports = 0
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        time_us = given.times_us[row]
        slot, fresh = touch(index, given.keys[row])
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            _begin(keyed, slot, time_us, given.early[row])
        now_us = max(keyed.last_us[slot], time_us)
        keyed.days[slot] += int(now_us // _DAY_US != keyed.last_us[slot] // _DAY_US)
        keyed.last_us[slot] = now_us
        if keyed.days[slot] > rules.most_days:
            continue
        place = _place_of(keyed, slot, given.sources[row])
        if place < 0 or keyed.sources[slot] > rules.most_sources:
            continue
        if 16 * given.sent[row] >= rules.floor or keyed.evidence_next[slot] < KEPT_LINES:
            remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if _add(keyed, slot, place, given.sent[row], given.received[row], rules):
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.sent[slot, place]
            out.numbers[reports, 1] = keyed.received[slot, place]
            out.numbers[reports, 2] = keyed.sources[slot]
            out.numbers[reports, 3] = now_us - keyed.first_us[slot]
            out.numbers[reports, 4] = keyed.days[slot]
            out.numbers[reports, 5] = keyed.from_start[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, what the row's source has sent and received so far, and of the destination."""

    at: NDArray[np.int64]
    sent: NDArray[np.int64]
    received: NDArray[np.int64]
    sources: NDArray[np.int64]
    age_s: NDArray[np.float64]
    """Since its first row."""
    days: NDArray[np.int64]
    """On which it has had a row."""
    from_start: NDArray[np.bool_]
    """Whether its first row was `early`."""
    evidence: NDArray[np.int64]


def send_rows(state: KeyedState, rows: Rows, at: NDArray[np.int64], rules: Rules, learn_s: float) -> Reports:
    """`send` of the rows at positions `at` (n,); what began in the log's first `learn_s` is early."""
    return send(
        state,
        rows.key("dst_ip")[at],
        rows.time_us[at],
        rows.key("src_ip")[at],
        rows.integers("bytes_out")[at],
        rows.integers("bytes_in")[at],
        rows.integers("log_age_us")[at] < learn_s * 1e6,
        rows.addresses()[at],
        rules,
    )


def sent_details(reports: Reports, rules: Rules, learn_s: float) -> dict[str, Any]:
    """Details that say who sent how much, and what is new and rare."""
    n = len(reports.at)
    return {
        "sent": reports.sent,
        "sent_text": size_texts(reports.sent),
        "received": reports.received,
        "received_text": size_texts(reports.received),
        "floor_text": [size_text(rules.floor)] * n,
        "sources": reports.sources,
        "most_sources": np.full(n, rules.most_sources),
        "most_days": np.full(n, rules.most_days),
        "from_start": reports.from_start,
        "began": began(reports.from_start, learn_s),
    }


def send(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    sources: Keys,
    sent: NDArray[np.int64],
    received: NDArray[np.int64],
    early: NDArray[np.bool_],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Note what `sources` (n,) sent to `keys` (n,), the destinations, and received from them, in row order.

    `early` (n,): whether a row is among the log's first. Negative numbers count as 0. Raises ValueError for more
    `most_sources` than are kept.
    """
    if not 1 <= rules.most_sources <= MOST_SOURCES:
        raise ValueError(f"most_sources {rules.most_sources} is outside 1 to {MOST_SOURCES}, the sources kept")
    n = len(keys)
    state.reserve(keys)
    keyed = _DestinationState(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        from_start=state["from_start"].view(np.uint8),
        days=state["days"].view(np.int64),
        sources=state["sources"].view(np.int32),
        source=state["source"].view(np.uint64),
        sent=state["sent"].view(np.int64),
        received=state["received"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = _DestinationOut(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 6), dtype=np.int64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    found = _send(
        state.index, keyed, _DestinationRows(keys, times_us, sources, sent, received, early, addresses), rules, out
    )
    total, back, known, age_us, days, from_start = out.numbers[:found].T
    return Reports(out.at[:found], total, back, known, age_us / 1e6, days, from_start != 0, out.evidence[:found])
