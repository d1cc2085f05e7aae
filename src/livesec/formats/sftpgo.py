"""SFTPGo's JSON log: logins and transfers over SFTP, FTP and WebDAV.

    {"level":"debug","time":"2026-03-02T00:00:01.250","sender":"connection_failed","client_ip":"192.0.2.1","username":..}
    {"level":"info","time":"2026-03-02T00:00:02.250","sender":"Upload","size_bytes":1234,"file_path":"/srv/a",..}

Read: the senders `login` and `connection_failed`, and the message `User "ann" logged in with ..` that other versions
write in place of `login`, as logins (a client that tried nothing is an attempt); Upload and Download, with the time
they took, and Remove, Rmdir and Rename as file transfers. A transfer with an error failed. Skipped: all other senders
and messages. Not read: the log in colours for people. Times without a zone are in that of the source
(`--log-utc-time` writes one). In the message, names stand in Go's quotes: a quote inside is escaped and ends nothing.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import (
    Field,
    TypedRows,
    count,
    divided,
    ip_address,
    lower_text,
    needed,
    repeated,
    seconds,
    text,
    time,
    typed_rows,
)

_HEAD: Final = r'^\{"level":"[a-z]+","time":"[^"]*","sender":"'
_NAMES: Final = (
    *("time", "sender", "connection_id", "message", "username", "client_ip", "ip", "login_type", "method", "protocol"),
    *("error", "client", "remote_addr", "elapsed_ms", "size_bytes", "file_path", "target_path"),
)
_WANTED: Final[dict[str, Path]] = {name: (name,) for name in _NAMES}
_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_LOGGED_IN: Final = rf'^User {_QUOTED} logged in with {_QUOTED},? from ip "([^"]*)"(?:, client version {_QUOTED})?'
_ACTIONS: Final = {
    "Upload": "upload",
    "Download": "download",
    "Remove": "delete",
    "Rmdir": "delete",
    "Rename": "rename",
}
_LOGIN, _FAILED = "login", "connection_failed"
_REASONS: Final = {"invalid credentials": "bad_credentials"}
_NOTHING_TRIED: Final = "no_auth_tried"
_ENDPOINT: Final = r"^(?:\[([^\]]*)\](?::[0-9]+)?|([0-9.]+)(?::[0-9]+)?|([0-9A-Fa-f:]+(?:[0-9.]*)))$"


_TEXTS: Final = (
    Field("user", "user", text),
    Field("source", "src_ip", ip_address),
    Field("connection_id", "session_id", text),
    Field("service", "service", text),
)
_LOGINS: Final = (*_TEXTS, Field("how", "auth_method", text), Field("program", "client", text))
_TRANSFERS: Final = (
    *_TEXTS,
    Field("file_path", "path", needed(text), "missing"),
    Field("old", "old_path", text),
    Field("size_bytes", "bytes", count, "no number of bytes"),
    Field("elapsed_s", "duration_s", seconds, "no span of time"),
    Field("protocol", "protocol", lower_text),
)


class SftpGo(StatelessFormat):
    """Logins and transfers of SFTPGo."""

    name = "sftpgo"
    title = "SFTPGo (JSON)"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.JSON
    order = 45

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take SFTPGo's events."""
        own = lines["line"].str.contains(_HEAD)
        if not own.any():
            return NOTHING_PARSED
        found = json_fields(lines if own.all() else lines.filter(own), _WANTED)
        events = _prepared(found.fields)
        when = Field(
            "time", "event_time_us", time(lambda texts: iso_us(texts, stream.time_zone)), "no time that can be read"
        )
        logins = _logins(events.filter(pl.col("sender").is_in([_LOGIN, _FAILED]) | pl.col("said")), when)
        transfers = _transfers(events.filter(pl.col("sender").is_in(list(_ACTIONS))), when)
        used = pl.concat([logins.rows["line_index"], transfers.rows["line_index"]]).sort()
        known = [_LOGIN, _FAILED, *_ACTIONS]
        others = events.filter(~(pl.col("sender").is_in(known).fill_null(False) | pl.col("said")))
        return Parsed(
            {LogType.LOGIN: logins.rows, LogType.FILE_TRANSFER: transfers.rows},
            consumed=used.to_numpy(),
            skipped=others["line_index"].to_numpy(),
            rejects=pl.concat([no_rejects(), found.failed, logins.rejects, transfers.rejects]).sort("line_index"),
        )


def _prepared(fields: pl.DataFrame) -> pl.DataFrame:
    """With what a login's message says, and whether one does."""
    logs_in = pl.col("message").str.starts_with("User ") & pl.col("sender").is_in(["SSH", "FTP", "DAV", "HTTP"])
    said = pl.when(logs_in).then(pl.col("message")).str.extract_groups(_LOGGED_IN)
    names = ("1", "2", "3", "4")
    parts = {f"said_{name}": said.struct.field(name) for name in names}
    return fields.with_columns(**parts, service=pl.lit("sftpgo")).with_columns(said=pl.col("said_3").is_not_null())


def _logins(events: pl.DataFrame, when: Field) -> TypedRows:
    texts = events.with_columns(
        user=pl.coalesce("said_1", "username"),
        source=pl.coalesce("said_3", "client_ip", "ip"),
        how=pl.coalesce("said_2", "method", pl.when(pl.col("login_type") != _NOTHING_TRIED).then("login_type")),
        program=pl.coalesce("said_4", "client"),
    )
    failed = pl.col("sender") == _FAILED
    tried = pl.col("login_type").fill_null("") != _NOTHING_TRIED
    outcome = pl.when(~failed).then(pl.lit("success")).when(tried).then(pl.lit("failure")).otherwise(pl.lit("attempt"))
    reason = pl.when(tried).then(pl.col("error").replace(_REASONS)).otherwise(pl.lit("preauth_close"))
    typed = typed_rows(
        texts,
        (when, *_LOGINS),
        outcome=texts.select(outcome.cast(OUTCOME)).to_series(),
        count=repeated(1, texts.height, pl.Int32),
    )
    why = texts.select("line_index", reason=pl.when(failed).then(reason))  # typed_rows has a `reason` of its own
    return TypedRows(typed.rows.join(why, on="line_index", how="left", maintain_order="left"), typed.rejects)


def _transfers(events: pl.DataFrame, when: Field) -> TypedRows:
    ends = events["remote_addr"].str.extract_groups(_ENDPOINT)
    renamed = pl.col("target_path").is_not_null() & (pl.col("target_path") != "") & (pl.col("sender") == "Rename")
    texts = events.with_columns(
        pl.when(renamed).then("target_path").otherwise("file_path").alias("file_path"),
        pl.when(renamed).then("file_path").alias("old"),
        pl.coalesce(*(pl.lit(ends.struct.field(name)) for name in ("1", "2", "3"))).alias("source"),
        pl.col("username").alias("user"),
        divided(events["elapsed_ms"].cast(pl.Float64, strict=False), 1000).cast(pl.String).alias("elapsed_s"),
    )
    moved = pl.col("sender").is_in(["Upload", "Download"])
    texts = texts.with_columns(pl.when(moved).then("size_bytes"), pl.when(moved).then("elapsed_s"))
    failed = pl.col("error").fill_null("") != ""
    outcome = pl.when(failed).then(pl.lit("failure")).otherwise(pl.lit("success")).cast(OUTCOME)
    action = pl.col("sender").replace_strict(_ACTIONS, default=None, return_dtype=FILE_ACTION)
    return typed_rows(
        texts,
        (when, *_TRANSFERS),
        action=texts.select(action).to_series(),
        outcome=texts.select(outcome).to_series(),
    )


FORMAT = SftpGo()
