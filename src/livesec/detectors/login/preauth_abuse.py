"""Many connections that are dropped before anyone logs in: probes, floods, and attempts to win a race in the server.

Sees an address that opens session after session without finishing authentication, as exploits of CVE-2024-6387
(regreSSHion) must, thousands of times. Misses an exploit that works at the first attempts. Source: CrowdSec scenario
crowdsecurity/ssh-cve-2024-6387, a bucket of 3 that leaks one in 180 s, on "Timeout before authentication": what is
counted here is that and, as the weight of the finding allows, other connections given up by time. Balancers and
monitors from inside open and close connections all day; their attempts are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import leaky_bucket
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Bucket size and leak."""

    capacity: float = param(4, "timeouts", "crowdsecurity/ssh-cve-2024-6387: more than 3", minimum=2)
    leak_s: float = param(180.0, "s per timeout", "crowdsecurity/ssh-cve-2024-6387", minimum=1)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: half a night's pause makes it another attack", minimum=60)


class PreauthAbuse(Detector[Params]):
    """Leaky bucket over sessions that timed out before authentication, per source address."""

    name = "preauth_abuse"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("outcome", "reason")
    technique = ("T1190",)
    base_severity = 73
    columns = leaky_bucket.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{timeouts:,} sessions from {src_ip} ran into the login time limit in {span}"
    guidance = Guidance(
        meaning="A client that holds sessions open until the login time limit, again and again, may be trying to win "
        "the regreSSHion race in an unpatched OpenSSH server, or to use up the server's connections.",
        usual="A person logs in within seconds: fewer than {capacity:.0f} timeouts with less than {leak} between them "
        "may be a bad line. {src_ip} crossed that and has had {timeouts:,} in {span} so far.",
        benign=(
            "a broken network path that loses packets after the connection is made",
            "a monitor that opens connections and forgets to close them: then give it an address that is internal",
            "a census of the Internet that waits for the server to speak",
        ),
        commands=("login_timeouts", "login_rules", "sockets_of_source", "owner_of_source"),
        next_steps=(
            "Is the server's OpenSSH patched against regreSSHion? In an unpatched one the race needs no password.",
            "Did the server's login process crash in these hours? A crash may be a try that failed.",
            "How many connections of {src_ip} are open now: enough to keep others out?",
            "If it is foreign: block it at the firewall. Until the server is patched, a login grace time of zero takes "
            "the race away.",
        ),
        would_change=(
            "crashes of the server's login process while {src_ip} was connected: then it is an exploit at work",
            "a program of root without a login before it, after these timeouts: then the race was won",
            "a patched server, and timeouts that come at even pauses from a monitor: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Attempts from outside that ran into the time limit."""
        inside = rows.integers("is_internal") == 1
        return np.asarray(rows.is_value("outcome", "attempt") & rows.is_value("reason", "timeout") & ~inside)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Pour each timeout into the bucket of its address."""
        reports = leaky_bucket.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("count", null=1)[at],
            rows.addresses()[at],
            capacity=self.p.capacity,
            leak_s=self.p.leak_s,
            quiet_s=self.p.quiet_s,
        )
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "timeouts": reports.total,
                "span_s": reports.span_s,
                "span": time_texts(reports.span_s),
                "capacity": np.full(n, self.p.capacity),
                "leak": [time_text(self.p.leak_s)] * n,
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, or the time a full bucket takes to drain."""
        return leaky_bucket.idle_s(capacity=self.p.capacity, leak_s=self.p.leak_s, quiet_s=self.p.quiet_s)


DETECTOR = PreauthAbuse
