"""What a statistical detector says about a run of offences: the first, then whenever their sum has grown fourfold.

An episode of a key lasts until no offence came for `quiet_us`. A flood of a thousand equal windows is
five findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.growth import GROWTH
from livesec.core.jit import inner_kernel
from livesec.core.state import ColumnSpec, KeyedState

_LARGEST_SUM = 1 << 60  # GROWTH times as much still fits

EPISODE_COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "offence_us": np.int64,  # time of the last offence
        "offended": np.int64,  # sum of the episode's offences
        "report_at": np.int64,  # `offended` of the next report; 0 without an episode
    }
)


class Episode(NamedTuple):
    """The columns above as kernels take them."""

    offence_us: NDArray[np.int64]
    offended: NDArray[np.int64]
    report_at: NDArray[np.int64]


def episode_of(state: KeyedState, prefix: str = "") -> Episode:
    """The episode columns of a state, whose names begin with `prefix`; valid until its next `reserve`."""
    return Episode(
        state[prefix + "offence_us"].view(np.int64),
        state[prefix + "offended"].view(np.int64),
        state[prefix + "report_at"].view(np.int64),
    )


@inner_kernel
def end_episode(episode: Episode, slot: int) -> None:
    """Begin without an offence."""
    episode.offence_us[slot] = 0
    episode.offended[slot] = 0
    episode.report_at[slot] = 0


@inner_kernel
def offend(episode: Episode, slot: int, now_us: int, amount: int, quiet_us: int) -> bool:
    """Count an offence of `amount` (its bytes, say); whether one is due to be reported."""
    if now_us - episode.offence_us[slot] >= quiet_us:
        episode.offended[slot] = 0
        episode.report_at[slot] = 0
    episode.offence_us[slot] = now_us
    episode.offended[slot] = min(episode.offended[slot] + amount, _LARGEST_SUM)
    return bool(episode.offended[slot] >= episode.report_at[slot])


@inner_kernel
def reported(episode: Episode, slot: int) -> None:
    """Note that the sum as it is was reported."""
    episode.report_at[slot] = GROWTH * episode.offended[slot]
