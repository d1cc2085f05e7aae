"""Every check of the project in one run: format, rules, types, floors, tests with coverage."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livesec.bootstrap.progress import is_terminal


@dataclass(frozen=True)
class Check:
    """One check: its name and what to give the environment's Python."""

    name: str
    arguments: tuple[str, ...]


CHECKS = (
    Check("ruff format", ("-m", "ruff", "format", "--check", ".")),
    Check("ruff check", ("-m", "ruff", "check", ".")),
    Check("mypy", ("-m", "mypy", "--strict", "src")),
    Check("lint-imports", ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")),
)
PYTEST = ("-m", "pytest", "--cov", "--cov-report=term", "--numprocesses=2", "--dist=loadgroup")
"""In two processes, see tests/conftest.py; `--numprocesses=0` behind them makes it one again."""


def run_checks(python: Path, root: Path, pytest_arguments: Sequence[str], checks: Sequence[Check] = CHECKS) -> int:
    """Run all checks, also after one has failed, and end with pytest's closing line.

    Args:
        python: the environment's interpreter.
        root: the checkout.
        pytest_arguments: handed on to pytest.
        checks: what to run before pytest.

    Returns:
        0 if every check passed, else 1.
    """
    failed = []
    for check in checks:
        began = time.monotonic()
        print(f"== {check.name}", flush=True)
        code = subprocess.run([str(python), *check.arguments], cwd=root, check=False).returncode
        if code != 0:
            failed.append(check.name)
        print(f"== {check.name}: {'passed' if code == 0 else 'FAILED'}, {time.monotonic() - began:.1f} s")
    print("== pytest", flush=True)
    code, closing_line = _run_pytest([str(python), *PYTEST, *_colour(), *pytest_arguments], root)
    if code != 0:
        failed.append("pytest")
    print(f"== {'failed: ' + ', '.join(failed) if failed else 'all checks passed'}")
    print(closing_line, flush=True)
    return 1 if failed else 0


def _run_pytest(command: Sequence[str], root: Path) -> tuple[int, str]:
    # Its output is passed on as it comes; its last line is kept, to be said again at the very end.
    closing_line = ""
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe, two lines up
        for line in process.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            closing_line = line.decode("utf-8", "replace").rstrip() or closing_line
        return process.wait(), closing_line


def _colour() -> tuple[str, ...]:
    shown = is_terminal(sys.stdout) and not os.environ.get("NO_COLOR")
    return ("--color=yes",) if shown else ()
