"""How much history an entity needs: every statistical detector's own demands, one below, at and above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tests.detectors import traffic

from livesec.core.hashing import number_keys
from livesec.core.maturity import asked_for, mature_keys
from livesec.core.state import KeyedState, touch
from livesec.pipeline.assembly import detector_classes
from livesec.pipeline.detection import run_detector

STATISTICAL = sorted(name for name, kind in detector_classes().items() if kind.statistical)
KNOWN_AT_ONCE = {"impossible_travel", "behavioural_anomaly"}  # two logins; a model that was trained before
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Params:
    """Of an invented detector."""

    learn_windows: int = 20
    learn_s: float = 86_400.0


def _state(windows: list[int], ages_us: list[int]) -> KeyedState:
    state = KeyedState({"first_us": np.int64, "last_us": np.int64, "windows": np.int64})
    keys = number_keys(np.arange(1, len(windows) + 1))
    state.reserve(keys)
    for key, count, age_us in zip(keys, windows, ages_us, strict=True):
        slot, _ = touch(state.index, key)
        state["first_us"].view(np.int64)[slot] = 5
        state["last_us"].view(np.int64)[slot] = 5 + age_us
        state["windows"].view(np.int64)[slot] = count
    return state


def test_all_demands_must_be_met() -> None:
    assert mature_keys(_state([19, 20, 21], [DAY_US] * 3), Params()) == 2
    assert mature_keys(_state([20] * 3, [DAY_US - 1, DAY_US, DAY_US + 1]), Params()) == 2
    assert mature_keys(_state([19, 30], [9 * DAY_US, 9]), Params()) == 0


def test_an_empty_state_and_forgotten_keys_count_nothing() -> None:
    assert mature_keys(KeyedState({"windows": np.int64}), Params()) == 0
    state = _state([30, 30], [DAY_US, 2 * DAY_US])
    state.expire(6 + DAY_US)
    assert mature_keys(state, Params()) == 1


@pytest.mark.parametrize("name", STATISTICAL)
def test_every_statistical_detector_says_when_it_knows_enough(name: str) -> None:
    kind = detector_classes()[name]
    detector = kind(kind.params())
    assert bool(asked_for(detector.initial(), detector.p)) == (name not in KNOWN_AT_ONCE)


@pytest.mark.parametrize("name", sorted(detector_classes()))
def test_entities_known_well_are_never_more_than_those_known(name: str) -> None:
    kind = detector_classes()[name]
    detector, state = kind(kind.params()), kind(kind.params()).initial()
    run_detector(detector, state, traffic.of(kind.log_type, 0))
    assert 0 <= detector.mature(state) <= len(state)
    if not kind.statistical:
        assert detector.mature(state) == len(state)
