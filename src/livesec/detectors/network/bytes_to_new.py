"""A large upload to an outside address that hardly anybody in the organisation uses, and nobody did before.

Sees data that leaves for a server rented for the purpose, in one piece or over three days. Misses uploads to services
that others use too, to addresses known for longer, and data that the outside fetches, opening the connection. The key
is the destination and not the pair, for only so it is known who else uses it. Nothing is learnt but who uses what:
an attacker who visits the address for three days before is not seen here, only by traffic_spike_sent. What began in the
log's first week may be any weekly job, and is reported at half the confidence. A rule; confidence grows with the
logarithm of the bytes. Source: Elastic's machine-learning rules "Potential Data Exfiltration Activity to an Unusual IP
Address" and their like for ports and countries; days, sources and floor are our choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import new_destination
from livesec.baselines.border import outwards
from livesec.core.finding import Findings
from livesec.core.human_units import time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

FROM_START = 0.5  # our choice: confidence in what began with the log
AT_FLOOR, PER_DECADE = 0.6, 0.2  # our choice: confidence at the floor, and more for each ten times as much


@dataclass(frozen=True)
class Params:
    """How much is large, and what is new and rare."""

    floor: int = param(10_000_000, "bytes", "livesec seed: 10 MB to the outside", minimum=1)
    most_days: int = param(3, "days", "our choice: on the fourth day with traffic it is known", minimum=1)
    most_sources: int = param(
        2, "sources", "our choice: one machine and its user's other", minimum=1, maximum=new_destination.MOST_SOURCES
    )
    learn_s: float = param(7 * 86_400.0, "s", "our choice: a week, so that weekly jobs are known", minimum=0)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class BytesToNew(Detector[Params]):
    """Bytes from each source to a destination that is new and rare."""

    name = "bytes_to_new"
    log_type = LogType.NETWORK
    key = ("dst_ip",)
    needs = ("src_ip", "bytes_out")
    technique = ("T1041",)
    base_severity = 73
    columns = new_destination.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} sent {sent_text} to {dst_ip}, an address first used {age_text} before"
    guidance = Guidance(
        meaning="Data leaves for an address that is new to the organisation and that hardly anybody uses. "
        "Stolen data mostly goes to a server rented a few days before.",
        usual="A usual destination of uploads is used by more than {most_sources:,} machines or on more "
        "than {most_days:,} days. This one was first used {age_text} ago, {began}; machines that used "
        "it so far: {sources:,}. {src_ip} sent {sent_text} to it and got {received_text} back; "
        "{floor_text} is the limit.",
        benign=(
            "a new provider or partner: backup, file exchange, video",
            "a service that many use, at an address it did not have before",
            "a server of your own at a new address",
        ),
        next_steps=(
            "Find out whose {dst_ip} is: a provider that is used here, or a server that anybody can rent by the hour?",
            "Find the program on {src_ip} that sends, and the user under whose name it runs.",
            "Look at what was collected before: file transfers and logins of that user, new archives on "
            "{src_ip}, in the hours before.",
            "Ask the user over another channel. If nobody explains it: block {dst_ip}, and keep {src_ip} as it is.",
        ),
        commands=("sockets_to_destination", "owner_of_destination", "machine_of_source", "busiest_programs"),
        would_change=(
            "harmless if {dst_ip} belongs to a provider with whom you have a contract and the user meant "
            "to send {sent_text}",
            "worse if an archive of about {sent_text} was made on {src_ip} shortly before",
            "worse if the user of {src_ip} had a login from a new address in the days before",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from inside to outside."""
        return outwards(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add up what each source sent to each destination."""
        rules = new_destination.Rules(
            floor=self.p.floor,
            most_days=self.p.most_days,
            most_sources=self.p.most_sources,
            forget_s=float(self.p.forget_s),
        )
        reports = new_destination.send_rows(state, rows, at, rules, self.p.learn_s)
        size = AT_FLOOR + PER_DECADE * np.log10(reports.sent / self.p.floor)
        return Findings(
            at=at[reports.at],
            details={
                **new_destination.sent_details(reports, rules, self.p.learn_s),
                "hours": reports.age_s / 3600,
                "age_text": time_texts(reports.age_s),
            },
            evidence=reports.evidence,
            confidence=np.minimum(size, 1.0) * np.where(reports.from_start, FROM_START, 1.0),
        )

    def idle_s(self) -> float:
        """The silence after which a destination is new again."""
        return self.p.forget_s


DETECTOR = BytesToNew
