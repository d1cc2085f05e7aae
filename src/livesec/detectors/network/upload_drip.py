"""Small uploads, day after day, to an address that hardly anybody else in the organisation sends to.

Sees data that leaves in pieces far below every limit of an hour, on three days, for a server that others may well visit
but do not feed. Misses a thief who needs fewer days, changes servers, or uses a service that others upload to; and one
who has as much sent back as a quarter of what he takes. Nothing is learnt but who uploads where: an address to which
uploads went on eight days is known. What began in the log's first week may be any agent or job, and is reported at half
the confidence. A rule. Source: bytes_to_new, for the slow and small; ATT&CK T1030; days, floor and the quarter are our
choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import new_destination
from livesec.baselines.border import outwards
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.network.bytes_to_new import FROM_START

ONE_SIDED = 4  # our choice: an upload sends four times what comes back; a page of the web comes back larger than asked


@dataclass(frozen=True)
class Params:
    """How often and how much, and what is new and rare."""

    floor: int = param(1_000_000, "bytes", "our choice: a tenth of what bytes_to_new asks for at once", minimum=1)
    least_days: int = param(3, "days", "our choice, as recidive: twice may be chance", minimum=2)
    most_days: int = param(7, "days", "our choice: on the eighth day with uploads it is known", minimum=2)
    most_sources: int = param(
        2,
        "sources",
        "as bytes_to_new: one machine and its user's other",
        minimum=1,
        maximum=new_destination.MOST_SOURCES,
    )
    learn_s: float = param(7 * 86_400.0, "s", "our choice: a week, so that weekly jobs are known", minimum=0)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class UploadDrip(Detector[Params]):
    """Bytes that each source uploads over days to a destination of few uploads."""

    name = "upload_drip"
    log_type = LogType.NETWORK
    key = ("dst_ip",)
    needs = ("src_ip", "bytes_out")
    technique = ("T1030", "T1041")
    base_severity = 47
    columns = new_destination.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} sent {sent_text} to {dst_ip} over {days:,} days, where hardly anybody else uploads"
    guidance = Guidance(
        meaning="Small uploads go to the same address day after day, and no other machine uploads there: so data is "
        "taken by somebody who stays below every limit.",
        usual="A usual destination of uploads is fed by more than {most_sources:,} machines or on more than "
        "{most_days:,} days. Uploads went to this one on {days:,} days, {began}; machines that sent them: "
        "{sources:,}. {src_ip} sent {sent_text} in them and got {received_text} back; {floor_text} is the limit.",
        benign=(
            "an agent installed lately that reports to its maker: telemetry, crash reports, backup of settings",
            "a new service that one team tries out",
            "a form or ticket system of a partner to which somebody uploads now and then",
        ),
        next_steps=(
            "Find out whose {dst_ip} is: a provider that is used here, or a server that anybody can rent by the hour?",
            "Find the program on {src_ip} that sends, since when it is there, and the user under whose name it runs.",
            "Look at the file transfers and logins of that user on these {days:,} days, at the same hours.",
            "Ask the user over another channel. If nobody explains it: block {dst_ip}, and keep {src_ip} as it is.",
        ),
        commands=("sockets_to_destination", "owner_of_destination", "scheduled", "machine_of_source"),
        would_change=(
            "harmless if the program is an agent that you installed and {dst_ip} belongs to its maker",
            "worse if the uploads come at about the same hour each day, or when the user of {src_ip} is not at work",
            "worse if the user of {src_ip} had a login from a new address in the days before",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Uploads from inside to outside."""
        # divided: a forged number times four would overflow
        one_sided = rows.integers("bytes_out") // ONE_SIDED >= rows.integers("bytes_in")
        return np.asarray(one_sided & (rows.integers("bytes_out") > 0) & outwards(rows))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add up what each source uploaded to each destination."""
        rules = new_destination.Rules(
            floor=self.p.floor,
            most_days=self.p.most_days,
            most_sources=self.p.most_sources,
            forget_s=float(self.p.forget_s),
            least_days=self.p.least_days,
        )
        reports = new_destination.send_rows(state, rows, at, rules, self.p.learn_s)
        return Findings(
            at=at[reports.at],
            details={**new_destination.sent_details(reports, rules, self.p.learn_s), "days": reports.days},
            evidence=reports.evidence,
            confidence=np.where(reports.from_start, FROM_START, 1.0),
        )

    def idle_s(self) -> float:
        """The silence after which a destination is new again."""
        return self.p.forget_s


DETECTOR = UploadDrip
