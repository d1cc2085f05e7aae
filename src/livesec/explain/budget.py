"""How much a model may be asked: calls per minute, calls and tokens per day, a fifth of each kept for critical."""

from __future__ import annotations

from dataclasses import dataclass

from livesec.core.clock import US_PER_DAY, US_PER_S

US_PER_MINUTE = 60 * US_PER_S
_KEPT = 5
"""One part in so many is kept."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was asked so far, by the clock's minute and the UTC day."""

    calls_minute: int
    calls_day: int
    tokens_day: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing may be asked now, and until when."""

    reason: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The caps of the settings."""

    calls_per_minute: int
    calls_per_day: int
    tokens_per_day: int

    def refusal(self, used: Used, *, is_critical: bool, now_us: int) -> Refusal | None:
        """None where one more call may be made; else why not.

        >>> Budget(10, 200, 200_000).refusal(Used(8, 20, 1_000), is_critical=False, now_us=0)
        Refusal(reason='budget: 10 calls per minute, a fifth kept for critical', until_us=60000000)
        >>> Budget(10, 200, 200_000).refusal(Used(8, 20, 1_000), is_critical=True, now_us=0) is None
        True
        """
        next_day = (now_us // US_PER_DAY + 1) * US_PER_DAY
        next_minute = (now_us // US_PER_MINUTE + 1) * US_PER_MINUTE
        for used_now, cap, what, until_us in (
            (used.calls_day, self.calls_per_day, "calls per day", next_day),
            (used.tokens_day, self.tokens_per_day, "tokens per day", next_day),
            (used.calls_minute, self.calls_per_minute, "calls per minute", next_minute),
        ):
            if used_now >= (cap if is_critical else cap - cap // _KEPT):
                kept = "" if is_critical else ", a fifth kept for critical"
                return Refusal(f"budget: {cap:,} {what}{kept}", until_us)
        return None
