"""daily_cusum against the formula over all days, and against attackers who take their time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import daily_cusum, log_histogram
from livesec.baselines.daily_cusum import LARGEST_Z, MAD_FLOOR, UNIT
from livesec.baselines.kernel_rows import AmountRows
from livesec.baselines.log_histogram import SIGMA_PER_MAD
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

DAY_US = 86_400_000_000
MB = 1_000_000
RULES = daily_cusum.Rules(slack=0.5, limit=5.0, learn_days=7, floor=1, quiet_us=7 * DAY_US, forget_us=90 * DAY_US)


def _levels(volumes: list[int], rules: daily_cusum.Rules = RULES, state: KeyedState | None = None) -> dict[int, float]:
    """S at the days that were reported, of a key with one row a day."""
    n = len(volumes)
    given_rows = AmountRows(
        number_keys(np.ones(n, dtype=np.int64)),
        np.arange(n, dtype=np.int64) * DAY_US + 10_000_000,
        np.array(volumes, dtype=np.int64),
        np.arange(n, dtype=np.int64),
    )
    reports = daily_cusum.add_up(KeyedState(daily_cusum.COLUMNS) if state is None else state, given_rows, rules)
    return dict(zip(reports.at.tolist(), reports.level.tolist(), strict=True))


def _plain(volumes: list[int]) -> list[float]:
    """S at each day, by the formula; median and MAD by the histogram, whose bounds its own tests hold."""
    histogram = log_histogram.histogram_of(state := KeyedState(log_histogram.HISTOGRAM_COLUMNS))
    state.reserve(number_keys(np.ones(1, dtype=np.int64)))
    histogram = log_histogram.histogram_of(state)
    level, levels = 0.0, []
    for day, volume in enumerate(volumes):
        if int(histogram.observations[0]) >= RULES.learn_days:
            median, mad = log_histogram.median_and_mad(histogram, 0)
            z = (math.log(volume + UNIT) - median) / (SIGMA_PER_MAD * max(MAD_FLOOR, mad))
            level = max(0.0, level + min(z, LARGEST_Z) - RULES.slack)
        levels.append(level)
        if level < RULES.limit / 2 or day % 4 == 0:
            log_histogram.learn(histogram, 0, volume + UNIT)
    return levels


VOLUMES = st.lists(st.sampled_from([1, MB // 5, MB, 3 * MB, 20 * MB, 400 * MB]), min_size=1, max_size=40)


@settings(deadline=None, max_examples=examples(200))
@given(VOLUMES)
def test_reported_is_what_the_formula_gives_above_the_limit(volumes: list[int]) -> None:
    levels = _plain(volumes)
    found = _levels(volumes)
    assert found == {day: pytest.approx(levels[day]) for day in found}
    above = [day for day, level in enumerate(levels) if level >= RULES.limit]
    assert list(found)[:1] == above[:1]
    assert set(found) <= set(above)


def _part(rows: AmountRows, start: int, end: int) -> AmountRows:
    return AmountRows(
        rows.keys[start:end], rows.times_us[start:end], rows.amounts[start:end], rows.addresses[start:end]
    )


@settings(deadline=None, max_examples=examples(60))
@given(VOLUMES, st.integers(1, 40))
def test_whatever_the_batches(volumes: list[int], cut: int) -> None:
    rows = AmountRows(
        number_keys(np.ones(len(volumes), dtype=np.int64)),
        np.arange(len(volumes), dtype=np.int64) * DAY_US,
        np.array(volumes, dtype=np.int64),
        np.arange(len(volumes), dtype=np.int64),
    )
    whole = daily_cusum.add_up(KeyedState(daily_cusum.COLUMNS), rows, RULES)
    state = KeyedState(daily_cusum.COLUMNS)
    parts = [
        daily_cusum.add_up(state, _part(rows, start, end), RULES) for start, end in ((0, cut), (cut, len(volumes)))
    ]
    assert [level for part in parts for level in part.level.tolist()] == whole.level.tolist()
    assert [day for part in parts for day in part.days.tolist()] == whole.days.tolist()


def test_an_attacker_who_ramps_up_slowly_is_found() -> None:
    quiet = [MB // 5] * 30
    for factor in (1.2, 1.1, 1.05):
        ramp = [int(MB * factor**day) for day in range(60)]
        found = _levels(quiet + ramp)
        assert found, factor
        stolen = sum(ramp[: next(iter(found)) - len(quiet) + 1])
        assert stolen < 100 * MB


def test_usual_days_are_not_reported() -> None:
    random = np.random.default_rng(7)
    false = sum(len(_levels((MB * np.exp(random.normal(1.0, 1.0, 120))).astype(int).tolist())) for _ in range(40))
    assert false / (40 * 113) < 0.01
