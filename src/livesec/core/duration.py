"""Lengths of time as a person says them."""

from __future__ import annotations

from collections.abc import Iterable

_SCALE = ((90.0, 1.0, "s"), (90 * 60.0, 60.0, "min"), (48 * 3600.0, 3600.0, "h"), (float("inf"), 86_400.0, "days"))
_WITH_TENTHS = 9.95  # below it tenths matter; what rounds to 10 needs none


def duration_text(seconds: float) -> str:
    """`seconds` (0 or more) to two figures or a whole number, in the unit that fits.

    >>> duration_text(0.2), duration_text(12.4), duration_text(600), duration_text(5_400), duration_text(300_000)
    ('less than a second', '12 s', '10 min', '1.5 h', '3.5 days')
    """
    if seconds < 1:
        return "less than a second"
    unit_s, unit = next((unit_s, unit) for below_s, unit_s, unit in _SCALE if seconds < below_s)
    amount = seconds / unit_s
    return f"{amount:.1f} {unit}" if amount < _WITH_TENTHS and amount != round(amount) else f"{amount:,.0f} {unit}"


def duration_texts(seconds: Iterable[float]) -> list[str]:
    """`duration_text` of each."""
    return [duration_text(float(item)) for item in seconds]


def ago_texts(seconds: Iterable[float]) -> list[str]:
    """How long ago each is.

    >>> ago_texts([0.0, 600.0])
    ['just now', '10 min ago']
    """
    return [f"{duration_text(float(item))} ago" if item >= 1 else "just now" for item in seconds]
