"""A scan, then a login: an address that scanned gets in shortly afterwards.

Sees a success within an hour of a scan finding of the same address: someone looked for a door and had a key, a stolen
one or a default one, for which no guessing shows. Misses a login from another address than the scan's. Where the
address had a login before its scan, someone is at home there who scans: an administrator, or a machine that was taken
over from within; then it counts half. Nothing else is learned. Once per scan. Source: DETECTIONS "Across sources".
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
from livesec.correlate.sequel import MAX_ENTITIES, Event, Memory, cause_of, events, merged, raised

SCANS = frozenset({"scan_vertical", "scan_horizontal", "scan_trw", "scan_slow", "firewall_denies", "preauth_abuse"})
AT_HOME = 0.5  # our choice: below medium; the scan itself is an alert already


@dataclass(frozen=True)
class Params:
    """How long a scan is remembered."""

    window_s: float = param(3600.0, "s", "our choice: an hour, as incidents are grouped", minimum=60)


class State:
    """Scanners; addresses that logged in before, in the order in which they were first seen."""

    def __init__(self, name: str, window_s: float) -> None:
        self.scans = Memory(name, window_s)
        self.homes: dict[str, None] = {}


class ScanThenLogin(Correlator[Params, State]):
    """Joins scan findings with the successes that follow from the same address."""

    name = "scan_then_login"
    log_type = LogType.LOGIN
    technique = ("T1078", "T1046")
    base_severity = 73
    params = Params
    summary = "{src_ip} logged in as {user} {since} after scanning ({detector})"
    guidance = Guidance(
        meaning="Who scans the network and then logs in knew or guessed a password: the way in was looked for.",
        usual="{src_ip} logged in as {user} {since} after its scan ({detector}); a login is expected from an address "
        "without a scan in the {window} before it. A login from there before the scan: {at_home}.",
        benign=(
            "an administrator or a monitoring system that checks which services are there",
            "a licensed vulnerability scanner that logs in to look at the machines from within",
            "two people behind one address, one who scans and one who works",
        ),
        commands=("logins_of_address", "sockets_of_source", "acts_of_user", "accounts_tried"),
        next_steps=(
            "What did the scan reach? The evidence lists its lines before that of the login.",
            "By password or by key, and is the account one that was left with a default password?",
            "Ask {user}, over another channel, and ask whether anybody ordered a scan.",
            "If nobody did: end the sessions of {user}, change the password, look for new keys.",
        ),
        would_change=(
            "logins from {src_ip} to further machines that the scan had found: then somebody goes from one to the next",
            "failed logins from {src_ip} between scan and login: then the password was guessed",
            "a scan that was ordered, or a scanner with a login of its own at {src_ip}: then it is harmless",
        ),
    )

    def initial(self) -> State:
        """No address has scanned."""
        return State(self.name, self.p.window_s)

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for the first success of an address within the window after a scan."""
        scans = [item for item in findings if item.detector in SCANS and item.src_ip is not None]
        scanners = {*state.scans.causes, *(network_64(str(item.src_ip)) for item in scans)}
        found: list[Finding] = []
        for item in merged(scans, _successes(state, rows.get(LogType.LOGIN), scanners)):
            address = network_64(str(item.src_ip))
            if isinstance(item, Finding):
                state.scans.remember(address, cause_of(item))
                continue
            finding = self._judge(state, item, address)
            found += [finding] if finding is not None else []
            state.homes[address] = None
            if len(state.homes) > MAX_ENTITIES:
                del state.homes[next(iter(state.homes))]
        return found

    def _judge(self, state: State, login: Event, address: str) -> Finding | None:
        scan = state.scans.causes.get(address)
        since_s = scan.since_s(login.stream_time_us) if scan is not None else None
        if scan is None or since_s is None or since_s > self.p.window_s:
            return None
        del state.scans.causes[address]
        at_home = address in state.homes
        details: dict[str, Scalar] = {
            "detector": scan.what,
            "since_s": since_s,
            "since": time_text(since_s),
            "at_home": "yes" if at_home else "no",
            "window": time_text(self.p.window_s),
        }
        confidence = scan.weight * (AT_HOME if at_home else 1.0)
        return raised(self, login, "src_ip", str(login.src_ip), "login", details, scan.evidence, confidence)

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        return json.dumps({"scans": state.scans.to_bytes().decode(), "homes": list(state.homes)}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote."""
        saved = json.loads(blob)
        state = State(self.name, self.p.window_s)
        state.scans = Memory.from_bytes(self.name, self.p.window_s, saved["scans"].encode())
        state.homes = dict.fromkeys(saved["homes"])
        return state


def _successes(state: State, logins: Rows | None, scanners: set[str]) -> list[Event]:
    """The successes that matter: of scanners, and the first one of each address that had none yet."""
    if logins is None:
        return []
    at = np.flatnonzero(logins.is_value("outcome", "success") & logins.known("src_ip"))
    addresses = logins.column("src_ip").gather(at).to_list()
    networks = {address: network_64(address) for address in dict.fromkeys(addresses)}
    homeless = {address for address, network in networks.items() if network not in state.homes}
    if len(state.homes) + len(homeless) > MAX_ENTITIES:
        return events(logins, at)  # an address may be forgotten and come back among these
    scanning = {address for address, network in networks.items() if network in scanners}
    wanted = []
    for address in addresses:
        wanted.append(address in scanning or address in homeless)
        homeless.discard(address)
    return events(logins, at[np.array(wanted, dtype=np.bool_)])


CORRELATOR = ScanThenLogin
