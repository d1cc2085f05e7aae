"""When an endpoint that keeps failing is asked again: a circuit breaker without a clock of its own.

Five failures in a row open it for a minute, doubled each time the one probe after that fails too, to a quarter of an
hour. A key that is not accepted keeps it open until the settings change. Only what the endpoint does counts: an answer
of no use is an answer, or whoever writes odd log lines could switch the model off.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from livesec.core.clock import US_PER_S
from livesec.explain.model_call import Failure

FAILURES_TO_OPEN = 5
FIRST_OPEN_S, LONGEST_OPEN_S = 60.0, 900.0
_OF_ENDPOINT = frozenset({Failure.TIMEOUT, Failure.CONNECTION, Failure.RATE_LIMITED, Failure.SERVER, Failure.NOT_FOUND})


def is_endpoints_fault(failure: Failure) -> bool:
    """Whether a failure says something about the endpoint, and nothing about the question."""
    return failure in _OF_ENDPOINT or failure is Failure.AUTHENTICATION


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed, open until a time, or shut until the settings change. Each step gives a new one.

    >>> breaker = Breaker()
    >>> for _ in range(FAILURES_TO_OPEN):
    ...     breaker = breaker.failed(Failure.SERVER, 0)
    >>> breaker.is_closed_at(59_000_000), breaker.is_closed_at(60_000_000)
    (False, True)
    """

    failures: int = 0
    """In a row."""
    open_s: float = 0.0
    """How long it was opened for last; 0 where the last answer was one."""
    not_before_us: int = 0
    """Nothing is asked before: it is open, a probe is on its way, or the server asked to wait."""
    is_shut: bool = False
    """The key was not accepted."""
    failure: str = ""
    """Failure that was the last."""

    def is_closed_at(self, now_us: int) -> bool:
        """Whether the endpoint may be asked."""
        return not self.is_shut and now_us >= self.not_before_us

    def asked(self, now_us: int, timeout_s: float) -> Breaker:
        """A question is on its way. After an opening it is the one probe: nobody else asks until it has ended."""
        if not self.open_s:
            return self
        return replace(self, not_before_us=now_us + round(timeout_s * US_PER_S))

    def answered(self) -> Breaker:
        """An answer came, of whatever use."""
        return Breaker()

    def failed(
        self, failure: Failure, now_us: int, *, wait_s: float | None = None, is_warming: bool = False
    ) -> Breaker:
        """No answer came. `wait_s`: what the server asked to wait. `is_warming`: a local model was being loaded."""
        if failure is Failure.AUTHENTICATION:
            return replace(self, is_shut=True, failure=str(failure))
        if not is_endpoints_fault(failure):
            return self.answered()
        if failure is Failure.TIMEOUT and is_warming:
            return replace(self, not_before_us=now_us)
        failures, open_s = self.failures + 1, self.open_s
        pause_s = wait_s or 0.0
        if open_s or failures >= FAILURES_TO_OPEN:
            open_s = min(open_s * 2, LONGEST_OPEN_S) if open_s else FIRST_OPEN_S
            pause_s = max(pause_s, open_s)
        return Breaker(failures, open_s, now_us + round(pause_s * US_PER_S), False, str(failure))

    def text(self, now_us: int) -> str:
        """Its state for a person.

        >>> Breaker().text(0), Breaker(is_shut=True, failure="authentication").text(0)
        ('closed', 'open until the settings change: authentication')
        """
        if self.is_shut:
            return f"open until the settings change: {self.failure}"
        if now_us < self.not_before_us:
            return f"open for {(self.not_before_us - now_us) / US_PER_S:.0f} s: {self.failure}"
        return "half-open: the next question is a probe" if self.open_s else "closed"

    def to_json(self) -> str:
        """As the store keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Breaker:
        """What `to_json` wrote."""
        return cls(**json.loads(text))
