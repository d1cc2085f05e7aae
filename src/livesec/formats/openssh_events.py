"""From sshd's messages to the events they state, still without the ties between the lines of one session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.formats.ip_text import canonical_ip
from livesec.formats.openssh_messages import MESSAGES, OFFERS, Form, Kind, Messages
from livesec.formats.text_spans import SPACE, Joined, has_at, joined, parts_of, whole_numbers
from livesec.formats.word_patterns import Matches, match, pattern_table

MAX_REPEATS = 1_000_000
MAX_PORT = 65_535

_COUNT_DIGITS = 7
_UNCOUNTED = 0
_PREAUTH, _ERROR, _FATAL, _REPEATED, _TIMES, _DIGITS = (
    np.frombuffer(text, dtype=np.uint8)
    for text in (b" [preauth]", b"error: ", b"fatal: ", b"message repeated ", b" times: [", b"0123456789")
)
_CLOSE, _LINE_BREAK = b"]\n"
_SOLARIS_START = "[ID "
_SOLARIS_ID = r"^\[ID [0-9]+ [a-z0-9]+\.[a-z]+\] "
_SECOND_ADDRESS = r" from [^ ]+ port [0-9].* from [^ ]+ port [0-9]"
_NEEDS_ADDRESS = (Kind.OPENS, Kind.CLOSED, Kind.CLOSED_EARLY, Kind.DROPPED)
"""Without an address these are not worth a row, or another line of the session tells it with one."""

_CAPTURED: dict[str, type[pl.DataType]] = {
    "user": pl.String,
    "src_ip": pl.String,
    "src_port": pl.Int64,
    "auth_method": pl.String,
    "key_id": pl.String,
    "client": pl.String,
    "pid": pl.Int64,
}
_PORT_END = ":"  # that of `port 4242:11: Bye Bye` comes with what follows it

_TABLE = pattern_table([(messages.start, [pattern for pattern, _ in messages.worded]) for messages in MESSAGES])
_FORMS = [form for messages in MESSAGES for _, form in messages.worded]
"""By the numbers of `_TABLE`. What follows is, too, and has at -1 what is said of no form and no messages."""
_NONE = -1
_KINDS = np.array([*(form.kind_of(marked=True) for form in _FORMS), Kind.NOTHING], dtype=np.int8)
_UNMARKED_KINDS = np.array([*(form.kind_of(marked=False) for form in _FORMS), Kind.NOTHING], dtype=np.int8)
_REASONS = pl.Series([form.reason_of(unknown_user=form.unknown_user) for form in _FORMS], dtype=pl.String)
_UNKNOWN_USERS = np.array([form.unknown_user for form in _FORMS])
_READ_FURTHER = np.array([*(bool(messages.others or messages.claims) for messages in MESSAGES), False])
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
    if lines["message"].str.starts_with(_SOLARIS_START).any():
        lines = lines.with_columns(pl.col("message").str.replace(_SOLARIS_ID, ""))
    whole = joined(lines["message"])
    text = _unwrapped(whole)
    found = match(whole.data, text.starts, text.ends, _TABLE)
    uncounted = text.counts == _UNCOUNTED
    found.group[uncounted], found.pattern[uncounted] = _NONE, _NONE
    unusable = [lines["line_index"].filter(pl.Series(uncounted)).to_frame().with_columns(reason=pl.lit(_BAD_COUNT))]
    kinds = np.where(text.marked, _KINDS[found.pattern], _UNMARKED_KINDS[found.pattern])
    parts_of_attempts = [lines["line_index"].filter(pl.Series(kinds == Kind.PART))]
    stated = [_matched(lines, whole, found, kinds, text.counts)]
    left = np.flatnonzero((found.pattern == _NONE) & _READ_FURTHER[found.group])
    for group in np.unique(found.group[left]):
        rows = left[found.group[left] == group]
        for form, others in _by_form(MESSAGES[group], _texts(lines, whole, text, rows)):
            if form is None:
                unusable.append(others.select("line_index", reason=pl.lit(_CANNOT_READ)))
            elif form.kind == Kind.PART:
                parts_of_attempts.append(others["line_index"])
            elif form.kind != Kind.NOTHING:
                stated.append(_of_form(form, others))
    events = _told(stated[0] if len(stated) == 1 else pl.concat(stated, how="diagonal").sort("line_index"))
    part = events["kind"] == Kind.PART
    if part.any():
        parts_of_attempts.append(events["line_index"].filter(part))
    return Events(events.filter(pl.col("kind") > Kind.PART), pl.concat(parts_of_attempts), pl.concat(unusable))


class _Texts(NamedTuple):
    """Messages without what is wrapped around them; arrays of shape (n,)."""

    starts: NDArray[np.int64]
    """Where each begins in the data."""
    ends: NDArray[np.int64]
    marked: NDArray[np.bool_]
    """[preauth] stood behind it."""
    counts: NDArray[np.int64]
    """How often it was written, _UNCOUNTED if that is out of range."""


def _unwrapped(whole: Joined) -> _Texts:
    size = len(whole.bounds) - 1
    text = _Texts(whole.bounds[:-1].copy(), whole.bounds[1:].copy(), np.empty(size, np.bool_), np.empty(size, np.int64))
    _unwrap(whole.data, *text)
    return text


@kernel
def _unwrap(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    marked: NDArray[np.bool_],
    counts: NDArray[np.int64],
) -> None:
    for row in range(len(starts)):
        start, end, counts[row] = starts[row], ends[row], 1
        if has_at(data, start, end, _REPEATED, 0, len(_REPEATED)):
            start, end, counts[row] = _repeated(data, start, end)
        mark = end - len(_PREAUTH)
        marked[row] = mark >= start and has_at(data, mark, end, _PREAUTH, 0, len(_PREAUTH))
        if marked[row]:
            end = mark
        if has_at(data, start, end, _ERROR, 0, len(_ERROR)):
            start += len(_ERROR)
        if has_at(data, start, end, _FATAL, 0, len(_FATAL)):
            start += len(_FATAL)
        starts[row], ends[row] = start, end


@inner_kernel
def _repeated(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, int]:
    """Start, end and count of what is inside `message repeated 3 times: [ ... ]`; of the text itself if it is none."""
    at = first = start + len(_REPEATED)
    count = 0
    while at < end and data[at] >= _DIGITS[0] and data[at] <= _DIGITS[-1] and at - first < _COUNT_DIGITS:
        count = count * 10 + int(data[at]) - int(_DIGITS[0])
        at += 1
    if at == first or not has_at(data, at, end, _TIMES, 0, len(_TIMES)) or data[end - 1] != _CLOSE:
        return start, end, 1
    at += len(_TIMES)
    for place in range(at, end):
        if data[place] == _LINE_BREAK:
            return start, end, 1
    if data[at] == SPACE:
        at += 1
    return at, end - 1, count if 1 <= count <= MAX_REPEATS else _UNCOUNTED


def _matched(
    lines: pl.DataFrame, whole: Joined, found: Matches, kinds: NDArray[np.int8], counts: NDArray[np.int64]
) -> pl.DataFrame:
    """What messages state that match a pattern of words."""
    rows = np.flatnonzero(kinds > Kind.PART)
    pattern = found.pattern[rows]
    origins = whole.bounds[rows]
    messages = lines["message"].gather(rows)
    columns = {
        "line_index": lines["line_index"].gather(rows),
        "kind": pl.Series(kinds[rows]),
        "reason": _REASONS.gather(pattern),
        "unknown": pl.Series(_UNKNOWN_USERS[pattern]),
        "count": pl.Series(counts[rows]),
    }
    for name, dtype in _CAPTURED.items():
        if name not in _TABLE.names:
            columns[name] = pl.Series([None], dtype=dtype).new_from_index(0, len(rows))
            continue
        place = _TABLE.names.index(name)
        starts, ends = found.starts[rows, place] - origins, found.ends[rows, place] - origins
        if dtype == pl.String:
            columns[name] = parts_of(whole.data, origins, starts, ends)
        else:
            columns[name] = whole_numbers(messages, origins, whole.data, starts, ends, _PORT_END)
    return pl.DataFrame(columns)


def _texts(lines: pl.DataFrame, whole: Joined, text: _Texts, rows: NDArray[np.int64]) -> pl.DataFrame:
    """line_index, count, marked and message, without what is wrapped around it, of the lines at `rows`."""
    origins = whole.bounds[rows]
    return pl.DataFrame(
        {
            "line_index": lines["line_index"].gather(rows),
            "count": text.counts[rows],
            "marked": text.marked[rows],
            "message": parts_of(whole.data, origins, text.starts[rows] - origins, text.ends[rows] - origins),
        }
    )


def _by_form(messages: Messages, left: pl.DataFrame) -> Iterator[tuple[Form | None, pl.DataFrame]]:
    """Lines by the form that they match, with its names as columns; under None those that should have matched one.

    Forms of words are left out: what matches one does not come here.
    """
    for regex, form in messages.others:
        if left.height == 0:
            return
        if "(?P<" in regex:
            columns = left["message"].str.extract_groups(regex).struct.unnest()
            found = columns["src_ip"].is_not_null()
            if form.one_address:
                found &= ~left["message"].str.contains(_SECOND_ADDRESS)
        else:
            found = left["message"].str.contains(regex)
            columns = pl.DataFrame()
        if found.any():
            yield form, pl.concat([left, columns], how="horizontal").filter(found)
            left = left.filter(~found)
    if messages.claims is not None and left.height:
        yield None, left.filter(pl.col("message").str.contains(messages.claims))


def _of_form(form: Form, found: pl.DataFrame) -> pl.DataFrame:
    marked, unmarked = int(form.kind_of(marked=True)), int(form.kind_of(marked=False))
    unknown = pl.col("unknown").is_not_null() if "unknown" in found.columns else pl.lit(False)
    unknown_reason, reason = (pl.lit(form.reason_of(unknown_user=known), dtype=pl.String) for known in (True, False))
    return found.select(
        "line_index",
        pl.when("marked").then(marked).otherwise(unmarked).cast(pl.Int8).alias("kind"),
        pl.when(unknown).then(unknown_reason).otherwise(reason).alias("reason"),
        *(pl.col(name).cast(dtype, strict=False) for name, dtype in _CAPTURED.items() if name in found.columns),
        unknown.alias("unknown"),
        "count",
    ).filter(pl.col("kind") != Kind.NOTHING)


def _told(stated: pl.DataFrame) -> pl.DataFrame:
    """Kinds that depend on more than the form; numbers as such; only addresses as addresses."""
    if (stated["user"] == "").any():
        stated = stated.with_columns(pl.when(pl.col("user") != "").then("user").alias("user"))
    source = canonical_ip(stated["src_ip"])
    address_known = source.is_not_null()
    offered = pl.col("auth_method").is_in(OFFERS)
    interactive = pl.col("auth_method").str.starts_with("keyboard-interactive")
    failed = pl.col("kind") == Kind.FAILED
    kind = (
        pl.when(failed & offered & pl.col("unknown")).then(int(Kind.OFFER_FAILED))
        .when(failed & offered).then(int(Kind.PART))
        .when(failed & interactive).then(int(Kind.INTERACTIVE_FAILED))
        .otherwise("kind").cast(pl.Int8)
    )  # fmt: skip
    told = stated.with_columns(
        kind.alias("kind"),
        source.alias("src_ip"),
        pl.when(pl.col("src_port").is_between(0, MAX_PORT)).then("src_port").cast(pl.Int32).alias("src_port"),
    )
    if address_known.all():
        return told
    return told.filter(pl.col("src_ip").is_not_null() | ~pl.col("kind").is_in(_NEEDS_ADDRESS))
