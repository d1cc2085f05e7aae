"""`livesec status`: how the daemon and its inputs are doing, from the store; works while the daemon runs."""

from __future__ import annotations

import json
from typing import Any

import typer

from livesec.cli.context import DbOption, JsonOption, SettingsOption, readable_store, settings_from
from livesec.cli.explainer_words import explainer_line
from livesec.core.clock import seed_time
from livesec.core.text import shown

_MOST = 20  # lines of a kind
EPILOG = "Example: livesec status --db data/livesec.db --json"


def status(db: DbOption = None, as_json: JsonOption = False, settings: SettingsOption = None) -> None:
    """Say how far each input is read, whether the daemon lives, what was rejected or may be lost."""
    from livesec.cli.explainer_words import explainer_words
    from livesec.store.status import store_status

    loaded = settings_from(settings, None)
    name = readable_store(db, loaded)
    record = store_status(name, alerts_budget_per_day=loaded.alerts_per_day)
    record["explanations"] |= explainer_words(loaded, record["explanations"]["endpoints"])
    if as_json:
        typer.echo(json.dumps(record))
    else:
        typer.echo(_as_text(name, record))


def _as_text(name: str, record: dict[str, Any]) -> str:
    lines = [f"store      {name}", *_daemon_lines(record), *_reading_lines(record)]
    lines.append(
        f"alerts     {record['alerts_realised_per_day']:.1f} a day of medium or higher, "
        f"wanted {record['alerts_budget_per_day']:g}"
    )
    lines.extend(_alert_lines(record))
    lines.extend(_detector_lines(record))
    lines.append(f"co-pilot   {explainer_line(record['explanations'])}")
    lines.append(f"rejects    {record['rejects']:,} lines")
    lines.extend(
        f"  {count['lines']:,} of {shown(count['path'])}: {shown(count['reason'])}"
        for count in record["reject_reasons"][:_MOST]
    )
    lines.append(f"gaps       {record['gap_count']:,}")
    lines.extend(
        f"  in {shown(gap['path'])} from byte {gap['start']} to {gap['end']}: {shown(gap['reason'])}"
        for gap in record["gaps"][:_MOST]
    )
    lines.extend(
        f"LEARNED ANEW  {shown(lost['component'])} since {lost['since']}: {shown(lost['reason'])}"
        for lost in record["learned_anew"][:_MOST]
    )
    return "\n".join(lines)


def _alert_lines(record: dict[str, Any]) -> list[str]:
    """The detectors that raise more than an even share of the budget."""
    loud = [
        (item["realised_per_day"], name, item["budget_per_day"])
        for name, item in record["alerts_by_detector"].items()
        if item["realised_per_day"] > item["budget_per_day"]
    ]
    return [
        f"  {shown(name)}: {realised:.2f} a day; an even share is {budget:.2f}"
        for realised, name, budget in sorted(loud, key=lambda entry: (-entry[0], entry[1]))[:_MOST]
    ]


def _detector_lines(record: dict[str, Any]) -> list[str]:
    """How many detectors know enough to judge, and of those that do not what they lack."""
    detectors = record["detectors"]
    if not detectors:
        return []
    blind = sorted(name for name, item in detectors.items() if not item["judged"])
    learning = sorted(name for name, item in detectors.items() if item["judged"] and item["maturity"] == "learning")
    lines = [f"detectors  {len(detectors) - len(blind) - len(learning)} of {len(detectors)} judge"]
    if blind:
        lines.append(f"  no row had what they need: {', '.join(map(shown, blind))}")
    lines.extend(
        f"  learning: {shown(name)}, {detectors[name]['mature_entities']:,} of {detectors[name]['known_entities']:,} "
        "entities have enough history"
        for name in learning[:_MOST]
    )
    return lines


def _daemon_lines(record: dict[str, Any]) -> list[str]:
    daemon = record["daemon"]
    if not daemon:
        return ["daemon     never ran on this store"]
    word = "running" if daemon["alive"] else "stopped" if daemon["stopped"] else "SILENT"
    lines = [f"daemon     {word}, pid {daemon['pid']}, last seen {seed_time(daemon['beat_us'])} UTC"]
    watcher = shown(record["watcher"])
    if daemon["watcher_rebuilt"] or daemon["watcher_overflows"]:
        watcher += f"; rebuilt {daemon['watcher_rebuilt']} times, healed {daemon['watcher_overflows']} overflows"
    lines.append(f"watcher    {watcher}")
    if daemon["lookup_data"]:
        lines.append(f"places     by {shown(daemon['lookup_data'])}")
    for name, field in (("store", "commit_problem"), ("settings", "settings_problem")):
        if daemon[field]:
            lines.append(f"PROBLEM    {name}: {shown(daemon[field])}")
    return lines


def _reading_lines(record: dict[str, Any]) -> list[str]:
    held_us = record["daemon"]["wal_held_since_us"] if record["daemon"] else None
    held = f"; a reader keeps it from being emptied since {seed_time(held_us)} UTC" if held_us else ""
    lines = [f"committed  {record['last_commit'] or 'nothing yet'}; WAL {record['wal_bytes']:,} bytes{held}"]
    behind = f"{record['bytes_behind']:,} bytes behind, the oldest for {record['oldest_unread_s']:.1f} s"
    lines.append(f"sources    {record['streams_read']:,}, {behind if record['bytes_behind'] else 'up to date'}")
    for stream in record["streams"][:_MOST]:
        behind = f"{stream['bytes_behind']:,} bytes behind for {stream['oldest_unread_s']:.1f} s"
        note = f" ({shown(stream['error'])})" if stream["error"] else ""
        progress = behind if stream["bytes_behind"] else "up to date"
        lines.append(f"  {shown(stream['path'])}: {stream['state']}, {progress}{note}")
    if len(record["streams"]) > _MOST:
        lines.append("  ... the others with --json or on the desk")
    return lines
