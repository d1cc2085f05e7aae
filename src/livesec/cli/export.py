"""`livesec export`: what the store holds, as JSON lines, CSV, or addresses for a firewall."""

from __future__ import annotations

import csv
import ipaddress
import json
import os
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from livesec.cli.context import DbOption, SettingsOption, readable_store, settings_from
from livesec.core.text import shown, spreadsheet_safe

EPILOG = "Example: livesec export --db data/livesec.db --format csv > anomalies.csv"
_CELL_CHARACTERS = 32_000  # spreadsheets stop at 32,767


class ExportFormat(StrEnum):
    """How to print."""

    JSONL = "jsonl"
    CSV = "csv"
    IPS = "ips"
    NFT = "nft"


class ExportTable(StrEnum):
    """What to print."""

    ANOMALIES = "anomalies"
    INCIDENTS = "incidents"
    GAPS = "gaps"
    REJECTS = "rejects"
    EXPLANATIONS = "explanations"
    RISK = "risk"


def export(
    db: DbOption = None,
    form: Annotated[
        ExportFormat,
        typer.Option("--format", help="jsonl and csv print a table; ips and nft print bad addresses."),
    ] = ExportFormat.JSONL,
    table: Annotated[ExportTable, typer.Option("--table", help="What to export.")] = ExportTable.ANOMALIES,
    settings: SettingsOption = None,
) -> None:
    """Print the store's content. Addresses are only printed: nothing is ever blocked by LiveSec itself."""
    from livesec.store.open import reader_engine

    engine = reader_engine(readable_store(db, settings_from(settings, None)))
    try:
        _print(engine, form, table)
        sys.stdout.flush()
    except BrokenPipeError:  # `livesec export | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(engine: Engine, form: ExportFormat, table: ExportTable) -> None:
    from livesec.store.export import bad_sources

    if form is ExportFormat.JSONL:
        for record in _records(engine, table):
            sys.stdout.write(json.dumps(record) + "\n")
    elif form is ExportFormat.CSV:
        _print_csv(_records(engine, table))
    else:
        addresses = [address for address in bad_sources(engine) if _is_address(address)]
        sys.stdout.write(
            "".join(f"{address}\n" for address in addresses) if form is ExportFormat.IPS else _nft(addresses)
        )


def _records(engine: Engine, table: ExportTable) -> Iterator[dict[str, Any]]:
    """The rows of `table`; explanations are those of anomalies, then those of incidents."""
    from livesec.store.export import export_rows

    yield from export_rows(engine, table)
    if table is ExportTable.EXPLANATIONS:
        from livesec.explain.stored_notes import note_records

        with engine.connect() as connection:
            yield from note_records(connection)


def _print_csv(records: Iterable[dict[str, object]]) -> None:
    writer = None
    for record in records:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(record), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: spreadsheet_safe(_cell(value)) for name, value in record.items()})


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value)
    return " ".join(shown(line, _CELL_CHARACTERS) for line in str(value).splitlines())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _nft(addresses: list[str]) -> str:
    """Two nftables sets to load with `nft -f`, after a person has looked at them."""
    lines = ["table inet livesec {"]
    for name, version in (("bad4", 4), ("bad6", 6)):
        own = [address for address in addresses if ipaddress.ip_address(address).version == version]
        lines.append(f"    set {name} {{")
        lines.append(f"        type ipv{version}_addr")
        if own:
            lines.append(f"        elements = {{ {', '.join(own)} }}")
        lines.append("    }")
    return "\n".join([*lines, "}", ""])
