"""What `run_livesec.py` starts: which children, with which words, in which order."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from livesec.core.settings import load_settings, written_layers
from livesec.runners.children import Backoff, ChildPlan
from livesec.runners.dashboard_server import dashboard_command

UNTIL_STOPPED = "0"  # minutes, as `demo.py continuous` takes them
DEMO_FILES = ("login_logs.csv", "network_logs.csv", "file_transfer_logs.csv", "labels.csv")


@dataclass(frozen=True)
class LaunchOptions:
    """What to run.

    Attributes:
        root: the checkout.
        port: the dashboard's, on 127.0.0.1.
        minutes: after which to stop; None for never.
        logs: real logs to watch, absolute; without any, the demo.
        open_browser: whether to open one, where there is a display.
        backoff: when what died is started again.
    """

    root: Path
    port: int = 8501
    minutes: float | None = None
    logs: tuple[str, ...] = ()
    open_browser: bool = True
    backoff: Backoff = field(default_factory=Backoff)


def children(options: LaunchOptions) -> list[ChildPlan]:
    """What is started for `options`, in order: the dashboard takes longest, so it comes first.

    Raises:
        SettingsError: a setting is wrong; better said now than by a daemon that does not come up.
    """
    root = options.root
    config = root / "config.py"
    settings = load_settings(config if config.is_file() else None, written_layers(root), root / ".env")
    named = settings.db if options.logs else settings.demo_db
    store = named if "://" in named else str(root / named)

    def script(name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(root / name), *arguments]

    dashboard = ChildPlan("dashboard", dashboard_command(root, options.port), environment={"LIVESEC_DB": store})
    if options.logs:
        return [dashboard, ChildPlan("daemon", script("main.py", "--db", store, "--logs", *options.logs))]
    data = root / settings.data_dir
    has_history = all((data / name).exists() for name in DEMO_FILES)
    history = ChildPlan("history", script("demo.py", "batch", "--out", str(data)), once=True)
    after = "" if has_history else history.name
    return [
        dashboard,
        *([] if has_history else [history]),
        ChildPlan("daemon", script("main.py", "--demo", "--db", store), after=after),
        ChildPlan("feed", script("demo.py", "continuous", UNTIL_STOPPED, "--out", str(data)), after=after),
    ]
