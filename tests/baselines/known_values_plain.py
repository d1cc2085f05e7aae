"""known_values as a plain reading of its rules, for the tests of what is built on it."""

from __future__ import annotations

from collections import defaultdict


class PlainKnown:
    """Values met before: per set the last four, the latest first."""

    def __init__(self) -> None:
        self.sets: dict[int, list[int]] = defaultdict(list)

    def meet(self, value: int) -> bool:
        """Whether `value` is new."""
        bits, ways = value & 0xFFFFFFFF | 1, self.sets[value >> 58]
        is_new = bits not in ways
        if not is_new:
            ways.remove(bits)
        ways.insert(0, bits)
        del ways[4:]
        return is_new
