"""Sizes and times as a person says them: 38.2 MB instead of 38,204,117 bytes, 5 min instead of 300 s."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_TIMES = ((2 * 86_400.0, 86_400.0, "days"), (2 * 3600.0, 3600.0, "h"), (120.0, 60.0, "min"))  # from, unit, name
_LARGEST_S = 1e12
_MOST_DIGITS = 1e6  # larger odds are told as a power of ten
_WHOLE = 100  # from here on without a decimal


def size_text(size_bytes: float) -> str | None:
    """`size_bytes` in decimal units; None for NaN, which is a size that nobody knows.

    >>> [size_text(size) for size in (0, 999, 1500, 999_999, 38_204_117, math.nan)]
    ['0 bytes', '999 bytes', '1.5 kB', '1 MB', '38.2 MB', None]
    """
    if not math.isfinite(size_bytes):
        return None
    for unit, name in _SIZES:
        if round(size_bytes) >= 0.9995 * unit:  # 999,999 is 1 MB, not 1000 kB
            return f"{_short(size_bytes / unit)} {name}"
    return f"{size_bytes:.0f} bytes"


def time_text(time_s: float) -> str | None:
    """`time_s` in ms, s, min, h or days, so that the number has two digits or more where it can; None for NaN.

    >>> [time_text(time_s) for time_s in (0, 0.012, 4.26, 45, 300, 3600, 9000, 2_592_000, math.nan)]
    ['less than 1 s', '12 ms', '4.3 s', '45 s', '5 min', '60 min', '2.5 h', '30 days', None]
    """
    if not abs(time_s) < _LARGEST_S:
        return None
    for least_s, unit_s, name in _TIMES:
        if time_s >= least_s:
            return f"{_short(time_s / unit_s)} {name}"
    if time_s == 0:  # most logs tell whole seconds
        return "less than 1 s"
    return f"{_short(time_s)} s" if time_s >= 1 else f"{_short(time_s * 1000)} ms"


def odds_text(one_in: float) -> str | None:
    """How rare something is that comes once in `one_in`, with a power of ten where digits say nothing; None for NaN.

    >>> odds_text(1234.5), odds_text(3e14), odds_text(math.nan)
    ('once in 1,234', 'once in 10^14', None)
    """
    if not math.isfinite(one_in):
        return None
    return f"once in {one_in:,.0f}" if one_in < _MOST_DIGITS else f"once in 10^{math.floor(math.log10(one_in))}"


def size_texts(sizes_bytes: Iterable[float]) -> Sequence[str | None]:
    """`size_text` of each, as a column of details."""
    return [size_text(float(size)) for size in sizes_bytes]


def time_texts(times_s: Iterable[float]) -> Sequence[str | None]:
    """`time_text` of each, as a column of details."""
    return [time_text(float(time_s)) for time_s in times_s]


def odds_texts(one_in: Iterable[float]) -> Sequence[str | None]:
    """`odds_text` of each, as a column of details."""
    return [odds_text(float(number)) for number in one_in]


def _short(number: float) -> str:
    """One decimal below _WHOLE, where it is not 0.

    >>> _short(2.04), _short(12.34), _short(345.6)
    ('2', '12.3', '346')
    """
    return f"{number:.0f}" if number >= _WHOLE else f"{number:.1f}".removesuffix(".0")
