import polars as pl

from livesec.core.finding import Finding
from livesec.core.rows import Rows, make_rows
from livesec.core.schema import LogType
from livesec.correlate.bf_success import CORRELATOR, Params

from .made import finding


def logins(*rows: tuple[int, float, str, str, str]) -> dict[LogType, Rows]:
    """Rows (sequence, time in s, address, user, outcome)."""
    frame = pl.DataFrame(
        {
            "sequence": [row[0] for row in rows],
            "row_in_line": [0] * len(rows),
            "stream_time_us": [int(row[1] * 1e6) for row in rows],
            "event_time_us": [int(row[1] * 1e6) for row in rows],
            "stream_id": [1] * len(rows),
            "line_offset": [row[0] * 100 for row in rows],
            "src_ip": [row[2] for row in rows],
            "user": [row[3] for row in rows],
            "outcome": [row[4] for row in rows],
        }
    )
    return {LogType.LOGIN: make_rows(LogType.LOGIN, frame)}


def found(findings: list[Finding], *rows: tuple[int, float, str, str, str]) -> list[tuple[int, str | None]]:
    part = CORRELATOR(Params())
    return [(item.sequence, item.user) for item in part.step(part.initial(), findings, logins(*rows))]


GUESS = finding("bf_fast", 5, 100, "192.0.2.1", attempts=7)


def test_a_success_after_guessing_is_found_once_with_the_guesses_as_evidence() -> None:
    part = CORRELATOR(Params())
    rows = logins((9, 160, "192.0.2.1", "alice", "success"), (10, 170, "192.0.2.1", "alice", "success"))
    (item,) = part.step(part.initial(), [GUESS], rows)
    assert (item.sequence, item.user, item.src_ip, item.base_severity) == (9, "alice", "192.0.2.1", 99)
    assert item.details == {
        "since_s": 60.0,
        "since": "60 s",
        "detector": "bf_fast",
        "attempts": 7,
        "window": "15 min",
        "mistypes": 10,
    }
    assert item.evidence == ((1 << 40) | 500, (1 << 40) | 900)


def test_look_alikes_are_left_alone() -> None:
    assert found([GUESS], (9, 160, "192.0.2.2", "alice", "success")) == []  # another address
    assert found([GUESS], (9, 160, "192.0.2.1", "alice", "failure")) == []
    assert found([GUESS], (4, 90, "192.0.2.1", "alice", "success")) == []  # before the guessing
    assert found([], (9, 160, "192.0.2.1", "alice", "success")) == []
    assert found([finding("scan_vertical", 5, 100, "192.0.2.1")], (9, 160, "192.0.2.1", "a", "success")) == []


def test_the_window_is_fifteen_minutes() -> None:
    assert found([GUESS], (9, 1000, "192.0.2.1", "alice", "success")) == [(9, "alice")]
    assert found([GUESS], (9, 1000.1, "192.0.2.1", "alice", "success")) == []


def test_it_remembers_across_batches_and_saves() -> None:
    part = CORRELATOR(Params())
    state = part.initial()
    assert part.step(state, [GUESS], logins((6, 101, "192.0.2.1", "root", "failure"))) == []
    state = part.from_bytes(part.to_bytes(state))
    (item,) = part.step(state, [], logins((9, 160, "192.0.2.1", "alice", "success")))
    assert item.details["attempts"] == 7


def test_an_ipv6_guesser_is_its_64() -> None:
    guess = finding("bf_fast", 5, 100, "2001:db8::1", attempts=5)
    assert found([guess], (9, 160, "2001:db8::77", "alice", "success")) == [(9, "alice")]
