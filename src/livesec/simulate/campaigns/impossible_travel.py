"""A stolen session or password used from afar while its owner is still at home (T1078)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livesec.core.documentation_networks import Kind
from livesec.core.schema import LogType
from livesec.simulate.addresses import AddressPool
from livesec.simulate.agents import ATTACK_AGENTS
from livesec.simulate.campaigns.loot import sensitive_files, sizes
from livesec.simulate.frames import login_rows, transfer_rows
from livesec.simulate.places import DISTANCE_KM, PLACES
from livesec.simulate.randomness import BoolArray
from livesec.simulate.rhythm import MINUTE_US, SECOND_US
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Jump:
    """How far away, how soon after the owner's own login, and what is done there."""

    min_km: float
    max_km: float
    after_min: float
    logins: int
    files: int


JUMP: Final = {
    # A neighbouring country, as honest commuters and private VPNs have it.
    Strength.WEAK: Jump(min_km=300, max_km=800, after_min=90, logins=1, files=0),
    Strength.MEDIUM: Jump(min_km=5_000, max_km=9_000, after_min=60, logins=3, files=0),
    Strength.STRONG: Jump(min_km=7_000, max_km=20_000, after_min=8, logins=8, files=12),
}


def _in_reach(jump: Jump) -> BoolArray:
    """Which of PLACES have which others in the wanted distance, shape (n, n)."""
    return (jump.min_km <= DISTANCE_KM) & (jump.max_km >= DISTANCE_KM)


def build(setting: Setting) -> list[Stage]:
    """An honest login of the owner (unlabelled), then stage foreign_login, then theft where it is strong."""
    jump = JUMP[setting.strength]
    reach = _in_reach(jump)
    victim = setting.someone_at_work(offices=np.asarray(reach.any(axis=1)))
    far = setting.random.choice(np.flatnonzero(reach[setting.world.people.office[victim.number]]))
    kind: Kind = "residential" if setting.strength is Strength.WEAK else "hosting"
    source, country = AddressPool.of(kind, PLACES[int(far)].iso).draw_one(setting.random)
    agent = str(setting.random.choice(ATTACK_AGENTS)) if setting.strength is Strength.STRONG else victim.agent
    own = np.array([setting.at_us], dtype=np.int64)
    first = setting.at_us + int(jump.after_min * MINUTE_US)
    foreign = setting.times(jump.logins, 240.0, after_us=first - 240 * SECOND_US)
    honest = login_rows(own, victim.name, victim.address, victim.country, True, victim.agent)
    stages = [
        Stage("own_login", LogType.LOGIN, honest, user=victim.name, labelled=False),
        Stage(
            "foreign_login",
            LogType.LOGIN,
            login_rows(foreign, victim.name, source, country, True, agent),
            user=victim.name,
            src_ip=source,
        ),
    ]
    if jump.files:
        moments = setting.times(jump.files, 40.0, after_us=int(foreign[-1]) + MINUTE_US)
        names, volume = sensitive_files(jump.files), sizes(setting, jump.files, 2e7)
        taken = transfer_rows(moments, victim.name, names, volume, "download", "cloud_storage")
        stages.append(Stage("exfiltration", LogType.FILE_TRANSFER, taken, user=victim.name))
    return stages


CAMPAIGN: Final = Campaign(
    name="impossible_travel",
    about="a user's account used from a far country too soon after the user's own login",
    hours={Strength.WEAK: 2.0, Strength.MEDIUM: 1.5, Strength.STRONG: 1.25},
    build=build,
)
