"""`livesec check`: what LiveSec sees in a file before anyone trusts it with one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TaskID

from livesec.cli.context import JsonOption, SetOption, SettingsOption, fail, progress_bar, require, settings_from
from livesec.core.errors import InputUnreadableError
from livesec.sources.usual_places import cure_for, found_places, wants_journal

EPILOG = "Example: livesec check /var/log/auth.log"
_SAMPLE_ROWS = 5


def check(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Files, folders or globs.")] = None,
    format_file: Annotated[
        Path | None, typer.Option("--format", metavar="FILE", help="Look at mapping FILE, and read PATHs by it alone.")
    ] = None,
    line_limit: Annotated[
        int | None, typer.Option("--lines", metavar="N", min=1, help="Read only the first N lines of each file.")
    ] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Say for each path which format it is, how many events it gives, and which lines cannot be used.

    Without a path: look in the usual places and say what could be watched, what may not be read, and the cure. With
    --format: say what a mapping file maps (docs/mapping.md), and what it makes of the paths.
    """
    from livesec.cli.check_text import console, file_text, mapping_text
    from livesec.formats.mapped_format import mapped_format
    from livesec.pipeline.assembly import all_formats
    from livesec.runners.inspect import inspect_file

    loaded = settings_from(settings, assignments)
    if not paths and format_file is None:
        require(line_limit is None, "--lines: of which file? Name a path: livesec check PATH --lines N")
        _usual_places(loaded.journal, as_json)
        return
    own = mapped_format(str(format_file), claims_all=True) if format_file is not None else None
    formats = all_formats(loaded.format_files) if own is None else (own,)

    def inspect(name: str, progress: Callable[[float], None]) -> dict[str, Any]:
        return inspect_file(
            name,
            loaded,
            formats=formats,
            line_limit=line_limit,
            sample_rows=0 if own is None else _SAMPLE_ROWS,
            progress=progress,
        )

    records, problems = _inspected(paths or [], inspect)
    if as_json:
        mapping = None if own is None else own.mapping.described()
        typer.echo(json.dumps(records if own is None else {"mapping": mapping, "files": records}))
    else:
        out = console()
        if own is not None:
            out.print(mapping_text(own.mapping.described()))
        for record in records:
            out.print(file_text(record, {form.name: form.title for form in formats}))
    for problem in problems:
        fail(problem)
    if problems:
        raise InputUnreadableError(f"{len(problems)} of the inputs could not be read")


def _inspected(
    paths: Sequence[str], inspect: Callable[[str, Callable[[float], None]], dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Records of the files that `paths` name, and what could not be read."""
    from livesec.sources.whole_file import replayable

    problems: list[str] = []
    names = replayable(paths, problems)
    records = []
    with progress_bar() as bar:
        task = bar.add_task("check", total=len(names), note="")
        for done, name in enumerate(names):
            bar.update(task, completed=done, note=os.path.basename(name))
            try:
                records.append(inspect(name, partial(_advance, bar, task, done)))
            except (OSError, InputUnreadableError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                problems.append(f"{name}: cannot be read ({reason}); {cure_for(name) or 'is it a regular file?'}")
    return records, problems


def _advance(bar: Progress, task: TaskID, done: int, share: float) -> None:
    bar.update(task, completed=done + share)


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
