"""A taken-over account takes data: signs of a stolen account, then of theft by the same user within a day.

Sees bf_success, login_risk or impossible_travel of a user, then an access to sensitive files or unusual amounts by the
same user, or from the address that guessed its way in. Misses a thief who waits longer than a day, and one who uses
another account for the files. A slowly rising thief is found as far as the single detectors find him: this only joins.

Nothing is learned. Each part counts by how sure it is: what is an alert alone counts fully, what is less by its share
of one, and the product is the confidence. Reported at the first sequel, again where a later one makes it half as sure
again, and on log growth. Source: DETECTIONS "Across sources", after Splunk's risk rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livesec.baselines.growth import GROWTH
from livesec.core.finding import Finding, Scalar
from livesec.core.human_units import time_text
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows, network_64
from livesec.core.schema import LogType
from livesec.correlate.sequel import Memory, cause_of, raised, weight

TAKEOVERS = frozenset({"bf_success", "login_risk", "impossible_travel"})
THEFTS = frozenset(
    {
        "sensitive_file_access",
        "large_file_transfer",
        "potential_data_exfiltration",
        "volume_burst",
        "count_burst",
        "equal_chunks",
    }
)
SURER = 1.5  # our choice: half as sure again is news


@dataclass(frozen=True)
class Params:
    """How long a takeover is remembered."""

    window_s: float = param(86_400.0, "s", "DETECTIONS: within 24 h", minimum=60)


class TakeoverThenExfil(Correlator[Params, Memory]):
    """Joins takeover findings with file findings of the same user."""

    name = "takeover_then_exfil"
    log_type = LogType.FILE_TRANSFER
    technique = ("T1078", "T1567")
    base_severity = 99
    params = Params
    summary = (
        "{user} took data ({effect}) {since} after signs that the account was taken over ({takeover}); "
        "findings about files since: {sequels:,}"
    )
    guidance = Guidance(
        meaning="Someone else seems to have got into the account, and then data was reached or moved with it. "
        "This is theft under way until shown otherwise.",
        usual="By one account both within {window} are not expected at all; here {takeover} came {since} before "
        "{effect}; findings about files since: {sequels:,}. By itself the sign of a takeover is worth "
        "{takeover_share:.0%} of an alert and that of theft {effect_share:.0%}.",
        benign=(
            "a user on a journey who fetches the files that the journey needs",
            "an administrator who mistyped a new password and then restores a backup",
            "a new machine that logs in from elsewhere and synchronises all of its user's files",
        ),
        commands=("who_is_on", "logins_of_user", "acts_of_user", "open_files_of_user"),
        next_steps=(
            "Which sessions of {user} are open, and from where? The evidence lists the lines of login and files, "
            "oldest first.",
            "Which files were reached, and where did they go?",
            "Ask {user}, over another channel than the account's own.",
            "If it was not them: lock the account, end its sessions, keep the logs, and have the data held where it "
            "went.",
        ),
        would_change=(
            "{user} did not log in {since} before: then data is being stolen now",
            "files that {user} never worked with, or a destination that is not the organisation's: then it is theft",
            "{user} confirms both the login and the files over another channel: then it is harmless",
        ),
    )

    def initial(self) -> Memory:
        """Nobody was taken over."""
        return Memory(self.name, self.p.window_s)

    def step(self, state: Memory, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for each theft of a user within the window after a takeover."""
        found = []
        for finding in findings:
            if finding.detector in TAKEOVERS:
                self._remember(state, finding)
            elif finding.detector in THEFTS:
                sequel = self._judge(state, finding)
                if sequel is not None:
                    found.append(sequel)
        return found

    def _remember(self, state: Memory, finding: Finding) -> None:
        for entity in _entities(finding, with_address=finding.detector == "bf_success"):
            before, cause = state.causes.get(entity), cause_of(finding)
            since_s = before.since_s(finding.stream_time_us) if before is not None else None
            if before is not None and since_s is not None and since_s <= self.p.window_s:
                if before.weight > cause.weight:  # the surer sign stays, for as long as it counts
                    continue
                cause.reports, cause.sequels, cause.reported = before.reports, before.sequels, before.reported
            state.remember(entity, cause)

    def _judge(self, state: Memory, theft: Finding) -> Finding | None:
        for entity in _entities(theft, with_address=True):
            cause = state.causes.get(entity)
            since_s = cause.since_s(theft.stream_time_us) if cause is not None else None
            if cause is None or since_s is None or since_s > self.p.window_s:
                continue
            cause.sequels += 1
            confidence = cause.weight * weight(theft)
            grown = cause.sequels >= GROWTH**cause.reports
            if not grown and confidence < SURER * cause.reported:
                return None
            cause.reports += 1 if grown else 0
            cause.reported = max(cause.reported, confidence)
            kind, _, name = entity.partition(":")
            details: dict[str, Scalar] = {
                "takeover": cause.what,
                "effect": theft.detector,
                "since_h": since_s / 3600,
                "since": time_text(since_s),
                "window": time_text(self.p.window_s),
                "takeover_share": cause.weight,
                "effect_share": weight(theft),
                "sequels": cause.sequels,
            }
            evidence = (*cause.evidence, *theft.evidence)
            return raised(self, theft, kind, name, theft.detector, details, evidence, confidence)
        return None

    def to_bytes(self, state: Memory) -> bytes:
        """JSON."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> Memory:
        """What `to_bytes` wrote."""
        return Memory.from_bytes(self.name, self.p.window_s, blob)


def _entities(finding: Finding, *, with_address: bool) -> list[str]:
    """The user first; the address where it says who acted."""
    named = [f"user:{finding.user}"] if finding.user is not None else []
    if with_address and finding.src_ip is not None:
        named.append(f"src_ip:{network_64(finding.src_ip)}")
    return named


CORRELATOR = TakeoverThenExfil
