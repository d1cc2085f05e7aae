"""Looks at one file without a store: which formats its lines have, what they tell, and which lines cannot be used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from livesec.core.batch import RawBatch, StreamInfo
from livesec.core.protocols import Format
from livesec.core.schema import LOG_TYPES, LogType
from livesec.core.settings import Settings
from livesec.formats.column_readers import readable_columns
from livesec.formats.stream_parser import ParsedBatch, StreamParser
from livesec.pipeline.assembly import all_formats
from livesec.sources.file_source import stream_uid
from livesec.sources.whole_file import WholeFile

_REJECTS_SHOWN = 100
_REJECT_BYTES = 400
DISTINCT_COUNTED = 100_000
"""Hosts, users and addresses are counted up to this many: a file may hold millions."""
_COUNTED = {"hosts": ("host",), "users": ("user",), "addresses": ("src_ip", "dst_ip")}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def inspect_file(
    path: str,
    settings: Settings,
    *,
    formats: Sequence[Format[Any]] | None = None,
    line_limit: int | None = None,
    sample_rows: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """What `check --json` says of `path`, by its first `line_limit` lines if that is given.

    `formats` are all that there are, if not given; `sample_rows` asks for that many of the rows, and for the share of
    the rows in which each column is filled. `progress` hears how much has been read, 0 to 1. Raises OSError,
    InputUnreadableError, SettingsError.
    """
    formats = all_formats(settings.format_files) if formats is None else formats
    mtime_us = os.stat(path).st_mtime_ns // 1000
    file = WholeFile(path, StreamInfo(1, stream_uid(path, 0), path, mtime_us, settings.zone_of(path)))
    parser = StreamParser(file.info, formats)
    seen = _Seen(sample_rows)
    seconds, is_whole = 0.0, False
    try:
        started = time.perf_counter()
        for raw in file.batches():
            left = len(raw) if line_limit is None else min(len(raw), line_limit - seen.lines)
            batch = replace(_head(raw, left), first_sequence=seen.lines)
            parsed = parser.parse(batch)
            seconds += time.perf_counter() - started
            seen.add(batch, parsed)
            progress(file.read_share())
            if line_limit is not None and seen.lines >= line_limit:
                break
            started = time.perf_counter()
        else:
            is_whole = True
    finally:
        file.close()
    return {"path": path, **seen.record({form.name: form for form in formats}, seconds), "is_whole": is_whole}


def _head(batch: RawBatch, lines: int) -> RawBatch:
    if lines >= len(batch):
        return batch
    return replace(
        batch,
        starts=batch.starts[:lines],
        kept=batch.kept[:lines],
        offsets=batch.offsets[:lines],
        lengths=batch.lengths[:lines],
        end_offset=int(batch.offsets[lines]),
    )


@dataclass
class _Times:
    first_us: int | None = None
    last_us: int | None = None

    def add(self, times_us: pl.Series) -> None:
        """Widen to hold `times_us` (Int64, not empty)."""
        low, high = times_us.min(), times_us.max()
        if isinstance(low, int) and isinstance(high, int):
            self.first_us = low if self.first_us is None else min(low, self.first_us)
            self.last_us = high if self.last_us is None else max(high, self.last_us)


class _Seen:
    """What the batches so far have shown."""

    def __init__(self, sample_rows: int) -> None:
        self.lines = self._events = self._skipped = self._rejected = self._rows = 0
        self._sample_rows = sample_rows
        self._taken: dict[str, int] = {}
        self._rejects: list[dict[str, Any]] = []
        self._by_type: dict[LogType, int] = {}
        self._times = _Times()
        self._distinct: dict[str, set[str]] = {name: set() for name in _COUNTED}
        self._sample: list[dict[str, Any]] = []
        self._filled: dict[str, int] = {}

    def add(self, batch: RawBatch, parsed: ParsedBatch) -> None:
        """Take in a batch and what became of it."""
        for index, reason in parsed.rejects.select("line_index", "reason").head(_REJECTS_SHOWN).iter_rows():
            if len(self._rejects) < _REJECTS_SHOWN:
                text = batch.line_bytes(index)[:_REJECT_BYTES].decode("utf-8", "replace")
                place = {"offset": int(batch.offsets[index]), "reason": reason}
                self._rejects.append({**place, "line": self.lines + index + 1, "text": text.rstrip("\r")})
        self.lines += parsed.lines
        self._events += parsed.events
        self._skipped += parsed.skipped
        self._rejected += parsed.rejects.height
        for name, count in parsed.formats.items():
            self._taken[name] = self._taken.get(name, 0) + count
        for log_type, rows in parsed.rows.items():
            self._add_rows(log_type, rows)

    def _add_rows(self, log_type: LogType, rows: pl.DataFrame) -> None:
        self._by_type[log_type] = self._by_type.get(log_type, 0) + rows.height
        self._times.add(rows["event_time_us"])
        for name, columns in _COUNTED.items():
            known = self._distinct[name]
            for column in columns:
                if column in rows.columns and len(known) < DISTINCT_COUNTED:
                    known.update(rows[column].drop_nulls().unique())
        if self._sample_rows:
            self._rows += rows.height
            told_by_lines = readable_columns(log_type)
            for column in told_by_lines:
                self._filled[column] = self._filled.get(column, 0) + rows.height - rows[column].null_count()
            more = rows.select("event_time_us", *told_by_lines).head(self._sample_rows - len(self._sample)).to_dicts()
            for row in more:
                told = {name: value for name, value in row.items() if value is not None}
                self._sample.append({"event_time": _written(told.pop("event_time_us")), **told})

    def record(self, by_name: dict[str, Format[Any]], seconds: float) -> dict[str, Any]:
        """All of it, but the path."""
        # A format that only skips names a file only where no other has a line in it.
        best = max(self._taken, key=lambda name: (bool(by_name[name].log_types), self._taken[name], name), default=None)
        found: dict[str, Any] = {
            "format": best,
            "title": by_name[best].title if best is not None else None,
            "log_type": [str(kind) for kind in by_name[best].log_types] if best is not None else [],
            "confidence": (
                round((self.lines - self._rejected) / self.lines, 4) if self.lines and best is not None else 0.0
            ),
            "lines": self.lines,
            "events": self._events,
            "skipped": self._skipped,
            "rejects": self._rejects,
            "rejects_total": self._rejected,
            "formats": self._taken,
            "rows": {str(kind): self._by_type[kind] for kind in LOG_TYPES if kind in self._by_type},
            "first_time": _written(self._times.first_us),
            "last_time": _written(self._times.last_us),
            **{name: min(len(known), DISTINCT_COUNTED) for name, known in self._distinct.items()},
            "lines_per_s": round(self.lines / seconds, 1) if seconds else 0.0,
        }
        if self._sample_rows:
            found["sample"] = self._sample
            found["filled"] = {name: round(count / self._rows, 4) for name, count in self._filled.items() if count}
        return found


def _written(time_us: int | None) -> str | None:
    """RFC 3339, UTC."""
    if time_us is None:
        return None
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat().replace("+00:00", "Z")
