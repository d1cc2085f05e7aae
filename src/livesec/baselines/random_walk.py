"""Threshold Random Walk (Jung, Paxson, Berger, Balakrishnan 2004): whose first contacts fail too often?

    at a key's first contact with a target, `walk` moves by
        answered   ln((1 - FAIL_SCANNER) / (1 - FAIL_BENIGN)) = -ln 4
        failed     ln(FAIL_SCANNER / FAIL_BENIGN)             = +ln 4
    walk >= ln(detection / false_alarm)                 a scanner; reported, then as its failures grow fourfold; no more
                                                        is added to the walk
    walk <= ln((1 - detection) / (1 - false_alarm))     benign; the walk begins anew at 0

Targets are known as known_values.py keeps them. Three rules tell a quick scan from a slow one, each 0 for off:

    pause_s      the walk begins anew when no first contact came for so long
    half_life_s  walk <- walk * 2^(-dt / half_life_s) at each first contact
    spacing_s    a failure sooner after the last one that counted does not count

The walk is a floating-point number; its steps are taken in the order of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.known_values import KNOWN_COLUMNS, forget_values, meet
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

FAIL_BENIGN = 0.2  # Jung et al.: 1 - theta0
FAIL_SCANNER = 0.8  # and 1 - theta1
_STEP = math.log(FAIL_SCANNER / FAIL_BENIGN)

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "contact_us": np.int64,  # of the last first contact
        "failed_us": np.int64,  # of the last failure that counted
        "walk": np.float64,
        "since_us": np.int64,  # first failure since the walk last began
        "contacts": np.int64,  # first contacts since then
        "failures": np.int64,  # of them those that failed and counted
        "report_at": np.int64,  # failures of the next report; 0 before the first
        "scan_us": np.int64,  # of the last failure that made it a scanner
        **KNOWN_COLUMNS,
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Error rates and times; see above."""

    detection: float
    false_alarm: float
    pause_s: float
    half_life_s: float
    spacing_s: float
    quiet_s: float
    """Pause between failures of a scanner that makes the next another scan."""
    forget_s: float
    """After so long without a row a key is as good as never seen; longer than the others."""


class _WalkState(NamedTuple):
    last_us: NDArray[np.int64]
    contact_us: NDArray[np.int64]
    failed_us: NDArray[np.int64]
    walk: NDArray[np.float64]
    since_us: NDArray[np.int64]
    contacts: NDArray[np.int64]
    failures: NDArray[np.int64]
    report_at: NDArray[np.int64]
    scan_us: NDArray[np.int64]
    known: NDArray[np.uint32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _WalkRows(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    targets: NDArray[np.uint64]
    failed: NDArray[np.bool_]
    addresses: NDArray[np.int64]


class _WalkLimits(NamedTuple):
    high: float
    low: float
    pause_us: int
    half_life_us: int
    spacing_us: int
    quiet_us: int
    forget_us: int


class _WalkOut(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): failures, first contacts, span in us."""
    evidence: NDArray[np.int64]


@kernel
def _restart(keyed: _WalkState, slot: int) -> None:
    keyed.walk[slot] = 0.0
    keyed.contacts[slot] = 0
    keyed.failures[slot] = 0
    keyed.evidence_next[slot] = 0


@kernel
def _begin(keyed: _WalkState, slot: int, time_us: int, limits: _WalkLimits) -> None:
    keyed.last_us[slot] = time_us
    keyed.contact_us[slot] = time_us
    keyed.failed_us[slot] = time_us - limits.spacing_us
    keyed.scan_us[slot] = time_us
    keyed.report_at[slot] = 0
    forget_values(keyed.known, slot)
    _restart(keyed, slot)


@kernel
def _move(keyed: _WalkState, slot: int, now_us: int, failed: bool, address: int, limits: _WalkLimits) -> bool:
    """Take one step; whether it was a failure that counts."""
    passed_us = now_us - keyed.contact_us[slot]
    keyed.contact_us[slot] = now_us
    if limits.pause_us > 0 and passed_us >= limits.pause_us:
        _restart(keyed, slot)
    if limits.half_life_us > 0:
        keyed.walk[slot] *= 0.5 ** (passed_us / limits.half_life_us)
    if failed and now_us - keyed.failed_us[slot] < limits.spacing_us:
        return False
    keyed.contacts[slot] += 1
    if not failed:
        keyed.walk[slot] -= _STEP
        if keyed.walk[slot] <= limits.low:
            _restart(keyed, slot)
        return False
    if keyed.failures[slot] == 0:
        keyed.since_us[slot] = now_us
    keyed.walk[slot] = min(keyed.walk[slot] + _STEP, limits.high)
    keyed.failed_us[slot] = now_us
    keyed.failures[slot] += 1
    remember(keyed.evidence, keyed.evidence_next, slot, address)
    return True


@kernel
def _walk(index: Index, keyed: _WalkState, given: _WalkRows, limits: _WalkLimits, out: _WalkOut) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.forget_us:
            _begin(keyed, slot, time_us, limits)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        if not meet(keyed.known, slot, given.targets[row]):
            continue
        if not _move(keyed, slot, now_us, given.failed[row], given.addresses[row], limits):
            continue
        if keyed.walk[slot] < limits.high:
            continue
        if now_us - keyed.scan_us[slot] >= limits.quiet_us:
            keyed.report_at[slot] = 0
        keyed.scan_us[slot] = now_us
        if keyed.failures[slot] >= keyed.report_at[slot]:
            keyed.report_at[slot] = GROWTH * keyed.failures[slot]
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.failures[slot]
            out.numbers[reports, 1] = keyed.contacts[slot]
            out.numbers[reports, 2] = now_us - keyed.since_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, and of the walk since it began."""

    at: NDArray[np.int64]
    failures: NDArray[np.int64]
    contacts: NDArray[np.int64]
    """First contacts, failures among them."""
    span_s: NDArray[np.float64]
    """From its first failure on."""
    evidence: NDArray[np.int64]
    """(n, 8): the lines of the last failures."""


def walk(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    targets: NDArray[np.uint64],
    failed: NDArray[np.bool_],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Let `keys` (n,) contact `targets` (n,), any 64-bit hashes, in row order; `failed` (n,): without an answer."""
    n = len(keys)
    state.reserve(keys)
    keyed = _WalkState(
        last_us=state["last_us"].view(np.int64),
        contact_us=state["contact_us"].view(np.int64),
        failed_us=state["failed_us"].view(np.int64),
        walk=state["walk"].view(np.float64),
        since_us=state["since_us"].view(np.int64),
        contacts=state["contacts"].view(np.int64),
        failures=state["failures"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        scan_us=state["scan_us"].view(np.int64),
        known=state["known"].view(np.uint32),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    limits = _WalkLimits(
        high=math.log(rules.detection / rules.false_alarm),
        low=math.log((1.0 - rules.detection) / (1.0 - rules.false_alarm)),
        pause_us=int(rules.pause_s * 1e6),
        half_life_us=int(rules.half_life_s * 1e6),
        spacing_us=int(rules.spacing_s * 1e6),
        quiet_us=int(rules.quiet_s * 1e6),
        forget_us=int(rules.forget_s * 1e6),
    )
    out = _WalkOut(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 3), dtype=np.int64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    found = _walk(state.index, keyed, _WalkRows(keys, times_us, targets, failed, addresses), limits, out)
    failures, contacts, span_us = out.numbers[:found].T
    return Reports(out.at[:found], failures, contacts, span_us / 1e6, out.evidence[:found])
