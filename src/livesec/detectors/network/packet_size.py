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
from livesec.core.human_units import odds_texts, size_texts
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
    summary = "A packet of {packet_text} to port {port}, where half have no more than {usual_text}"
    guidance = Guidance(
        meaning="The packet is far larger than what this service gets: data may hide in it, or it was put "
        "together by hand.",
        usual="Of {packets:,} earlier packets to port {port} half had no more than {usual_text} and one in "
        "ten more than {large_text}; this one has {packet_text}, which by their spread comes "
        "{odds_text}.",
        benign=(
            "a network card that joins packets before the log sees them",
            "a network with jumbo frames",
            "a new version of the service's program that sends more at once",
        ),
        next_steps=(
            "Find the program on the source that sends to port {port}, and since when it runs.",
            "Look at the contents of a few: does the service's own protocol explain {packet_text}, or is "
            "it something else?",
            "See whether they come at even intervals or in one burst: even intervals are a channel, a "
            "burst a transfer.",
            "If the contents are not the service's, block the source at port {port}.",
        ),
        commands=(
            "sockets_of_port",
            "packets_at_port",
            "offloading",
        ),
        would_change=(
            "harmless if the machine that logs has offloading switched on: then several packets were joined into one",
            "worse if the contents look encrypted on a service that is plain otherwise, or the other way round",
            "worse if the source sends to port {port} for the first time",
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
                "packet_text": size_texts(sizes[reports.at]),
                "port": rows.integers("dst_port")[found],
                "usual_bytes": reports.median,
                "usual_text": size_texts(reports.median),
                "large_bytes": reports.ninetieth,
                "large_text": size_texts(reports.ninetieth),
                "packets": reports.sizes,
                "one_in": tails.one_in(reports.log_p),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
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
                "packet_text": size_texts(sizes),
                "port": rows.integers("dst_port")[found],
                "usual_bytes": unknown,
                "usual_text": size_texts(unknown),
                "large_bytes": unknown,
                "large_text": size_texts(unknown),
                "packets": np.zeros(len(found), dtype=np.int64),
                "one_in": unknown,
                "odds_text": odds_texts(unknown),
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
