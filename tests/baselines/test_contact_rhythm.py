"""contact_rhythm against a plain reading of its rules."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baselines import test_rita_score as plain_score

from livesec.baselines import contact_rhythm
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

RULES = contact_rhythm.Rules(least_contacts=8, least_score=0.5, least_timing=0.6, forget_s=86_400)
EARLY_S = 110_000.0
STEPS_S = st.sampled_from([-50.0, 0.0, 0.5, 600.0, 600.0, 600.0, 620.0, 1800.0, 5000.0, 30_000.0, 90_000.0])
Row = tuple[int, float, int]  # key, seconds, size
Report = tuple[int, int, bool, float]  # row, contacts, from start, score


def follow(rows: list[Row], state: KeyedState) -> list[Report]:
    reports = contact_rhythm.follow(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.array([row[1] < EARLY_S for row in rows], dtype=np.bool_),
        np.arange(len(rows), dtype=np.int64),
        RULES,
    )
    scores = reports.parts.mean(axis=1).round(9).tolist()
    return list(zip(reports.at.tolist(), reports.contacts.tolist(), reports.from_start.tolist(), scores, strict=True))


@dataclass
class Pair:
    first_s: float
    last_s: float
    from_start: bool
    contacts: list[tuple[float, int]] = field(default_factory=list)
    report_at: int = 0


def score_of(pair: Pair, hour: int) -> tuple[float, float, int]:
    times = [time_s for time_s, _ in pair.contacts]
    hours = [sum(1 for time_s in times if time_s // 3600 == number) for number in range(hour - 24, hour)]
    gaps = [int(round((after - before) * 1e6) // 1000) for before, after in itertools.pairwise(times)]
    timing = plain_score.regularity(gaps[-64:], 10_000, 1000)
    sizes = plain_score.regularity([size for _, size in pair.contacts][-64:], 10, 1)
    parts = (timing, sizes, plain_score.duration(hours), plain_score.histogram(hours) if any(hours) else 0.0)
    return sum(parts) / 4, timing, sum(1 for contacts in hours if contacts)


def plain(rows: list[Row]) -> list[Report]:
    pairs: dict[int, Pair] = {}
    reports = []
    for at, (key, time_s, size) in enumerate(rows):
        pair = pairs.get(key)
        if pair is None or time_s - pair.last_s >= RULES.forget_s:
            pair = pairs[key] = Pair(time_s, time_s, time_s < EARLY_S)
        before_s, pair.last_s = pair.last_s, max(pair.last_s, time_s)
        if pair.last_s // 3600 != before_s // 3600:
            total, timing, hours = score_of(pair, int(pair.last_s // 3600))
            known = len(pair.contacts)
            enough = hours >= 6 and known >= max(RULES.least_contacts, pair.report_at)
            if enough and total >= RULES.least_score and timing >= RULES.least_timing:
                pair.report_at = 4 * known
                reports.append((at, known, pair.from_start, round(total, 9)))
        if not pair.contacts or pair.last_s - pair.contacts[-1][0] >= 1:
            pair.contacts.append((pair.last_s, size))
    return reports


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 2, 3]), STEPS_S, st.sampled_from([400, 410, 500, 9000]), st.integers(1, 12)
        ),
        max_size=30,
    ),
    st.integers(0, 200),
)
def test_as_the_plain_rules(steps: list[tuple[int, float, int, int]], cut: int) -> None:
    rows: list[Row] = []
    time_s = 100_000.0
    for key, step_s, size, repeats in steps:
        for _ in range(repeats):
            time_s += step_s
            rows.append((key, time_s, size))
    state = KeyedState(contact_rhythm.COLUMNS)
    found = follow(rows[:cut], state)
    found += [
        (at + len(rows[:cut]), contacts, start, score) for at, contacts, start, score in follow(rows[cut:], state)
    ]
    assert found == plain(rows)


def test_what_began_early_stays_so() -> None:
    for first_s, early in ((EARLY_S - 1, True), (EARLY_S, False)):
        rows = [(1, first_s + 600 * n, 1) for n in range(70)]
        assert [start for _, _, start, _ in follow(rows, KeyedState(contact_rhythm.COLUMNS))] == [early]
