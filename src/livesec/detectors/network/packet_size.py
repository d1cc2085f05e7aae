"""A packet far larger than those of its service.

Sees data that hides in the packets of a chatty protocol, and packets that were put together wrongly. Judged are logs
of packets and flows of a single packet, from 2,000 bytes on (above Ethernet's 1,500). Misses large packets of services
that have them every day, services with few packets, and sizes that rise in small steps, which are learnt as usual
before they stand out; large steps teach only once a day. Statistics: baselines/size_tail over the service's earlier
packets instead of a robust z: packet sizes have two humps, at 60 and at 1,500 bytes, whose MAD says nothing. In
seed_mode: every packet above the floor. Source: the network_multi_template seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import size_tail, tails
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Floor, tail probabilities and how much to learn."""

    floor: int = param(2000, "bytes", "network_multi_template seed: a large packet", minimum=1)
    report_p: float = param(
        1e-4, "probability", "our choice: of 10,000 packets, the largest", minimum=1e-9, maximum=0.1
    )
    p_star: float = param(
        1e-6, "probability", "once in ten days for each 100,000 packets a day", minimum=1e-12, maximum=0.1
    )
    learn: int = param(200, "packets", "our choice: ten times DETECTIONS' prior, packets are many", minimum=10)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class PacketSize(Detector[Params]):
    """Sizes of single packets against those of their service."""

    name = "packet_size"
    log_type = LogType.NETWORK
    key = ("dst_port", "protocol")
    needs = ("bytes_out",)
    technique = ("T1048",)
    base_severity = 21
    columns = size_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 15
    summary = "A packet of {packet_bytes:,} bytes to port {port}, where half have less than {usual_bytes:,.0f}"
    guidance = Guidance(
        meaning="The packet is far larger than what this service gets: data may hide in it, or it was made by hand.",
        usual="Of {packets:,} earlier packets to port {port} the median was {usual_bytes:,.0f} bytes and one in ten "
        "above {large_bytes:,.0f}; one as large as this is expected once in {one_in:,.0f}.",
        benign=(
            "a network card that joins packets before the log sees them: ethtool -k shows offloading",
            "a network with jumbo frames",
            "a new program that sends more at once",
        ),
        next_steps=(
            "Who sent it, and which program is it there? ss -tunp 'dport = :{port}'",
            "Capture a few and look at their contents: tcpdump -c 20 -X 'port {port} and greater {packet_bytes}'",
            "Do they come at even intervals, or many at once?",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Single packets."""
        return single_packets(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Judge each packet, then learn its size."""
        sizes = rows.integers("bytes_out")[at]
        if self.seed_mode:
            return self._every_large_packet(rows, at[sizes > self.p.floor])
        reports = size_tail.judge(
            state, rows.key(*self.key)[at], rows.time_us[at], sizes, rows.addresses()[at], self._rules()
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "packet_bytes": sizes[reports.at],
                "port": rows.integers("dst_port")[found],
                "usual_bytes": reports.median,
                "large_bytes": reports.ninetieth,
                "packets": reports.sizes,
                "one_in": tails.one_in(reports.log_p),
                "episode_bytes": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def _every_large_packet(self, rows: Rows, found: NDArray[np.int64]) -> Findings:
        unknown = np.full(len(found), np.nan)
        sizes = rows.integers("bytes_out")[found]
        return Findings(
            at=found,
            details={
                "packet_bytes": sizes,
                "port": rows.integers("dst_port")[found],
                "usual_bytes": unknown,
                "large_bytes": unknown,
                "packets": np.zeros(len(found), dtype=np.int64),
                "one_in": unknown,
                "episode_bytes": sizes,
            },
        )

    def _rules(self) -> size_tail.Rules:
        return size_tail.Rules(
            floor=self.p.floor,
            young_limit=size_tail.NEVER,
            learn=self.p.learn,
            log_p=math.log(self.p.report_p),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
        )

    def idle_s(self) -> float:
        """The silence after which a service begins anew."""
        return self.p.forget_s


def single_packets(rows: Rows) -> NDArray[np.bool_]:
    """Rows that stand for one packet from the source, and none back as far as is known."""
    single = (rows.integers("packets_out") == 1) & (rows.integers("packets_in") == 0)
    return np.asarray(single & (rows.integers("connections", null=1) == 1))


DETECTOR = PacketSize
