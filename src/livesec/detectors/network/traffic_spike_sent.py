"""Far more bytes sent by a source within five minutes than in any ordinary window of its own.

Sees bulk exfiltration and floods from a machine whose ordinary is known, while the window fills. Misses new
machines, what stays within the usual (slow drips), and a second volume like one that two earlier days have
seen. Statistics: baselines/window_volume, robust z of the logarithm. In seed_mode: a row above factor times
the mean of the source's earlier rows. Source: the livesec seed (3 times the mean).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import running_mean, tails, window_volume
from livesec.core.finding import Findings
from livesec.core.human_units import size_texts, time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows, taken
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

SEED_MIN_ROWS = 10  # our choice: a mean of fewer says nothing


@dataclass(frozen=True)
class Params:
    """Window, floors, tail probability and how long to learn."""

    floor: int = param(1_000_000, "bytes", "livesec seed", minimum=1, setting="data_volume_bytes")
    factor: float = param(3.0, "ratio", "livesec seed", minimum=1, setting="traffic_spike_factor")
    window_s: float = param(300.0, "s", "our choice: five minutes", minimum=1)
    p_star: float = param(
        1e-8,
        "probability",
        "tails of traffic are heavier than normal: 0.7 a day for 300 hosts",
        minimum=1e-12,
        maximum=0.1,
    )
    learn_s: float = param(2 * 86_400.0, "s", "our choice: two days, so that nightly jobs are known", minimum=0)
    learn_windows: int = param(20, "windows", "our choice: DETECTIONS' prior of about 20", minimum=1)
    known_after: int = param(2, "windows", "our choice: twice seen is usual", minimum=1)
    mad_floor: float = param(0.25, "ln bytes", "our choice: half of the windows within 28 %", minimum=0.01)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class SentSpike(Detector[Params]):
    """Bytes from each source per window against its own windows."""

    name = "traffic_spike_sent"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("bytes_out",)
    technique: ClassVar[tuple[str, ...]] = ("T1048",)
    base_severity = 47
    columns = window_volume.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} sent {volume_text} in {window_text}, usually {usual_text}"
    guidance = Guidance(
        meaning="A machine sends far more than it ever does. Data may be leaving, or it takes part in a flood.",
        usual="In half of {windows:,} earlier windows of {window_text} with traffic it sent no more than "
        "{usual_text}; now {volume_text}, {times_usual:,.0f} times as much, a robust z of "
        "{z:.1f} on the logarithm.",
        benign=(
            "a backup, restore or migration that runs for the first time; after two days it is taken as usual",
            "a large upload by its user: video, a disk image, a synchronised folder",
            "a video call or a screen shared for long",
        ),
        next_steps=(
            "Sum the bytes of {src_ip} by destination: one address with nearly all of it is an upload, "
            "many with a little each a flood.",
            "Find the program on {src_ip} that sends, and the user under whose name it runs.",
            "Look at that user's file transfers and logins in the hour before: was something collected first?",
            "If the destination is unknown and nobody explains it, block it at the firewall, and keep "
            "{src_ip} as it is.",
        ),
        commands=(
            "busiest_programs",
            "busiest_peers",
            "scheduled",
            "machine_of_source",
        ),
        would_change=(
            "harmless if the {volume_text} went to your own backup or update server",
            "worse if they went to one address outside that nobody else uses",
            "worse if the machine sends small packets to one target as fast as it can: then it attacks others",
        ),
    )

    def initial(self) -> KeyedState:
        """Window volumes, or running means in seed_mode."""
        return KeyedState(running_mean.COLUMNS if self.seed_mode else self.columns, self.max_keys)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add each row's bytes to the window of its key."""
        keys, times_us = taken(rows.key(*self.key), at), taken(rows.time_us, at)
        amounts = taken(rows.integers("bytes_out"), at)
        if self.seed_mode:
            return self._above_mean(
                state,
                at,
                running_mean.compare(
                    state,
                    keys,
                    times_us,
                    amounts,
                    factor=self.p.factor,
                    min_values=SEED_MIN_ROWS,
                    forget_s=self.p.forget_s,
                ),
                amounts,
            )
        reports = window_volume.fill(state, keys, times_us, amounts, taken(rows.addresses(), at), self._rules())
        return Findings(
            at=at[reports.at],
            details={
                "window_bytes": reports.volume,
                "volume_text": size_texts(reports.volume),
                "window_s": np.full(len(reports.at), self.p.window_s),
                "window_text": [time_text(self.p.window_s)] * len(reports.at),
                "usual_bytes": reports.median,
                "usual_text": size_texts(reports.median),
                "times_usual": reports.volume / reports.median,
                "z": reports.z,
                "windows": reports.windows,
                "episode_bytes": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(
                np.array([tails.normal_log_tail(z) for z in reports.z.tolist()]), self.p.p_star
            ),
        )

    def _above_mean(
        self, state: KeyedState, at: NDArray[np.int64], reports: running_mean.Reports, amounts: NDArray[np.int64]
    ) -> Findings:
        unknown = np.full(len(reports.at), np.nan)
        large = amounts[reports.at]
        return Findings(
            at=at[reports.at],
            details={
                "window_bytes": large,
                "volume_text": size_texts(large),
                "window_s": np.zeros(len(large)),
                "window_text": ["one row"] * len(large),
                "usual_bytes": reports.mean,
                "usual_text": size_texts(reports.mean),
                "times_usual": large / np.maximum(reports.mean, 1.0),
                "z": unknown,
                "windows": reports.seen,
                "episode_bytes": large,
            },
        )

    def _rules(self) -> window_volume.Rules:
        return window_volume.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=float(self.p.learn_s),
            learn_windows=self.p.learn_windows,
            floor=self.p.floor,
            factor=float(self.p.factor),
            z=tails.normal_limit(self.p.p_star),
            known_after=self.p.known_after,
            mad_floor=float(self.p.mad_floor),
        )

    def idle_s(self) -> float:
        """The silence after which a machine begins anew."""
        return self.p.forget_s


DETECTOR = SentSpike
