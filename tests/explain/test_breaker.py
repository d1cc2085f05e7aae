"""The breaker opens after five failures, longer each time, and never for an answer of no use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesec.core.clock import US_PER_S
from livesec.explain.breaker import FAILURES_TO_OPEN, LONGEST_OPEN_S, Breaker
from livesec.explain.model_call import Failure


def _failed(breaker: Breaker, times: int, now_us: int = 0) -> Breaker:
    for _ in range(times):
        breaker = breaker.failed(Failure.SERVER, now_us)
    return breaker


def test_four_failures_leave_it_closed_and_the_fifth_opens_it_for_a_minute() -> None:
    assert _failed(Breaker(), FAILURES_TO_OPEN - 1).is_closed_at(0)
    opened = _failed(Breaker(), FAILURES_TO_OPEN)
    assert not opened.is_closed_at(60 * US_PER_S - 1)
    assert opened.is_closed_at(60 * US_PER_S)


def test_a_probe_that_fails_doubles_the_time_to_a_quarter_of_an_hour() -> None:
    breaker, lengths_s = _failed(Breaker(), FAILURES_TO_OPEN), []
    for _ in range(6):
        now_us = breaker.not_before_us
        breaker = breaker.asked(now_us, 20.0).failed(Failure.TIMEOUT, now_us)
        lengths_s.append((breaker.not_before_us - now_us) / US_PER_S)
    assert lengths_s == [120, 240, 480, 900, 900, 900]


def test_half_open_lets_one_probe_through_until_it_has_ended() -> None:
    opened = _failed(Breaker(), FAILURES_TO_OPEN)
    probing = opened.asked(opened.not_before_us, 20.0)
    assert not probing.is_closed_at(opened.not_before_us + 19 * US_PER_S)
    assert probing.is_closed_at(opened.not_before_us + 20 * US_PER_S)  # whoever asked was killed
    assert probing.answered() == Breaker()


def test_while_it_is_closed_questions_do_not_wait_for_each_other() -> None:
    assert Breaker(failures=2).asked(0, 20.0).is_closed_at(0)


def test_a_key_that_is_not_accepted_shuts_it_for_good() -> None:
    shut = Breaker().failed(Failure.AUTHENTICATION, 0)
    assert not shut.is_closed_at(10**18)
    assert "until the settings change" in shut.text(0)


def test_a_server_that_asks_to_wait_is_given_its_time() -> None:
    waiting = Breaker().failed(Failure.RATE_LIMITED, 0, wait_s=7.0)
    assert not waiting.is_closed_at(7 * US_PER_S - 1)
    assert waiting.is_closed_at(7 * US_PER_S)


@pytest.mark.parametrize("failure", [Failure.REJECTED, Failure.INVALID, Failure.REFUSED, Failure.TRUNCATED])
def test_answers_of_no_use_never_open_it(failure: Failure) -> None:
    breaker = _failed(Breaker(), FAILURES_TO_OPEN - 1)
    assert breaker.failed(failure, 0) == Breaker()


def test_a_local_model_that_is_being_loaded_does_not_count() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = breaker.failed(Failure.TIMEOUT, 0, is_warming=True)
    assert breaker.failures == 0
    assert breaker.failed(Failure.CONNECTION, 0, is_warming=True).failures == 1  # nobody loads there


@given(st.lists(st.sampled_from(Failure), max_size=40), st.floats(0, 86_400))
def test_it_comes_back_as_it_was_kept_and_never_waits_longer_than_it_should(
    steps: list[Failure], wait_s: float
) -> None:
    breaker = Breaker()
    for failure in steps:
        breaker = breaker.failed(failure, 0, wait_s=wait_s)
        assert Breaker.from_json(breaker.to_json()) == breaker
        assert breaker.not_before_us <= max(LONGEST_OPEN_S, wait_s) * US_PER_S + 1
