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
from livesec.formats.envelope_scan import HOST, JSON, MESSAGE, PID, PROGRAM, RFC3164, RFC5424, STAMP, Scan, scan
from livesec.formats.iso_time import UNREADABLE
from livesec.formats.journald_json import DECODED, MARK, decode_journal
from livesec.formats.rsyslog_json import decode_rsyslog, may_be_rsyslog
from livesec.formats.syslog_time import BSD_CHARACTERS, bsd_us, iso_stamps_us
from livesec.formats.text_spans import joined, parts_of, whole_numbers
from livesec.formats.text_times import possible

STATE_VERSION = 1
_PRIORITY = r"^<[0-9]{1,3}>"
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
    the same order; null where a line does not say. Lines without an envelope are left out; a message without a tag, as
    some routers write them, has a null program. `state` is carried on, so
    that the years depend on the lines given, not on how they are cut.
    """
    whole = joined(lines["line"])
    found = scan(whole)
    in_json = found.kinds == JSON
    enveloped = np.flatnonzero(found.kinds > JSON)
    decoded = [pl.DataFrame(schema=DECODED)]
    if in_json.any():
        decoded.append(_journal(lines.filter(pl.Series(in_json)), stream))
    if len(enveloped):
        origins = whole.bounds[:-1]
        if len(enveloped) < lines.height:
            lines, origins, found = lines[enveloped], origins[enveloped], found.at(enveloped)
        decoded.append(_enveloped(lines, whole.data, origins, found, state, stream))
    decoded = [part for part in decoded if part.height] or decoded[:1]
    return decoded[0] if len(decoded) == 1 else pl.concat(decoded).sort("line_index")


def has_envelope(line: pl.Series) -> pl.Series:
    """Which lines look like syslog or a journal entry, whatever the program.

    >>> has_envelope(pl.Series(["Mar 27 13:06:56 host CRON[1]: (root) CMD (true)", "timestamp,username"])).to_list()
    [True, False]
    """
    in_json = line.str.starts_with("{")
    return line.str.contains(_ENVELOPE) | (in_json & (line.str.contains(MARK, literal=True) | may_be_rsyslog(line)))


def _journal(lines: pl.DataFrame, stream: StreamInfo) -> pl.DataFrame:
    if lines["line"].str.starts_with("<").any():
        lines = lines.with_columns(pl.col("line").str.replace(_PRIORITY, ""))
    entries = decode_journal(lines)
    entries = entries.with_columns(possible(entries["event_time_us"]))
    if entries.height == lines.height:
        return entries
    others = decode_rsyslog(lines.filter(~lines["line_index"].is_in(entries["line_index"].implode())), stream)
    return pl.concat([entries, others]).sort("line_index") if others.height else entries


def _enveloped(
    lines: pl.DataFrame,
    data: NDArray[np.uint8],
    origins: NDArray[np.int64],
    found: Scan,
    state: EnvelopeState,
    stream: StreamInfo,
) -> pl.DataFrame:
    """`decode` of lines that all have an envelope; their bytes are in `data`, from `origins` on."""
    host, program, message = (
        parts_of(data, origins, found.starts[part], found.ends[part]) for part in (HOST, PROGRAM, MESSAGE)
    )
    pid = whole_numbers(lines["line"], origins, data, found.starts[PID], found.ends[PID])
    time_us = possible(pl.Series(_times_us(data, origins, found, state, stream)))
    columns = (lines["line_index"], time_us, host, program, pid, message)
    decoded = pl.DataFrame(dict(zip(DECODED, columns, strict=True)))
    if program.null_count() == 0:
        return decoded
    # What stands behind a stamp need not be a message: without a tag, the stamp at least must be a time.
    said = pl.Series(found.ends[MESSAGE] > found.starts[MESSAGE]) & time_us.is_not_null()
    return decoded.filter(program.is_not_null() | said | pl.Series(found.kinds == RFC5424))


def _times_us(
    data: NDArray[np.uint8], origins: NDArray[np.int64], found: Scan, state: EnvelopeState, stream: StreamInfo
) -> NDArray[np.int64]:
    of_bsd = np.flatnonzero(found.kinds == RFC3164)
    stamps, starts = found.bsd[of_bsd].reshape(-1), np.arange(len(of_bsd)) * BSD_CHARACTERS
    bsd = bsd_us(stamps, starts, state.year_and_month, stream.reference_time_us, stream.time_zone)
    bsd += np.where(bsd == UNREADABLE, 0, found.fraction_us[of_bsd])
    if len(of_bsd) == len(origins):
        return bsd
    times_us = np.empty(len(origins), dtype=np.int64)
    times_us[of_bsd] = bsd
    others = np.flatnonzero(found.kinds != RFC3164)
    iso = parts_of(data, origins[others], found.starts[STAMP, others], found.ends[STAMP, others])
    times_us[others] = iso_stamps_us(iso, stream.time_zone)
    return times_us
