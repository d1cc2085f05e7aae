"""Somebody of the house who copies what they should not, at an hour when nobody looks (T1567, T1052)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livesec.core.schema import LogType
from livesec.simulate.campaigns.loot import own_files, sensitive_files, sizes
from livesec.simulate.dayplan import HOME
from livesec.simulate.frames import login_rows, transfer_rows
from livesec.simulate.rhythm import MINUTE_US
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Haul:
    """How many files, how large, how fast, and where they go."""

    files: int
    file_bytes: float
    gap_s: float
    destination: str
    sensitive: bool


HAUL: Final = {
    Strength.WEAK: Haul(files=4, file_bytes=1.5e6, gap_s=420.0, destination="shared_drive", sensitive=False),
    Strength.MEDIUM: Haul(files=28, file_bytes=3.5e7, gap_s=75.0, destination="external_drive", sensitive=True),
    Strength.STRONG: Haul(files=120, file_bytes=1.6e8, gap_s=30.0, destination="cloud_storage", sensitive=True),
}


def build(setting: Setting) -> list[Stage]:
    """Stages night_login (login from the user's own home) and copying (file transfer)."""
    haul, insider = HAUL[setting.strength], setting.someone_asleep()
    connection = HOME * len(setting.world.people) + insider.number
    address, country = insider.plan.addresses[connection], insider.plan.countries[connection]
    entry = np.array([setting.at_us], dtype=np.int64)
    moments = setting.times(haul.files, haul.gap_s, after_us=setting.at_us + 2 * MINUTE_US)
    names = sensitive_files(haul.files) if haul.sensitive else own_files(setting, insider, haul.files)
    volume = sizes(setting, haul.files, haul.file_bytes, 0.8)
    return [
        Stage(
            "night_login",
            LogType.LOGIN,
            login_rows(entry, insider.name, address, country, True, insider.agent),
            user=insider.name,
            src_ip=address,
        ),
        Stage(
            "copying",
            LogType.FILE_TRANSFER,
            transfer_rows(moments, insider.name, names, volume, "copy", haul.destination),
            user=insider.name,
        ),
    ]


CAMPAIGN: Final = Campaign(
    name="insider_night",
    about="a user copies large and sensitive files out in the middle of their night",
    hours={Strength.WEAK: 0.75, Strength.MEDIUM: 1.0, Strength.STRONG: 1.5},
    build=build,
)
