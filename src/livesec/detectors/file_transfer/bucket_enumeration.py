"""A machine's own role lists every bucket of the account: it knows its bucket, whoever took its credentials does not.

The session of a role that a machine carries is named by the machine (`i-` and hexadecimal digits). Programs on it work
with the buckets they were made for; asking which buckets there are is how stolen credentials are tried out. Each
machine is reported at its first such request and when they have grown fourfold; a month's pause begins anew. A rule.
Misses credentials of people, and thieves who know the bucket's name. Source: OTRF Security-Datasets describes the
attack (EC2 proxy, S3 exfiltration); Amazon GuardDuty has the same idea (Discovery:S3).
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

_MACHINE = r"^i-[0-9a-f]{8}(?:[0-9a-f]{9})?$"  # ids of EC2 machines, of eight digits before 2016


@dataclass(frozen=True)
class Params:
    """When a machine is new again."""

    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is told again", minimum=3600)


class BucketEnumeration(Detector[Params]):
    """First listings of all buckets, and recurrence, per machine."""

    name = "bucket_enumeration"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("action", "service")
    technique = ("T1619", "T1530")
    base_severity = 46
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "The role of machine {user} asked for all buckets of the account, from {src_ip}; {requests:,} time(s)"
    guidance = Guidance(
        meaning="Programs on a machine know their bucket. Somebody who tries out its credentials asks which there are.",
        usual="Such requests by the role of {user}: {requests:,}, the first {first}; in the {quiet_days:,.0f} days "
        "before, or as long as the log was read, there was none.",
        benign=(
            "an inventory or backup program on the machine",
            "an administrator who is logged in on the machine and looks around",
        ),
        commands=("log_of_user", "s3_events_of_user", "owner_of_source"),
        next_steps=(
            "Is {src_ip} the machine's own address? Anything else means that its credentials have left it.",
            "Which buckets and objects did the role read after it?",
            "How can the credentials have leaked: a proxy or web application on the machine that fetches addresses?",
            "Withdraw the role's sessions, and ask for the newer metadata service that needs a token.",
        ),
        would_change=(
            "{src_ip} is not an address of the machine, or the client is a person's command line: then they are stolen",
            "objects of a bucket that the machine never used, read after it: then data has left",
            "a program on the machine does this at each start: then it is usual",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Requests for the list of buckets by machines."""
        listing = rows.is_value("action", "read")
        if not listing.any():
            return listing
        named = rows.column("user").str.contains(_MACHINE).fill_null(False)
        of_all = rows.column("path").is_null() & (rows.column("service") == "s3.amazonaws.com").fill_null(False)
        return np.asarray(listing & (named & of_all).to_numpy())

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each request."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        return Findings(
            at=at[reports.at],
            details={
                "requests": reports.total,
                **recurrence.since_first(reports, self.p.quiet_s),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a machine is told again."""
        return self.p.quiet_s


DETECTOR = BucketEnumeration
