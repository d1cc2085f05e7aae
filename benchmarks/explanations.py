"""How fast findings become anomalies: scored, described and explained by the deterministic writer, on one core.

Findings are those of every detector's fixture but the seed's. Measured twice, for much of a text can be kept for the
next one that is alike: with the same findings again and again, as a noisy source gives them, and with each figure,
address, account and hour new in each, which is worse than logs are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tests.explain.found_in_fixtures import Judge, all_found

from benchmarks.figure import Figure, median
from benchmarks.measurement import Bench
from livesec.core.anomaly import EvidenceLine
from livesec.core.batch import unpack_address
from livesec.core.clock import US_PER_S
from livesec.core.finding import Finding, Scalar
from livesec.core.settings import Settings
from livesec.pipeline.scoring import Scorer

FINDINGS = 50_000
RUNS = 3
_OF_EACH = 4  # findings of a detector's fixture
_USERS = 5_000
_APART_US = 7 * US_PER_S

Given = tuple[Finding, tuple[EvidenceLine, ...]]


def _samples() -> tuple[list[Finding], dict[str, Judge]]:
    """Some findings of each detector, the detectors in turns; and the detectors."""
    by_detector: dict[str, list[Finding]] = {}
    parts: dict[str, Judge] = {}
    for found in all_found():
        if not found.case.startswith("seed_"):
            by_detector.setdefault(found.finding.detector, []).append(found.finding)
            parts.setdefault(found.finding.detector, found.part)
    turns = [own[turn % len(own)] for turn in range(_OF_EACH) for own in by_detector.values()]
    return turns, parts


def _varied(value: Scalar, number: int) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value + number % 97
    return value * (1 + number % 1009 / 1000) if isinstance(value, float) else value


def _another(finding: Finding, number: int) -> Finding:
    """Like `finding`, with an address, account, hour and figures of its own."""
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return replace(
        finding,
        sequence=number,
        event_time_us=finding.event_time_us + number * _APART_US,
        src_ip=finding.src_ip and address,
        user=finding.user and f"user{number % _USERS}",
        details={name: _varied(value, number) for name, value in finding.details.items()},
    )


def _given(findings: Iterable[Finding]) -> list[Given]:
    return [
        (item, tuple(EvidenceLine(*unpack_address(address), 0, b"") for address in item.evidence)) for item in findings
    ]


def _rate(scorer: Scorer, given: Sequence[Given]) -> float:
    """Anomalies a second."""
    began = time.perf_counter()
    for finding, lines in given:
        scorer.anomaly(finding, "", lines)
    return len(given) / (time.perf_counter() - began)


def measure(bench: Bench) -> list[Figure]:
    """Median of RUNS runs of each."""
    samples, parts = _samples()
    count = bench.size(FINDINGS, 2_000)
    scorer = Scorer(Settings(), parts)
    again, new = [], []
    for run in range(RUNS):
        again.append(_rate(scorer, _given(samples[at % len(samples)] for at in range(count))))
        numbers = range(run * count, (run + 1) * count)
        new.append(_rate(scorer, _given(_another(samples[at % len(samples)], at) for at in numbers)))
        bench.say(f"explanations: {again[-1]:,.0f} alike, {new[-1]:,.0f} all different")
    what = f"one core; {len(parts)} detectors and correlators in turns, scored and described too"
    return [
        Figure("explanations, findings that repeat", median(again), "a second", at_least=20_000, note=what),
        Figure("  all figures and names different", median(new), "a second", at_least=20_000, note=what),
    ]
