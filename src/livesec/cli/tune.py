"""`livesec tune`: thresholds that keep the alert budget, from history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from livesec.cli.context import JsonOption, SetOption, SettingsOption, progress_bar, settings_from
from livesec.core.settings import TUNED, home

EPILOG = "Example: livesec tune /var/log/auth.log* --alerts-per-day 3"


def tune(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Logs of some weeks: files, folders or globs.")],
    budget: Annotated[
        float | None,
        typer.Option("--alerts-per-day", min=0.0, help="Alerts wanted on a quiet day. [default: the settings']"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write. [default: data/tuned.toml]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, and write nothing.")] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Replay history, show the alerts a quiet day brings by detector, and write thresholds that keep the budget.

    Alerts are anomalies of medium or higher. The first third of the days is for learning, and of the others the loudest
    tenth does not count. The file comes after config.py and before everything else; a running daemon takes it over at
    SIGHUP. Rules have no threshold to tune: where they use up the budget, look at what they report.
    """
    from livesec.evaluate.tuning import tune as tuned

    loaded = settings_from(settings, assignments)
    with progress_bar() as bar:
        task = bar.add_task("tune", total=1.0, note="")
        result = tuned(
            loaded,
            paths,
            loaded.alerts_per_day if budget is None else budget,
            lambda share, lines: bar.update(task, completed=share, note=f"{lines:,} lines"),
        )
    target = out if out is not None else home() / TUNED
    if not dry_run:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(result.as_toml(), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(result.as_dict() | {"written": None if dry_run else str(target)}))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("detector", "alerts/day", "tuned", "p*", "tuned p*"):
        table.add_column(heading, justify="left" if heading == "detector" else "right")
    for item in result.detectors:
        if item.per_day or item.per_day_tuned or item.p_star != item.p_star_tuned:
            p_stars = ("-" if p is None else f"{p:g}" for p in (item.p_star, item.p_star_tuned))
            table.add_row(item.detector, f"{item.per_day:.2f}", f"{item.per_day_tuned:.2f}", *p_stars)
    table.add_row("all", f"{result.per_day:.2f}", f"{result.per_day_tuned:.2f}", "", "")
    Console(highlight=False).print(table)
    typer.echo(f"{result.quiet_days} quiet days of {result.days}; {result.budget:g} alerts a day wanted.")
    if result.per_day_tuned > result.budget:
        typer.echo("Thresholds alone do not keep this budget: see above what rules and correlators raise.")
    typer.echo("Nothing written." if dry_run else f"Written: {target}")
