"""Takes the messages of a batch out of their syslog envelopes, once for all formats, and tells JSON from other text."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from livesec.core.batch import StreamInfo
from livesec.formats.envelope import EnvelopeState, decode
from livesec.formats.journald_json import DECODED, MARK
from livesec.formats.rsyslog_json import may_be_rsyslog
from livesec.formats.text_starts import begins_between, begins_with

# What an envelope starts with: a month, a priority, the version of RFC 5424 without one, a date with a T, a JSON entry.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE_BYTES = 10
_NOTHING = pl.DataFrame(schema=DECODED)


@dataclass(frozen=True)
class Unwrapped:
    """A batch of lines, those with an envelope apart from those without."""

    messages: pl.DataFrame
    """As `envelope.decode` gives them, only those with a time that can be read."""
    timeless: pl.DataFrame
    """As `messages`, those without one."""


def unwrap(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> Unwrapped:
    """The syslog messages and journal entries among `lines` (line_index, line); `state` is carried on."""
    line = lines["line"]
    in_json = begins_with(line, "{")
    if in_json.any() and (in_json | begins_with(line, "[")).all():
        lines = lines.filter(in_json & _may_be_in_json(line))
    else:
        may = _may_be_wrapped(line, in_json)
        lines = lines if may.all() else lines.filter(may)
    if lines.height == 0:
        return Unwrapped(_NOTHING, _NOTHING)
    decoded = decode(lines, state, stream)
    timed = decoded["event_time_us"].is_not_null()
    if timed.all():
        return Unwrapped(decoded, decoded.clear())
    return Unwrapped(decoded.filter(timed), decoded.filter(~timed))


def _may_be_wrapped(line: pl.Series, in_json: pl.Series) -> pl.Series:
    may = begins_between(line, "A", "[")
    if may.any():
        may = line.str.head(3).is_in(_MONTHS)
        if may.all():
            return may
    may |= begins_with(line, "<") | begins_with(line, "1 ")
    dated = begins_between(line, "19", "3")
    if dated.any():
        may |= dated & (line.str.slice(_DATE_BYTES, 1) == "T")
    return may | (in_json & _may_be_in_json(line)) if in_json.any() else may


def _may_be_in_json(line: pl.Series) -> pl.Series:
    return line.str.contains(MARK, literal=True) | may_be_rsyslog(line)


def is_json(line: pl.Series) -> pl.Series:
    """Which lines begin like a JSON object or array, or go on with one that is written over several lines.

    >>> is_json(pl.Series(['{"a": 1}', "  [", "a,b", ""])).to_list()
    [True, True, False, False]
    """
    plain = begins_with(line, "{") | begins_with(line, "[")
    may_be_indented = ~begins_between(line, "!", "\x7f")  # or empty, or not ASCII, which has blanks too
    if not may_be_indented.any():
        return plain
    start = line.str.strip_chars_start().str.head(1)
    return (start == "{") | (start == "[")
