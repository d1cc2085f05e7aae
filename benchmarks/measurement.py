"""What every measurement is given, and the shape of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure


@dataclass(frozen=True)
class Bench:
    """A folder to work in, and how large the measurement is.

    `share` is 1 for the stated sizes; a smaller one (--quick) shows that the measurement works, and no more.
    """

    folder: Path
    share: float
    say: Callable[[str], None]
    is_long: bool = False
    """Whether sizes are wanted that take an hour (--long), where a measurement has such."""

    def size(self, full: int, least: int = 1) -> int:
        """`full`, or its share, but no less than `least`."""
        return max(least, round(full * self.share))


Measurement = Callable[[Bench], list[Figure]]
