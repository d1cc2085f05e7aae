#!/usr/bin/env python3
"""The dashboard: `streamlit run dashboard.py`, or `python dashboard.py`, the same as `livesec dashboard`."""

import sys
from pathlib import Path

SOURCES = str(Path(__file__).resolve().parent / "src")
if SOURCES not in sys.path:
    sys.path.insert(0, SOURCES)


def served_by_streamlit() -> bool:
    """Whether Streamlit runs this file as a page; it then is the main module too."""
    runtime = sys.modules.get("streamlit.runtime")
    return runtime is not None and runtime.exists()


if served_by_streamlit():
    from livesec.dashboard.app import render

    render()
elif __name__ == "__main__":
    from livesec.bootstrap.reentry import enter_environment

    enter_environment(__file__)
    from livesec.cli.main import main

    sys.exit(main(["dashboard", *sys.argv[1:]]))
