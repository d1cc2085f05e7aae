"""How regularly a key makes contact: its last gaps and sizes and its contacts per hour, judged by RITA's score.

    contact   a row at least FOLD_US after the last contact; what follows sooner is a part of that one
    score     (regularity of gaps + regularity of sizes + duration + histogram) / 4, see rita_score.py
    reported  the first score of at least `least_score`, that of the gaps at least `least_timing`; then whenever the
              contacts have grown fourfold

The score is worked out at a key's first row in each hour, over the whole hours before it: at most once an hour for a
key, whatever comes. It needs LEAST_HOURS hours with a contact and `least_contacts`. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import rita_score
from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.rita_score import HOURS, LEAST_HOURS
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT = 64
FOLD_US = 1_000_000  # RITA reads whole seconds and takes each once
_HOUR_US = 3_600_000_000
_LONGEST_GAP_MS = (1 << 32) - 1
_LARGEST_SIZE = (1 << 32) - 1
_FULL_HOUR = (1 << 16) - 1
_GAP_SPREAD_MS = 10_000  # RITA: quartiles closer than 10 s have no skewness
_SIZE_SPREAD = 10  # and those closer than 10 bytes

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,
        "from_start": np.uint8,  # whether its first row was `early`
        "contact_us": np.int64,  # time of the last contact
        "contacts": np.int64,
        "report_at": np.int64,  # contacts of the next report; 0 before the first
        "gaps_ms": (np.uint32, KEPT),  # between the last contacts
        "sizes": (np.uint32, KEPT),  # of the last contacts
        "hour": np.int64,  # number of the open hour
        "hours": (np.uint16, HOURS),  # contacts by hour number modulo 24
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Least evidence and lengths; see above."""

    least_contacts: int
    least_score: float
    least_timing: float
    forget_s: float
    """After so long without a row a key is as good as never seen; at least a day."""


class _ContactState(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    from_start: NDArray[np.uint8]
    contact_us: NDArray[np.int64]
    contacts: NDArray[np.int64]
    report_at: NDArray[np.int64]
    gaps_ms: NDArray[np.uint32]
    sizes: NDArray[np.uint32]
    hour: NDArray[np.int64]
    hours: NDArray[np.uint16]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _ContactRows(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    sizes: NDArray[np.int64]
    early: NDArray[np.bool_]
    addresses: NDArray[np.int64]


class _ContactOut(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): contacts, span in us, whether from the start."""
    scores: NDArray[np.float64]
    """(n, 6): gaps, sizes, duration, histogram; median gap in ms, median size."""
    evidence: NDArray[np.int64]


@kernel
def _begin(keyed: _ContactState, slot: int, time_us: int, early: bool) -> None:
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.from_start[slot] = early
    keyed.contact_us[slot] = time_us - FOLD_US
    keyed.contacts[slot] = 0
    keyed.report_at[slot] = 0
    keyed.hour[slot] = time_us // _HOUR_US
    keyed.evidence_next[slot] = 0
    for hour in range(HOURS):
        keyed.hours[slot, hour] = 0


@kernel
def _is_beacon(
    keyed: _ContactState, slot: int, hour: int, rules: Rules, scratch: NDArray[np.int64], out: _ContactOut, report: int
) -> bool:
    """Whether the scores before `hour` suffice; their parts are written to report number `report`.

    The parts that need sorting come last, and only where they could still suffice.
    """
    if rita_score.hours_seen(keyed.hours, slot) < LEAST_HOURS:
        return False
    contacts = keyed.contacts[slot]
    hours = rita_score.duration(keyed.hours, slot, hour % HOURS) + rita_score.histogram(keyed.hours, slot)
    if (2.0 + hours) / 4 < rules.least_score:
        return False
    gaps = min(contacts - 1, KEPT)
    for place in range(gaps):
        scratch[place] = keyed.gaps_ms[slot, place]
    out.scores[report, 0], out.scores[report, 4] = rita_score.regularity(scratch, gaps, _GAP_SPREAD_MS, 1000)
    timing = out.scores[report, 0]
    if timing < rules.least_timing or (timing + 1.0 + hours) / 4 < rules.least_score:
        return False
    sizes = min(contacts, KEPT)
    for place in range(sizes):
        scratch[place] = keyed.sizes[slot, place]
    out.scores[report, 1], out.scores[report, 5] = rita_score.regularity(scratch, sizes, _SIZE_SPREAD, 1)
    out.scores[report, 2] = rita_score.duration(keyed.hours, slot, hour % HOURS)
    out.scores[report, 3] = rita_score.histogram(keyed.hours, slot)
    return bool((timing + out.scores[report, 1] + hours) / 4 >= rules.least_score)


@kernel
def _turn(keyed: _ContactState, slot: int, hour: int) -> None:
    """Make room for `hour`, all before it being whole.

    The place of `hour` still holds what was a day before it.
    """
    passed = hour - keyed.hour[slot]
    for step in range(1, min(passed, HOURS)):
        keyed.hours[slot, (keyed.hour[slot] + step) % HOURS] = 0
    if passed > HOURS:
        for place in range(HOURS):
            keyed.hours[slot, place] = 0
    keyed.hour[slot] = hour


@kernel
def _count(keyed: _ContactState, slot: int, now_us: int, size: int) -> None:
    gap_us = now_us - keyed.contact_us[slot]
    if gap_us < FOLD_US:
        return
    contacts = keyed.contacts[slot]
    if contacts > 0:
        keyed.gaps_ms[slot, (contacts - 1) % KEPT] = min(gap_us // 1000, _LONGEST_GAP_MS)
    keyed.sizes[slot, contacts % KEPT] = min(max(size, 0), _LARGEST_SIZE)
    keyed.contacts[slot] = contacts + 1
    keyed.contact_us[slot] = now_us
    place = keyed.hour[slot] % HOURS
    keyed.hours[slot, place] = min(int(keyed.hours[slot, place]) + 1, _FULL_HOUR)


@kernel
def _follow(
    index: Index, keyed: _ContactState, given: _ContactRows, rules: Rules, scratch: NDArray[np.int64], out: _ContactOut
) -> int:
    reports = 0
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        time_us = given.times_us[row]
        slot, fresh = touch(index, given.keys[row])
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            _begin(keyed, slot, time_us, given.early[row])
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        hour = now_us // _HOUR_US
        if hour != keyed.hour[slot]:
            _turn(keyed, slot, hour)
            contacts = keyed.contacts[slot]
            due = contacts >= max(rules.least_contacts, keyed.report_at[slot])
            if due and _is_beacon(keyed, slot, hour, rules, scratch, out, reports):
                keyed.report_at[slot] = GROWTH * contacts
                out.at[reports] = row
                out.numbers[reports, 0] = contacts
                out.numbers[reports, 1] = keyed.contact_us[slot] - keyed.first_us[slot]
                out.numbers[reports, 2] = keyed.from_start[slot]
                copy_evidence(keyed.evidence, slot, out.evidence, reports)
                reports += 1
            keyed.hours[slot, hour % HOURS] = 0
        _count(keyed, slot, now_us, given.sizes[row])
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, and of the key so far."""

    at: NDArray[np.int64]
    contacts: NDArray[np.int64]
    span_s: NDArray[np.float64]
    from_start: NDArray[np.bool_]
    """Whether its first row was `early`."""
    parts: NDArray[np.float64]
    """(n, 4): the scores of gaps, sizes, duration and histogram, 0 to 1."""
    gap_s: NDArray[np.float64]
    """Median of the last gaps."""
    size: NDArray[np.float64]
    """Median of the last sizes."""
    evidence: NDArray[np.int64]


def follow(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    sizes: NDArray[np.int64],
    early: NDArray[np.bool_],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Note the contacts of `keys` (n,) and their `sizes` (n,) in row order; `early` (n,): among the log's first."""
    n = len(keys)
    state.reserve(keys)
    keyed = _ContactState(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        from_start=state["from_start"].view(np.uint8),
        contact_us=state["contact_us"].view(np.int64),
        contacts=state["contacts"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        gaps_ms=state["gaps_ms"].view(np.uint32),
        sizes=state["sizes"].view(np.uint32),
        hour=state["hour"].view(np.int64),
        hours=state["hours"].view(np.uint16),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = _ContactOut(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 3), dtype=np.int64),
        scores=np.empty((n, 6), dtype=np.float64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    given = _ContactRows(keys, times_us, sizes, early, addresses)
    found = _follow(state.index, keyed, given, rules, np.empty(KEPT, dtype=np.int64), out)
    contacts, span_us, from_start = out.numbers[:found].T
    scores = out.scores[:found]
    return Reports(
        at=out.at[:found],
        contacts=contacts,
        span_s=span_us / 1e6,
        from_start=from_start != 0,
        parts=scores[:, :4],
        gap_s=scores[:, 4] / 1000,
        size=scores[:, 5],
        evidence=out.evidence[:found],
    )
