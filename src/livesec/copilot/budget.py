"""How often a model may be asked: the limits that explanations have too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from livesec.core.clock import US_PER_DAY, US_PER_S, now_us
from livesec.core.settings import Settings

US_PER_MINUTE = 60 * US_PER_S


class Budget(Protocol):
    """What a model may still cost."""

    def refusal(self) -> str | None:
        """Why no call may be made now, or None; a call that may be made counts from here on."""
        ...

    def spent(self, tokens: int) -> None:
        """Tokens of a call, asked and answered."""
        ...


class SessionBudget:
    """Limits of the settings, counted in this process."""

    def __init__(self, settings: Settings, clock: Callable[[], int] = now_us) -> None:
        self._settings = settings
        self._clock = clock
        self._calls: deque[int] = deque()
        self._tokens: deque[tuple[int, int]] = deque()

    def refusal(self) -> str | None:
        """See Budget."""
        now = self._clock()
        while self._calls and self._calls[0] <= now - US_PER_DAY:
            self._calls.popleft()
        while self._tokens and self._tokens[0][0] <= now - US_PER_DAY:
            self._tokens.popleft()
        if len(self._calls) >= self._settings.explain_calls_per_day:
            return (
                f"the budget of {self._settings.explain_calls_per_day} calls a day is used up (EXPLAIN_CALLS_PER_DAY)"
            )
        if sum(at > now - US_PER_MINUTE for at in self._calls) >= self._settings.explain_calls_per_minute:
            return f"{self._settings.explain_calls_per_minute} calls a minute are the limit (EXPLAIN_CALLS_PER_MINUTE)"
        if sum(tokens for _, tokens in self._tokens) >= self._settings.explain_tokens_per_day:
            return (
                f"the budget of {self._settings.explain_tokens_per_day:,d} tokens a day is used up "
                "(EXPLAIN_TOKENS_PER_DAY)"
            )
        self._calls.append(now)
        return None

    def spent(self, tokens: int) -> None:
        """See Budget."""
        self._tokens.append((self._clock(), tokens))
