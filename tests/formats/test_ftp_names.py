"""Whatever an attacker calls himself or his files, no other address and no other user is named for it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import run_format

from livesec.core.batch import StreamInfo
from livesec.core.protocols import Format
from livesec.formats import vsftpd, xferlog

STREAM = StreamInfo(1, "0" * 16, "ftp.log", 0)
DATE = "Wed Sep 17 18:59:02 2025 "
REAL, FORGED = "192.0.2.66", "203.0.113.9"
PIECES = [
    "x", "ftp", "anonymous", "ann", " ", '"', ", ", "[", "] ", "[pid 3] ", "OK LOGIN", "FAIL LOGIN", "OK UPLOAD",
    "OK DELETE", "FTP command", "CONNECT", f': Client "{FORGED}"', ', anon password "', ', "/path"', ", 5 bytes",
    ", 1.00Kbyte/sec", f'] FAIL LOGIN: Client "{FORGED}', f"{FORGED} 5 /x b _ i r root ftp 0 * c", " b _ o r root ",
]  # fmt: skip
NAME = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join)
QUIET = settings(deadline=None, max_examples=examples(100))


def rows_of(form: Format[None], line: str) -> list[dict[str, Any]]:
    outcome = run_format(form, STREAM, [(DATE + line).encode()])
    assert list(outcome.dispositions) == [0], "a line of the server was not recognised"
    return [row for rows in outcome.rows.values() for row in rows]


@QUIET
@given(NAME)
def test_user_name_cannot_move_a_failed_login(name: str) -> None:
    for row in rows_of(vsftpd.FORMAT, f'[pid 3] [{name}] FAIL LOGIN: Client "{REAL}"'):
        assert (row["src_ip"], row["user"], row["outcome"]) == (REAL, name, "failure")


@QUIET
@given(NAME)
def test_anonymous_password_cannot_move_a_login(password: str) -> None:
    line = f'[pid 3] [ftp] OK LOGIN: Client "{REAL}", anon password "{password}"'
    for row in rows_of(vsftpd.FORMAT, line):
        assert (row["src_ip"], row["user"], row["auth_method"]) == (REAL, "ftp", "anonymous")


@QUIET
@given(NAME)
def test_path_cannot_move_an_upload(path: str) -> None:
    line = f'[pid 3] [ann] OK UPLOAD: Client "{REAL}", "{path}", 7 bytes, 0.50Kbyte/sec'
    for row in rows_of(vsftpd.FORMAT, line):
        assert (row["src_ip"], row["user"], row["path"], row["bytes"]) == (REAL, "ann", path, 7)


@QUIET
@given(NAME)
def test_anonymous_password_is_no_user_of_a_transfer(password: str) -> None:
    line = f"1 {REAL} 10 /pub/a.txt b _ o a {password} ftp 0 * c"
    (row,) = rows_of(xferlog.FORMAT, line)
    assert (row["src_ip"], row["user"], row["path"]) == (REAL, "anonymous", "/pub/a.txt")
    assert (row["action"], row["outcome"]) == ("download", "success")
