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
    summary = "{src_ip} sent {sent:,} bytes to {dst_ip}, an address first used {hours:,.1f} h before"
    guidance = Guidance(
        meaning="Data leaves for an address that is new to the organisation. Stolen data is mostly sent to a server "
        "rented a few days before.",
        usual="Large uploads go to addresses that many machines use for long. This one has had {sources:,} of them, "
        "the first {hours:,.1f} h ago; {sent:,} bytes went there and {received:,} came back.",
        benign=(
            "a new provider or partner: backup, file exchange, video",
            "a service that many use, at an address it did not have before",
            "a server of your own at a new address",
        ),
        next_steps=(
            "whois {dst_ip}    # a provider that is used here, or a rented server?",
            "On {src_ip}, which program sends? ss -tnp dst {dst_ip}",
            "What was collected before? File transfers and logins of the machine's user in the hours before",
            "Ask the user over another channel. Nobody explains it: block {dst_ip}, and keep the machine as it is.",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from inside to outside."""
        return outwards(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add up what each source sent to each destination."""
        reports = new_destination.send(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("src_ip")[at],
            rows.integers("bytes_out")[at],
            rows.integers("bytes_in")[at],
            rows.integers("log_age_us")[at] < self.p.learn_s * 1e6,
            rows.addresses()[at],
            new_destination.Rules(
                floor=self.p.floor,
                most_days=self.p.most_days,
                most_sources=self.p.most_sources,
                forget_s=float(self.p.forget_s),
            ),
        )
        size = AT_FLOOR + PER_DECADE * np.log10(reports.sent / self.p.floor)
        return Findings(
            at=at[reports.at],
            details={
                "sent": reports.sent,
                "received": reports.received,
                "sources": reports.sources,
                "hours": reports.age_s / 3600,
                "from_start": reports.from_start,
            },
            evidence=reports.evidence,
            confidence=np.minimum(size, 1.0) * np.where(reports.from_start, FROM_START, 1.0),
        )

    def idle_s(self) -> float:
        """The silence after which a destination is new again."""
        return self.p.forget_s


DETECTOR = BytesToNew
