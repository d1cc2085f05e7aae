"""A way into a cloud account or its machines that goes around the usual sign-in: tokens, pushed SSH keys, sessions.

A federation token outlives the key that it was made with; a key pushed through EC2 Instance Connect or the serial
console, and a session of Systems Manager, open a machine whatever its own accounts are. Each account and way is
reported at its first use and when uses have grown fourfold; a month's pause begins anew, so that who works this way
every day is told of once. A rule. Misses ways whose log is not read. Source: Stratus Red Team (sts-federation-token,
ec2-instance-connect, ec2-serial-console-send-ssh-public-key, ssm-start-session).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

_WAYS = {
    "federation_token": "a federation token",
    "publickey": "an SSH key that was pushed",
    "session_manager": "a session of Systems Manager",
}


@dataclass(frozen=True)
class Params:
    """Which ways, and when one is new again."""

    services: tuple[str, ...] = param(
        ("ec2-instance-connect.amazonaws.com", "ssm.amazonaws.com"), "services", "ways into machines, Stratus Red Team"
    )
    methods: tuple[str, ...] = param(("federation_token",), "auth_method", "ways into the account, Stratus Red Team")
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is told again", minimum=3600)


class CloudSideDoor(Detector[Params]):
    """First uses and recurrence per account and way."""

    name = "cloud_side_door"
    log_type = LogType.LOGIN
    key = ("user", "service")
    needs = ("outcome", "auth_method")
    technique = ("T1078.004", "T1550.001")
    base_severity = 42
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "{user} opened a way in by {way}; {uses:,} time(s) so far, the first {first}"
    guidance = Guidance(
        meaning="Access that goes around the usual sign-in, and that stays when a password or key is changed.",
        usual="Uses of {way} by {user}: {uses:,}, the first {first}; in the {quiet_days:,.0f} days before, or as long "
        "as the log was read, there was none.",
        benign=(
            "an administrator who reaches a machine without a bastion",
            "an older program that asks for tokens of its own",
            "a rescue of a machine that no longer answers",
        ),
        commands=("log_of_user", "logins_of_user", "keys_of_user", "owner_of_source"),
        next_steps=(
            "Which machine or which rights did it open? The line names them.",
            "Does {user} use this way for their work, and from this address?",
            "Look at what was done with the session or token: it acts under another name.",
            "If nobody can explain it: withdraw the rights of {user}, whose tokens live on until then.",
        ),
        would_change=(
            "a key of {user} that was made or first used just before: then the account is taken over",
            "new users, keys or policies made in the session: then somebody makes room for himself",
            "{user} is a deployment tool that always works so: then it is usual, and the way can be left out",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes by one of the ways."""
        success = rows.is_value("outcome", "success")
        if not success.any():
            return success
        by_way = rows.is_any("auth_method", self.p.methods) | rows.is_any("service", self.p.services)
        return np.asarray(success & by_way)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each use."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        ways = rows.column("auth_method").gather(at[reports.at]).replace(_WAYS)
        return Findings(
            at=at[reports.at],
            details={
                "way": ways.to_list(),
                "uses": reports.total,
                **recurrence.since_first(reports, self.p.quiet_s),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a way is told again."""
        return self.p.quiet_s


DETECTOR = CloudSideDoor
