"""Data that leaves in small pieces over days, each too small to notice (T1030)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate.addresses import attack_hosting
from livesec.simulate.flows import flow_rows
from livesec.simulate.frames import transfer_rows
from livesec.simulate.rhythm import DAY_US
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Drip:
    """Pieces a day, days, size of a piece with its spread (of the logarithm), and the gap between two."""

    pieces_per_day: int
    days: int
    piece_bytes: float
    spread: float
    gap_s: float


DRIP: Final = {
    Strength.WEAK: Drip(pieces_per_day=2, days=3, piece_bytes=4e5, spread=0.8, gap_s=3_000.0),
    Strength.MEDIUM: Drip(pieces_per_day=30, days=3, piece_bytes=8e6, spread=0.01, gap_s=100.0),
    Strength.STRONG: Drip(pieces_per_day=110, days=3, piece_bytes=9.6e6, spread=0.002, gap_s=60.0),
}


def build(setting: Setting) -> list[Stage]:
    """For each day, stages dripping (the user's file transfers) and dripping_traffic (the workstation's)."""
    drip, victim = DRIP[setting.strength], setting.someone_at_work()
    target, _ = attack_hosting().draw_one(setting.random)
    stages: list[Stage] = []
    for day in range(drip.days):
        times = setting.times(drip.pieces_per_day, drip.gap_s, after_us=setting.at_us + day * DAY_US, spread=0.15)
        volume = drip.piece_bytes * np.exp(setting.random.normal(0.0, 1.0, len(times)) * drip.spread)
        first = day * drip.pieces_per_day
        names = pl.Series([f"projects/archive/part_{first + number:04d}.bin" for number in range(len(times))])
        pieces = transfer_rows(times, victim.name, names, volume.astype(np.int64), "upload", "cloud_storage")
        answers = np.full(len(times), 4e3)
        traffic = flow_rows(times, victim.workstation, target, 443, "TCP", volume * 1.02, answers)
        stages.append(Stage("dripping", LogType.FILE_TRANSFER, pieces, user=victim.name))
        stages.append(
            Stage(
                "dripping_traffic",
                LogType.NETWORK,
                traffic,
                src_ip=victim.workstation,
                dst_ip=target,
            )
        )
    return stages


CAMPAIGN: Final = Campaign(
    name="slow_drip",
    about="data leaves in small pieces, every day a few, over three days",
    hours={Strength.WEAK: 53.0, Strength.MEDIUM: 50.0, Strength.STRONG: 51.0},
    build=build,
)
