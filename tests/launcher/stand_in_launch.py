"""Runs the launcher with harmless children: `stand_in_launch.py FOLDER PORT CHILDREN_JSON [MINUTES]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from livesec.runners.children import Backoff, ChildPlan
from livesec.runners.launch_plan import LaunchOptions
from livesec.runners.launcher import launch

QUICK = Backoff(first_s=0.1, most_s=0.4, healthy_s=60.0)


def main(folder: str, port: str, children: str, minutes: str = "") -> int:
    """Launch in `folder` what `children` lists: objects with the fields of ChildPlan."""
    plans = [ChildPlan(**fields) for fields in json.loads(children)]
    options = LaunchOptions(
        root=Path(folder),
        port=int(port),
        minutes=float(minutes) if minutes else None,
        open_browser=False,
        backoff=QUICK,
    )
    return launch(options, lambda _options: plans)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
