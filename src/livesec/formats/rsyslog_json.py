"""Syslog messages that rsyslog writes as JSON: one object per line, by its own template `%jsonmesg%` or for logstash.

    {"msg":"...","timereported":"2026-03-02T00:00:01Z","hostname":"web","syslogtag":"sshd[1]:","programname":"sshd"}
    {"@timestamp":"2026-03-02T00:00:01Z","host":"web","severity":"info","syslogtag":"sshd[1]:","message":"..."}

The time is the first there is of timereported, @timestamp and timegenerated; a time without a zone is the stream's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import StreamInfo
from livesec.formats.journald_json import DECODED
from livesec.formats.json_lines import json_fields
from livesec.formats.syslog_time import iso_stamps_us
from livesec.formats.text_times import possible

MARKS: Final = ('"syslogtag"', '"programname"')
"""Each such object has one of these keys,"""
TIME_MARKS: Final = ('"timereported"', '"timegenerated"', '"@timestamp"')
"""and one of these."""

_WANTED: Final = (
    "timereported",
    "@timestamp",
    "timegenerated",
    "hostname",
    "host",
    "programname",
    "program",
    "syslogtag",
    "procid",
    "msg",
    "message",
)
_TIMES: Final = ("timereported", "@timestamp", "timegenerated")
_TAG: Final = r"^([^\[]*?)(?:\[([0-9]+)\])?:?$"


def may_be_rsyslog(line: pl.Series) -> pl.Series:
    """Which lines (all begin with a brace) hold the words of such an object."""
    tagged = line.str.contains(MARKS[0], literal=True) | line.str.contains(MARKS[1], literal=True)
    if not tagged.any():
        return tagged
    timed = line.str.contains(TIME_MARKS[0], literal=True)
    for mark in TIME_MARKS[1:]:
        timed |= line.str.contains(mark, literal=True)
    return tagged & timed


def decode_rsyslog(lines: pl.DataFrame, stream: StreamInfo) -> pl.DataFrame:
    """The objects among `lines` (line_index, line), in order, as `envelope.decode` gives them.

    Lines that are none, or have no message, are left out; a time that is none is null.
    """
    lines = lines.filter(may_be_rsyslog(lines["line"]))
    if lines.height == 0:
        return pl.DataFrame(schema=DECODED)
    found = json_fields(lines, {name: (name,) for name in _WANTED}).fields
    tag = pl.col("syslogtag").str.strip_chars()
    told = found.select(
        "line_index",
        pl.coalesce(_TIMES).fill_null("").alias("stamp"),
        _filled("hostname", "host").alias("host"),
        pl.coalesce(_filled("programname", "program"), tag.str.extract(_TAG, 1).replace("", None)).alias("program"),
        pl.coalesce(tag.str.extract(_TAG, 2), "procid").cast(pl.Int64, strict=False).alias("pid"),
        # rsyslog keeps the blank behind the tag as a part of the message.
        pl.coalesce("msg", "message").str.strip_prefix(" ").alias("message"),
        known=pl.any_horizontal(pl.col(*_TIMES).is_not_null())
        & pl.any_horizontal(pl.col("syslogtag", "programname").is_not_null()),
    ).filter(pl.col("known") & pl.col("message").is_not_null())
    times_us: np.ndarray[tuple[int], np.dtype[np.int64]] = iso_stamps_us(told["stamp"], stream.time_zone)
    return told.with_columns(possible(pl.Series("event_time_us", times_us))).select(*DECODED)


def _filled(*names: str) -> pl.Expr:
    return pl.coalesce(pl.when(~pl.col(name).is_in(["", "-"])).then(pl.col(name)) for name in names)
