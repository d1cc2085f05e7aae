"""new_peers: the peers it counts are judged as count_tail judges the same counts."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baselines.known_values_plain import PlainKnown

from livesec.baselines import count_tail, new_peers
from livesec.baselines.count_tail import Rules
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, peer
ACQUAINT_S = 7000.0

RULES = Rules(
    window_s=3600,
    quiet_s=7200,
    forget_s=30 * 86_400,
    learn_s=8000,
    learn_windows=3,
    floor=2,
    log_p=math.log(0.01),
    prior_mean=0.25,
)


def _met(rows: list[Row], state: KeyedState | None = None) -> list[tuple[int, int, int]]:
    reports, met = new_peers.count_new(
        KeyedState(new_peers.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        np.arange(len(rows), dtype=np.int64),
        RULES,
        acquaint_s=ACQUAINT_S,
    )
    return list(zip(reports.at.tolist(), reports.count.tolist(), met.tolist(), strict=True))


def _plain(rows: list[Row]) -> list[tuple[int, int, int]]:
    """By count_tail, to which the time of getting acquainted is one moment without a count."""
    first_s: dict[int, float] = {}
    last_s: dict[int, float] = {}
    known: dict[int, PlainKnown] = {}
    met: dict[int, int] = {}
    times_s, weights, all_met = [], [], []
    for key, time_s, peer in rows:
        first_s.setdefault(key, time_s)
        last_s[key] = max(last_s.get(key, time_s), time_s)
        acquainted = last_s[key] - first_s[key] >= ACQUAINT_S
        is_new = known.setdefault(key, PlainKnown()).meet(peer)
        met[key] = met.get(key, 0) + is_new
        times_s.append(last_s[key] if acquainted else first_s[key])
        weights.append(int(is_new and acquainted))
        all_met.append(met[key])
    expected = count_tail.count(
        KeyedState(count_tail.COLUMNS),
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(time_s * 1e6) for time_s in times_s], dtype=np.int64),
        np.array(weights, dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        RULES,
    )
    return [(at, count, all_met[at]) for at, count in zip(expected.at.tolist(), expected.count.tolist(), strict=True)]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 2),
            st.sampled_from([-60.0, 0.0, 300.0, 900.0, 4000.0]),
            st.integers(0, 30).map(lambda number: number << 59 | number),
        ),
        max_size=150,
    ),
    st.integers(0, 150),
)
def test_counts_as_count_tail_does(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([1000.0, *(step for _, step, _ in steps)])[1:].tolist()
    rows = [(key, time_s, peer) for (key, _, peer), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(new_peers.COLUMNS)
    found = _met(rows[:cut], state)
    restored = KeyedState(new_peers.COLUMNS)
    restored.load(state.to_bytes())
    found += [(at + len(rows[:cut]), count, met) for at, count, met in _met(rows[cut:], restored)]
    assert found == _plain(rows)


def test_peers_of_the_first_hours_are_not_news() -> None:
    first = [(1, 10.0 * n, n << 58) for n in range(30)]
    later = [(1, 3600.0 * n, 1 << 58) for n in range(2, 30)]
    burst = [(1, 110_000.0 + n, n << 58 | 9) for n in range(40, 50)]
    assert [(at - 58, count, met) for at, count, met in _met(first + later + burst)] == [(1, 2, 32)]
