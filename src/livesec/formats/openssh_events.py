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

_HEAD = min(len(messages.start) for messages in MESSAGES)
_PREAUTH = " [preauth]"
_REPEATED = "message repeated "
_REPEATED_FORM = r"^message repeated (?P<repeats>[0-9]{1,7}) times: \[ ?(?P<repeated>.*)\]$"
_MAPPED = r"^::[fF]{4}:([0-9.]+)$"  # IPv4 on a socket for both: the same host as without it
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


_CANNOT_READ = "an sshd message about a login attempt that is cut off or not of a known form"
_BAD_COUNT = f"repeated more often than {MAX_REPEATS:,} times, or never"


class Events(NamedTuple):
    """What messages state.

    `stated`, in order of line_index: line_index, kind (Int8), reason, user, src_ip (null where the message has none or
    a host name), src_port (Int32), auth_method, key_id, client, pid (Int64; only where the message is about another
    process), count (Int64; how often, where syslog says that it was repeated). `parts`: lines that belong to an attempt
    without being an event. `unusable`: line_index and reason of lines that state an event and cannot be read.
    """

    stated: pl.DataFrame
    parts: pl.Series
    unusable: pl.DataFrame


def read_events(lines: pl.DataFrame) -> Events:
    """The events in `lines` (line_index UInt32, message String; ascending)."""
    left = _unwrapped(lines)
    unusable = [left.filter(pl.col("count").is_null()).select("line_index", reason=pl.lit(_BAD_COUNT))]
    if unusable[0].height:
        left = left.filter(pl.col("count").is_not_null())
    parts = [left["line_index"].clear()]
    stated = [pl.DataFrame(schema=_STATED)]
    heads = set(left["message"].str.slice(0, _HEAD).unique())
    for messages in MESSAGES:
        if messages.start[:_HEAD] not in heads:
            continue
        own = left["message"].str.starts_with(messages.start)
        if not own.any():
            continue
        mine, left = left.filter(own), left.filter(~own)
        for form, found in _by_form(messages, mine):
            if form is None:
                unusable.append(found.select("line_index", reason=pl.lit(_CANNOT_READ)))
            elif form.kind == Kind.PART:
                parts.append(found["line_index"])
            elif form.kind != Kind.NOTHING:
                stated.append(_of_form(form, found))
    events = _told(pl.concat(stated, how="diagonal").sort("line_index"))
    part = events["kind"] == Kind.PART
    if part.any():
        parts.append(events["line_index"].filter(part))
    return Events(events.filter(pl.col("kind") > Kind.PART), pl.concat(parts), pl.concat(unusable))


def _unwrapped(lines: pl.DataFrame) -> pl.DataFrame:
    """line_index, message without what is wrapped around it, marked ([preauth]) and count (null: out of range)."""
    lines = lines.with_columns(count=pl.lit(1, dtype=pl.Int64))
    repeated = lines["message"].str.starts_with(_REPEATED)
    if repeated.any():
        wrapped = lines.filter(repeated)
        form = wrapped["message"].str.extract_groups(_REPEATED_FORM).struct.unnest()
        repeats = pl.lit(form["repeats"].cast(pl.Int64))
        unwrapped = wrapped.with_columns(
            message=form["repeated"].zip_with(form["repeated"].is_not_null(), wrapped["message"]),
            count=pl.when(repeats.is_null()).then(1).when(repeats.is_between(1, MAX_REPEATS)).then(repeats),
        )
        lines = pl.concat([lines.filter(~repeated), unwrapped]).sort("line_index")
    return lines.select(
        "line_index",
        "count",
        pl.col("message").str.ends_with(_PREAUTH).alias("marked"),
        pl.col("message").str.strip_suffix(_PREAUTH).str.strip_prefix("error: ").str.strip_prefix("fatal: "),
    )


def _by_form(messages: Messages, left: pl.DataFrame) -> Iterator[tuple[Form | None, pl.DataFrame]]:
    """Lines by the form that they match, with its names as columns; under None those that should have matched one."""
    patterns = [form.pattern for form in messages.forms if isinstance(form.pattern, WordPattern)]
    fields = split_words(left["message"], patterns) if patterns else pl.DataFrame()
    for form in messages.forms:
        if left.height == 0:
            return
        if isinstance(form.pattern, WordPattern):
            found = form.pattern.matches(fields)
            columns = form.pattern.columns(fields)
            fields = fields.filter(~found)
        elif "(?P<" in form.pattern:
            columns = left["message"].str.extract_groups(form.pattern).struct.unnest()
            found = columns["src_ip"].is_not_null()
            if form.one_address:
                found &= ~left["message"].str.contains(_SECOND_ADDRESS)
        else:
            found = left["message"].str.contains(form.pattern)
            columns = pl.DataFrame()
        if found.any():
            yield form, pl.concat([left, columns], how="horizontal").filter(found)
            left = left.filter(~found)
    if messages.claims is not None and left.height:
        yield None, left.filter(pl.col("message").str.contains(messages.claims))


def _of_form(form: Form, found: pl.DataFrame) -> pl.DataFrame:
    unmarked = form.kind if form.unmarked is None else form.unmarked
    kind = pl.when("marked").then(int(form.kind)).otherwise(int(unmarked))
    unknown = pl.col("unknown").is_not_null() if "unknown" in found.columns else pl.lit(form.unknown_user)
    stated = found.select(
        "line_index",
        (pl.lit(int(form.kind)) if unmarked == form.kind else kind).cast(pl.Int8).alias("kind"),
        pl.lit(form.reason, dtype=pl.String).alias("reason"),
        *(name for name in _CAPTURED if name in found.columns),
        unknown.alias("unknown"),
        "count",
    )
    return stated if unmarked == form.kind else stated.filter(pl.col("kind") != Kind.NOTHING)


def _told(stated: pl.DataFrame) -> pl.DataFrame:
    """Kinds and reasons that depend on more than the form; numbers as such; only addresses as addresses."""
    if stated["src_ip"].str.starts_with("::").any():
        stated = stated.with_columns(pl.col("src_ip").str.replace(_MAPPED, "${1}"))
    address_known = is_ip(stated["src_ip"])
    offered = pl.col("auth_method").is_in(OFFERS)
    interactive = pl.col("auth_method").str.starts_with("keyboard-interactive")
    failed = pl.col("kind") == Kind.FAILED
    kind = (
        pl.when(failed & offered & pl.col("unknown")).then(int(Kind.OFFER_FAILED))
        .when(failed & offered).then(int(Kind.PART))
        .when(failed & interactive).then(int(Kind.INTERACTIVE_FAILED))
        .otherwise("kind").cast(pl.Int8)
    )  # fmt: skip
    reason = (
        pl.when(pl.col("kind") == Kind.ACCEPTED).then(None)
        .when("unknown").then(pl.lit("invalid_user"))
        .otherwise(pl.col("reason").fill_null("bad_credentials"))
    )  # fmt: skip
    # The port of `port 4242:11: Bye Bye` comes with what follows it.
    port = pl.col("src_port").str.splitn(":", 2).struct.field("field_0").cast(pl.Int32, strict=False)
    told = stated.with_columns(
        kind.alias("kind"),
        reason.alias("reason"),
        pl.when(address_known).then("src_ip").alias("src_ip"),
        pl.when(port.is_between(0, MAX_PORT)).then(port).alias("src_port"),
        pl.col("pid").cast(pl.Int64, strict=False),
    )
    if address_known.all():
        return told
    return told.filter(pl.col("src_ip").is_not_null() | ~pl.col("kind").is_in(_NEEDS_ADDRESS))
