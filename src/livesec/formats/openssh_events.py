"""From sshd's messages to the events they state, still without the ties between the lines of one session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from livesec.formats.ip_text import is_ip
from livesec.formats.openssh_messages import MESSAGES, OFFERS, Form, Kind, Messages
from livesec.formats.word_patterns import WordPattern, split_words

MAX_REPEATS = 1_000_000
MAX_PORT = 65_535

_PREAUTH = " [preauth]"
_REPEATED = "message repeated "
_REPEATED_FORM = r"^message repeated (?P<repeats>[0-9]{1,7}) times: \[ ?(?P<repeated>.*)\]$"
_SECOND_ADDRESS = r" from [^ ]+ port [0-9].* from [^ ]+ port [0-9]"
_NEEDS_ADDRESS = (Kind.OPENS, Kind.CLOSED, Kind.CLOSED_EARLY, Kind.DROPPED)
"""Without an address these are not worth a row, or another line of the session tells it with one."""

_CAPTURED = ("user", "src_ip", "src_port", "auth_method", "key_id", "client", "pid")
_STATED: dict[str, type[pl.DataType]] = {
    "line_index": pl.UInt32,
    "kind": pl.Int8,
    "reason": pl.String,
    **dict.fromkeys(_CAPTURED, pl.String),
    "unknown": pl.Boolean,
    "count": pl.Int64,
}


class Events(NamedTuple):
    """What messages state.

    `stated`, in order of line_index: line_index, kind (Int8), user, src_ip (null where the message has none or a host
    name), src_port (Int32), auth_method, key_id, client, reason, pid (Int64; only where the message is about another
    process), count (Int64; how often, if syslog says that it was repeated). `parts`: lines that belong to an attempt
    without being an event. `unusable`: lines that should state an event and cannot be read.
    """

    stated: pl.DataFrame
    parts: pl.Series
    unusable: pl.Series


def read_events(lines: pl.DataFrame) -> Events:
    """The events in `lines` (line_index UInt32, message String; ascending)."""
    left = _unwrapped(lines)
    nothing = left["line_index"].clear()
    parts, unusable = [nothing], [nothing]
    if left["count"].null_count():
        unusable.append(left.filter(pl.col("count").is_null())["line_index"])
        left = left.filter(pl.col("count").is_not_null())
    stated = [pl.DataFrame(schema=_STATED)]
    for messages in MESSAGES:
        own = left["message"].str.starts_with(messages.start)
        if not own.any():
            continue
        mine, left = left.filter(own), left.filter(~own)
        for form, found in _matches(messages, mine):
            if form is None:
                unusable.append(found["line_index"])
            elif form.kind == Kind.PART:
                parts.append(found["line_index"])
            elif form.kind != Kind.NOTHING:
                stated.append(_of_form(form, found))
    events, more_parts = _completed(pl.concat(stated, how="diagonal").sort("line_index"))
    return Events(events, pl.concat([*parts, more_parts]), pl.concat(unusable))


def _unwrapped(lines: pl.DataFrame) -> pl.DataFrame:
    """line_index, message without what others wrapped around it, marked ([preauth]) and count (null: out of range)."""
    lines = lines.with_columns(count=pl.lit(1, dtype=pl.Int64))
    repeated = lines["message"].str.starts_with(_REPEATED)
    if repeated.any():
        form = lines["message"].str.extract_groups(_REPEATED_FORM).struct.unnest()
        repeats = form["repeats"].cast(pl.Int64)
        lines = lines.with_columns(
            message=pl.coalesce(form["repeated"], "message"),
            count=pl.when(repeats.is_null()).then(1).when(repeats.is_between(1, MAX_REPEATS)).then(repeats),
        )
    return lines.select(
        "line_index",
        "count",
        pl.col("message").str.ends_with(_PREAUTH).alias("marked"),
        pl.col("message").str.strip_suffix(_PREAUTH).str.strip_prefix("error: ").str.strip_prefix("fatal: "),
    )


def _matches(messages: Messages, mine: pl.DataFrame) -> Iterator[tuple[Form | None, pl.DataFrame]]:
    """Lines by the form that they match, with its names as columns; under None those that cannot be used."""
    patterns = [form.pattern for form in messages.forms if isinstance(form.pattern, WordPattern)]
    fields = split_words(mine["message"], patterns) if patterns else None
    for form in messages.forms:
        if mine.height == 0:
            return
        if isinstance(form.pattern, WordPattern):
            assert fields is not None
            found = form.pattern.matches(fields)
        ...
