"""volume_and_count: each half judges as window_volume and count_tail do on their own."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import count_tail, volume_and_count, window_volume
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, bytes
MB = 10**6

VOLUMES = window_volume.Rules(
    window_s=3600,
    quiet_s=7200,
    forget_s=30 * 86_400,
    learn_s=0,
    learn_windows=5,
    floor=10 * MB,
    factor=2.0,
    z=2.5,
    once_per_window=False,
)
COUNTS = count_tail.Rules(
    window_s=3600,
    quiet_s=7200,
    forget_s=30 * 86_400,
    learn_s=0,
    learn_windows=5,
    floor=4,
    log_p=math.log(0.01),
    prior_mean=1.0,
    once_per_window=False,
)


def _fill(rows: list[Row], state: KeyedState | None = None) -> volume_and_count.Reports:
    keys, times_us, amounts, addresses = _arrays(rows)
    state = KeyedState(volume_and_count.COLUMNS) if state is None else state
    return volume_and_count.fill(state, keys, times_us, amounts, addresses, VOLUMES, COUNTS)


def _arrays(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return (
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
    )


@settings(deadline=None, max_examples=examples(60))
@given(
    st.lists(
        st.tuples(
            st.integers(1, 2),
            st.sampled_from([1.0, 60.0, 900.0, 4000.0]),
            st.sampled_from([10 * MB, 11 * MB, 40 * MB, 900 * MB]),
        ),
        max_size=120,
    ),
    st.integers(0, 120),
)
def test_reports_are_those_of_both_halves(steps: list[Row], cut: int) -> None:
    """Every row reaches the volume's floor, so the number is judged at each."""
    times_s = np.cumsum([0.0, *(step for _, step, _ in steps)])[1:].tolist()
    rows = [(key, time_s, amount) for (key, _, amount), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(volume_and_count.COLUMNS)
    found = _fill(rows[:cut], state).volumes.at.tolist()
    restored = KeyedState(volume_and_count.COLUMNS)
    restored.load(state.to_bytes())
    found += [at + len(rows[:cut]) for at in _fill(rows[cut:], restored).volumes.at.tolist()]
    keys, times_us, amounts, addresses = _arrays(rows)
    large = window_volume.fill(KeyedState(window_volume.COLUMNS), keys, times_us, amounts, addresses, VOLUMES).at
    ones = np.ones(len(rows), dtype=np.int64)
    many = count_tail.count(KeyedState(count_tail.COLUMNS), keys, times_us, ones, addresses, COUNTS).at
    assert found == sorted({*large.tolist(), *many.tolist()})


def _usual(hours: int, amount: int) -> list[Row]:
    return [(1, 7200.0 * hour, amount) for hour in range(hours)]


def test_many_pieces_within_the_usual_volume() -> None:
    drip = [(1, 800_000.0 + 50 * number, 9 * MB) for number in range(60)]
    reports = _fill(_usual(100, 500 * MB) + drip)
    assert reports.counts.count.tolist() == [5, 20]  # usually one; 5 come once in 200 such hours
    assert (reports.volumes.offended == 0).all()
    assert (reports.counts.log_p <= COUNTS.log_p).all()


def test_one_piece_beyond_the_usual_volume() -> None:
    reports = _fill([*_usual(100, 2 * MB), (1, 800_000.0, 2000 * MB)])
    assert reports.volumes.at.tolist() == [100]
    assert reports.counts.log_p.tolist() == [0.0]


def test_many_small_files_below_the_floor_are_nobodys_business() -> None:
    assert len(_fill(_usual(100, 1000) + [(1, 800_000.0 + n, 1000) for n in range(500)]).volumes.at) == 0
