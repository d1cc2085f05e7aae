"""A guessed password: a login succeeds from an address that was guessing shortly before.

Sees a success within 15 minutes of bf_fast, bf_slow, bf_few or user_enum on the same address. Misses a success from
another address of the attacker. Source: Wazuh rule 40112, Elastic "successful SSH brute force attack".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livesec.core.batch import pack_address
from livesec.core.clock import US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.finding import Finding
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows, network_64
from livesec.core.schema import LogType

_GUESSING = frozenset({"bf_fast", "bf_slow", "bf_few", "user_enum", "failed_login"})
_MAX_ADDRESSES = 1 << 16
_VERSION = 1


@dataclass(frozen=True)
class Params:
    """How long guessing is remembered."""

    window_s: float = param(900.0, "s", "Elastic: success within 15 minutes", minimum=1)


@dataclass(slots=True)
class _Guessing:
    """The last guessing seen from an address."""

    detector: str
    time_us: int
    attempts: int
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Success:
    """A login row that worked."""

    sequence: int
    row_in_line: int
    event_time_us: int
    stream_time_us: int
    stream_id: int
    line_offset: int
    user: str | None
    src_ip: str
    host: str | None


class State:
    """Guessing addresses, least recently reported first; and successes already reported as (address, user)."""

    def __init__(self) -> None:
        self.guessing: dict[str, _Guessing] = {}


class GuessedPassword(Correlator[Params, State]):
    """Joins guessing findings with the successes that follow from the same address."""

    name = "bf_success"
    log_type = LogType.LOGIN
    technique = ("T1078", "T1110.001")
    base_severity = 99
    params = Params
    summary = "{src_ip} logged in as {user} {since_s:.0f} s after guessing passwords ({detector}, {attempts} attempts)"
    guidance = Guidance(
        meaning="Guessing stopped because it worked: treat the account as taken over until shown otherwise.",
        usual="A login from an address without failures before it.",
        benign=(
            "the owner, who remembered the password after many tries",
            "a script whose password was just corrected",
        ),
        next_steps=(
            "last -i | grep -F {src_ip}    # sessions from there",
            "journalctl _COMM=sshd --since '2 hours ago' | grep -F {src_ip}",
            "ss -tnp | grep -F {src_ip}    # still connected?",
            "Then: lock the account ({user}), end its sessions, change the password, look for new authorized_keys.",
        ),
    )

    def initial(self) -> State:
        """No address has guessed."""
        return State()

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for each success of an address within the window after guessing."""
        guesses = [item for item in findings if item.detector in _GUESSING and item.src_ip is not None]
        logins = rows.get(LogType.LOGIN)
        if logins is None or not (guesses or state.guessing):
            return []
        successes = self._successes(logins, {*state.guessing, *(network_64(str(item.src_ip)) for item in guesses)})
        found: list[Finding] = []
        waiting = iter([*guesses, None])
        guess = next(waiting)
        for row in successes:
            while guess is not None and guess.sequence < row.sequence:
                self._remember(state, guess)
                guess = next(waiting)
            finding = self._judge(state, row)
            if finding is not None:
                found.append(finding)
        while guess is not None:
            self._remember(state, guess)
            guess = next(waiting)
        return found

    @staticmethod
    def _successes(logins: Rows, addresses: set[str]) -> list[_Success]:
        """Successful rows from `addresses`, in order; few, since the addresses are known guessers."""
        at = np.flatnonzero(logins.is_value("outcome", "success") & logins.known("src_ip"))
        if len(at) == 0:
            return []
        picked = logins.frame[at]
        own = picked.filter(picked["src_ip"].is_in(list(addresses)) | picked["src_ip"].str.contains(":", literal=True))
        return [_Success(**row) for row in own.select(_Success.__slots__).to_dicts()]

    def _remember(self, state: State, guess: Finding) -> None:
        address = network_64(str(guess.src_ip))
        attempts = guess.details.get("attempts")
        state.guessing.pop(address, None)
        state.guessing[address] = _Guessing(
            guess.detector, guess.stream_time_us, attempts if isinstance(attempts, int) else 1, guess.evidence
        )
        if len(state.guessing) > _MAX_ADDRESSES:
            del state.guessing[next(iter(state.guessing))]

    def _judge(self, state: State, row: _Success) -> Finding | None:
        address = network_64(row.src_ip)
        guessing = state.guessing.get(address)
        if guessing is None:
            return None
        since_s = max(0, row.stream_time_us - guessing.time_us) / US_PER_S
        if since_s > self.p.window_s:
            return None
        del state.guessing[address]
        return Finding(
            detector=self.name,
            log_type=self.log_type,
            sequence=row.sequence,
            row_in_line=row.row_in_line,
            event_time_us=row.event_time_us,
            stream_time_us=row.stream_time_us,
            stream_id=row.stream_id,
            line_offset=row.line_offset,
            entity_type="src_ip",
            entity=row.src_ip,
            reason="success",
            base_severity=self.base_severity,
            confidence=1.0,
            user=row.user,
            src_ip=row.src_ip,
            dst_ip=None,
            host=row.host,
            details={"since_s": since_s, "detector": guessing.detector, "attempts": guessing.attempts},
            evidence=(*guessing.evidence[-7:], pack_address(row.stream_id, row.line_offset)),
            techniques=self.technique,
        )

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        rows = [
            [address, item.detector, item.time_us, item.attempts, list(item.evidence)]
            for address, item in state.guessing.items()
        ]
        return json.dumps({"version": _VERSION, "guessing": rows}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"bf_success: saved state of version {saved['version']}")
        state = State()
        for address, detector, time_us, attempts, evidence in saved["guessing"]:
            state.guessing[address] = _Guessing(detector, time_us, attempts, tuple(evidence))
        return state


CORRELATOR = GuessedPassword
