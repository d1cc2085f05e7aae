"""Takes the messages of a batch out of their syslog envelopes, once for all formats, and tells JSON from other text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import StreamInfo
from livesec.core.jit import kernel
from livesec.core.text_views import first_bytes
from livesec.formats.envelope import EnvelopeState, decode
from livesec.formats.journald_json import DECODED, MARK
from livesec.formats.rsyslog_json import may_be_rsyslog
from livesec.formats.text_spans import SPACE, joined

_BRACE, _BRACKET, _LESS, _ONE, _T = b"{[<1T"
_MONTHS = np.array([int.from_bytes(name, "big") for name in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()])
_NAME_BYTES = 3
_DATE_CHARACTERS = 10
_CONTINUED = (0x80, 0xBF)  # of a character, all its bytes but the first
_MAY_BE_BLANK = np.isin(np.arange(256), [*b"\t\n\v\f\r ", *range(0x80, 256)])
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
    first = first_bytes(line)
    in_json = first == _BRACE
    if in_json.any() and (in_json | (first == _BRACKET)).all():
        may = in_json
    else:
        may = np.empty(lines.height, dtype=np.bool_)
        _mark_likely(*joined(line), _MONTHS, may)
        may |= in_json
    if in_json.any():
        objects = np.flatnonzero(in_json)
        may[objects] = _may_be_in_json(line if len(objects) == lines.height else line.gather(objects)).to_numpy()
    if not may.all():
        lines = lines.filter(pl.Series(may))
    if lines.height == 0:
        return Unwrapped(_NOTHING, _NOTHING)
    decoded = decode(lines, state, stream)
    timed = decoded["event_time_us"].is_not_null()
    if timed.all():
        return Unwrapped(decoded, decoded.clear())
    return Unwrapped(decoded.filter(timed), decoded.filter(~timed))


@kernel
def _mark_likely(
    data: NDArray[np.uint8], bounds: NDArray[np.int64], months: NDArray[np.int64], out: NDArray[np.bool_]
) -> None:
    """Which lines begin with a month, a priority, the version of RFC 5424 without one, or a date and a T."""
    for row in range(len(out)):
        at, end = bounds[row], bounds[row + 1]
        out[row] = False
        if at == end:
            continue
        out[row] = data[at] == _LESS or (data[at] == _ONE and at + 1 < end and data[at + 1] == SPACE)
        if end - at >= _NAME_BYTES:
            name = (int(data[at]) << 16) | (int(data[at + 1]) << 8) | int(data[at + 2])
            for month in months:
                out[row] |= month == name
        if out[row]:
            continue
        for _ in range(_DATE_CHARACTERS):
            at += 1
            while at < end and _CONTINUED[0] <= data[at] <= _CONTINUED[1]:
                at += 1
        out[row] = at < end and data[at] == _T


def _may_be_in_json(line: pl.Series) -> pl.Series:
    return line.str.contains(MARK, literal=True) | may_be_rsyslog(line)


def is_json(line: pl.Series) -> pl.Series:
    """Which lines begin like a JSON object or array, or go on with one that is written over several lines.

    >>> is_json(pl.Series(['{"a": 1}', "  [", "a,b", ""])).to_list()
    [True, True, False, False]
    """
    first = first_bytes(line)
    opens = (first == _BRACE) | (first == _BRACKET)
    others = np.flatnonzero(_MAY_BE_BLANK[first])
    if len(others):
        start = line.gather(others).str.strip_chars_start().str.head(1)
        opens[others] = ((start == "{") | (start == "[")).to_numpy()
    return pl.Series(opens)
