"""A measured number, what it is, and the target that it is held against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the results table.

    `at_least` or `at_most` is the target, where there is one; `note` says how it was measured.
    """

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one.

        >>> Figure("rate", 5.0, "lines/s", at_least=4.0).is_met, Figure("rate", 5.0, "lines/s").is_met
        (True, None)
        """
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None

    def target(self) -> str:
        """The target as text, empty without one."""
        if self.at_least is not None:
            return f">= {number(self.at_least)}"
        if self.at_most is not None:
            return f"<= {number(self.at_most)}"
        return ""


def number(value: float) -> str:
    """Three figures, with separators where it is large.

    >>> number(0.01234), number(12.34), number(437812.0)
    ('0.0123', '12.3', '437,812')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest measured value that at least `share` (0 to 1) of the values do not exceed.

    >>> quantile([3.0, 1.0, 2.0, 4.0], 0.5), quantile([3.0, 1.0, 2.0, 4.0], 0.99)
    (2.0, 4.0)
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)
