"""A connection to the outside that stays open for hours: a tunnel, a remote shell, or a download that never ends.

Sees connections of at least an hour, from logs that tell how long they were; they do so when a connection ends, so one
that is still open is not seen yet. Misses tunnels that reconnect every few minutes (beacon). Low by itself, for video
calls and pushed messages take as long; it counts together with what else the machine does. Reported once for a source,
destination and port, and again when a connection falls into a longer band. Nothing is learnt: there is nothing to
train. Source: RITA v5, which calls 1 hour a start, 4 low, 8 medium and 12 high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import rising_level
from livesec.baselines.border import outwards
from livesec.core.finding import Findings
from livesec.core.human_units import time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

BANDS_H = (1.0, 4.0, 8.0, 12.0)  # RITA v5: long_connection_score_thresholds
CONFIDENCE = (0.25, 0.5, 0.75, 1.0)  # our choice: evenly from band to band


@dataclass(frozen=True)
class Params:
    """From which duration on, and when a pair is new again."""

    least_s: float = param(3600.0, "s", "RITA v5: base of the long connections' score", minimum=3600)
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new pair", minimum=3600)


class LongConnection(Detector[Params]):
    """The band of a connection's duration per source, destination and port."""

    name = "long_connection"
    log_type = LogType.NETWORK
    key = ("src_ip", "dst_ip", "dst_port")
    needs = ("duration_s",)
    technique = ("T1572",)
    base_severity = 21
    columns = rising_level.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} held a connection to {dst_ip} port {port} for {hours:,.1f} h"
    guidance = Guidance(
        meaning="A connection that stays open for hours carries something on and on: a tunnel into the "
        "network, a remote shell, or a stream.",
        usual="Connections of less than {least_h:,.0f} h are usual and not counted. This one lasted "
        "{hours:,.1f} h, above the step of {band_h:,.0f} h that none of {src_ip} to {dst_ip} port "
        "{port} had reached. Of at least {least_h:,.0f} h it is number {connections:,}; before the "
        "first there was none for {quiet_text}, or as far as the log reaches.",
        benign=(
            "a video call, a stream, or messages pushed to a telephone or browser",
            "a VPN or remote desktop to a partner or provider",
            "a large backup or synchronisation",
        ),
        next_steps=(
            "Compare the bytes in both directions: a tunnel or shell carries a little both ways, a stream "
            "much one way.",
            "If it is open again, find the program on {src_ip} that holds it.",
            "Look at when it began: right after a login, a download or a new program on {src_ip}?",
            "If nobody knows the program, block {dst_ip} and look at {src_ip} before it is used again.",
        ),
        commands=("sockets_to_destination", "owner_of_destination", "name_of_destination", "machine_of_source"),
        would_change=(
            "harmless if {dst_ip} belongs to a service for calls, push messages or remote work that is used here",
            "worse if {dst_ip} is a rented server and the connection began outside working hours",
            "worse if {src_ip} also shows a beacon, a new port or a large upload",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Long connections from inside to outside."""
        durations = rows.floats("duration_s")
        long = durations >= self.p.least_s
        return np.asarray(long & outwards(rows)) if long.any() else long

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Put each connection into its band."""
        hours = rows.floats("duration_s")[at] / 3600
        bands = np.searchsorted(BANDS_H, hours, side="right")
        reports = rising_level.rise(
            state, rows.key(*self.key)[at], rows.time_us[at], bands, rows.addresses()[at], quiet_s=self.p.quiet_s
        )
        found = at[reports.at]
        band = bands[reports.at] - 1
        return Findings(
            at=found,
            details={
                "port": rows.integers("dst_port")[found],
                "hours": hours[reports.at],
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
                "band_h": np.array(BANDS_H)[band],
                "least_h": np.full(len(found), self.p.least_s / 3600),
                "connections": reports.rows,
            },
            evidence=reports.evidence,
            confidence=np.array(CONFIDENCE)[band],
        )

    def idle_s(self) -> float:
        """The pause after which a pair is a new one."""
        return self.p.quiet_s


DETECTOR = LongConnection
