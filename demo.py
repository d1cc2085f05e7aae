#!/usr/bin/env python3
"""Demo logs with labelled attacks: `demo.py batch`, `demo.py continuous MINUTES`; as `livesec demo`."""

import sys
from pathlib import Path

SOURCES = str(Path(__file__).resolve().parent / "src")
if SOURCES not in sys.path:
    sys.path.insert(0, SOURCES)

if __name__ == "__main__":
    from livesec.bootstrap.reentry import enter_environment

    enter_environment(__file__)
    from livesec.cli.main import main

    sys.exit(main(["demo", *sys.argv[1:]]))
