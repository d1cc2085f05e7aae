"""Puts a root script into the environment it needs: `.venv`, unless the running Python has what it takes."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

from livesec.bootstrap.environment import Environment

# A few of the packages that every command needs; who installed them by hand need not have a .venv.
TELLING_PACKAGES = ("polars", "numba", "streamlit", "watchdog")

Execute = Callable[[str, list[str]], object]


def enter_environment(script: str, execute: Execute = os.execv) -> None:
    """Return if this process can run LiveSec; otherwise become the same command under `.venv`'s Python.

    Args:
        script: the root script's own path (its `__file__`).
        execute: what replaces this process; only tests give another.

    Raises:
        SystemExit: there is no usable environment yet; the text says which command makes one.
    """
    path = Path(script).resolve()
    environment = Environment(path.parent)
    in_some_environment = sys.prefix != sys.base_prefix
    if environment.is_running_this() or (in_some_environment and _has_packages()):
        return
    if environment.state().ready and environment.python.exists():
        python = str(environment.python)
        execute(python, [python, str(path), *sys.argv[1:]])
    elif not _has_packages():
        raise SystemExit(f"{path.name}: LiveSec is not set up yet: run 'python3 run_livesec.py' first")


def _has_packages() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in TELLING_PACKAGES)
