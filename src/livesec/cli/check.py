"""`livesec check`: what LiveSec sees in a file before anyone trusts it with one."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer

from livesec.cli.context import JsonOption, SetOption, SettingsOption, fail, progress_bar, settings_from
from livesec.core.errors import InputUnreadableError
from livesec.core.text import shown
from livesec.sources.usual_places import cure_for, found_places, wants_journal

EPILOG = "Example: livesec check /var/log/auth.log"


def check(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Files, folders or globs.")] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Say for each path which format it is, how many events it gives, and which lines cannot be used.

    Without a path: look in the usual places and say what could be watched, what may not be read, and the cure.
    """
    from livesec.runners.inspect import inspect_file
    from livesec.sources.whole_file import replayable

    loaded = settings_from(settings, assignments)
    problems: list[str] = []
    if not paths:
        _usual_places(loaded.journal, as_json)
        return
    names = replayable(paths, problems)
    records = []
    with progress_bar() as bar:
        task = bar.add_task("check", total=len(names), note="")
        for name in names:
            bar.update(task, note=os.path.basename(name))
            try:
                records.append(inspect_file(name, loaded))
            except (OSError, InputUnreadableError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                problems.append(f"{name}: cannot be read ({reason}); {cure_for(name) or 'is it a regular file?'}")
            bar.advance(task)
    if as_json:
        typer.echo(json.dumps(records))
    else:
        for record in records:
            typer.echo(_as_text(record))
    for problem in problems:
        fail(problem)
    if problems:
        raise InputUnreadableError(f"{len(problems)} of the inputs could not be read")


def _as_text(record: dict[str, Any]) -> str:
    form = record["format"] or "unknown format"
    kinds = f" ({', '.join(record['log_type'])})" if record["log_type"] else ""
    head = (
        f"{shown(record['path'])}: {form}{kinds}, {record['confidence']:.0%} of the lines\n"
        f"  {record['lines']:,} lines: {record['events']:,} events, {record['skipped']:,} skipped, "
        f"{record['rejects_total']:,} rejects; {record['lines_per_s']:,.0f} lines/s"
    )
    rejects = [f"  reject at byte {item['offset']}: {shown(item['reason'])}" for item in record["rejects"][:5]]
    more = record["rejects_total"] - len(rejects)
    return "\n".join([head, *rejects, *([f"  ... and {more:,} more rejects"] if more > 0 and rejects else [])])


def _usual_places(journal: bool | None, as_json: bool) -> None:
    places = [{"path": place.path, "readable": place.cure is None, "cure": place.cure} for place in found_places()]
    follows = wants_journal(journal)
    if as_json:
        typer.echo(json.dumps({"places": places, "journal": follows}))
        return
    for place in places:
        typer.echo(
            f"{place['path']}: " + ("can be watched" if place["readable"] else f"may not be read; {place['cure']}")
        )
    if follows:
        typer.echo("the systemd journal: would be followed, since there is no auth.log here")
    if not places and not follows:
        typer.echo("none of the usual logs are here; name a file: livesec check PATH")
