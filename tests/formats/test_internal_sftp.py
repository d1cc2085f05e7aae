"""What internal_sftp remembers of sessions, and how much."""

from __future__ import annotations

import json

from tests.formats.fixture import offered_to, time_us

from livesec.core.batch import StreamInfo, batch_of_bytes
from livesec.core.schema import LogType
from livesec.formats.envelope import EnvelopeState
from livesec.formats.internal_sftp import FORMAT, MAX_SESSIONS, STATE_VERSION, Sessions

STREAM = StreamInfo(1, "0" * 16, "auth.log", time_us("2026-03-05T00:00:00Z"))


def users(state: Sessions, lines: list[str]) -> list[str | None]:
    data = "".join(f"Mar  2 00:00:01 files internal-sftp{line}\n" for line in lines).encode()
    batch = batch_of_bytes(STREAM, data)
    _, parsed = FORMAT.parse(state, STREAM, offered_to(FORMAT, batch.lines, EnvelopeState(), STREAM))
    return parsed.rows[LogType.FILE_TRANSFER]["user"].to_list()


def test_the_session_used_longest_ago_makes_way() -> None:
    state: Sessions = {}
    opened = [f"[{pid}]: session opened for local user u{pid} from [192.0.2.1]" for pid in range(MAX_SESSIONS)]
    users(state, opened)
    said = ['[0]: remove name "/x"', "[9999]: session opened for local user new from [192.0.2.1]"]
    assert users(state, said) == ["u0"]
    assert len(state) == MAX_SESSIONS
    assert users(state, ['[0]: remove name "/x"', '[1]: remove name "/x"']) == ["u0", None]


def test_a_restored_state_is_bounded() -> None:
    many = [[f"files:{pid}", "u" * 1000, "192.0.2.1"] for pid in range(MAX_SESSIONS + 5)]
    state = FORMAT.from_bytes(json.dumps({"version": STATE_VERSION, "sessions": many}).encode())
    assert len(state) == MAX_SESSIONS
    assert f"files:{MAX_SESSIONS + 4}" in state
    assert max(len(user) for user, _ in state.values()) < 1000
