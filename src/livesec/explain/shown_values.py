"""Values of details as sentences show them: safe texts, numbers with thousands marked, spans and sizes for people."""

from __future__ import annotations

import math

from livesec.core.finding import Scalar
from livesec.core.human_units import size_text, time_text
from livesec.core.text import shown
from livesec.explain.deterministic import FIELD_CHARACTERS

_EXACT_BELOW = 1000  # larger real numbers are shown without decimals


def _rounded(value: float) -> str:
    if abs(value) >= _EXACT_BELOW or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def is_size(name: str) -> bool:
    """Whether the detail `name` counts bytes.

    >>> is_size("usual_bytes"), is_size("bytes_per_s"), is_size("attempts")
    (True, False, False)
    """
    return name == "bytes" or name.endswith("_bytes") or (name.startswith("bytes_") and not name.endswith("_s"))


def shown_value(name: str, value: Scalar) -> str:
    r"""`value` of the detail `name` for a sentence.

    >>> [shown_value(*item) for item in (("span_s", 90.0), ("bytes", 2_500_000), ("attempts", 1234), ("ratio", 0.1234))]
    ['90 s', '2.5 MB', '1,234', '0.123']
    >>> shown_value("user", "a\x1bb"), shown_value("user", None), shown_value("span_min", 5.0)
    ('a\\x1bb', 'unknown', '5 min')
    """
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return shown(value, FIELD_CHARACTERS)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not math.isfinite(value):
        return "n/a"
    if is_size(name):
        return size_text(value) or "n/a"
    unit = name.rpartition("_")[2]
    if unit == "s" and not name.endswith("per_s"):
        return time_text(value) or "n/a"
    suffix = {"min": " min", "h": " h", "days": " days", "km": " km", "kmh": " km/h", "ms": " ms"}.get(unit, "")
    return _rounded(value) + suffix
