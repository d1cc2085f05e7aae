"""Malware on a workstation that calls home at a period (T1071)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livesec.core.schema import LogType
from livesec.simulate.addresses import attack_hosting, internet_sites
from livesec.simulate.flows import flow_rows
from livesec.simulate.rhythm import SECOND_US
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Pulse:
    """Period and its jitter (share of the period), the spread of the sizes, and the port."""

    period_s: float
    jitter: float
    size_spread: float
    port: int
    hours: float


PULSE: Final = {
    Strength.WEAK: Pulse(period_s=2_400.0, jitter=0.6, size_spread=1.0, port=443, hours=30.0),
    Strength.MEDIUM: Pulse(period_s=300.0, jitter=0.12, size_spread=0.1, port=443, hours=20.0),
    Strength.STRONG: Pulse(period_s=60.0, jitter=0.02, size_spread=0.0, port=4444, hours=12.0),
}


def build(setting: Setting) -> list[Stage]:
    """One stage calling, from a workstation to a rented server (weak: one among the usual clouds)."""
    pulse, victim = PULSE[setting.strength], setting.someone_at_work()
    pool = internet_sites() if setting.strength is Strength.WEAK else attack_hosting()
    target, _ = pool.draw_one(setting.random)
    beats = int(pulse.hours * 3600 / pulse.period_s)
    grid = np.arange(beats) * pulse.period_s
    shift = setting.random.uniform(-pulse.jitter, pulse.jitter, beats) * pulse.period_s / 2
    times = np.sort(setting.at_us + ((grid + pulse.period_s + shift) * SECOND_US).astype(np.int64))
    sent = 420.0 * np.exp(setting.random.normal(0.0, 1.0, beats) * pulse.size_spread)
    received = 180.0 * np.exp(setting.random.normal(0.0, 1.0, beats) * pulse.size_spread)
    calls = flow_rows(times, victim.workstation, target, pulse.port, "TCP", sent, received)
    return [Stage("calling", LogType.NETWORK, calls, src_ip=victim.workstation, dst_ip=target)]


CAMPAIGN: Final = Campaign(
    name="beacon",
    about="malware on a workstation calls a rented server at a period",
    hours={strength: pulse.hours + 1.0 for strength, pulse in PULSE.items()},
    build=build,
)
