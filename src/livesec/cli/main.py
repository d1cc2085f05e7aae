"""The command line: one typer app; errors become one line on stderr and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from livesec import __version__
from livesec.cli import (
    ask,
    check,
    dashboard,
    demo,
    detectors,
    evaluate,
    explain,
    export,
    feed,
    lab,
    mcp,
    replay,
    run,
    status,
    tune,
    verdicts,
)
from livesec.core.errors import LiveSecError
from livesec.core.text import shown

app = typer.Typer(
    name="livesec",
    help="Real-time security co-pilot for login, network and file-transfer logs.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command(epilog=run.EPILOG)(run.run)
app.command(epilog=replay.EPILOG)(replay.replay)
app.command(epilog=check.EPILOG)(check.check)
app.command(epilog=detectors.EPILOG)(detectors.detectors)
app.command(epilog=dashboard.EPILOG)(dashboard.dashboard)
app.command(epilog=explain.EPILOG)(explain.explain)
app.command(epilog=export.EPILOG)(export.export)
app.command(epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command(epilog=tune.EPILOG)(tune.tune)
app.command(epilog=status.EPILOG)(status.status)
app.command(epilog=ask.EPILOG)(ask.ask)
app.command(epilog=mcp.EPILOG)(mcp.mcp)
app.command(epilog=verdicts.FEEDBACK_EPILOG)(verdicts.feedback)
app.add_typer(verdicts.app, name="suppress")
app.add_typer(demo.app, name="demo")
app.add_typer(feed.app, name="feed")
app.add_typer(lab.app, name="lab")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"livesec {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Real-time security co-pilot for login, network and file-transfer logs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `livesec` with `argv` (default: the process's); returns the exit code of INTERFACES: 0, 1, 2, 3 or 4."""
    try:
        app(list(argv) if argv is not None else None, prog_name="livesec")
    except LiveSecError as error:
        sys.stderr.write(f"livesec: {shown(str(error), 2000)}\n")
        return error.exit_code
    except SystemExit as end:  # how typer ends, with 2 for wrong words
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
