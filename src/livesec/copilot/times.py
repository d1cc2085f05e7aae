"""Times in questions: `24h`, `7d`, RFC 3339, or `all`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import Connection

from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.store.activity_queries import US_PER_MINUTE, latest_event_us

ALL = "all"
MAX_SPAN_US = 3660 * US_PER_DAY  # ten years
_SPAN = re.compile(r"(\d{1,5})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
_UNIT_US = {"m": US_PER_MINUTE, "h": 60 * US_PER_MINUTE, "d": US_PER_DAY, "w": 7 * US_PER_DAY}
EXPECTED = "a span such as 24h, 7d or 30min, a time such as 2026-03-02 or 2026-03-02T10:00:00Z, or all"


def span_us(text: str) -> int | None:
    """Microseconds of a span, None for what is none.

    >>> span_us("24h") == span_us("1 day") == 86_400_000_000
    True
    >>> span_us("yesterday") is None
    True
    """
    found = _SPAN.fullmatch(text.strip())
    return int(found[1]) * _UNIT_US[found[2][0].lower()] if found else None


def check_time(text: str) -> str:
    """`text` stripped, if it is a time. Raises ValueError that says what one looks like."""
    text = text.strip()
    span = span_us(text)
    if text.lower() == ALL or (span is not None and 0 < span <= MAX_SPAN_US):
        return text.lower() if span is not None or text.lower() == ALL else text
    if span is None:
        try:
            _moment(text)
        except (ValueError, OverflowError):
            pass
        else:
            return text
    raise ValueError(f"expected {EXPECTED}")


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * US_PER_S + moment.microsecond


def time_us(text: str, now_us: int) -> int | None:
    """Microseconds since 1970 of a text that `check_time` let through: spans count back from `now_us`; None for all.

    >>> time_us("1h", 7_200_000_000), time_us("1970-01-01T00:00:01Z", 0), time_us("all", 0)
    (3600000000, 1000000, None)
    """
    if text == ALL:
        return None
    span = span_us(text)
    return _moment(text) if span is None else now_us - span


def reference_us(connection: Connection, wall_us: int) -> int:
    """What "the last hour" is counted from: `wall_us`, or the end of the log where that is more than a day past."""
    latest = latest_event_us(connection)
    return wall_us if latest is None or latest > wall_us - US_PER_DAY else latest + US_PER_MINUTE
