"""The ties between sshd's lines where the fixture cannot show them: many sessions, pauses, process numbers reused."""

from __future__ import annotations

import numpy as np
import polars as pl
from tests.formats.fixture import offered_to, time_us

from livesec.core.batch import StreamInfo, batch_of_bytes
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.formats.envelope import EnvelopeState
from livesec.formats.openssh import FORMAT
from livesec.formats.openssh_sessions import MAX_SESSIONS

STREAM = StreamInfo(1, "0" * 16, "auth.log", time_us("2026-03-05T00:00:00Z"))


def rows_of(lines: list[str], state: KeyedState | None = None) -> pl.DataFrame:
    data = "".join(line + "\n" for line in lines).encode()
    state = FORMAT.initial(STREAM) if state is None else state
    messages = offered_to(FORMAT, batch_of_bytes(STREAM, data).lines, EnvelopeState(), STREAM)
    return FORMAT.parse(state, STREAM, messages)[1].rows[LogType.LOGIN]


def attempts(lines: list[str]) -> int:
    rows = rows_of(lines)
    return int(rows.filter(pl.col("outcome") != "success")["count"].sum())


def invalid(pid: int, port: int | None = 4242, clock: str = "00:00:00", host: str = "web01") -> str:
    tail = "" if port is None else f" port {port}"
    return f"Mar  2 {clock} {host} sshd[{pid}]: Invalid user admin from 192.0.2.1{tail}"


def failed(pid: int, port: int = 4242, clock: str = "00:00:02", host: str = "web01") -> str:
    return f"Mar  2 {clock} {host} sshd[{pid}]: Failed password for invalid user admin from 192.0.2.1 port {port} ssh2"


def test_two_lines_of_one_try_count_once() -> None:
    assert attempts([invalid(1), failed(1)]) == 1
    assert attempts([invalid(1), failed(1), failed(1)]) == 2


def test_sessions_are_told_apart_by_process_host_and_port() -> None:
    assert attempts([invalid(1), failed(2)]) == 2
    assert attempts([invalid(1), failed(1, host="web02")]) == 2
    assert attempts([invalid(1), failed(1, port=4243)]) == 2
    assert attempts([invalid(1, port=None), failed(1)]) == 1  # before OpenSSH 7 the first line has no port


def test_a_pause_longer_than_any_login_takes_makes_another_session() -> None:
    assert attempts([invalid(1), failed(1, clock="00:59:59")]) == 1
    assert attempts([invalid(1), failed(1, clock="01:00:01")]) == 2


def test_a_process_number_used_again_after_the_end() -> None:
    end = "Mar  2 00:00:03 web01 sshd[1]: Connection closed by invalid user admin 192.0.2.1 port 4242 [preauth]"
    assert attempts([invalid(1), failed(1), end]) == 1
    assert attempts([invalid(1), end, failed(1)]) == 2


def test_lines_without_a_process_are_not_tied() -> None:
    assert attempts([invalid(1).replace("[1]", ""), failed(1).replace("[1]", "")]) == 2


def test_memory_is_bounded_and_recent_sessions_are_kept() -> None:
    state = FORMAT.initial(STREAM)
    first = [invalid(pid) for pid in range(5 * MAX_SESSIONS)]
    assert rows_of(first, state).height == 5 * MAX_SESSIONS
    assert len(state) <= MAX_SESSIONS
    recent = range(5 * MAX_SESSIONS - 1000, 5 * MAX_SESSIONS)
    assert rows_of([failed(pid) for pid in recent], state).height == 0
    assert len(FORMAT.to_bytes(state)) < 1 << 19


def test_count_is_never_below_one() -> None:
    lines = [
        invalid(1),
        "Mar  2 00:00:02 web01 sshd[1]: message repeated 1 times: [ " + failed(1).split(": ", 1)[1] + "]",
    ]
    assert np.all(rows_of(lines)["count"].to_numpy() == 1)
