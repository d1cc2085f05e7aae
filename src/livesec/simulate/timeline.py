"""A window of the demo world: the ordinary and the campaigns, in time order, with labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from livesec.core.errors import UsageError
from livesec.core.schema import LOG_TYPES, LogType
from livesec.simulate.dayplan import plan_day
from livesec.simulate.flows import flows_of_day
from livesec.simulate.frames import in_window, joined
from livesec.simulate.labels import label_rows, no_labels
from livesec.simulate.logins import logins_of_day
from livesec.simulate.rhythm import DAY_US
from livesec.simulate.schedule import CampaignOrder, PlayedCampaign, play_all
from livesec.simulate.transfers import transfers_of_day
from livesec.simulate.world import World

Progress = Callable[[int, int], None]
"""Called with the days done and the days there are."""


@dataclass(frozen=True)
class SimulatedLogs:
    """The three logs and their labels; `timestamp` is a datetime without zone, in UTC, in whole seconds."""

    world: World
    rate: float
    login: pl.DataFrame
    network: pl.DataFrame
    file_transfer: pl.DataFrame
    labels: pl.DataFrame

    def of(self, log_type: LogType) -> pl.DataFrame:
        """The log of a type."""
        by_type = {
            LogType.LOGIN: self.login,
            LogType.NETWORK: self.network,
            LogType.FILE_TRANSFER: self.file_transfer,
        }
        return by_type[log_type]

    @property
    def events(self) -> int:
        """Rows of all three logs."""
        return sum(self.of(log_type).height for log_type in LOG_TYPES)


def simulate(
    world: World,
    start_us: int,
    days: float,
    rate: float = 1.0,
    campaigns: Sequence[CampaignOrder] = (),
    *,
    progress: Progress | None = None,
) -> SimulatedLogs:
    """The world from `start_us` (microseconds since 1970 UTC) for a number of days.

    `rate` multiplies the ordinary events: at 1 a world of 60 users has about 1,500 logins, 20,000 network
    rows and 2,500 transfers a day. The same arguments give the same logs. Raises UsageError where days or
    rate are not positive.
    """
    if days <= 0:
        raise UsageError(f"days: {days} is not positive; give for example 14")
    if rate <= 0:
        raise UsageError(f"rate: {rate} is not positive; give for example 1, or 0.5 for half the events")
    end_us = start_us + int(days * DAY_US)
    frames = ordinary(world, start_us, end_us, rate, progress)
    played = play_all(world, campaigns, start_us, end_us)
    for campaign in played:
        for stage in campaign.stages:
            frames[stage.log_type].append(stage.rows)
    return finished(world, rate, frames, labels_of(played))


def ordinary(
    world: World, start_us: int, end_us: int, rate: float, progress: Progress | None = None
) -> dict[LogType, list[pl.DataFrame]]:
    """Frames of every log with what happens in [start, end) on its own; a day is the same in every window."""
    frames: dict[LogType, list[pl.DataFrame]] = {log_type: [] for log_type in LOG_TYPES}
    # A local day reaches into the UTC days beside it.
    days = range(start_us // DAY_US - 1, (end_us - 1) // DAY_US + 2)
    for number, day in enumerate(days):
        plan = plan_day(world, day)
        made = {
            LogType.LOGIN: logins_of_day(plan, rate),
            LogType.NETWORK: flows_of_day(plan, rate),
            LogType.FILE_TRANSFER: transfers_of_day(plan, rate),
        }
        for log_type, parts in made.items():
            frames[log_type].append(in_window(pl.concat(parts), start_us, end_us))
        if progress is not None:
            progress(number + 1, len(days))
    return frames


def labels_of(played: Sequence[PlayedCampaign]) -> pl.DataFrame:
    """The labels of campaigns, in time order."""
    parts = [label_rows(one.campaign_id, one.order.name, one.order.strength, one.stages) for one in played]
    return pl.concat([no_labels(), *parts]).sort("start", maintain_order=True)


def finished(
    world: World, rate: float, frames: dict[LogType, list[pl.DataFrame]], labels: pl.DataFrame
) -> SimulatedLogs:
    """Logs in time order with datetimes."""
    logs = {
        log_type: joined(log_type, parts).with_columns(pl.col("timestamp").cast(pl.Datetime("us")))
        for log_type, parts in frames.items()
    }
    return SimulatedLogs(world, rate, logs[LogType.LOGIN], logs[LogType.NETWORK], logs[LogType.FILE_TRANSFER], labels)
