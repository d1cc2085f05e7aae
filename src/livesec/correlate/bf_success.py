"""A guessed password: a login succeeds from an address that was guessing shortly before.

Sees a success within 15 minutes of bf_fast, bf_slow, bf_few, bf_paced, user_enum or spray on the same address, and one
from outside within 15 minutes of bf_distributed on the same account, unless by key or ticket, at lower confidence: its
owner may log in meanwhile. Misses a success from another address of the attacker. A few slow failures of the one
account that then gets in count 0.4, or less where they were hardly guessing: so does its owner. Nothing is learned.
Source: Wazuh rule 40112, Elastic "successful SSH brute force attack".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livesec.core.finding import Finding, Scalar
from livesec.core.human_units import time_text
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows, network_64
from livesec.core.schema import LogType
from livesec.correlate.sequel import Cause, Event, Memory, cause_of, events, merged, raised

BY_ADDRESS = frozenset({"bf_fast", "bf_slow", "bf_few", "bf_paced", "user_enum", "spray", "failed_login"})
BY_USER = frozenset({"bf_distributed"})
NOT_GUESSED = frozenset({"publickey", "hostbased", "gssapi-with-mic", "gssapi-keyex", "gssapi", "kerberos"})
PATIENT = frozenset({"bf_slow", "bf_few", "failed_login"})
"""What a person who mistypes shows, too."""
MISTYPED = 0.4  # our choice: no alert by itself, as the guessing is one already; with it no incident yet
OWNER_OR_NOT = 0.6  # our choice: medium by itself; the owner logs in now and then whoever guesses


@dataclass(frozen=True)
class Params:
    """How long guessing is remembered, and what a person does."""

    window_s: float = param(900.0, "s", "Elastic: success within 15 minutes", minimum=1)
    mistypes: int = param(10, "attempts", "our choice: a person gives up before", minimum=0)


class GuessedPassword(Correlator[Params, Memory]):
    """Joins guessing findings with the successes that follow from the same address."""

    name = "bf_success"
    log_type = LogType.LOGIN
    technique = ("T1078", "T1110.001")
    base_severity = 99
    params = Params
    summary = "{src_ip} logged in as {user} {since} after guessing passwords ({detector}, {attempts:,} attempts)"
    guidance = Guidance(
        meaning="Guessing stopped because it worked: treat the account as taken over until shown otherwise.",
        usual="{src_ip} logged in as {user} {since} after {attempts:,} failed attempts ({detector}). A login is "
        "expected from an address without a guess in the {window} before it; an owner who mistypes gets in or gives "
        "up in fewer than {mistypes:,} tries.",
        benign=(
            "the owner, who remembered the password after many tries",
            "a script whose password was just corrected",
            "after guessing from many addresses: the owner, who happened to log in meanwhile",
        ),
        commands=("logins_of_address", "sockets_of_source", "acts_of_user", "keys_of_user"),
        next_steps=(
            "Is the session still open, and what did it do so far?",
            "Ask {user}, over another channel, whether they logged in just then from {src_ip}.",
            "Which other accounts did {src_ip} try, and did one of them log in as well?",
            "If it was not the owner: lock {user}, end its sessions, change the password, look for new keys, jobs and "
            "accounts.",
        ),
        would_change=(
            "several accounts tried before this one, or names that do not exist here: then it is certainly a break-in",
            "new keys, jobs or transfers of {user} since: then the attacker is at work",
            "{user} confirms the login over another channel, and only this account had failed: then it is harmless",
        ),
    )

    def initial(self) -> Memory:
        """No address has guessed."""
        return Memory(self.name, self.p.window_s)

    def step(self, state: Memory, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for each success of an address, or on an account, within the window after guessing."""
        guesses = [item for item in findings if _target(item) is not None]
        logins = rows.get(LogType.LOGIN)
        if not (guesses or (state.causes and logins is not None)):
            return []
        targets = {*state.causes, *(str(_target(item)) for item in guesses)}
        found: list[Finding] = []
        for item in merged(guesses, _successes(logins, targets)):
            if isinstance(item, Finding):
                self._remember(state, item)
                continue
            finding = self._judge(state, item)
            found += [finding] if finding is not None else []
        return found

    def _remember(self, state: Memory, guess: Finding) -> None:
        """The last guessing counts; but what was fast or aimed at many was no person, whatever follows."""
        target, cause = str(_target(guess)), cause_of(guess)
        before = state.causes.get(target)
        since_s = before.since_s(cause.time_us) if before is not None else None
        if before is not None and since_s is not None and since_s <= self.p.window_s:
            cause.what = before.what if cause.what in PATIENT else cause.what
            cause.attempts = max(before.attempts, cause.attempts)
        state.remember(target, cause)

    def _judge(self, state: Memory, login: Event) -> Finding | None:
        for target, confidence in ((_address(login.src_ip), 1.0), (f"user:{login.user}", OWNER_OR_NOT)):
            guessing = state.causes.get(target)
            since_s = guessing.since_s(login.stream_time_us) if guessing is not None else None
            if guessing is None or since_s is None or since_s > self.p.window_s:
                continue
            if confidence < 1 and (login.is_internal or login.auth_method in NOT_GUESSED):
                continue
            del state.causes[target]
            details: dict[str, Scalar] = {
                "since_s": since_s,
                "since": time_text(since_s),
                "detector": guessing.what,
                "attempts": guessing.attempts,
                "window": time_text(self.p.window_s),
                "mistypes": self.p.mistypes,
            }
            sure = confidence * (MISTYPED * guessing.weight if self._mistyped(guessing, login) else 1.0)
            names = [name for name in (login.src_ip, login.user) if name is not None]
            kind, entity = "|".join(("src_ip", "user")[: len(names)]), "|".join(names)
            return raised(self, login, kind, entity, "success", details, guessing.evidence, sure)
        return None

    def _mistyped(self, guessing: Cause, login: Event) -> bool:
        """Whether it may have been the owner all along."""
        few = guessing.what in PATIENT and guessing.attempts < self.p.mistypes
        return few and guessing.user == login.user

    def to_bytes(self, state: Memory) -> bytes:
        """JSON."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> Memory:
        """What `to_bytes` wrote, now or in version 1. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != 1:
            return Memory.from_bytes(self.name, self.p.window_s, blob)
        memory = Memory(self.name, self.p.window_s)
        for address, detector, time_us, attempts, evidence in saved["guessing"]:
            memory.causes[_address(address)] = Cause(detector, time_us, 1.0, tuple(evidence), attempts)
        return memory


def _address(src_ip: str | None) -> str:
    return f"src_ip:{network_64(str(src_ip))}"


def _target(finding: Finding) -> str | None:
    """Whose success would matter: that of the guessing address, or that on the account aimed at."""
    if finding.detector in BY_ADDRESS and finding.src_ip is not None:
        return _address(finding.src_ip)
    if finding.detector in BY_USER and finding.user is not None:
        return f"user:{finding.user}"
    return None


def _successes(logins: Rows | None, targets: set[str]) -> list[Event]:
    """Successes that may have been guessed, of `targets`; few, since those are known."""
    if logins is None:
        return []
    at = np.flatnonzero(logins.is_value("outcome", "success") & logins.known("src_ip"))
    if len(at) == 0:
        return []
    addresses, users = (logins.column(name).gather(at).to_list() for name in ("src_ip", "user"))
    addresses_meant = {address for address in set(addresses) if _address(address) in targets}
    users_meant = {user for user in set(users) if user is not None and f"user:{user}" in targets}
    wanted = [address in addresses_meant or user in users_meant for address, user in zip(addresses, users, strict=True)]
    return events(logins, at[np.array(wanted, dtype=np.bool_)])


CORRELATOR = GuessedPassword
