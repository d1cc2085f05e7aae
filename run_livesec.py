#!/usr/bin/env python3
"""Sets LiveSec up if need be and runs it: `python3 run_livesec.py --help` says how.

Thin, and plain enough for an old Python to read: it must be able to say that it is too old.
"""

import sys

OLDEST = (3, 11)
NEWEST = (3, 14)  # the locked packages come built for these, see requires-python in pyproject.toml


def refusal(version, platform):
    # type: (tuple[int, int], str) -> str
    """Why LiveSec cannot run on this Python and system, in one line; empty if it can."""
    if platform == "win32":
        return "LiveSec runs on Linux and macOS; on Windows, start it inside WSL"
    if OLDEST <= version <= NEWEST:
        return ""
    needed = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)
    found = "{}.{}".format(*version)
    return f"LiveSec needs Python {needed}, this is {found}: install one and start run_livesec.py with it"


if __name__ == "__main__":
    reason = refusal(sys.version_info[:2], sys.platform)
    if reason:
        sys.exit("run_livesec.py: " + reason)
    from pathlib import Path

    root = Path(__file__).resolve().parent
    sys.path.insert(0, str(root / "src"))
    from livesec.bootstrap.command_line import main

    sys.exit(main(root, sys.argv[1:]))
