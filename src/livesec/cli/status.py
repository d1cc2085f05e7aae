"""`livesec status`: how the daemon and its inputs are doing, from the store; works while the daemon runs."""

from __future__ import annotations

import json
from typing import Any

import typer

from livesec.cli.context import DbOption, JsonOption, SettingsOption, readable_store, settings_from
from livesec.core.clock import seed_time
from livesec.core.text import shown

EPILOG = "Example: livesec status --db data/livesec.db --json"


def status(db: DbOption = None, as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Say how far each input is read, whether the daemon lives, what was rejected or may be lost."""
    from livesec.store.status import store_status

    loaded = settings_from(settings, None)
    name = readable_store(db, loaded)
    record = store_status(name, alerts_budget_per_day=loaded.alerts_per_day)
    if as_json:
        typer.echo(json.dumps(record))
    else:
        typer.echo(_as_text(name, record))


def _as_text(name: str, record: dict[str, Any]) -> str:
    daemon = record["daemon"]
    lines = [f"store      {name}"]
    if not daemon:
        lines.append("daemon     never ran on this store")
    else:
        word = "running" if daemon["alive"] else "stopped" if daemon["stopped"] else "SILENT"
        lines.append(f"daemon     {word}, pid {daemon['pid']}, last seen {seed_time(daemon['beat_us'])} UTC")
    lines.append(f"watcher    {record['watcher'] or 'unknown'}")
    lines.append(f"committed  {record['last_commit'] or 'nothing yet'}; WAL {record['wal_bytes']:,} bytes")
    lines.append(
        f"alerts     {record['alerts_realised_per_day']:.1f} a day of medium or higher, "
        f"wanted {record['alerts_budget_per_day']:g}"
    )
    lines.append(f"rejects    {record['rejects']:,} lines; {len(record['gaps'])} gaps")
    for stream in record["streams"]:
        behind = f"{stream['bytes_behind']:,} bytes behind" if stream["bytes_behind"] else "up to date"
        note = f" ({stream['error']})" if stream["error"] else ""
        lines.append(f"  {shown(stream['path'])}: {stream['state']}, {behind}{note}")
    lines.extend(
        f"  gap in {shown(gap['path'])} from byte {gap['start']} to {gap['end']}: {gap['reason']}"
        for gap in record["gaps"][:20]
    )
    return "\n".join(lines)
