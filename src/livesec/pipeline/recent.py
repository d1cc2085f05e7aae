"""The last rows of each log type, for the desk's live streams. Made into text only when asked for."""

from __future__ import annotations

import json

import polars as pl

from livesec.core.anomaly import RecentEvent
from livesec.core.rows import Rows
from livesec.core.schema import COMMON, LogType

_HIDDEN = frozenset(COMMON) - {"host", "service"}
_SHOWN_CHARACTERS = 300


class RecentRows:
    """Keeps at most `limit` rows per log type between two drains."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tails: dict[LogType, list[Rows]] = {}

    def add(self, rows: Rows) -> None:
        """Note the end of `rows`."""
        tail = rows.last(self._limit)
        kept, room = [tail], self._limit - len(tail)
        for earlier in reversed(self._tails.get(rows.log_type, [])):
            if room > 0:
                kept.insert(0, earlier.last(room))
            room -= len(earlier)
        self._tails[rows.log_type] = kept

    @property
    def is_waiting(self) -> bool:
        """Whether `drain` would give anything."""
        return bool(self._tails)

    def drain(self) -> list[RecentEvent]:
        """What was noted since the last drain, in order."""
        events = []
        for log_type, tails in self._tails.items():
            frame = pl.concat([rows.frame for rows in tails])
            known = [name for name in frame.columns if frame[name].null_count() < frame.height]
            for row in frame.select(known).to_dicts():
                fields = {
                    name: value[:_SHOWN_CHARACTERS] if isinstance(value, str) else value
                    for name, value in row.items()
                    if name not in _HIDDEN and value is not None
                }
                events.append(
                    RecentEvent(
                        log_type,
                        row["event_time_us"],
                        row["stream_id"],
                        row["line_offset"],
                        json.dumps(fields),
                    )
                )
        self._tails.clear()
        return events
