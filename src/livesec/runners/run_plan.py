"""What a daemon is to do, and what of it may change while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from livesec.core.settings import Settings

FIXED = frozenset(
    {
        "time_zone",
        "time_zones",
        "geo_city_file",
        "geo_asn_file",
        "history",
        "journal",
        "recent_events",
        "reject_samples",
    }
)
"""Settings that a running daemon keeps until its next start."""
_ELSEWHERE = frozenset({"db", "demo_db", "logs", "data_dir", "dashboard_port", "dashboard_refresh_s"})
"""Settings that the daemon does not take directly: the plan's store and patterns follow from them."""


@dataclass(frozen=True)
class RunPlan:
    """The settings and what follows from them and from the command line."""

    settings: Settings
    patterns: tuple[str, ...]
    """Files, folders and globs to watch."""
    journal: bool
    """Whether to follow the systemd journal."""
    store: str
    is_demo: bool


Replan = Callable[[], RunPlan]
"""Reads the settings again. Raises SettingsError or UsageError."""


def taken_over(old: RunPlan, new: RunPlan) -> Iterator[str]:
    """What changes at once, in words; secrets are not shown."""
    for name, value in _changed(old, new):
        if name not in FIXED | _ELSEWHERE:
            field = Settings.model_fields[name]
            yield f"{name} is {value!r}" if field.repr else f"{name} changed"
    for pattern in sorted({*new.patterns} - {*old.patterns}):
        yield f"watching {pattern}"
    for pattern in sorted({*old.patterns} - {*new.patterns}):
        yield f"no longer watching {pattern}"


def left_for_next_start(old: RunPlan, new: RunPlan) -> Iterator[str]:
    """What changed but cannot be taken over by a running daemon, by the names of the settings."""
    if old.store != new.store:
        yield "db"
    for name, _ in _changed(old, new):
        if name in FIXED and name != "journal":
            yield name
    if old.journal != new.journal:
        yield "journal"


def _changed(old: RunPlan, new: RunPlan) -> Iterator[tuple[str, object]]:
    for name in Settings.model_fields:
        value = getattr(new.settings, name)
        if getattr(old.settings, name) != value:
            yield name, value
