"""`livesec replay`: whole files, once."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livesec.cli.context import (
    DbOption,
    JsonOption,
    SetOption,
    SettingsOption,
    fail,
    progress_bar,
    require,
    settings_from,
    store_name,
)
from livesec.core.errors import InputUnreadableError
from livesec.core.settings import Settings
from livesec.core.text import shown

if TYPE_CHECKING:
    from livesec.store.comparison import Comparison, Seen

EPILOG = (
    "Examples: livesec replay /var/log/auth.log* --db /tmp/replay.db --json;  "
    "livesec replay /var/log/auth.log* --settings new.py --compare /tmp/replay.db"
)
_MOST_SHOWN = 20


def replay(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders or globs; .gz and .xz are read.")
    ],
    db: DbOption = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare",
            metavar="FILE",
            help="Store of an earlier replay of the same files: show which anomalies appear and vanish. Without --db "
            "nothing else is kept.",
        ),
    ] = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Read files as if they had just been written, merged by event time, and store what is found."""
    loaded = settings_from(settings, assignments)
    if compare is None:
        _replay(paths, store_name(db, loaded), loaded, None, as_json=as_json)
        return
    require(compare.is_file(), f"--compare {compare}: no such store; make one with `livesec replay PATH... --db FILE`")
    with tempfile.TemporaryDirectory(prefix="livesec-compare-") as folder:
        _replay(paths, db or str(Path(folder) / "livesec.db"), loaded, compare, as_json=as_json)


def _replay(paths: list[str], db: str, loaded: Settings, earlier: Path | None, *, as_json: bool) -> None:
    from livesec.runners.replay import Replay
    from livesec.store.comparison import compare as compared
    from livesec.store.writer import StoreWriter

    writer = StoreWriter(db, recent_events=loaded.recent_events, reject_samples=loaded.reject_samples)
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
    comparison = None if earlier is None else compared(str(earlier), db)
    if as_json:
        more = {} if comparison is None else {"compared": comparison.as_dict()}
        typer.echo(json.dumps(report.as_dict() | more))
    else:
        typer.echo(
            f"{report.lines:,} lines ({report.events:,} events, {report.skipped:,} skipped, "
            f"{report.rejects:,} rejects) "
            f"in {report.seconds:.2f} s: {report.lines_per_s:,.0f} lines/s\n"
            f"{report.anomalies:,} anomalies, {report.incidents:,} incidents. "
            f"Peak memory {report.peak_rss_mb:,.0f} MB."
        )
        if comparison is None:
            typer.echo(f"Look at them: livesec export --db {writer.path} --format csv")
        else:
            typer.echo(_told(comparison))
    if run.problems:
        raise InputUnreadableError(f"{len(run.problems)} of the inputs could not be read")


def _told(comparison: Comparison) -> str:
    """What differs, in lines: numbers by detector, then the first anomalies of each kind."""
    lines = [f"{comparison.kept:,} anomalies as before."]
    for name in ("appeared", "vanished", "louder", "quieter"):
        some: tuple[Seen, ...] = getattr(comparison, name)
        by_type = ", ".join(f"{number:,} {kind}" for kind, number in Counter(item.type for item in some).most_common())
        lines.append(f"{name}: {len(some):,}" + (f" ({by_type})" if some else ""))
        lines += [
            f"  {item.time[:19]} {item.severity:8} {item.type}: {shown(item.description)}"
            for item in some[:_MOST_SHOWN]
        ]
        if len(some) > _MOST_SHOWN:
            lines.append(f"  and {len(some) - _MOST_SHOWN:,} more; --json has them all")
    return "\n".join(lines)
