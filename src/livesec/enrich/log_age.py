"""For how long network rows had been coming when one came: what was there from the start is no news.

A detector keeps state per entity and cannot know it: to the entity's state its own first row is the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from livesec.core.errors import StateVersionError
from livesec.core.protocols import Lookup
from livesec.core.rows import Rows
from livesec.core.schema import LogType

_STATE_VERSION: Final = b"log_age 1 "


@dataclass
class LogStart:
    """Stream time of the first row ever, None before it."""

    first_us: int | None = None


class LogAge(Lookup[LogStart]):
    """Adds log_age_us: a row's stream time after that of the first row, never below 0.

    Logs of days before that are read later, from another stream, do not make the log older.
    """

    name: ClassVar[str] = "log_age"
    log_types: ClassVar[tuple[LogType, ...]] = (LogType.NETWORK,)

    def initial(self) -> LogStart:
        """No row yet."""
        return LogStart()

    def step(self, state: LogStart, rows: Rows) -> Rows:
        """`rows` (at least one) with log_age_us."""
        if state.first_us is None:
            state.first_us = int(rows.time_us[0])
        age = (pl.col("stream_time_us") - state.first_us).clip(lower_bound=0)
        return Rows(rows.log_type, rows.frame.with_columns(log_age_us=age))

    def to_bytes(self, state: LogStart) -> bytes:
        """Version and time."""
        return _STATE_VERSION + ("" if state.first_us is None else str(state.first_us)).encode()

    def from_bytes(self, blob: bytes) -> LogStart:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        written = blob.removeprefix(_STATE_VERSION)
        if written == blob or (not written.removeprefix(b"-").isdigit() and written):
            raise StateVersionError(f"log_age: a saved state starts with {blob[:16]!r}, expected {_STATE_VERSION!r}")
        return LogStart(int(written) if written else None)
