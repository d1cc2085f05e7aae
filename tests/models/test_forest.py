"""The compiled scorer against scikit-learn's, and the tail of scores against packets it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]
from tests.models.made import by_hand, packets, trained

from livesec.models.packet_forest import flattened, train
from livesec.models.score_tail import TAIL_SHARE, tail_of


def _fitted(samples: np.ndarray, trees: int = 100) -> IsolationForest:
    return IsolationForest(contamination=0.1, n_estimators=trees, random_state=42).fit(samples)


def test_scores_are_those_of_scikit_learn() -> None:
    fitted = _fitted(packets(1000, 1))
    strange = np.array([[0, 0, 0, 0, 0], [65535, 65535, 1e9, 1e9, 1], [1337, 443, 9000, 5, 0]], dtype=np.float32)
    samples = np.concatenate([packets(5000, 3), strange])
    assert np.abs(flattened(fitted).score_samples(samples) - fitted.score_samples(samples)).max() <= 1e-12


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1 << 31), st.integers(2, 400), st.integers(1, 12), st.booleans())
def test_scores_are_those_of_scikit_learn_for_any_training(seed: int, count: int, trees: int, coarse: bool) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 5)).astype(np.float32)
    training = np.round(values) if coarse else values  # equal samples end in leaves of several
    fitted = _fitted(training, trees)
    samples = random.normal(scale=2.0, size=(50, 5)).astype(np.float32)
    assert np.abs(flattened(fitted).score_samples(samples) - fitted.score_samples(samples)).max() <= 1e-12


def test_what_is_unknown_goes_to_the_right() -> None:
    sample = np.array([[50_000, 443, np.nan, 1.0, 0.0]], dtype=np.float32)
    assert by_hand().forest.score_samples(sample) == pytest.approx([-(2**-0.5)])


def test_scores_do_not_depend_on_the_company() -> None:
    samples = packets(997, 5)
    whole = trained().scores(samples)
    parts = [trained().scores(samples[at : at + 1]) for at in range(len(samples))]
    assert np.array_equal(whole, np.concatenate(parts))


def test_training_twice_gives_the_same() -> None:
    again = train(packets(1000, 1), packets(5000, 2), "a test's packets")
    assert again.offset == trained().offset and again.tail == trained().tail
    assert np.array_equal(again.forest.threshold, trained().forest.threshold)


def test_a_tenth_of_what_it_was_trained_on_is_odd_as_in_the_seed() -> None:
    assert np.mean(trained().scores(packets(1000, 1)) < trained().offset) == pytest.approx(0.1, abs=0.002)


def test_rare_scores_are_at_most_as_frequent_as_the_tail_says() -> None:
    log_p = trained().tail.log_p(trained().scores(packets(100_000, 9)))
    assert np.mean(log_p <= np.log(TAIL_SHARE)) == pytest.approx(TAIL_SHARE, rel=0.5)
    assert np.mean(log_p <= np.log(1e-3)) <= 1.5e-3
    assert np.mean(log_p <= np.log(1e-4)) <= 1e-4


def test_a_tail_is_not_believed_beyond_what_its_scores_can_say() -> None:
    assert by_hand().tail.log_p(np.array([-1.0])) == pytest.approx([-2 * np.log(2002)])


def test_too_few_packets_are_refused() -> None:
    with pytest.raises(ValueError, match="199 packets are too few to train on; 200 are the least"):
        train(packets(199, 1), packets(1000, 2), "few")
    with pytest.raises(ValueError, match="199 scores are too few"):
        tail_of(np.full(199, -0.5))
    with pytest.raises(ValueError, match="too much alike"):
        tail_of(np.full(1000, -0.5))
