"""What syslog puts in front of a program's message: time, host, program and process, in four forms.

RFC 3164 (`Mar 27 13:06:56 host sshd[1291]: message`), the same with an RFC 3339 time (rsyslog's default), RFC 5424
(`<38>1 2026-03-27T13:06:56Z host sshd 1291 - - message`) and journal entries in JSON. A priority `<38>` may stand in
front of the first three.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import StreamInfo
from livesec.core.errors import StateVersionError
from livesec.formats.journald_json import DECODED, MARK, decode_journal
from livesec.formats.syslog_time import BSD_CHARACTERS, UNREADABLE, bsd_us, iso_stamps_us
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
    the same order; null where a line does not say. Lines without an envelope are left out. `state` is carried on, so
    that the years depend on the lines given, not on how they are cut.
    """
    rest = lines
    if rest["line"].str.starts_with("<").any():
        rest = rest.with_columns(pl.col("line").str.replace(_PRIORITY, ""))
    parts = []
    for starts, read in ((("{",), _journal), (("1 ",), _rfc5424), (("2", "19"), _rfc3339), (("",), _rfc3164)):
        line = rest["line"]
        own = line.str.starts_with(starts[0])
        for start in starts[1:]:
            own |= line.str.starts_with(start)
        if own.any():
            parts.append(read(rest.filter(own), state, stream))
            rest = rest.filter(~own)
        if rest.height == 0:
            break
    parts = [part for part in parts if part.height]
    if len(parts) == 1:
        return parts[0]
    return pl.concat([pl.DataFrame(schema=DECODED), *parts]).sort("line_index")


def has_envelope(line: pl.Series) -> pl.Series:
    """Which lines look like syslog or a journal entry, whatever the program.

    >>> has_envelope(pl.Series(["Mar 27 13:06:56 host CRON[1]: (root) CMD (true)", "timestamp,username"])).to_list()
    [True, False]
    """
    return line.str.contains(_ENVELOPE) | (line.str.starts_with("{") & line.str.contains(MARK, literal=True))


def _times(time_us: NDArray[np.int64]) -> pl.Series:
    return possible(pl.Series("event_time_us", time_us))


def _journal(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    entries = decode_journal(lines)
    return entries.with_columns(possible(entries["event_time_us"]))


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
    times = _times(iso_stamps_us(words["stamp"], stream.time_zone))
    return _tagged(lines["line_index"], times, words["rest"].fill_null(""))


def _rfc3164(lines: pl.DataFrame, state: EnvelopeState, stream: StreamInfo) -> pl.DataFrame:
    head = lines["line"].str.slice(0, BSD_CHARACTERS + 1)
    strict = (head.str.len_bytes() == BSD_CHARACTERS + 1) & head.str.ends_with(" ")
    if strict.all():
        parts = lines.select(
            "line_index",
            head.str.slice(0, BSD_CHARACTERS).alias("stamp"),
            pl.col("line").str.slice(BSD_CHARACTERS + 1).alias("rest"),
        )
        fraction_us: NDArray[np.int64] | int = 0
    else:
        parts = _with_padded_stamps(lines, strict)
        fraction_us = parts["fraction_us"].to_numpy()
    time_us = bsd_us(parts["stamp"], state.year_and_month, stream.reference_time_us, stream.time_zone)
    time_us = np.where(time_us == UNREADABLE, UNREADABLE, time_us + fraction_us)
    return _tagged(parts["line_index"], _times(time_us), parts["rest"])


def _with_padded_stamps(lines: pl.DataFrame, strict: pl.Series) -> pl.DataFrame:
    """Stamps of 15 bytes, the text behind them and fractions; lines that do not start with a stamp are left out."""
    loose = lines["line"].str.extract_groups(_LOOSE_STAMP).struct.unnest().with_columns(lines["line_index"])
    day = pl.col("day").str.pad_start(2, " ")
    known = loose.select(
        "line_index",
        pl.concat_str("month", pl.lit(" "), day, pl.lit(" "), "clock").alias("stamp"),
        "rest",
        pl.col("fraction").str.pad_end(6, "0").cast(pl.Int64).fill_null(0).alias("fraction_us"),
    ).filter(pl.col("stamp").is_not_null())
    others = lines.filter(strict & loose["month"].is_null())  # shaped like one, but no time
    unknown = others.select(
        "line_index",
        pl.col("line").str.slice(0, BSD_CHARACTERS).alias("stamp"),
        pl.col("line").str.slice(BSD_CHARACTERS + 1).alias("rest"),
        pl.lit(0, dtype=pl.Int64).alias("fraction_us"),
    )
    return pl.concat([known, unknown.filter(pl.col("stamp").str.len_bytes() == BSD_CHARACTERS)]).sort("line_index")


def _words(text: pl.Series, names: tuple[str, ...]) -> pl.DataFrame:
    """The first words of each text and, as the last column, all that follows them; null where there are fewer."""
    words = text.str.splitn(" ", len(names)).struct.unnest()
    return words.rename(dict(zip(words.columns, names, strict=True)))


def _tagged(line_index: pl.Series, times: pl.Series, rest: pl.Series) -> pl.DataFrame:
    """Lines whose `rest` is `host tag: message` or `tag: message`, where tag is `program` or `program[pid]`."""
    words = _words(rest, ("host", "tag", "message")).with_columns(line_index, times)
    hostless = words["host"].str.ends_with(":")
    if hostless.any():
        shifted = _words(rest.filter(hostless), ("tag", "message")).with_columns(
            pl.lit(None, dtype=pl.String).alias("host"), line_index.filter(hostless), times.filter(hostless)
        )
        words = pl.concat([words.filter(~hostless), shifted.select(words.columns)]).sort("line_index")
    tags = words["tag"]
    tagged = tags.str.ends_with(":").fill_null(False)
    if not tagged.all():
        words, tags = words.filter(tagged), tags.filter(tagged)
    parts = _words_of_tag(tags)
    return words.select(
        "line_index",
        "event_time_us",
        "host",
        parts["program"],
        parts["pid"].cast(pl.Int64, strict=False),
        pl.col("message").fill_null(""),
    )


def _words_of_tag(tags: pl.Series) -> pl.DataFrame:
    parts = tags.str.strip_suffix(":").str.strip_suffix("]").str.splitn("[", 2).struct.unnest()
    return parts.rename({"field_0": "program", "field_1": "pid"})
