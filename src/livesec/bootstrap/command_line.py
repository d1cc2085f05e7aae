"""The words of `run_livesec.py`, and its order: words, set-up, the environment's Python, the launcher."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from livesec.bootstrap.checks import run_checks
from livesec.bootstrap.environment import Environment
from livesec.bootstrap.errors import SetupError
from livesec.bootstrap.file_lock import FileLock
from livesec.bootstrap.guardian import Guardian

DEFAULT_PORT = 8501  # Streamlit's own
HIGHEST_PORT = 65_535
DAY_S = 86_400.0  # a set-up by another copy is waited for, and none takes that long

EPILOG = """\
examples:
  python3 run_livesec.py                            demo data, daemon and dashboard; Ctrl-C ends all
  python3 run_livesec.py --logs /var/log/auth.log   your own logs in place of the demo
  python3 run_livesec.py --no-browser --port 8600   on a server
  python3 run_livesec.py --minutes 5                stops by itself
  python3 run_livesec.py test                       set up what the checks need and run them all
  python3 run_livesec.py test tests/launcher -x     the same, with words for pytest

The first start makes an environment in .venv (about 1.3 GB) and needs a package registry; later starts
do not. To remove all of it, delete this folder.
"""


def parser() -> argparse.ArgumentParser:
    """The command line of `run_livesec.py` (its `test` command apart)."""
    words = argparse.ArgumentParser(
        prog="run_livesec.py",
        description="Set up LiveSec if need be, then run its daemon and dashboard until stopped.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    words.add_argument("--logs", nargs="+", metavar="PATH", default=[], help="files, folders or patterns to watch")
    words.add_argument("--port", type=_port, default=DEFAULT_PORT, help="of the dashboard (default: %(default)s)")
    words.add_argument("--minutes", type=_minutes, metavar="N", help="stop after so many minutes")
    words.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    return words


def main(root: Path, arguments: Sequence[str]) -> int:
    """Do what the command line says and return the exit code (or become the environment's Python).

    Args:
        root: the checkout.
        arguments: the words after `run_livesec.py`.
    """
    testing = list(arguments[:1]) == ["test"] and not {"-h", "--help"} & set(arguments)
    if not testing:
        options = parser().parse_args(["--help"] if list(arguments[:1]) == ["test"] else arguments)
    # Set-up runs pip and compilers; whatever asks this process to stop must reach the code that stops them.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means to stay
        signal.signal(signal.SIGHUP, _stop)
    environment = Environment(root)
    try:
        set_up(environment, dev=testing)
    except SetupError as error:
        print(f"run_livesec.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"run_livesec.py: set-up failed: {error}", file=sys.stderr)
        return 1
    if testing:
        return run_checks(environment.python, root, arguments[1:])
    if not environment.is_running_this():
        become([str(environment.python), str(root / "run_livesec.py"), *arguments])
    # Only the environment has what these import.
    from livesec.runners.launch_plan import LaunchOptions  # noqa: PLC0415
    from livesec.runners.launcher import launch  # noqa: PLC0415

    return launch(
        LaunchOptions(
            root=root,
            port=options.port,
            minutes=options.minutes,
            logs=tuple(os.path.abspath(path) for path in options.logs),
            open_browser=not options.no_browser,
        )
    )


def set_up(environment: Environment, *, dev: bool) -> None:
    """Make the environment ready, one process at a time; another that is at it already is waited for.

    Raises:
        SetupError: it cannot be done; the text says what to do about it.
    """
    if environment.is_ready(dev=dev):
        return
    lock = FileLock(environment.root / "data" / ".setup.lock")
    if not lock.try_acquire():
        if lock.holder_lives():
            print(f"Waiting for another set-up of this folder to end (process {lock.holder_pid()})", flush=True)
        lock.acquire_within(DAY_S)  # at most seconds if the holder was killed: its guardian is clearing up
    try:
        if environment.is_running_this() and not environment.can_be_kept():
            # The environment is about to be made anew, under our feet: step out of it.
            become([os.path.realpath(sys.executable), *sys.argv])
        guardian = Guardian(lock.fd)
        try:
            environment.make_ready(dev=dev, guardian=guardian, say=lambda line: print(line, flush=True))
        finally:
            guardian.close()
    finally:
        lock.release()


def become(command: Sequence[str]) -> None:
    """Replace this process by `command`, without the variables that change what a Python imports."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    sys.stdout.flush()
    os.execve(command[0], list(command), kept)


def _stop(number: int, _frame: object) -> None:
    print("\nrun_livesec.py: stopped; start it again to go on", file=sys.stderr)
    raise SystemExit(128 + number)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to {HIGHEST_PORT}")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0.0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes above 0")
    return minutes
