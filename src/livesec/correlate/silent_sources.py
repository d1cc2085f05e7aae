"""Lines of all log types in one order with the source of each, and what is kept of a source: for log_silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.rows import Rows
from livesec.core.schema import LogType

_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)  # odd, so that no two keys meet in the product


@dataclass(slots=True)
class Source:
    """What is known of a source; pauses in ticks (minutes)."""

    first_us: int
    last_us: int
    tick: int
    """Progress of all streams when it was last heard."""
    epoch: int
    longest_now: int = 0
    longest_before: int = 0
    events: int = 0
    stream_id: int = 0
    line: int = 0
    """Packed address of its last line."""
    reported: bool = False

    @property
    def longest(self) -> int:
        """Its longest pause of this and the last epoch."""
        return max(self.longest_now, self.longest_before)

    @property
    def span_us(self) -> int:
        """How long it has been known, in its own time."""
        return self.last_us - self.first_us

    def learn(self, pause: int, epoch: int) -> None:
        """It paused for so long before a line of `epoch`."""
        if epoch > self.epoch:
            self.longest_before = self.longest_now if epoch == self.epoch + 1 else 0
            self.longest_now, self.epoch = 0, epoch
        self.longest_now = max(self.longest_now, pause)


class Lines:
    """Rows of all log types in the order of lines."""

    def __init__(self, parts: Mapping[LogType, Rows]) -> None:
        self._types = list(parts)
        rows = list(parts.values())
        sizes = [len(item) for item in rows]
        self._part = np.repeat(np.arange(len(rows)), sizes)
        self._position = np.concatenate([np.arange(size, dtype=np.int64) for size in sizes])
        self.times: NDArray[np.int64] = np.concatenate([item.time_us for item in rows])
        self.streams: NDArray[np.int64] = np.concatenate([item.integers("stream_id") for item in rows])
        self.addresses: NDArray[np.int64] = np.concatenate([item.addresses() for item in rows])
        self._names: list[str] = []
        self._codes = np.concatenate([self._coded(log_type, item) for log_type, item in parts.items()])
        if len(rows) > 1:
            order = np.lexsort(
                tuple(np.concatenate([item.integers(name) for item in rows]) for name in ("row_in_line", "sequence"))
            )
            for name in ("_part", "_position", "times", "streams", "addresses", "_codes"):
                setattr(self, name, getattr(self, name)[order])

    def _coded(self, log_type: LogType, rows: Rows) -> NDArray[np.int64]:
        """The number of each row's source; new names are appended."""
        start = len(self._names)
        columns = {name: rows.column(name) for name in ("host", "service")}
        varied = [name for name, column in columns.items() if not _is_one(column)]
        if varied:
            keys = rows.key(varied[0])
            for name in varied[1:]:
                keys = keys * _SPREAD + rows.key(name)
            _, firsts, codes = np.unique(keys, return_index=True, return_inverse=True)
        else:
            firsts, codes = np.zeros(1, dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        named = [column.gather(firsts).to_list() for column in columns.values()]
        self._names += [json.dumps([log_type, host, service]) for host, service in zip(*named, strict=True)]
        return codes.astype(np.int64) + start

    def of_each(self, start: int, end: int) -> dict[str, NDArray[np.int64]]:
        """The lines in [start, end) of each source, the source first heard first."""
        codes = self._codes[start:end]
        order = np.argsort(codes.astype(np.uint16) if len(self._names) < 1 << 16 else codes, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
        groups.sort(key=lambda group: int(group[0]))
        return {self._names[codes[group[0]]]: start + group for group in groups}

    def turns(self, start: int, end: int) -> list[int]:
        """The lines in [start, end) at which another stream speaks than at the line before; the first one, too."""
        if start >= end:
            return []
        changes = np.flatnonzero(np.diff(self.streams[start:end])) + 1
        return [start, *(start + changes).tolist()]

    def place(self, at: int) -> tuple[LogType, int]:
        """The log type of a line and its position among the rows of that type."""
        return self._types[self._part[at]], int(self._position[at])


def _is_one(column: pl.Series) -> bool:
    """Whether all values are the same one, or null."""
    nulls = column.null_count()
    return nulls == len(column) or (nulls == 0 and bool((column == column[0]).all()))


def lines_of(rows: Mapping[LogType, Rows]) -> Lines | None:
    """The lines of a batch, None where there are none."""
    parts = {log_type: item for log_type, item in rows.items() if len(item)}
    return Lines(parts) if parts else None
