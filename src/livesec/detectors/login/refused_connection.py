"""A connection that an access list of the host refused before anything was asked: somebody came who must not.

Each address is reported at its first refusal and when they have grown fourfold; a week's pause begins anew. A rule. It
stays low, for the list did its work; it tells who tries, and that an address you did mean to let in is on the list.
Misses what a firewall refuses (`firewall_denies`), and full servers, which drop connections of anybody. Source:
CrowdSec scenario crowdsecurity/ssh-refused-conn; OpenSSH with TCP wrappers, "refused connect from".
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


@dataclass(frozen=True)
class Params:
    """When an address is new again."""

    quiet_s: float = param(7 * 86_400.0, "s", "our choice: after a week it is told again", minimum=3600)


class RefusedConnection(Detector[Params]):
    """First refusals, and recurrence, per source address."""

    name = "refused_connection"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("outcome", "reason")
    technique = ("T1110",)
    base_severity = 21
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "The access list of {host} refused {src_ip}; {refused:,} such connection(s), the first {first}"
    guidance = Guidance(
        meaning="An address that the host's access list does not let in tried to reach its login service.",
        usual="Whoever is let in is never refused: {refused:,} refusal(s) of {src_ip}, the first {first}; in the "
        "{quiet_days:,.0f} days before, or as long as the log was read, there was none.",
        benign=(
            "a machine of your own with a new address, which the list does not have yet",
            "a monitor or an inventory that looks at every host",
            "a scan of the whole Internet, of which there are many each day",
        ),
        commands=("log_of_address", "owner_of_source", "days_of_address", "sockets_of_source"),
        next_steps=(
            "Is {src_ip} one of yours or a partner's? Then the list is what to look at.",
            "Does it come again and again, or try other services of the host? The list does not cover those.",
            "If it is foreign there is nothing to do now; a firewall rule keeps it from the host altogether.",
        ),
        would_change=(
            "a login from {src_ip} at another host that has no such list: then look at that host first",
            "{src_ip} was let in before: then somebody changed the list, or its own address stands in it by mistake",
            "{src_ip} belongs to a monitor of yours: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Refusals by an access list."""
        return np.asarray(rows.is_value("reason", "refused") & rows.is_value("outcome", "attempt"))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each refusal."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        return Findings(
            at=at[reports.at],
            details={"refused": reports.total, **recurrence.since_first(reports, self.p.quiet_s)},
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which an address is told again."""
        return self.p.quiet_s


DETECTOR = RefusedConnection
