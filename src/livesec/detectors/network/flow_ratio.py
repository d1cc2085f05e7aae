"""A machine that mostly receives begins to send: within an hour the outside got far more from it than usual.

Sees uploads by machines that browse and download, even where the volume is nothing special. Misses machines that send
all day, uploads hidden among as many downloads, and less than 20 MB an hour. Whoever stays below that for weeks makes
sending usual; what was found teaches one hour a day. Statistics: baselines/ratio_tail, the Pareto tail of the machine's
own hourly quotients of sent to received; the hour that is judged is not among them. Source: our choice; the shift is
that of the producer-consumer ratio of flow analysis, which runs from -1 (receives only) to 1 (sends only).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import ratio_tail, tails
from livesec.baselines.border import outwards
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts, size_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Floors, tail probabilities and how long to learn."""

    floor: int = param(20_000_000, "bytes", "our choice: 20 MB, twice the seed's exfiltration", minimum=1)
    shift: float = param(1.0, "ratio", "DETECTIONS: half of the way from receiver to sender", minimum=0.1, maximum=2.0)
    window_s: float = param(3600.0, "s", "our choice: an hour", minimum=60)
    report_p: float = param(1e-3, "probability", "our choice: of 1,000 hours, the highest", minimum=1e-9, maximum=0.1)
    p_star: float = param(
        3e-5, "probability", "one in 50 days for each 600 tests a day: 60 hosts, 10 hours", minimum=1e-12, maximum=0.1
    )
    learn_s: float = param(5 * 86_400.0, "s", "our choice: a working week, so that weekly uploads are known", minimum=0)
    learn_windows: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=10)
    least_bytes: int = param(100_000, "bytes", "our choice: less says nothing of a machine's part", minimum=1)
    quiet_s: float = param(86_400.0, "s", "our choice: a day's pause makes it another episode", minimum=60)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class FlowRatio(Detector[Params]):
    """Bytes to and from the outside per source and hour against the source's own hours."""

    name = "flow_ratio"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("bytes_out", "bytes_in")
    technique = ("T1048",)
    base_severity = 47
    columns = ratio_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 14
    summary = "{src_ip} sent {sent_text} outside and got {received_text} within an hour: usually it receives"
    guidance = Guidance(
        meaning="A machine that consumes has become one that delivers: data may be leaving, or it now serves "
        "somebody outside.",
        usual="In half of {hours:,} earlier hours it sent no more than {usual_percent:,.1f} bytes outside "
        "for every hundred it received. In this hour it sent {percent:,.0f} for every hundred "
        "({sent_text} out, {received_text} in), which by their spread comes {odds_text} hours.",
        benign=(
            "a large upload by its user: video, a disk image, a synchronised folder",
            "a first backup to a provider",
            "a video call in which only the user is seen",
        ),
        next_steps=(
            "Sum the bytes of {src_ip} in this hour by destination: one address with nearly all of the "
            "{sent_text} is an upload, many are a service or a flood.",
            "Find the program on {src_ip} that sends, and the user under whose name it runs.",
            "Look at that user's file transfers and logins in the hour before: was something collected first?",
            "If nobody explains it, block the destination at the firewall, and keep {src_ip} as it is.",
        ),
        commands=(
            "busiest_programs",
            "busiest_peers",
            "newest_programs",
            "machine_of_source",
        ),
        would_change=(
            "harmless if the {sent_text} went to your own backup or cloud storage",
            "worse if most of it went to one address that nobody else in the organisation uses",
            "worse if it goes on in the next hours, or outside working hours",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from inside to outside."""
        return outwards(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add each row's bytes to the hour of its source."""
        reports = ratio_tail.fill(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("bytes_out")[at],
            rows.integers("bytes_in")[at],
            rows.addresses()[at],
            ratio_tail.Rules(
                window_s=float(self.p.window_s),
                quiet_s=float(self.p.quiet_s),
                forget_s=float(self.p.forget_s),
                learn_s=float(self.p.learn_s),
                learn_windows=self.p.learn_windows,
                least_bytes=self.p.least_bytes,
                floor=self.p.floor,
                least_shift=float(self.p.shift),
                log_p=math.log(self.p.report_p),
            ),
        )
        return Findings(
            at=at[reports.at],
            details={
                "sent": reports.sent,
                "sent_text": size_texts(reports.sent),
                "received": reports.received,
                "received_text": size_texts(reports.received),
                "percent": 100 * reports.sent / np.maximum(reports.received, 1),
                "usual_percent": 100 * reports.usual,
                "hours": reports.windows,
                "one_in": tails.one_in(reports.log_p),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_bytes": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which a machine begins anew."""
        return self.p.forget_s


DETECTOR = FlowRatio
