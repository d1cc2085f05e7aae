"""The demo world as it happens: the days of the history played on from now, with a campaign now and then.

People keep the pace of the history. The network log, which a faster feed must fill, reports the same traffic
in more and smaller rows, as a flow exporter with a shorter interval does; volumes per hour stay what the
history has taught.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from livesec.core.errors import UsageError
from livesec.core.schema import LOG_TYPES, LogType
from livesec.simulate.campaigns import CAMPAIGNS
from livesec.simulate.frames import empty, in_window, joined
from livesec.simulate.labels import label_rows, no_labels
from livesec.simulate.randomness import IntArray, generator
from livesec.simulate.rhythm import HOUR_US, MINUTE_US, SECOND_US
from livesec.simulate.schedule import CampaignOrder, PlayedCampaign, play
from livesec.simulate.stage import Stage, Strength
from livesec.simulate.timeline import SimulatedLogs, finished, ordinary
from livesec.simulate.world import World

DEFAULT_RATE_PER_S: Final = 5.0
DEFAULT_CAMPAIGN_EVERY_MIN: Final = 4.0
_FIRST_CAMPAIGN_US: Final = 45 * SECOND_US
_STRONG_SHARE: Final = 0.6  # of campaigns, the others are medium; weak ones are not for watching
_SPLIT_SPREAD_US: Final = 5 * MINUTE_US
_SPLIT_FROM_BYTES: Final = 1_500  # a smaller row is one message already
# slow_drip takes days and is not for watching.
LIVE_CAMPAIGNS: Final = tuple(name for name in CAMPAIGNS if name != "slow_drip")

Frames = dict[LogType, pl.DataFrame]


class LiveFeed:
    """Events of the demo world from `start_us` on, at about `rate_per_s` ordinary events a second.

    `history_rate` is the rate of the history that the feed continues. A campaign starts every
    `campaign_every_min` minutes, the first after 45 s; `campaigns` are the names to take turns, empty for
    none. The feed has no clock: `take` says up to when. The same arguments and the same sum of takes give the
    same events.
    """

    def __init__(
        self,
        world: World,
        start_us: int,
        *,
        rate_per_s: float = DEFAULT_RATE_PER_S,
        history_rate: float = 1.0,
        campaigns: tuple[str, ...] = LIVE_CAMPAIGNS,
        campaign_every_min: float = DEFAULT_CAMPAIGN_EVERY_MIN,
        strength: Strength | None = None,
    ) -> None:
        if rate_per_s <= 0 or campaign_every_min <= 0:
            raise UsageError("rate and minutes between campaigns must be above 0; give for example --rate 5")
        self._orders = [CampaignOrder(name) for name in campaigns]
        self._world = world
        self._rate_per_s = rate_per_s
        self._history_rate = history_rate
        self._strength = strength
        self._random = generator(world.seed, "live", start_us)
        self._every_us = int(campaign_every_min * MINUTE_US)
        self._next_campaign_us = start_us + _FIRST_CAMPAIGN_US
        self._taken_us = _whole_second(start_us)
        self._made_us = self._taken_us
        self._pending: Frames = {log_type: empty(log_type) for log_type in LOG_TYPES}
        self._turns: list[CampaignOrder] = []
        self._running: list[PlayedCampaign] = []
        self._played = 0

    def take(self, until_us: int) -> tuple[SimulatedLogs, list[PlayedCampaign]]:
        """The events since the last call and before the second of `until_us`, and the campaigns that begin.

        Labels come with the take in which a campaign ends, see `close`.
        """
        until_us = _whole_second(until_us)
        while self._made_us < until_us:
            self._make_next_hour()
        started = self._start_campaigns(until_us)
        frames: dict[LogType, list[pl.DataFrame]] = {}
        for log_type, pending in self._pending.items():
            frames[log_type] = [pending.filter(pl.col("timestamp") < until_us)]
            self._pending[log_type] = pending.filter(pl.col("timestamp") >= until_us)
        self._taken_us = until_us
        ended = [one for one in self._running if _end_us(one.stages) < until_us]
        self._running = [one for one in self._running if _end_us(one.stages) >= until_us]
        return finished(self._world, self._history_rate, frames, self._labels_of(ended)), started

    def close(self) -> SimulatedLogs:
        """The labels of campaigns still running, cut to what was taken; no events."""
        nothing: dict[LogType, list[pl.DataFrame]] = {log_type: [] for log_type in LOG_TYPES}
        running, self._running = self._running, []
        return finished(self._world, self._history_rate, nothing, self._labels_of(running))

    def _labels_of(self, campaigns: list[PlayedCampaign]) -> pl.DataFrame:
        parts = [no_labels()]
        for one in campaigns:
            stages = [replace(stage, rows=in_window(stage.rows, 0, self._taken_us)) for stage in one.stages]
            parts.append(label_rows(one.campaign_id, one.order.name, one.order.strength, stages))
        return pl.concat(parts)

    def _start_campaigns(self, until_us: int) -> list[PlayedCampaign]:
        started: list[PlayedCampaign] = []
        while self._orders and self._next_campaign_us < until_us:
            if not self._turns:
                self._turns = [self._orders[i] for i in self._random.permutation(len(self._orders))]
            name = self._turns.pop().name
            loud = self._random.random() < _STRONG_SHARE
            order = CampaignOrder(name, self._strength or (Strength.STRONG if loud else Strength.MEDIUM))
            self._played += 1
            at_us = self._next_campaign_us
            campaign_id = f"live-{at_us // SECOND_US}-{self._played:02d}-{order.name}-{order.strength}"
            taken = frozenset(stage.user for one in self._running for stage in one.stages if stage.user)
            one = play(self._world, order, campaign_id, at_us, taken)
            for log_type in LOG_TYPES:
                self._add(log_type, [stage.rows for stage in one.stages if stage.log_type is log_type])
            self._running.append(one)
            started.append(one)
            self._next_campaign_us += self._every_us
        return started

    def _add(self, log_type: LogType, frames: list[pl.DataFrame]) -> None:
        if frames:
            self._pending[log_type] = joined(log_type, [self._pending[log_type], *frames])

    def _make_next_hour(self) -> None:
        """Prepare the ordinary events up to the next full hour."""
        start_us = self._made_us
        end_us = start_us - start_us % HOUR_US + HOUR_US
        wanted = self._rate_per_s * (end_us - start_us) / SECOND_US
        pace = max(1.0, self._rate_per_s / DEFAULT_RATE_PER_S)
        made = ordinary(self._world, start_us, end_us, self._history_rate * pace)
        frames = {log_type: pl.concat(parts) for log_type, parts in made.items()}
        surplus = sum(frame.height for frame in frames.values()) / max(wanted, 1.0)
        if surplus > 1:
            for log_type, frame in frames.items():
                kept = self._random.random(frame.height) < 1 / surplus
                self._add(log_type, [frame.filter(pl.Series(kept))])
        else:
            others = frames[LogType.LOGIN].height + frames[LogType.FILE_TRANSFER].height
            finer = split_rows(frames[LogType.NETWORK], wanted - others, start_us, end_us, self._random)
            self._add(LogType.NETWORK, [finer])
            self._add(LogType.LOGIN, [frames[LogType.LOGIN]])
            self._add(LogType.FILE_TRANSFER, [frames[LogType.FILE_TRANSFER]])
        self._made_us = end_us


def _whole_second(time_us: int) -> int:
    return time_us - time_us % SECOND_US


def _end_us(stages: Sequence[Stage]) -> int:
    """The last moment of any stage."""
    return max(int(stage.rows["timestamp"].to_numpy().max()) for stage in stages)


def split_rows(
    rows: pl.DataFrame, wanted: float, start_us: int, end_us: int, random: np.random.Generator
) -> pl.DataFrame:
    """Network rows in about `wanted` pieces: each larger row becomes several smaller ones around its time."""
    large = ((rows["bytes_sent"] + rows["bytes_received"]) >= _SPLIT_FROM_BYTES).to_numpy()
    if not large.any():
        return rows
    factor = max(1.0, (wanted - float((~large).sum())) / float(large.sum()))
    pieces: IntArray = np.where(large, 1 + random.poisson(factor - 1, size=len(large)), 1).astype(np.int64)
    row = np.repeat(np.arange(len(large)), pieces)
    weight = random.gamma(2.0, 1.0, size=len(row))
    share = weight / np.bincount(row, weight, minlength=len(large))[row]
    own = rows["timestamp"].to_numpy()[row]
    low, high = np.maximum(own - _SPLIT_SPREAD_US, start_us), np.minimum(own + _SPLIT_SPREAD_US, end_us)
    times = np.where(pieces[row] > 1, low + (random.random(len(row)) * (high - low)).astype(np.int64), own)
    spread = rows[row]
    return spread.with_columns(
        pl.Series("timestamp", times),
        pl.Series("bytes_sent", np.maximum(spread["bytes_sent"].to_numpy() * share, 40).astype(np.int64)),
        pl.Series("bytes_received", (spread["bytes_received"].to_numpy() * share).astype(np.int64)),
        pl.Series("connections", np.maximum(spread["connections"].to_numpy() * share, 1).astype(np.int64)),
    )
