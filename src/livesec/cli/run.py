"""`livesec run`: the daemon."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from livesec.cli.context import (
    DbOption,
    SetOption,
    SettingsOption,
    fail,
    require,
    settings_from,
    store_name,
)
from livesec.core.settings import Settings, home
from livesec.sources.usual_places import found_places, wants_journal

EPILOG = "Example: livesec run --logs /var/log/auth.log '/var/log/vsftpd*.log' --db data/livesec.db"

LOCK_WAIT_MS = 500  # a stop must be noticed within 2 s, also while another process holds the store's lock
DEMO_LOGS = ("login_logs.csv", "network_logs.csv", "file_transfer_logs.csv")


def demo_logs(settings: Settings) -> list[str]:
    """Where the demo's logs are, or will be."""
    folder = home() / settings.data_dir
    return [str(folder / name) for name in DEMO_LOGS]


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )


def _what_to_watch(logs: list[str], settings: Settings, demo: bool) -> tuple[list[str], bool, bool]:
    """(patterns, whether to follow the journal, whether this is the demo)."""
    if demo:
        return demo_logs(settings), False, True
    if logs:
        return logs, bool(settings.journal), False
    if settings.logs:
        return list(settings.logs), bool(settings.journal), False
    if any(os.path.exists(path) for path in demo_logs(settings)):
        return demo_logs(settings), False, True
    places = found_places()
    for place in places:
        if place.cure is not None:
            fail(f"{place.path}: may not be read; {place.cure}")
    journal = wants_journal(settings.journal)
    readable = [place.path for place in places if place.cure is None]
    require(
        bool(readable) or journal,
        "nothing to watch: name logs with --logs, or make demo data with `python demo.py batch`",
    )
    return readable, journal, False


def run(
    logs: Annotated[
        list[str] | None, typer.Option("--logs", metavar="PATH...", help="Files, folders or globs to watch.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="More paths to watch.")] = None,
    db: DbOption = None,
    history: Annotated[
        str | None,
        typer.Option("--from", metavar="start|end|7d", help="How far back to learn. [default: 7d]"),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Watch the demo's logs in data/, with the demo's own store.")
    ] = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Watch logs and raise anomalies until stopped.

    Without --logs: the paths in config.py, else the demo's logs if there are any, else the usual places and journal.
    SIGHUP reads the settings again; SIGTERM stops after the batch in hand.
    """
    from livesec.runners.run_plan import RunPlan
    from livesec.runners.signals import Signals

    signals = Signals()  # from here on a SIGHUP is a request and no end

    def planned() -> RunPlan:
        given = [f"history={history}"] if history is not None else []
        loaded = settings_from(settings, [*(assignments or []), *given])
        patterns, journal, is_demo = _what_to_watch([*(logs or []), *(more or [])], loaded, demo)
        return RunPlan(loaded, tuple(patterns), journal, store_name(db, loaded, demo=is_demo), is_demo)

    plan = planned()
    from livesec.runners.daemon import Daemon
    from livesec.store.writer import StoreWriter

    _log_to_stderr()
    writer = StoreWriter(
        plan.store,
        demo=plan.is_demo,
        recent_events=plan.settings.recent_events,
        reject_samples=plan.settings.reject_samples,
        lock_wait_ms=LOCK_WAIT_MS,
    )
    try:
        daemon = Daemon(plan, writer, replan=planned, console=sys.stdout, signals=signals)
        watched = ", ".join([*plan.patterns, *(["the systemd journal"] if plan.journal else [])])
        logging.getLogger("livesec").info("watching %s; store %s", watched, writer.path)
        daemon.run()
    finally:
        writer.close()
