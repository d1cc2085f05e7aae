"""When to try again what failed."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 1.0
MOST_S = 300.0
HEALTHY_S = 60.0


@dataclass
class BackOff:
    """Says when to try again: at once after a first failure, then after 1 s, doubled each time, at most 5 minutes.

    A failure HEALTHY_S after the last try starts over. Times are monotonic seconds.

    >>> back_off = BackOff()
    >>> for now in (100.0, 100.0, 101.0, 103.0):
    ...     back_off.failed(now)
    ...     print(back_off.due)
    100.0
    101.0
    103.0
    107.0
    """

    due: float = 0.0
    """Not before this."""
    _delay_s: float = 0.0

    def failed(self, now: float) -> None:
        """Note a failure at `now`."""
        if now - self.due > HEALTHY_S:
            self._delay_s = 0.0
        self.due = now + self._delay_s
        self._delay_s = min(max(FIRST_S, 2 * self._delay_s), MOST_S)
