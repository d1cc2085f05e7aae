"""How long ago something was, as a person says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from livesec.core.human_units import time_text


def ago_texts(times_s: Iterable[float]) -> Sequence[str]:
    """How long ago each is, as a column of details.

    >>> ago_texts([0.0, 600.0])
    ['just now', '10 min ago']
    """
    return [f"{time_text(float(time_s))} ago" if time_s >= 1 else "just now" for time_s in times_s]
