"""Weak signs of several kinds about one account within hours: each an event, together an alert.

Sees who stays below every threshold at once: a few sensitive files, an upload somewhat larger than usual, a destination
that is new. A kind is an ATT&CK tactic, of the finding's first technique: signs of one tactic mostly say the same
twice, so only the surest of each counts, by its share of an alert. Told where three tactics come to one and a half
alerts, once in a sitting. Misses what is spread over days, which entity risk and incidents gather, and signs of two
tactics. Silent where one of the signs is an alert by itself: somebody looks already. Nothing is learned, so nothing can
be trained. Source: Splunk's risk rules (several tactics of one risk object), within hours instead of a week.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from livesec.core.attack import tactics_of
from livesec.core.clock import US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding, Scalar
from livesec.core.human_units import time_text
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.correlate.sequel import MAX_ENTITIES, raised, weight

_KEPT = 16  # signs remembered per user
_SHOWN = 8  # lines of evidence
_VERSION = 1

_Sign = tuple[int, str, str, float, int]
"""Time, tactic, detector, share of an alert, line."""


@dataclass(frozen=True)
class Params:
    """How much in which time is an alert."""

    window_s: float = param(6 * 3600.0, "s", "our choice: a sitting, or half a working day", minimum=60)
    tactics: int = param(3, "tactics", "Splunk's risk rule: three tactics", minimum=2)
    least: float = param(1.5, "alerts", "demo worlds, seeds 1 to 3: on quiet days never above 1.2", minimum=1)


@dataclass(slots=True)
class _Gathered:
    """Signs of a user within the window, oldest first."""

    signs: list[_Sign] = field(default_factory=list)
    told_us: int | None = None


class State:
    """Signs by user, least recently written first."""

    def __init__(self) -> None:
        self.users: dict[str, _Gathered] = {}


class GatheredSigns(Correlator[Params, State]):
    """Adds up findings per user."""

    name = "gathered_signs"
    log_type = LogType.FILE_TRANSFER
    technique = ("T1078",)
    base_severity = 47
    params = Params
    summary = "{user}: {signs:,} weak signs of {tactics:,} kinds within {span}, together an alert: {kinds}"
    guidance = Guidance(
        meaning="Each of these findings is an event that happens; that they all happen to one account within hours is "
        "not by chance. Somebody may stay below every threshold on purpose.",
        usual="Within {window} the surest signs of each kind ({tactic_names}) come to {alerts:.1f} times an alert; it "
        "is told from {least:.1f} with {tactics_limit:,} kinds on. None of them is an alert by itself: {kinds}.",
        benign=(
            "a new task: other files, other destinations and other hours all at once",
            "a handover, or a colleague who stands in for another",
            "a journey on which somebody fetches what it needs",
        ),
        commands=("acts_of_user", "logins_of_user", "large_files_of_user", "s3_events_of_user"),
        next_steps=(
            "Read the findings of {user} in this time together, oldest first: do they make one story?",
            "Which of them can one harmless reason explain, and which is left over?",
            "From where did {user} log in before, and is it them? Ask over another channel.",
            "If something is left over: look at where the files went before anything else.",
        ),
        would_change=(
            "one task, confirmed by somebody other than the account, that explains them all: then it is harmless",
            "a login of {user} from a new address in the hours before: then somebody else uses the account",
            "more of the same on the next days: then it is no task that ends",
        ),
    )

    def initial(self) -> State:
        """Nothing is known of anybody."""
        return State()

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for each user whose signs come to enough."""
        about_users = [item for item in findings if item.user is not None and "user" in item.entity_type.split("|")]
        found = [self._judge(state, item) for item in about_users]
        return [item for item in found if item is not None]

    def _judge(self, state: State, sign: Finding) -> Finding | None:
        user, now_us = str(sign.user), sign.stream_time_us
        gathered = state.users.pop(user, None) or _Gathered()
        state.users[user] = gathered
        window_us = int(self.p.window_s * US_PER_S)
        (tactic, *_) = tactics_of(sign.techniques[:1])
        own: _Sign = (now_us, tactic, sign.detector, weight(sign), sign.evidence[-1])
        gathered.signs = [*(item for item in gathered.signs if now_us - item[0] <= window_us), own][-_KEPT:]
        self._forget(state, now_us - window_us)
        surest: dict[str, float] = {}
        for _, kind, _, share, _ in gathered.signs:
            surest[kind] = max(share, surest.get(kind, 0.0))
        told = gathered.told_us is not None and now_us - gathered.told_us <= window_us
        enough = len(surest) >= self.p.tactics and sum(surest.values()) >= self.p.least
        if told or not enough or max(surest.values()) >= 1.0:
            return None
        gathered.told_us = now_us
        details: dict[str, Scalar] = {
            "signs": len(gathered.signs),
            "tactics": len(surest),
            "tactic_names": ", ".join(surest),
            "kinds": ", ".join(dict.fromkeys(detector for _, _, detector, _, _ in gathered.signs)),
            "alerts": sum(surest.values()),
            "least": self.p.least,
            "tactics_limit": self.p.tactics,
            "span": time_text(max(0, now_us - gathered.signs[0][0]) / US_PER_S),
            "window": time_text(self.p.window_s),
        }
        lines = list(dict.fromkeys(line for *_, line in gathered.signs[-_SHOWN:]))
        return raised(self, sign, "user", user, "tactics", details, lines)

    @staticmethod
    def _forget(state: State, before_us: int) -> None:
        """Up to two of the users that were quiet for longest: more than come in."""
        for _ in range(2):
            oldest = next(iter(state.users))
            if state.users[oldest].signs[-1][0] < before_us or len(state.users) > MAX_ENTITIES:
                del state.users[oldest]

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        rows = [[user, item.signs, item.told_us] for user, item in state.users.items()]
        return json.dumps({"version": _VERSION, "users": rows}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"gathered_signs: saved state of version {saved['version']}")
        state = State()
        for user, signs, told_us in saved["users"]:
            state.users[user] = _Gathered(
                [(at, kind, who, share, line) for at, kind, who, share, line in signs], told_us
            )
        return state


CORRELATOR = GatheredSigns
