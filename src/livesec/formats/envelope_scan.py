"""Where the parts of syslog lines lie, found in one compiled pass: see `envelope`, which makes columns of them.

All places are bytes from the start of the line. What is written decides, never whether it makes sense: times are read
later, and a stamp of the right shape that is none still makes a syslog line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.formats.syslog_time import BSD_CHARACTERS
from livesec.formats.text_spans import SPACE, Joined, word_end

NONE, JSON, RFC3164, RFC3339, RFC5424 = range(5)
"""What a line is: no syslog, perhaps a journal entry or rsyslog's record, a line with one of three envelopes."""

STAMP, HOST, PROGRAM, PID, MESSAGE = range(5)
"""Parts. RFC 3164 has its stamp in `Scan.bsd`."""

_A, _Z, _LOWER_A, _LOWER_Z, _ZERO, _ONE, _TWO, _NINE = b"AZaz0129"
_COLON, _DOT, _DASH, _QUOTE, _BACKSLASH, _OPEN, _CLOSE, _LESS, _MORE, _BRACE = b""":.-"\\[]<>{"""
_ASCII = 0x7F
_PRIORITY_DIGITS = 3
_MICROSECOND_DIGITS = 6
_BYTE_ORDER_MARK = np.frombuffer(b"\xef\xbb\xbf", dtype=np.uint8)


class Scan(NamedTuple):
    """What n lines are."""

    kinds: NDArray[np.uint8]
    """Shape (n,)."""
    starts: NDArray[np.int64]
    """Where each part begins, -1 where the line has none; shape (parts, n)."""
    ends: NDArray[np.int64]
    bsd: NDArray[np.uint8]
    """The stamps of RFC 3164 lines, each padded to `Mar  2 13:06:56`; shape (n, 15)."""
    fraction_us: NDArray[np.int64]
    """What some write behind them; shape (n,)."""

    def at(self, rows: NDArray[np.int64]) -> Scan:
        """The same of some of the lines."""
        return Scan(self.kinds[rows], self.starts[:, rows], self.ends[:, rows], self.bsd[rows], self.fraction_us[rows])


def scan(lines: Joined) -> Scan:
    """Look at each of `lines`, none with a line break inside."""
    rows = len(lines.bounds) - 1
    starts, ends = np.full((2, MESSAGE + 1, rows), -1, dtype=np.int64)
    bsd = np.empty((rows, BSD_CHARACTERS), dtype=np.uint8)
    found = Scan(np.empty(rows, dtype=np.uint8), starts, ends, bsd, np.zeros(rows, dtype=np.int64))
    _scan(*lines, found.kinds, starts, ends, bsd, found.fraction_us)
    return found


@kernel
def _scan(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    bsd: NDArray[np.uint8],
    fraction_us: NDArray[np.int64],
) -> None:
    for row in range(len(kinds)):
        first, end = bounds[row], bounds[row + 1]
        kinds[row] = NONE
        at = _behind_priority(data, first, end)
        if at == end:
            continue
        if data[at] == _BRACE:
            kinds[row] = JSON
        elif data[at] == _ONE and at + 1 < end and data[at + 1] == SPACE:
            if _read_5424(data, first, at, end, starts[:, row], ends[:, row]):
                kinds[row] = RFC5424
        elif data[at] == _TWO or (data[at] == _ONE and at + 1 < end and data[at + 1] == _NINE):
            kinds[row] = RFC3339
            stop = word_end(data, at, end)
            starts[STAMP, row], ends[STAMP, row] = at - first, stop - first
            _read_tag(data, first, min(stop + 1, end), end, starts[:, row], ends[:, row])
        else:
            at, fraction_us[row] = _behind_bsd(data, at, end, bsd[row])
            if at >= 0:
                kinds[row] = RFC3164
                _read_tag(data, first, at, end, starts[:, row], ends[:, row])


@inner_kernel
def _digits_end(data: NDArray[np.uint8], at: int, end: int, most: int) -> int:
    """Where the digits from `at` on end, `most` at the most."""
    end = min(end, at + most)
    while at < end and data[at] >= _ZERO and data[at] <= _NINE:
        at += 1
    return at


@inner_kernel
def _behind_priority(data: NDArray[np.uint8], at: int, end: int) -> int:
    """The place behind `<38>`, `at` where there is none."""
    if at == end or data[at] != _LESS:
        return at
    stop = _digits_end(data, at + 1, end, _PRIORITY_DIGITS)
    return stop + 1 if stop > at + 1 and stop < end and data[stop] == _MORE else at


@inner_kernel
def _behind_bsd(data: NDArray[np.uint8], at: int, end: int, bsd: NDArray[np.uint8]) -> tuple[int, int]:
    """The place behind the stamp at `at` and the space after it, and its fraction of a second; (-1, 0) without one."""
    shaped = end - at > BSD_CHARACTERS and data[at + BSD_CHARACTERS] == SPACE
    if shaped:
        bits = 0
        for place in range(BSD_CHARACTERS):
            bsd[place] = data[at + place]
            bits |= int(data[at + place])
        shaped = bits <= _ASCII
        if shaped and _A <= data[at] <= _Z and data[at + BSD_CHARACTERS - 1] != SPACE:
            return at + BSD_CHARACTERS + 1, 0
    stop, fraction_us = _loose_bsd(data, at, end, bsd)
    if stop >= 0:
        return stop, fraction_us
    return (at + BSD_CHARACTERS + 1 if shaped else -1), 0


@inner_kernel
def _is_month(data: NDArray[np.uint8], at: int) -> bool:
    """Whether a capital and two small letters stand at `at`."""
    if data[at] < _A or data[at] > _Z:
        return False
    for place in range(at + 1, at + 3):  # noqa: SIM110  # kernels have no all()
        if data[place] < _LOWER_A or data[place] > _LOWER_Z:
            return False
    return True


@inner_kernel
def _loose_bsd(data: NDArray[np.uint8], at: int, end: int, bsd: NDArray[np.uint8]) -> tuple[int, int]:
    """As `_behind_bsd`, as some write it: one space before a day of one digit, or a fraction behind the seconds."""
    if end - at < BSD_CHARACTERS or not _is_month(data, at) or data[at + 3] != SPACE:
        return -1, 0
    day = at + (5 if data[at + 4] == SPACE else 4)
    clock = _digits_end(data, day, end, 2) + 1
    stop = clock + 8
    if clock == day + 1 or stop >= end or data[clock - 1] != SPACE:
        return -1, 0
    for place in range(clock, stop, 3):
        if _digits_end(data, place, end, 2) != place + 2 or (place + 2 < stop and data[place + 2] != _COLON):
            return -1, 0
    fraction_us = 0
    behind = stop
    if data[stop] == _DOT:
        behind = _digits_end(data, stop + 1, end, end)
        if behind == stop + 1:
            return -1, 0
        for place in range(stop + 1, stop + 1 + _MICROSECOND_DIGITS):
            fraction_us = fraction_us * 10 + (int(data[place]) - _ZERO if place < behind else 0)
    if behind >= end or data[behind] != SPACE:
        return -1, 0
    bsd[:] = SPACE
    for place in range(3):
        bsd[place] = data[at + place]
    for behind_day in range(1, clock - day):
        bsd[6 - behind_day] = data[clock - 1 - behind_day]
    for place in range(8):
        bsd[7 + place] = data[clock + place]
    return behind + 1, fraction_us


@inner_kernel
def _read_tag(
    data: NDArray[np.uint8], first: int, at: int, end: int, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> None:
    """The parts of `host tag: message` or `tag: message`, where a tag is `program` or `program[pid]`."""
    stop = word_end(data, at, end)
    if stop == at or data[stop - 1] != _COLON:
        starts[HOST], ends[HOST] = at - first, stop - first
        at = min(stop + 1, end)
        stop = word_end(data, at, end)
        if stop == at or data[stop - 1] != _COLON:
            starts[MESSAGE], ends[MESSAGE] = at - first, end - first
            return
    starts[MESSAGE], ends[MESSAGE] = min(stop + 1, end) - first, end - first
    last = stop - 1
    if last > at and data[last - 1] == _CLOSE:
        last -= 1
    starts[PROGRAM] = at - first
    while at < last and data[at] != _OPEN:
        at += 1
    ends[PROGRAM] = at - first
    if at < last:
        starts[PID], ends[PID] = at + 1 - first, last - first


@inner_kernel
def _read_5424(
    data: NDArray[np.uint8], first: int, at: int, end: int, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> bool:
    """The parts of `1 stamp host program pid id data message`, `-` being none; False where words are missing."""
    stop = at + 1  # behind the version
    for part in range(STAMP, MESSAGE + 1):  # the last is the message's id
        at = stop + 1
        stop = word_end(data, at, end)
        if stop == end:
            return False
        if part < MESSAGE and (part == STAMP or stop - at != 1 or data[at] != _DASH):
            starts[part], ends[part] = at - first, stop - first
    at = _behind_data(data, stop + 1, end)
    starts[MESSAGE], ends[MESSAGE] = at - first, end - first
    return True


@inner_kernel
def _behind_data(data: NDArray[np.uint8], start: int, end: int) -> int:
    """The place behind RFC 5424's structured data at `start`, `start` where that is broken off."""
    at = start
    if at < end and data[at] == _DASH:
        at += 1
    else:
        quoted = inside = False
        while at < end and (inside or data[at] == _OPEN):
            inside = quoted or data[at] != _CLOSE
            if data[at] == _QUOTE:
                quoted = not quoted
            elif quoted and data[at] == _BACKSLASH:
                at += 1
            at += 1
        if at == start or at > end or inside:
            return start
    if at < end:
        if data[at] != SPACE:
            return start
        at += 1
    mark = len(_BYTE_ORDER_MARK)  # may begin the message
    if end - at >= mark:
        for place in range(mark):
            if data[at + place] != _BYTE_ORDER_MARK[place]:
                return at
        at += mark
    return at
