"""Passwords guessed for one account until one fits; then its files leave (T1110.001, T1078, T1567)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livesec.core.schema import LogType
from livesec.simulate.addresses import AddressPool, attack_hosting
from livesec.simulate.agents import ATTACK_AGENTS
from livesec.simulate.campaigns.loot import own_files, sensitive_files, sizes
from livesec.simulate.flows import flow_rows
from livesec.simulate.frames import login_rows, transfer_rows
from livesec.simulate.places import PLACES
from livesec.simulate.rhythm import MINUTE_US
from livesec.simulate.services import GATEWAY
from livesec.simulate.stage import Campaign, Person, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Force:
    """How often and how fast passwords are tried, and what leaves afterwards."""

    failures: int
    gap_s: float
    files: int
    file_bytes: float
    sensitive: bool


FORCE: Final = {
    Strength.WEAK: Force(failures=7, gap_s=780.0, files=3, file_bytes=2e6, sensitive=False),
    Strength.MEDIUM: Force(failures=45, gap_s=14.0, files=14, file_bytes=3e7, sensitive=True),
    Strength.STRONG: Force(failures=600, gap_s=1.2, files=60, file_bytes=1.2e8, sensitive=True),
}


def _attacker(setting: Setting, victim: Person) -> tuple[str, str, str]:
    """Address, country and agent: a neighbour of the victim with the victim's browser, or a rented server."""
    if setting.strength is Strength.WEAK:
        iso = PLACES[int(setting.world.people.home[victim.number])].iso
        address, country = AddressPool.of("residential", iso).draw_one(setting.random)
        return address, country, victim.agent
    address, country = attack_hosting().draw_one(setting.random)
    return address, country, str(setting.random.choice(ATTACK_AGENTS))


def build(setting: Setting) -> list[Stage]:
    """Stages guessing, success (login), exfiltration (file transfer) and its traffic (network)."""
    force, victim = FORCE[setting.strength], setting.someone_at_work()
    source, country, agent = _attacker(setting, victim)
    guesses = setting.times(force.failures, force.gap_s)
    success = setting.times(1, max(force.gap_s, 2.0), after_us=int(guesses[-1]))
    taking = setting.times(force.files, 25.0, after_us=int(success[-1]) + 4 * MINUTE_US)
    names = sensitive_files(force.files) if force.sensitive else own_files(setting, victim, force.files)
    volume = sizes(setting, force.files, force.file_bytes)
    return [
        Stage(
            "guessing",
            LogType.LOGIN,
            login_rows(guesses, victim.name, source, country, False, agent),
            user=victim.name,
            src_ip=source,
        ),
        Stage(
            "success",
            LogType.LOGIN,
            login_rows(success, victim.name, source, country, True, agent),
            user=victim.name,
            src_ip=source,
        ),
        Stage(
            "exfiltration",
            LogType.FILE_TRANSFER,
            transfer_rows(taking, victim.name, names, volume, "upload", "cloud_storage"),
            user=victim.name,
        ),
        Stage(
            "exfiltration_traffic",
            LogType.NETWORK,
            flow_rows(
                taking,
                GATEWAY,
                source,
                443,
                "TCP",
                volume.to_numpy() * 1.03,
                np.full(force.files, 9e3),
            ),
            src_ip=GATEWAY,
            dst_ip=source,
        ),
    ]


CAMPAIGN: Final = Campaign(
    name="brute_force",
    about="passwords guessed for one user until one fits, then the user's files leave",
    hours={Strength.WEAK: 3.0, Strength.MEDIUM: 1.0, Strength.STRONG: 1.5},
    build=build,
)
