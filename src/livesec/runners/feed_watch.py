"""The daemon over one TCP feed: a thread receives into a spool, and the ordinary daemon tails that."""

from __future__ import annotations

import fcntl
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livesec.core.errors import StoreHeldError
from livesec.runners.daemon import Daemon
from livesec.runners.feed_thread import FeedThread
from livesec.runners.run_plan import Replan
from livesec.runners.signals import Signals
from livesec.sources.outages import Outages
from livesec.sources.spool import Spool
from livesec.sources.tcp_feed import TcpFeed
from livesec.store.writer import StoreWriter

LOCK_WAIT_MS = 500  # a stop must be noticed within 2 s, also while another process holds the store's lock
_SECONDS_A_MINUTE = 60


def watch_tcp_feed(
    host: str, port: int, spool_path: Path, planned: Replan, *, signals: Signals, minutes: float | None
) -> None:
    """Receive and detect until `signals` say stop, or for so many minutes.

    Raises StoreHeldError where another process writes the store or the spool, InputUnreadableError where the spool
    cannot be written, and what else ends a daemon.
    """
    plan = planned()
    writer = StoreWriter(
        plan.store,
        demo=plan.is_demo,
        recent_events=plan.settings.recent_events,
        reject_samples=plan.settings.reject_samples,
        lock_wait_ms=LOCK_WAIT_MS,
    )
    timer = threading.Timer((minutes or 0.0) * _SECONDS_A_MINUTE, signals.stop)
    timer.daemon = True
    try:
        with _held(spool_path):
            spool, outages = Spool(spool_path), Outages(spool_path)
            spool_path.touch()  # so that its first line is new to the daemon, and no history
            daemon = Daemon(plan, writer, replan=planned, console=sys.stdout, signals=signals, outages=outages)
            thread = FeedThread(TcpFeed(host, port, spool, outages), signals.stop)
            logging.getLogger("livesec").info("keeping lines in %s; store %s", spool_path, writer.path)
            if minutes is not None:
                timer.start()
            try:
                daemon.run()
            finally:
                thread.stop()
    finally:
        timer.cancel()
        writer.close()


@contextmanager
def _held(spool_path: Path) -> Iterator[None]:
    """Keep every other process from receiving into the same spool: its lines would be there twice."""
    spool_path.parent.mkdir(parents=True, exist_ok=True)
    with spool_path.with_name(f".{spool_path.name}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreHeldError(f"{spool_path}: another process receives into it; stop that one first") from error
        yield
