"""Writes a live feed into a folder as time passes, until told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Final

from livesec.simulate.folder import DemoFolder
from livesec.simulate.live import LiveFeed
from livesec.simulate.schedule import PlayedCampaign

_TICK_S: Final = 0.5

Heard = Callable[[int, list[PlayedCampaign]], None]
"""Called after each tick with the events written so far and the campaigns that began in it."""


def now_us() -> int:
    """The time of this machine, microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def play_live(
    feed: LiveFeed,
    folder: DemoFolder,
    stop: Event,
    until_us: int | None,
    heard: Heard,
    *,
    clock: Callable[[], int] = now_us,
) -> int:
    """Append what the feed gives, twice a second, until `until_us` or `stop`; returns the events written.

    Whoever handles signals sets `stop` and lets this return: a write is never cut short, and the labels of
    campaigns that are still running are written last. Raises DemoError where the folder cannot be written.
    """
    written = 0
    while not stop.is_set():
        now = clock()
        due = now if until_us is None else min(now, until_us)
        logs, started = feed.take(due)
        folder.append(logs)
        written += logs.events
        heard(written, started)
        if due == until_us:
            break
        time.sleep(_TICK_S)  # not stop.wait: a signal's handler that sets `stop` would wait for the lock held in there
    folder.append(feed.close())
    return written
