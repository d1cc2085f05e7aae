"""Zeek's ftp.log: commands of FTP sessions with their replies, tab-separated or JSON.

    {"ts":1772409600.25,"uid":"CJ1","id.orig_h":"192.0.2.1",..,"user":"ann","password":"<hidden>","command":"RETR",
     "arg":"ftp://198.51.100.7/report.pdf","file_size":1234,"reply_code":226,"reply_msg":"Transfer complete"}
     (all on one line)

Read: RETR (download), STOR, APPE and STOU (upload), DELE and RMD (delete), RNTO (rename; Zeek tells the old name on a
line of its own), with ts, uid, the client's address, the user, the path in arg, file_size, and the reply: a code below
400 is a success, another a failure that moved nothing. PASS and USER, which Zeek logs where FTP::logged_commands has
them: a reply of 230 is a login, 430 and 530 are failures; the password is never read. Skipped: all other commands
(PASV, PORT, EPSV, ...) and USER with a reply that asks for a password. Not read: the data channel. The log of the FTP
server tells the same with more: watch one of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import Field, Reading, TypedRows, count, repeated, text, typed_rows, whole_number
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import CONNECTION, ORIGINATOR, ORIGINATOR_PORT, TIME

_UNKNOWN_USER: Final = "<unknown>"
_HOST: Final = r"^ftp://(?:\[[^\]/]*\]|[^/]*)"
_ACTIONS: Final = {
    "RETR": "download",
    "STOR": "upload",
    "APPE": "upload",
    "STOU": "upload",
    "DELE": "delete",
    "RMD": "delete",
    "RNTO": "rename",
}
_MOVES: Final = ["download", "upload"]
_LOGINS: Final = ("PASS", "USER")
_OUTCOMES: Final = {"230": "success", "430": "failure", "530": "failure"}
_FIRST_FAILURE: Final = 400
_MAX_CODE: Final = 999


def _user(texts: pl.Series) -> Reading:
    known = texts != _UNKNOWN_USER
    return text(texts if known.all() else keep_where(known, texts))


def _path(texts: pl.Series) -> Reading:
    return text(texts.str.replace(_HOST, ""))


_SESSION: Final = (TIME, CONNECTION, ORIGINATOR, Field("user", "user", _user))
_LOGIN: Final = (*_SESSION, ORIGINATOR_PORT)
_TRANSFER: Final = (
    *_SESSION,
    Field("arg", "path", _path),
    Field("file_size", "bytes", count, "no number of bytes"),
)
_REPLY: Final = whole_number(0, _MAX_CODE)


class ZeekFtp(ZeekLog):
    """FTP sessions that Zeek saw."""

    name = "zeek_ftp"
    title = "Zeek ftp.log (tab-separated or JSON)"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    log = "ftp"
    fields = (*dict.fromkeys(field.name for field in (*_LOGIN, *_TRANSFER)), "command", "reply_code")

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each command that is answered."""
        texts = texts.with_columns(pl.col("command").str.to_uppercase())
        outcome = pl.col("reply_code").replace_strict(_OUTCOMES, default=None, return_dtype=OUTCOME)
        logins = texts.filter(pl.col("command").is_in(_LOGINS) & outcome.is_not_null())
        moves = texts.filter(pl.col("command").is_in(list(_ACTIONS)))
        return [
            (LogType.LOGIN, _logins(logins, logins.select(outcome).to_series())),
            (LogType.FILE_TRANSFER, _transfers(moves)),
        ]


def _logins(texts: pl.DataFrame, outcome: pl.Series) -> TypedRows:
    method = pl.when(pl.col("user") == "anonymous").then(pl.lit("anonymous")).otherwise(pl.lit("password"))
    return typed_rows(
        texts,
        _LOGIN,
        outcome=outcome,
        auth_method=texts.select(method).to_series(),
        service=pl.repeat("ftp", texts.height, dtype=pl.String, eager=True),
        count=repeated(1, texts.height, pl.Int32),
    )


def _transfers(texts: pl.DataFrame) -> TypedRows:
    code = _REPLY(texts["reply_code"]).values
    outcome = pl.when(code < _FIRST_FAILURE).then(pl.lit("success")).when(code.is_not_null()).then(pl.lit("failure"))
    typed = typed_rows(
        texts,
        _TRANSFER,
        action=texts["command"].replace_strict(_ACTIONS, default=None, return_dtype=FILE_ACTION),
        outcome=pl.select(outcome.cast(OUTCOME)).to_series(),
        protocol=pl.repeat("ftp", texts.height, dtype=pl.String, eager=True),
        service=pl.repeat("ftp", texts.height, dtype=pl.String, eager=True),
    )
    moved = pl.col("action").is_in(_MOVES) & (pl.col("outcome") != "failure").fill_null(True)
    return typed._replace(rows=typed.rows.with_columns(pl.when(moved).then("bytes").alias("bytes")))


FORMAT = ZeekFtp()
