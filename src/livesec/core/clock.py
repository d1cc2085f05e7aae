"""Times as text. Inside LiveSec a time is microseconds since 1970 in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US_PER_S = 1_000_000
US_PER_HOUR = 3_600 * US_PER_S
US_PER_DAY = 86_400 * US_PER_S


def rfc3339(time_us: int) -> str:
    """RFC 3339 in UTC with microseconds; times outside years 1 to 9999 are held at those.

    >>> rfc3339(1_772_409_600_123_456)
    '2026-03-02T00:00:00.123456Z'
    """
    try:
        moment = _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        moment = datetime.max if time_us > 0 else datetime.min
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def seed_time(time_us: int) -> str:
    """`YYYY-MM-DD HH:MM:SS` in UTC, as the CSV mirror and the console show it."""
    return rfc3339(time_us)[:19].replace("T", " ")


def now_us() -> int:
    """The wall clock. Only runners and the desk may ask it; nothing that decides does."""
    return time.time_ns() // 1000
