"""new_destination against a plain reading of its rules."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import new_destination
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

DAY_S = 86_400
EARLY_S = 1_040_000.0
RULES = new_destination.Rules(floor=1000, most_days=2, most_sources=2, forget_s=5 * DAY_S)
Row = tuple[int, float, int, int, int]  # destination, seconds, source, sent, received
Report = tuple[int, int, int, int, int, bool]  # row, sent, received, sources, days, from start


def send(rows: list[Row], state: KeyedState, rules: new_destination.Rules) -> list[Report]:
    reports = new_destination.send(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        np.array([row[3] for row in rows], dtype=np.int64),
        np.array([row[4] for row in rows], dtype=np.int64),
        np.array([row[1] < EARLY_S for row in rows], dtype=np.bool_),
        np.arange(len(rows), dtype=np.int64),
        rules,
    )
    columns = (reports.at, reports.sent, reports.received, reports.sources, reports.days, reports.from_start)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass
class Use:
    sent: int = 0
    received: int = 0
    report_at: int = 0


@dataclass
class Destination:
    last_s: float
    from_start: bool
    days: set[int] = field(default_factory=set)
    users: dict[int, Use] = field(default_factory=dict)
    others: int = 0


def plain(rows: list[Row], least_days: int) -> list[Report]:
    known: dict[int, Destination] = {}
    reports = []
    for at, (name, time_s, source, sent, received) in enumerate(rows):
        there = known.get(name)
        if there is None or time_s - there.last_s >= RULES.forget_s:
            there = known[name] = Destination(time_s, time_s < EARLY_S)
        there.last_s = max(there.last_s, time_s)
        there.days.add(int(there.last_s // DAY_S))
        if len(there.days) > 2:
            continue
        if source not in there.users:
            if len(there.users) == 4:
                there.others = 1
                continue
            there.users[source] = Use()
        use = there.users[source]
        if len(there.users) + there.others > 2:
            continue
        use.sent += max(sent, 0)
        use.received += max(received, 0)
        if len(there.days) >= least_days and use.sent >= max(1000, use.report_at) and use.sent > use.received:
            use.report_at = 4 * use.sent
            reports.append((at, use.sent, use.received, len(there.users), len(there.days), there.from_start))
    return reports


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from([-5.0, 0.0, 60.0, 3599.0, 3600.0, 40_000.0, 5.0 * DAY_S]),
            st.sampled_from([1, 1, 1, 2, 3, 4, 5, 6]),
            st.sampled_from([-1, 0, 400, 999, 1000, 5000]),
            st.sampled_from([0, 0, 300, 2000]),
        ),
        max_size=60,
    ),
    st.integers(0, 60),
    st.integers(1, 2),
)
def test_as_the_plain_rules(steps: list[Row], cut: int, least_days: int) -> None:
    rules = RULES._replace(least_days=least_days)
    times_s = np.cumsum([1e6, *(step[1] for step in steps)])[1:].tolist()
    rows = [
        (name, time_s, source, sent, received)
        for (name, _, source, sent, received), time_s in zip(steps, times_s, strict=True)
    ]
    state = KeyedState(new_destination.COLUMNS)
    found = send(rows[:cut], state, rules)
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in send(rows[cut:], state, rules)]
    assert found == plain(rows, least_days)


def test_more_sources_than_are_kept_cannot_be_asked_for() -> None:
    nothing = np.empty(0, dtype=np.int64)
    keys = np.empty(0, dtype=np.uint64)
    with pytest.raises(ValueError, match="most_sources 5"):
        new_destination.send(
            KeyedState(new_destination.COLUMNS),
            keys,
            nothing,
            keys,
            nothing,
            nothing,
            np.empty(0, dtype=np.bool_),
            nothing,
            RULES._replace(most_sources=5),
        )
