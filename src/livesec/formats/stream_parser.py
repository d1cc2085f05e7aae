"""One stream's lines through all formats: each line ends consumed, skipped or rejected, and rows get their place.

Formats that users describe (mapping files) are offered whole lines first. Then messages are taken out of their syslog
envelopes and offered to the formats that own their program. What those leave, and every line without an envelope, is
offered to the other formats by its shape: first to the format of the stream's first line, then to the rest in a fixed
order, each what none before it took. What no format takes is skipped if it is empty or another program's syslog line,
and rejected otherwise. Where a format fails, which is a fault in LiveSec, the lines that it was offered are rejects.

Most streams are of one format, and fifty others need not look at its lines. Which one that is depends on the stream's
first lines alone, never on how they are cut: they are taken one at a time until a format takes one.
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
from livesec.core.commands import Platform
from livesec.core.errors import SettingsError, StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LOG_TYPES, LogType, complete
from livesec.formats.envelope import EnvelopeState, has_envelope
from livesec.formats.unwrapping import is_json, unwrap

_log = logging.getLogger(__name__)

STATE_VERSION = 3
_READABLE = (1, 2, STATE_VERSION)
_HEAD_SIZE = struct.Struct("<I")
_FIRST_OPENSSH = struct.Struct("<4sI")  # what version 1 kept in front of OpenSSH's sessions: a name, and how long
_OPEN, _CONSUMED, _SKIPPED, _REJECTED = range(4)
UNKNOWN = "unknown format"
NO_TIME = "a syslog line without a time that can be read; expected RFC 3164, RFC 3339, RFC 5424 or journal JSON"
_TAGGED = r"^(?:<[0-9]{1,3}>)?(?:[A-Za-z0-9:.+-]+ +){0,5}([A-Za-z0-9_/.-]+)(?:\[[0-9]+\])?: "
_OPENSSH = "openssh"
_ENVELOPE = "envelope"  # its name among the formats' states
_MANY_COMMAS = 2
_NO_LINES: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
_FIRST_LINES = 5  # of a stream, that are asked for its format: Zeek names a log in the fifth line of its header


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
        self._envelope = EnvelopeState()
        self._clock = new_clock()
        self._main: str | None = None
        """The format of the first line, if that is offered lines by their shape."""
        self._first_lines = _FIRST_LINES
        """How many more lines are taken one at a time."""

    @property
    def platform(self) -> Platform:
        """Where the log was written, as far as the format of its first line tells."""
        if self._main is None:
            return Platform.UNIX
        return next((form.platform for form in self.formats if form.name == self._main), Platform.UNIX)

    def parse(self, batch: RawBatch) -> ParsedBatch:
        """Take the next lines of the stream."""
        taking = _Taking(len(batch))
        lines = batch.lines
        while self._first_lines and lines.height:
            self._take(lines.head(1), taking)
            lines = lines.slice(1)
            self._look_at_first(taking)
        if lines.height:
            self._take(lines, taking)
        frames = {kind: _in_order(taking.frames[kind]) for kind in LOG_TYPES if kind in taking.frames}
        rows_by_type = self._placed(frames, batch)
        return ParsedBatch(
            rows=rows_by_type,
            lines=len(batch),
            consumed=int((taking.fate == _CONSUMED).sum()),
            skipped=int((taking.fate == _SKIPPED).sum()),
            rejects=pl.concat(taking.rejects).sort("line_index"),
            events=sum(_events(log_type, rows) for log_type, rows in rows_by_type.items()),
            formats=taking.formats,
        )

    def _take(self, lines: pl.DataFrame, taking: _Taking) -> None:
        """Have all of `lines` end as something."""
        taking.left, taking.wrapped = lines, _NO_LINES
        self._offer_by_shape([form for form in self.formats if form.whole_lines], taking)
        if taking.left.height:
            self._take_messages(taking)
        again = [form for form in self.formats if not form.whole_lines or form.shape == Shape.JSON]
        if self._main is not None:
            again.sort(key=lambda form: form.name != self._main)
        self._offer_by_shape(again, taking)
        if taking.left.height:
            taking.reject(self._unknown(taking))

    def _look_at_first(self, taking: _Taking) -> None:
        """Note the format of the first line that one took, after each of the stream's first lines."""
        self._first_lines -= 1
        form = next((form for form in self.formats if form.name in taking.formats and form.log_types), None)
        if form is not None:
            self._first_lines = 0
            self._main = None if form.shape == Shape.SYSLOG else form.name
        elif len(taking.wrapped):  # a log of many programs
            self._first_lines = 0

    def _offer_by_shape(self, formats: Sequence[Format[Any]], taking: _Taking) -> None:
        """Offer what is left to those of `formats` whose shape it has."""
        offers: dict[Shape, pl.DataFrame] = {}
        for form in formats:
            if taking.left.height == 0:
                return
            if form.shape == Shape.SYSLOG:
                continue
            if not offers:
                offers = _by_shape(taking.left)
            offered = offers[form.shape]
            if offered.height and self._offer(form, offered, taking):
                offers = {}

    def _take_messages(self, taking: _Taking) -> None:
        """Offer messages to the formats of their programs; leave the others, without their envelope, in `taking`."""
        lines = taking.left
        found = unwrap(lines, self._envelope, self.stream)
        messages, timeless = found.messages, found.timeless
        if timeless.height:
            known = [name for name in timeless["program"].unique().drop_nulls() if self._is_known(name)]
            bad = timeless.filter(pl.col("program").is_in(known))
            taking.reject(bad.select("line_index", reason=pl.lit(NO_TIME)))
        if messages.height == 0:
            taking.leave(lines)
            return
        taking.wrapped = messages["line_index"].to_numpy()
        programs = messages["program"].fill_null("")
        distinct = programs.unique().to_list()
        for form in self.formats:
            if form.shape != Shape.SYSLOG or messages.height == 0:
                continue
            owned = [program for program in distinct if form.owns(program)]
            if not owned:
                continue
            own = messages if len(owned) == len(distinct) else messages.filter(programs.is_in(owned))
            if own.height and self._offer(form, own, taking):
                if taking.is_nothing_left(messages):
                    messages = messages.clear()
                    break
                still = pl.Series(taking.fate[messages["line_index"].to_numpy()] == _OPEN)
                messages, programs = messages.filter(still), programs.filter(still)
        wrapped = np.zeros(len(taking.fate), dtype=np.bool_)
        wrapped[taking.wrapped] = True
        bare = ~wrapped[lines["line_index"].to_numpy()]
        inner = messages.select("line_index", pl.col("message").fill_null("").alias("line"))
        if bare.any():
            outer = lines.filter(pl.Series(bare))
            inner = outer if inner.height == 0 else pl.concat([outer, inner]).sort("line_index")
        taking.leave(inner)

    def _is_known(self, program: str) -> bool:
        return program != "" and any(form.shape == Shape.SYSLOG and form.owns(program) for form in self.formats)

    def _offer(self, form: Format[Any], offered: pl.DataFrame, taking: _Taking) -> bool:
        """Let `form` take what is its own of `offered`; whether it took anything."""
        try:
            self._states[form.name], parsed = form.parse(self._states[form.name], self.stream, offered)
        except (Exception, pl.exceptions.PanicException):  # one line must not end the watch over all others
            _log.exception("%s: %s could not read a batch of lines", self.stream.path, form.name)
            reason = pl.lit(f"{form.name} could not read this batch: internal fault")
            parsed = Parsed(rejects=offered.select("line_index", reason=reason))
        return taking.take(form.name, parsed)

    def _unknown(self, taking: _Taking) -> pl.DataFrame:
        """Skip what is empty or another program's; reject the rest."""
        left, fate = taking.left, taking.fate
        places = left["line_index"].to_numpy()
        nothing = (left["line"].str.strip_chars().str.len_bytes() == 0).to_numpy() | np.isin(places, taking.wrapped)
        fate[places[nothing]] = _SKIPPED
        unknown = left.filter(pl.Series(~nothing))
        tag = unknown["line"].str.extract(_TAGGED)
        known = [name for name in tag.unique().drop_nulls() if self._is_known(name)]
        enveloped = has_envelope(unknown["line"])
        broken = tag.is_in(known).fill_null(False) | (enveloped & unknown["line"].str.starts_with("{"))
        others = enveloped & ~broken
        fate[unknown["line_index"].filter(others).to_numpy()] = _SKIPPED
        headers = [",".join(header) for form in self.formats if (header := getattr(form, "header", None))]
        reason: pl.Expr = pl.lit(UNKNOWN)
        if headers:
            hint = f"{UNKNOWN}; comma-separated values need a first line that names them: {' or '.join(headers)}"
            commas = pl.col("line").str.count_matches(",", literal=True)
            reason = pl.when(commas >= _MANY_COMMAS).then(pl.lit(hint)).otherwise(reason)
        reason = pl.when(pl.lit(broken)).then(pl.lit(NO_TIME)).otherwise(reason)
        return unknown.select("line_index", reason=reason).filter(~others)

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
        states.append((_ENVELOPE, self._envelope.to_bytes()))
        head = json.dumps(
            {
                "version": STATE_VERSION,
                "clock": self._clock.tolist(),
                "main": self._main,
                "first_lines": self._first_lines,
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
            if head["version"] not in _READABLE:
                raise StateVersionError(f"{stream.path}: saved parser has version {head['version']}")
            parser._clock = np.array(head["clock"], dtype=np.int64)
            if head["version"] == STATE_VERSION:
                parser._main, parser._first_lines = head["main"], int(head["first_lines"])
            else:  # begun without such a format
                parser._first_lines = 0
            at = _HEAD_SIZE.size + size
            for name, length in head["states"]:
                saved = blob[at : at + length]
                at += length
                if head["version"] == 1 and name == _OPENSSH:  # which then took its envelopes off itself
                    start = _FIRST_OPENSSH.size + _FIRST_OPENSSH.unpack_from(saved)[1]
                    parser._envelope = EnvelopeState.from_bytes(saved[_FIRST_OPENSSH.size : start])
                    saved = saved[start:]
                if name in by_name:
                    parser._states[name] = by_name[name].from_bytes(saved)
                elif name == _ENVELOPE:
                    parser._envelope = EnvelopeState.from_bytes(saved)
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{stream.path}: saved parser cannot be read: {error}") from error
        return parser


class _Taking:
    """What became of a batch's lines so far, and which are left."""

    def __init__(self, lines: int) -> None:
        self.fate: NDArray[np.uint8] = np.full(lines, _OPEN, dtype=np.uint8)
        self.left = pl.DataFrame()
        self.wrapped: NDArray[np.uint32] = _NO_LINES
        """Lines with an envelope, among those that are being taken."""
        self.frames: dict[LogType, list[pl.DataFrame]] = {}
        self.formats: dict[str, int] = {}
        self.rejects = [no_rejects()]

    def take(self, name: str, parsed: Parsed) -> bool:
        """Note what format `name` took; whether that is anything."""
        for log_type, rows in parsed.rows.items():
            if rows.height:
                self.frames.setdefault(log_type, []).append(rows)
        self.fate[parsed.consumed] = _CONSUMED
        self.fate[parsed.skipped] = _SKIPPED
        count = len(parsed.consumed) + len(parsed.skipped) + parsed.rejects.height
        if count == 0:
            return False
        self.formats[name] = self.formats.get(name, 0) + count
        self.reject(parsed.rejects)
        self.leave(self.left)
        return True

    def reject(self, rejects: pl.DataFrame) -> None:
        """Note lines that cannot be used, by line_index and reason."""
        if rejects.height:
            self.fate[rejects["line_index"].to_numpy()] = _REJECTED
            self.rejects.append(rejects.select("line_index", "reason"))

    def leave(self, lines: pl.DataFrame) -> None:
        """Leave those of `lines` that are open."""
        if lines.height == 0:
            self.left = lines
            return
        still = self.fate[lines["line_index"].to_numpy()] == _OPEN
        self.left = lines if still.all() else lines.filter(pl.Series(still))

    def is_nothing_left(self, lines: pl.DataFrame) -> bool:
        """Whether none of `lines` is open."""
        return not (self.fate[lines["line_index"].to_numpy()] == _OPEN).any()


def _by_shape(lines: pl.DataFrame) -> dict[Shape, pl.DataFrame]:
    """The lines of each shape that formats may ask for."""
    in_json = is_json(lines["line"])
    if not in_json.any():
        return {Shape.ANY: lines, Shape.TEXT: lines, Shape.JSON: lines.clear()}
    if in_json.all():
        return {Shape.ANY: lines, Shape.TEXT: lines.clear(), Shape.JSON: lines}
    return {Shape.ANY: lines, Shape.TEXT: lines.filter(~in_json), Shape.JSON: lines.filter(in_json)}


def _in_order(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows of one log type in order of line_index and row_in_line."""
    numbered = [
        rows if "row_in_line" in rows.columns else rows.with_columns(row_in_line=pl.lit(0, dtype=pl.Int32))
        for rows in frames
    ]
    rows = numbered[0] if len(numbered) == 1 else pl.concat(numbered, how="diagonal")
    place = rows["line_index"].to_numpy().astype(np.int64) << 32 | rows["row_in_line"].to_numpy()
    in_order = bool((place[1:] > place[:-1]).all())  # as most formats leave them
    return rows if in_order else rows.sort("line_index", "row_in_line")


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
        log_type = next(iter(next(form for form in formats if form.name == name).log_types), None)
    usable = max(0, parsed.formats[name] - unusable)
    return Sniffed(name, log_type, usable / (sum(parsed.formats.values()) + unknown))
