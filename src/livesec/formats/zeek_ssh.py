"""Zeek's ssh.log: logins over SSH as the network sees them, tab-separated or JSON.

    {"ts":1772409600.25,"uid":"CJ1","id.orig_h":"192.0.2.1",..,"auth_success":false,"auth_attempts":3,"client":"SSH-2.0-Go"}

Read: ts, uid, the client's address and port, auth_success (T success, F failure; unset, where Zeek could not tell:
attempt), auth_attempts, and the client's own name. A failure counts the attempts that Zeek saw, at least one; what
came before a success may have been a second factor, so it counts once. Users are encrypted: there are none.
Not read: the server's address and name, algorithms, host keys, the place that Zeek looked up. The log of the SSH server
tells the same logins with their users: for servers whose own log is watched this one makes every login two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import OUTCOME, LogType
from livesec.formats.typed_fields import Field, TypedRows, text, typed_rows, whole_number
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import CONNECTION, ORIGINATOR, ORIGINATOR_PORT, TIME, is_true

_MAX_ATTEMPTS: Final = 1_000_000
_FIELDS: Final = (
    TIME,
    CONNECTION,
    ORIGINATOR,
    ORIGINATOR_PORT,
    Field("client", "client", text),
    Field("auth_attempts", "count", whole_number(0, _MAX_ATTEMPTS, pl.Int32), "no number of attempts (0 to 1000000)"),
)


class ZeekSsh(ZeekLog):
    """Logins over SSH that Zeek saw."""

    name = "zeek_ssh"
    title = "Zeek ssh.log (tab-separated or JSON)"
    log_types = (LogType.LOGIN,)
    log = "ssh"
    fields = (*(field.name for field in _FIELDS), "auth_success")

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each connection."""
        success = is_true(texts["auth_success"])
        outcome = pl.when(success).then(pl.lit("success")).when(~success).then(pl.lit("failure"))
        typed = typed_rows(
            texts,
            _FIELDS,
            outcome=pl.select(outcome.otherwise(pl.lit("attempt")).cast(OUTCOME)).to_series(),
            service=pl.repeat("ssh", texts.height, dtype=pl.String, eager=True),
        )
        attempts = pl.when(pl.col("outcome") == "failure").then(pl.col("count").clip(lower_bound=1))
        return [(LogType.LOGIN, typed._replace(rows=typed.rows.with_columns(count=attempts.fill_null(1))))]


FORMAT = ZeekSsh()
