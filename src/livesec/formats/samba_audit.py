"""Samba's vfs_full_audit through syslog, with `full_audit:prefix = %u|%I|%S`.

    smbd_audit[7]: ann|192.0.2.1|share|openat|ok|w|dir/report.pdf

Read: `openat` as reads (r) and uploads (w), without sizes, which Samba does not log; `unlinkat` as deletes, `renameat`
as renames; `fail (..)` as failures. Skipped: all other operations. Not read: other prefixes, and Samba's own log files.
Names may hold the `|` between the fields: a rename that can be read in two ways is a reject.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.ip_text import is_ip
from livesec.formats.stateless import StatelessFormat
from livesec.formats.typed_fields import address

_ACTIONS: Final = {"unlinkat": "delete", "renameat": "rename"}
_OPENS: Final = {"r": "read", "w": "upload"}


class SambaAudit(StatelessFormat):
    """What clients did to files of a Samba server."""

    name = "samba_audit"
    title = "Samba vfs_full_audit through syslog"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.SYSLOG
    order = 25

    def owns(self, program: str) -> bool:
        """The name that the module logs under."""
        return program == "smbd_audit"

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the operations among the messages."""
        if lines.height == 0:
            return NOTHING_PARSED
        parts = lines["message"].fill_null("").str.splitn("|", 6).struct.unnest()
        source = address(parts["field_1"]).values
        operation = parts["field_3"]
        opened = parts["field_5"].str.splitn("|", 2).struct
        mode, opened_path = opened.field("field_0"), opened.field("field_1")
        renamed = parts["field_5"].str.splitn("|", 2).struct
        events = lines.with_columns(
            user=pl.when(parts["field_0"] != "").then(parts["field_0"]),
            src_ip=source,
            operation=operation,
            result=parts["field_4"],
            rest=parts["field_5"],
            mode=mode,
            opened=opened_path,
            old_path=pl.when(operation == "renameat").then(renamed.field("field_0")),
            address=is_ip(source),
        )
        wanted = pl.col("operation").is_in(["openat", *_ACTIONS]).fill_null(False)
        skipped = events.filter(~wanted)["line_index"].to_numpy()
        rename, is_open = pl.col("operation") == "renameat", pl.col("operation") == "openat"
        action = pl.when(is_open).then(pl.col("mode").replace_strict(_OPENS, default=None, return_dtype=pl.String))
        bars = pl.col("rest").str.count_matches("|", literal=True)
        known = (pl.col("result") == "ok") | pl.col("result").str.starts_with("fail")
        events = events.filter(wanted).with_columns(
            path=pl.when(is_open | rename).then("opened").otherwise("rest"),
            action=action.otherwise(pl.col("operation").replace_strict(_ACTIONS, default=None, return_dtype=pl.String)),
            outcome=pl.when(pl.col("result") == "ok").then(pl.lit("success")).otherwise(pl.lit("failure")),
            known=known.fill_null(False),
        )
        reason = (
            pl.when(~pl.col("address"))
            .then(pl.lit("no address in the second field; expected the prefix %u|%I|%S"))
            .when(~pl.col("known") | pl.col("action").is_null() | (pl.col("path").fill_null("") == ""))
            .then(pl.lit("an operation that is not whole; cut short?"))
            .when(rename & (bars > 1))
            .then(pl.lit("a rename that can be read in two ways"))
        )
        events = events.with_columns(problem=reason)
        rows = events.filter(pl.col("problem").is_null()).select(
            *("line_index", "event_time_us", "host", "user", "src_ip", "path", "old_path"),
            pl.col("action").cast(FILE_ACTION),
            pl.col("outcome").cast(OUTCOME),
            protocol=pl.lit("smb"),
            service=pl.lit("smbd"),
        )
        rejects = events.filter(pl.col("problem").is_not_null()).select("line_index", reason="problem")
        return Parsed({LogType.FILE_TRANSFER: rows}, rows["line_index"].to_numpy(), skipped, rejects)


FORMAT = SambaAudit()
