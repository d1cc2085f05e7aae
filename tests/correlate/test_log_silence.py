"""log_silence over made-up sources that come and go, and where there are too many of them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.correlate.fixture import Line, judge, row_fields, rows_of
from tests.detectors.fixture import MONDAY_US

from livesec.core.schema import LogType
from livesec.correlate import log_silence
from livesec.correlate.log_silence import LogSilence, Params, State

LAX = Params(events=3, learn_s=3600, factor=2.0, least_s=600)
LINES = 1500


def story(seed: int) -> list[Line]:
    """Ten hosts in three streams; each speaks for a while, then not; stream 3 is half an hour behind."""
    random = np.random.default_rng(seed)
    lines: list[Line] = []
    time_us = MONDAY_US
    for sequence in range(LINES):
        time_us += int(random.choice([0, 1, 30, 120, 400]) * 1e6)
        speaking = [host for host in range(10) if (sequence // 100 + host) % 4 < 2]
        host = int(random.choice(speaking))
        stream = 1 + host % 3
        log_type = LogType.NETWORK if host % 2 else LogType.LOGIN
        values = row_fields(sequence, time_us - (1_800_000_000 if stream == 3 else 0))
        lines.append((log_type, {"host": f"web{host}", "stream_id": stream, "service": None, **values}))
    return lines


@pytest.mark.no_cover
@pytest.mark.parametrize("bound", [4, 256])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_judges_alike_in_any_batches_and_restored(seed: int, bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_silence, "MAX_SOURCES", bound)
    lines, part = story(seed), LogSilence(LAX)
    whole = judge(part, lines)
    assert len(whole) >= (1 if bound == 4 else 10)
    random = np.random.default_rng(seed)

    def restored(state: State) -> State:
        assert len(state.sources) <= bound
        return part.from_bytes(part.to_bytes(state))

    for pieces in (2, 40, 400):
        starts = [0, *sorted(random.choice(np.arange(1, LINES), size=pieces, replace=False).tolist())]
        assert judge(part, lines, starts) == whole
        assert judge(part, lines, starts, restored) == whole
    assert judge(part, lines, list(range(LINES))) == whole


@pytest.mark.parametrize(("reported", "longest"), [(True, 51), (False, 300)])
def test_a_silence_that_was_reported_teaches_little(reported: bool, longest: int) -> None:
    part, state = LogSilence(Params()), State()

    def speak(sequence: int, minute: int) -> None:
        values = {"host": "web", "stream_id": 1, **row_fields(sequence, MONDAY_US + minute * log_silence.TICK_US)}
        part.step(state, [], rows_of([(LogType.LOGIN, values)]))

    speak(0, 0)
    speak(1, 40)
    (source,) = state.sources.values()
    assert source.longest == 40
    source.reported = reported
    speak(2, 340)
    assert source.longest == longest
    assert not source.reported
