"""Takes the messages of a batch out of their syslog envelopes, once for all formats, and tells JSON from other text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import StreamInfo
from livesec.core.jit import kernel
from livesec.core.text_views import arrow_text
from livesec.formats.envelope import EnvelopeState, decode
from livesec.formats.journald_json import DECODED, MARK
from livesec.formats.rsyslog_json import may_be_rsyslog
from livesec.formats.text_starts import begins_between, begins_with

# What an envelope starts with: a month, a priority, the version of RFC 5424 without one, a date with a T, a JSON entry.
_MONTHS = np.array([int.from_bytes(name, "big") for name in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()])
_MONTH_BYTES = 3
_DATE_BYTES = 10
_A, _Z, _PRIORITY, _ONE, _SPACE, _T = b"AZ<1 T"
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
    out = np.empty(len(line), dtype=np.bool_)
    _mark_envelopes(*arrow_text(line), out)
    may = pl.Series(out)
    return may | (in_json & _may_be_in_json(line)) if in_json.any() else may


@kernel
def _mark_envelopes(data: NDArray[np.uint8], bounds: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    for row in range(len(out)):
        at, size = bounds[row], bounds[row + 1] - bounds[row]
        out[row] = size > _DATE_BYTES and data[at + _DATE_BYTES] == _T
        if size < _MONTH_BYTES or out[row]:
            continue
        first = data[at]
        if first == _PRIORITY or (first == _ONE and data[at + 1] == _SPACE):
            out[row] = True
        elif first >= _A and first <= _Z:
            name = (int(first) << 16) | (int(data[at + 1]) << 8) | int(data[at + 2])
            for month in _MONTHS:
                out[row] |= name == month


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
