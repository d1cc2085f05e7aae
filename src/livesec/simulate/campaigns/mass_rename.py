"""Ransomware at work: every file of a share gets a new extension within minutes (T1486)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate.files import FILES_PER_ROLE
from livesec.simulate.frames import transfer_rows
from livesec.simulate.rhythm import SECOND_US
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Sweep:
    """How many files, how fast, and how they are called afterwards."""

    files: int
    gap_s: float
    new_ending: str
    note: bool


SWEEP: Final = {
    Strength.WEAK: Sweep(files=15, gap_s=40.0, new_ending="_archived", note=False),
    Strength.MEDIUM: Sweep(files=160, gap_s=0.8, new_ending=".locked", note=False),
    Strength.STRONG: Sweep(files=2_000, gap_s=0.08, new_ending=".crypt", note=True),
}
_NOTE: Final = "READ_ME_TO_RESTORE.txt"


def _new_names(setting: Setting, role: int, sweep: Sweep) -> pl.Series:
    """The files of the victim's department and then of others; the weak keeps the extension."""
    files = setting.world.files
    index = (role * FILES_PER_ROLE + np.arange(sweep.files)) % len(files.bytes)
    if setting.strength is Strength.WEAK:
        return files.stems.gather(index) + sweep.new_ending + "." + files.extensions.gather(index)
    return files.names.gather(index) + sweep.new_ending


def build(setting: Setting) -> list[Stage]:
    """Stage renaming, and note where one is left."""
    sweep, victim = SWEEP[setting.strength], setting.someone_at_work()
    files = setting.world.files
    times = setting.times(sweep.files, sweep.gap_s)
    index = (victim.role * FILES_PER_ROLE + np.arange(sweep.files)) % len(files.bytes)
    sizes = files.bytes[index].astype(np.int64)
    names = _new_names(setting, victim.role, sweep)
    renames = transfer_rows(times, victim.name, names, sizes, "rename", "shared_drive")
    stages = [Stage("renaming", LogType.FILE_TRANSFER, renames, user=victim.name)]
    if sweep.note:
        moment = times[-1:] + 5 * SECOND_US
        note = transfer_rows(moment, victim.name, _NOTE, 1_420, "upload", "shared_drive")
        stages.append(Stage("note", LogType.FILE_TRANSFER, note, user=victim.name))
    return stages


CAMPAIGN: Final = Campaign(
    name="mass_rename",
    about="ransomware gives every file of a share a new extension within minutes",
    hours={Strength.WEAK: 0.3, Strength.MEDIUM: 0.1, Strength.STRONG: 0.2},
    build=build,
)
