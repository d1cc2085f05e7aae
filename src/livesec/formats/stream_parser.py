"""One stream's lines through all formats: each line ends consumed, skipped or rejected, and rows get their place.

Formats are offered, in a fixed order, the lines that none before them took. What no format takes is skipped if it is
empty or another program's syslog line, and rejected otherwise. Where a format fails, which is a fault in LiveSec, the
lines that it was offered are rejects.
"""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.baselines.stream_clock import advance, new_clock
from livesec.core.batch import Parsed, RawBatch, StreamInfo, no_rejects
from livesec.core.errors import SettingsError, StateVersionError
from livesec.core.protocols import Format
from livesec.core.schema import LOG_TYPES, LogType, complete
from livesec.formats.envelope import has_envelope

_log = logging.getLogger(__name__)

STATE_VERSION = 1
_HEAD_SIZE = struct.Struct("<I")
_OPEN, _CONSUMED, _SKIPPED, _REJECTED = range(4)
UNKNOWN = "unknown format"
_MANY_COMMAS = 2


@dataclass(frozen=True)
class ParsedBatch:
    """What a batch of lines became. lines = consumed + skipped + the height of rejects."""

    rows: Mapping[LogType, pl.DataFrame]
    """Per log type, if there are any: every schema column, in order of (sequence, row_in_line)."""
    lines: int
    consumed: int
    skipped: int
    rejects: pl.DataFrame
    """line_index (UInt32) and reason, in order."""
    events: int
    """Login rows count the attempts they stand for, others one each."""
    formats: Mapping[str, int]
    """Lines that each format took, if any: consumed, skipped or rejected by it."""


class StreamParser:
    """Parses one stream, in order; keeps the states of the formats and the stream's clock."""

    def __init__(self, stream: StreamInfo, formats: Sequence[Format[Any]]) -> None:
        """Start at the stream's first line. Raises SettingsError where its time zone is none."""
        try:
            pl.Series([0]).cast(pl.Datetime("us", stream.time_zone))
        except pl.exceptions.ComputeError as error:
            raise SettingsError(
                f"{stream.path}: time zone {stream.time_zone!r} is unknown; expected an IANA name such as Europe/Paris"
            ) from error
        self.stream = stream
        self.formats = tuple(sorted(formats, key=lambda form: (form.order, form.name)))
        self._states: dict[str, Any] = {form.name: form.initial(stream) for form in self.formats}
        self._clock = new_clock()

    def parse(self, batch: RawBatch) -> ParsedBatch:
        """Take the next lines of the stream."""
        left = batch.lines
        fate = np.full(len(batch), _OPEN, dtype=np.uint8)
        frames: dict[LogType, list[pl.DataFrame]] = {}
        taken: dict[str, int] = {}
        rejects = [no_rejects()]
        for form in self.formats:
            if left.height == 0:
                break
            try:
                self._states[form.name], parsed = form.parse(self._states[form.name], self.stream, left)
            except (Exception, pl.exceptions.PanicException):  # one line must not end the watch over all others
                _log.exception("%s: %s could not read a batch of lines", self.stream.path, form.name)
                reason = pl.lit(f"{form.name} could not read this batch: internal fault")
                parsed = Parsed(rejects=left.select("line_index", reason=reason))
            count = _settle(parsed, fate)
            if count:
                taken[form.name] = count
                rejects.append(parsed.rejects.select("line_index", "reason"))
                left = left.filter(pl.Series(fate[left["line_index"].to_numpy()] == _OPEN))
            for log_type, rows in parsed.rows.items():
                if rows.height:
                    frames.setdefault(log_type, []).append(rows)
        if left.height:
            rejects.append(self._unknown(left, fate))
        rows_by_type = self._placed({kind: _in_order(frames[kind]) for kind in LOG_TYPES if kind in frames}, batch)
        return ParsedBatch(
            rows=rows_by_type,
            lines=len(batch),
            consumed=int((fate == _CONSUMED).sum()),
            skipped=int((fate == _SKIPPED).sum()),
            rejects=pl.concat(rejects).sort("line_index"),
            events=sum(_events(log_type, rows) for log_type, rows in rows_by_type.items()),
            formats=taken,
        )

    def _unknown(self, left: pl.DataFrame, fate: NDArray[np.uint8]) -> pl.DataFrame:
        """Skip what is empty or another program's; reject the rest."""
        line = left["line"]
        nothing = (line.str.strip_chars().str.len_bytes() == 0) | has_envelope(line)
        fate[left["line_index"].to_numpy()] = np.where(nothing.to_numpy(), _SKIPPED, _REJECTED)
        unknown = left.filter(~nothing)
        headers = [",".join(header) for form in self.formats if (header := getattr(form, "header", None))]
        reason: pl.Expr = pl.lit(UNKNOWN)
        if headers:
            hint = f"{UNKNOWN}; comma-separated values need a first line that names them: {' or '.join(headers)}"
            commas = pl.col("line").str.count_matches(",", literal=True)
            reason = pl.when(commas >= _MANY_COMMAS).then(pl.lit(hint)).otherwise(reason)
        return unknown.select("line_index", reason=reason)

    def _placed(self, frames: dict[LogType, pl.DataFrame], batch: RawBatch) -> dict[LogType, pl.DataFrame]:
        """`frames` (in order) with the stream's time and the places of their lines, complete."""
        time_us = self._stream_times(list(frames.values()))
        placed = {}
        for (log_type, rows), stream_time_us in zip(frames.items(), time_us, strict=True):
            at = rows["line_index"].to_numpy()
            with_place = rows.drop("line_index").with_columns(
                pl.Series("sequence", at.astype(np.int64) + batch.first_sequence),
                pl.Series("stream_time_us", stream_time_us),
                pl.lit(self.stream.stream_id, dtype=pl.Int32).alias("stream_id"),
                pl.Series("line_offset", batch.offsets[at]),
                pl.Series("line_length", batch.lengths[at]),
            )
            placed[log_type] = complete(with_place, log_type)
        return placed

    def _stream_times(self, frames: list[pl.DataFrame]) -> list[NDArray[np.int64]]:
        """The stream's time at each row of each frame; rows of all frames move one clock, in order of their lines."""
        if not frames:
            return []
        times_us = np.concatenate([rows["event_time_us"].to_numpy() for rows in frames])
        if len(frames) == 1:
            return [advance(self._clock, times_us)]
        places = np.concatenate([rows["line_index"].to_numpy() for rows in frames])
        order = np.argsort(places, kind="stable")
        stream_times_us = np.empty_like(times_us)
        stream_times_us[order] = advance(self._clock, times_us[order])
        return np.split(stream_times_us, np.cumsum([rows.height for rows in frames])[:-1])

    def to_bytes(self) -> bytes:
        """The clock and the formats' states; versioned, no pickle."""
        states = [(form.name, form.to_bytes(self._states[form.name])) for form in self.formats]
        head = json.dumps(
            {
                "version": STATE_VERSION,
                "clock": self._clock.tolist(),
                "states": [[name, len(blob)] for name, blob in states],
            }
        ).encode()
        return b"".join([_HEAD_SIZE.pack(len(head)), head, *(blob for _, blob in states)])

    @staticmethod
    def from_bytes(blob: bytes, stream: StreamInfo, formats: Sequence[Format[Any]]) -> StreamParser:
        """A parser that goes on where `to_bytes` was called; formats unknown then start fresh.

        Raises StateVersionError for another layout, of this or of a format.
        """
        parser = StreamParser(stream, formats)
        by_name = {form.name: form for form in parser.formats}
        try:
            size = _HEAD_SIZE.unpack_from(blob)[0]
            head = json.loads(blob[_HEAD_SIZE.size : _HEAD_SIZE.size + size])
            if head["version"] != STATE_VERSION:
                raise StateVersionError(f"{stream.path}: saved parser has version {head['version']}")
            parser._clock = np.array(head["clock"], dtype=np.int64)
            at = _HEAD_SIZE.size + size
            for name, length in head["states"]:
                if name in by_name:
                    parser._states[name] = by_name[name].from_bytes(blob[at : at + length])
                at += length
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{stream.path}: saved parser cannot be read: {error}") from error
        return parser


def _settle(parsed: Parsed, fate: NDArray[np.uint8]) -> int:
    """Note what became of the lines that a format took; how many those are."""
    rejected = parsed.rejects["line_index"].to_numpy()
    fate[parsed.consumed] = _CONSUMED
    fate[parsed.skipped] = _SKIPPED
    fate[rejected] = _REJECTED
    return len(parsed.consumed) + len(parsed.skipped) + len(rejected)


def _in_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows of one log type in order of line_index and row_in_line."""
    numbered = [
        rows if "row_in_line" in rows.columns else rows.with_columns(row_in_line=pl.lit(0, dtype=pl.Int32))
        for rows in frames
    ]
    rows = numbered[0] if len(numbered) == 1 else pl.concat(numbered, how="diagonal")
    return rows.sort("line_index", "row_in_line")


def _events(log_type: LogType, rows: pl.DataFrame) -> int:
    return int(rows["count"].fill_null(1).sum()) if log_type == LogType.LOGIN else rows.height


@dataclass(frozen=True)
class Sniffed:
    """What the lines of a file look like: the format that takes most, or None, and how many of those it could take."""

    format: str | None
    log_type: LogType | None
    confidence: float
    """0 to 1: usable lines of the format among all that are not empty or other programs' syslog lines."""


def sniff(batch: RawBatch, formats: Sequence[Format[Any]]) -> Sniffed:
    """Which format the first lines of a stream are of."""
    parsed = StreamParser(batch.stream, formats).parse(batch)
    if not parsed.formats:
        return Sniffed(None, None, 0.0)
    name = max(parsed.formats, key=lambda form: parsed.formats[form])
    unknown = int(parsed.rejects["reason"].str.starts_with(UNKNOWN).sum())
    unusable = parsed.rejects.height - unknown
    log_type = max(parsed.rows, key=lambda kind: parsed.rows[kind].height, default=None)
    if log_type is None:
        log_type = next(form for form in formats if form.name == name).log_types[0]
    usable = max(0, parsed.formats[name] - unusable)
    return Sniffed(name, log_type, usable / (sum(parsed.formats.values()) + unknown))
