"""What syslog puts in front of a program's message: time, host, program and process, in five forms.

RFC 3164 (`Mar 27 13:06:56 host sshd[1291]: message`), the same with an RFC 3339 time (rsyslog's default), RFC 5424
(`<38>1 2026-03-27T13:06:56Z host sshd 1291 - - message`), journal entries and rsyslog's records in JSON. A
priority `<38>` may stand in front of the first three.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import StreamInfo
from livesec.core.errors import StateVersionError
from livesec.core.jit import kernel
from livesec.formats.iso_time import UNREADABLE
from livesec.formats.journald_json import DECODED, MARK, decode_journal
from livesec.formats.rsyslog_json import decode_rsyslog, may_be_rsyslog
from livesec.formats.syslog_time import BSD_CHARACTERS, bsd_us, iso_stamps_us
from livesec.formats.text_spans import SPACE, Joined, joined, parts_of, whole_numbers, word_end
from livesec.formats.text_times import possible

STATE_VERSION = 1
_PRIORITY = r"^<[0-9]{1,3}>"
# RFC 3164 as some write it: one space before a day of one digit, or a fraction behind the seconds.
_LOOSE_STAMP = (
    r"^(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2}) (?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,6})[0-9]*)? (?P<rest>.*)$"
)
_STRUCTURED_DATA = r'^(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)(?: |$)\x{feff}?'  # a byte order mark may follow
_ENVELOPE = (
    r"^(?:<[0-9]{1,3}>)?(?:[A-Z][a-z]{2} {1,2}[0-9]{1,2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)? [^ ]+ "
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[^ ]+ [^ ]+ [^ :]+:"
    r"|1 [0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [-\[])"
)
_HOST, _PROGRAM, _PID, _MESSAGE = range(4)
_A, _Z, _COLON, _OPEN, _CLOSE = (ord(character) for character in "AZ:[]")
_ASCII = 0x7F


@dataclass(frozen=True)
class EnvelopeState:
    """Year and month of the last RFC 3164 time, int64 of shape (2,), zeros before the first; changed in place."""

    year_and_month: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, dtype=np.int64))

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps({"version": STATE_VERSION, "year_and_month": self.year_and_month.tolist()}).encode()

    @staticmethod
    def from_bytes(blob: bytes) -> EnvelopeState:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            year, month = map(int, saved["year_and_month"])
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"a saved syslog state has version {saved['version']}, not {STATE_VERSION}")
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"a saved syslog state cannot be read: {error}") from error
        return EnvelopeState(np.array([year, month], dtype=np.int64))


def decode(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    """Take apart the syslog lines among `lines` (line_index UInt32, line String; ascending).

    Gives line_index, event_time_us (Int64 UTC; null where the time is none), host, program, pid (Int64) and message, in
    the same order; null where a line does not say. Lines without an envelope are left out; a message without a tag, as
    some routers write them, has a null program. `state` is carried on, so
    that the years depend on the lines given, not on how they are cut.
    """
    if lines["line"].is_between("A", "[", closed="left").all():  # capitals first: RFC 3164 throughout, as most logs are
        return _rfc3164(lines, state, stream)
    rest = lines
    if rest["line"].str.starts_with("<").any():
        rest = rest.with_columns(pl.col("line").str.replace(_PRIORITY, ""))
    found = []
    for starts, read in ((("{",), _journal), (("1 ",), _rfc5424), (("2", "19"), _rfc3339), (("",), _rfc3164)):
        line = rest["line"]
        own = line.str.starts_with(starts[0])
        for start in starts[1:]:
            own |= line.str.starts_with(start)
        if own.any():
            found.append(read(rest.filter(own), state, stream))
            rest = rest.filter(~own)
        if rest.height == 0:
            break
    found = [part for part in found if part.height]
    if len(found) == 1:
        return found[0]
    return pl.concat([pl.DataFrame(schema=DECODED), *found]).sort("line_index")


def has_envelope(line: pl.Series) -> pl.Series:
    """Which lines look like syslog or a journal entry, whatever the program.

    >>> has_envelope(pl.Series(["Mar 27 13:06:56 host CRON[1]: (root) CMD (true)", "timestamp,username"])).to_list()
    [True, False]
    """
    in_json = line.str.starts_with("{")
    return line.str.contains(_ENVELOPE) | (in_json & (line.str.contains(MARK, literal=True) | may_be_rsyslog(line)))


def _journal(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    entries = decode_journal(lines)
    entries = entries.with_columns(possible(entries["event_time_us"]))
    if entries.height == lines.height:
        return entries
    others = decode_rsyslog(lines.filter(~lines["line_index"].is_in(entries["line_index"].implode())), stream)
    return pl.concat([entries, others]).sort("line_index") if others.height else entries


def _rfc5424(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    names = ("version", "stamp", "host", "program", "pid", "message_id", "rest")
    lines = pl.concat([lines.select("line_index"), _words(lines["line"], names)], how="horizontal")
    lines = lines.filter(pl.col("rest").is_not_null())
    return lines.select(
        "line_index",
        _times(iso_stamps_us(lines["stamp"], stream.time_zone)),
        pl.col("host").replace("-", None),
        pl.col("program").replace("-", None),
        pl.col("pid").cast(pl.Int64, strict=False),
        pl.col("rest").str.replace(_STRUCTURED_DATA, "").alias("message"),
    )


def _rfc3339(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    words = _words(lines["line"], ("stamp", "rest"))
    rest = words["rest"].fill_null("")
    return _tagged(lines["line_index"], iso_stamps_us(words["stamp"], stream.time_zone), rest, joined(rest))


def _rfc3164(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    whole = joined(lines["line"])
    plain = np.empty(lines.height, dtype=np.bool_)
    _stamped(*whole, plain)
    if plain.all():  # as most logs are throughout: nothing to copy
        times_us = _bsd_us(whole, state, stream)
        return _tagged(lines["line_index"], times_us, lines["line"], whole, BSD_CHARACTERS + 1)
    stamped = pl.concat([_cut(lines.filter(pl.Series(plain))), _padded(lines.filter(pl.Series(~plain)))]).sort(
        "line_index"
    )
    times_us = _bsd_us(joined(stamped["stamp"]), state, stream)
    times_us = np.where(times_us == UNREADABLE, UNREADABLE, times_us + stamped["fraction_us"].to_numpy())
    return _tagged(stamped["line_index"], times_us, stamped["rest"], joined(stamped["rest"]))


def _bsd_us(stamps: Joined, state: EnvelopeState, stream: StreamInfo) -> NDArray[np.int64]:
    return bsd_us(stamps.data, stamps.bounds[:-1], state.year_and_month, stream.reference_time_us, stream.time_zone)


def _cut(lines: pl.DataFrame) -> pl.DataFrame:
    """Each line's first 15 characters as its stamp, and the text behind the next one."""
    return lines.select(
        "line_index",
        pl.col("line").str.slice(0, BSD_CHARACTERS).alias("stamp"),
        pl.col("line").str.slice(BSD_CHARACTERS + 1).alias("rest"),
        pl.lit(0, dtype=pl.Int64).alias("fraction_us"),
    )


def _padded(lines: pl.DataFrame) -> pl.DataFrame:
    """Stamps of 15 bytes, the text behind them and fractions; lines that do not start with a stamp are left out."""
    loose = lines["line"].str.extract_groups(_LOOSE_STAMP).struct.unnest().with_columns(lines["line_index"])
    day = pl.col("day").str.pad_start(2, " ")
    known = loose.select(
        "line_index",
        pl.concat_str("month", pl.lit(" "), day, pl.lit(" "), "clock").alias("stamp"),
        "rest",
        pl.col("fraction").str.pad_end(6, "0").cast(pl.Int64).fill_null(0).alias("fraction_us"),
    ).filter(pl.col("stamp").is_not_null())
    head = lines["line"].str.slice(0, BSD_CHARACTERS + 1)
    shaped = (head.str.len_bytes() == BSD_CHARACTERS + 1) & head.str.ends_with(" ")
    return pl.concat([known, _cut(lines.filter(shaped & loose["month"].is_null()))])  # the latter: shaped, but no time


def _times(time_us: NDArray[np.int64]) -> pl.Series:
    return possible(pl.Series("event_time_us", time_us))


def _words(text: pl.Series, names: tuple[str, ...]) -> pl.DataFrame:
    """The first words of each text and, as the last column, all that follows them; null where there are fewer."""
    words = text.str.splitn(" ", len(names)).struct.unnest()
    return words.rename(dict(zip(words.columns, names, strict=True)))


@kernel
def _stamped(data: NDArray[np.uint8], bounds: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    """Which lines begin with something of the very shape of `Mar 27 13:06:56 `."""
    for row in range(len(out)):
        start = bounds[row]
        out[row] = False
        if bounds[row + 1] - start <= BSD_CHARACTERS or data[start] < _A or data[start] > _Z:
            continue
        if data[start + BSD_CHARACTERS - 1] == SPACE or data[start + BSD_CHARACTERS] != SPACE:
            continue
        bits = 0
        for place in range(start, start + BSD_CHARACTERS):
            bits |= int(data[place])
        out[row] = bits <= _ASCII


@kernel
def _read_tags(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    skipped: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    for row in range(len(bounds) - 1):
        first, end = bounds[row], bounds[row + 1]
        at = first + skipped
        stop = word_end(data, at, end)
        starts[:, row] = -1
        if stop == at or data[stop - 1] != _COLON:
            starts[_HOST, row], ends[_HOST, row] = at - first, stop - first
            at = min(stop + 1, end)
            stop = word_end(data, at, end)
            if stop == at or data[stop - 1] != _COLON:
                starts[_MESSAGE, row], ends[_MESSAGE, row] = at - first, end - first
                continue
        starts[_MESSAGE, row], ends[_MESSAGE, row] = min(stop + 1, end) - first, end - first
        last = stop - 1
        if last > at and data[last - 1] == _CLOSE:
            last -= 1
        starts[_PROGRAM, row] = at - first
        while at < last and data[at] != _OPEN:
            at += 1
        ends[_PROGRAM, row] = at - first
        if at < last:
            starts[_PID, row], ends[_PID, row] = at + 1 - first, last - first


def _tagged(
    line_index: pl.Series, times_us: NDArray[np.int64], texts: pl.Series, whole: Joined, skipped: int = 0
) -> pl.DataFrame:
    """Lines that go on, after `skipped` bytes, with `host tag: message` or `tag: message`; `whole` is joined(texts).

    A tag is `program` or `program[pid]`.
    """
    starts, ends = np.empty((2, 4, len(texts)), dtype=np.int64)
    _read_tags(*whole, skipped, starts, ends)
    origins = whole.bounds[:-1]
    host, program, message = (
        parts_of(whole.data, origins, starts[part], ends[part]) for part in (_HOST, _PROGRAM, _MESSAGE)
    )
    pid = whole_numbers(texts, origins, whole.data, starts[_PID], ends[_PID])
    columns = (line_index, _times(times_us), host, program, pid, message)
    decoded = pl.DataFrame(dict(zip(DECODED, columns, strict=True)))
    if program.null_count() == 0:
        return decoded
    untagged = pl.col("event_time_us").is_not_null() & (pl.col("message").str.len_bytes() > 0)
    return decoded.filter(pl.col("program").is_not_null() | untagged)
