"""`livesec replay`: whole files, once."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from livesec.cli.context import (
    DbOption,
    JsonOption,
    SetOption,
    SettingsOption,
    fail,
    progress_bar,
    settings_from,
    store_name,
)
from livesec.core.errors import InputUnreadableError

EPILOG = "Example: livesec replay /var/log/auth.log* --db /tmp/replay.db --json"


def replay(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders or globs; .gz and .xz are read.")
    ],
    db: DbOption = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Read files as if they had just been written, merged by event time, and store what is found."""
    from livesec.runners.replay import Replay
    from livesec.store.writer import StoreWriter

    loaded = settings_from(settings, assignments)
    writer = StoreWriter(
        store_name(db, loaded), recent_events=loaded.recent_events, reject_samples=loaded.reject_samples
    )
    try:
        with progress_bar() as bar:
            task = bar.add_task("replay", total=1.0, note="")
            run = Replay(
                loaded,
                paths,
                writer,
                lambda share, lines: bar.update(task, completed=share, note=f"{lines:,} lines"),
            )
            report = run.run()
    finally:
        writer.close()
    for problem in run.problems:
        fail(problem)
    if as_json:
        typer.echo(json.dumps(report.as_dict()))
    else:
        typer.echo(
            f"{report.lines:,} lines ({report.events:,} events, {report.skipped:,} skipped, "
            f"{report.rejects:,} rejects) "
            f"in {report.seconds:.2f} s: {report.lines_per_s:,.0f} lines/s\n"
            f"{report.anomalies:,} anomalies, {report.incidents:,} incidents in {writer.path}\n"
            f"Peak memory {report.peak_rss_mb:,.0f} MB. Look at them: livesec export --db {writer.path} --format csv"
        )
    if run.problems:
        raise InputUnreadableError(f"{len(run.problems)} of the inputs could not be read")
