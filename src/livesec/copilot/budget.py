"""How often a model may be asked: the limits that explanations have too."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from livesec.core.clock import US_PER_DAY, US_PER_S, now_us
from livesec.core.errors import LiveSecError
from livesec.core.settings import Settings
from livesec.explain.budget import Budget as Caps
from livesec.explain.budget import Used
from livesec.store.model_usage import add_usage, usage
from livesec.store.second_writer import SecondWriter

_log = logging.getLogger(__name__)

US_PER_MINUTE = 60 * US_PER_S


class Budget(Protocol):
    """What a model may still cost."""

    def refusal(self) -> str | None:
        """Why no call may be made now, or None; a call that may be made counts from here on."""
        ...

    def spent(self, tokens: int) -> None:
        """Tokens of a call, asked and answered."""
        ...


class StoreBudget:
    """Limits of the settings, counted in the store, so that explanations and questions share them.

    A fifth of each is kept for explanations of critical findings. What is counted is a transaction of its own, beside
    the daemon's.
    """

    def __init__(self, db: str, settings: Settings, clock: Callable[[], int] = now_us) -> None:
        self._db = db
        self._caps = Caps(
            settings.explain_calls_per_minute, settings.explain_calls_per_day, settings.explain_tokens_per_day
        )
        self._clock = clock

    def refusal(self) -> str | None:
        """See Budget; also where the store cannot be written."""
        now = self._clock()
        try:
            with closing(SecondWriter(self._db)) as store, store.writing() as connection:
                found = usage(connection, now)
                used = Used(found["minute"].calls, found["day"].calls, found["day"].tokens)
                refused = self._caps.refusal(used, is_critical=False, now_us=now)
                if refused is None:
                    add_usage(connection, now, calls=1)
        except LiveSecError as error:
            return f"no call can be counted: {error}"
        return None if refused is None else refused.reason

    def spent(self, tokens: int) -> None:
        """See Budget."""
        try:
            with closing(SecondWriter(self._db)) as store, store.writing() as connection:
                add_usage(connection, self._clock(), tokens=tokens)
        except LiveSecError as error:
            _log.warning("%d tokens of a question could not be counted: %s", tokens, error)


class SessionBudget:
    """Limits of the settings, counted in this process alone."""

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
