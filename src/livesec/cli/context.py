"""What every command shares: its common options, the settings behind them, and where things are."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from livesec.core.errors import UsageError
from livesec.core.settings import Settings, home, load_settings, written_layers

DbOption = Annotated[
    str | None, typer.Option("--db", metavar="FILE|URL", help="Store to use. [default: data/livesec.db]")
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="Settings file. [default: config.py]")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Override a setting, or a detector's: bf_fast.capacity=6."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON alone on standard output, everything else on stderr.")]


def settings_from(settings: Path | None, assignments: Sequence[str] | None) -> Settings:
    """The settings of this run. Raises SettingsError."""
    root = home()
    default = root / "config.py"
    config = settings if settings is not None else default if default.is_file() else None
    return load_settings(config, written_layers(root), root / ".env", tuple(assignments or ()))


def store_name(db: str | None, settings: Settings, *, demo: bool = False) -> str:
    """The store of this run: as named on the command line, else by LIVESEC_DB or the settings."""
    if db is not None:
        return db
    named = settings.demo_db if demo else settings.db
    return named if "://" in named else str(home() / named)


def readable_store(db: str | None, settings: Settings) -> str:
    """As `store_name`, but the demo's store where only that one exists."""
    named = store_name(db, settings)
    demo = store_name(None, settings, demo=True)
    if db is None and not os.path.exists(named) and os.path.exists(demo):
        return demo
    return named


def fail(message: str) -> None:
    """Say a problem that does not end the command, on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, markup=False)


def progress_bar() -> Progress:
    """A progress bar on stderr; nothing where that is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def require(condition: bool, message: str) -> None:
    """Raise UsageError with `message` unless `condition`."""
    if not condition:
        raise UsageError(message)
