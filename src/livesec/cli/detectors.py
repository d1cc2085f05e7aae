"""`livesec detectors`: what is looked for, and with which parameters."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

import typer
from rich.console import Console
from rich.table import Table

from livesec.cli.context import JsonOption, SetOption, SettingsOption, settings_from

_VALUE_CHARACTERS = 30
EPILOG = "Example: livesec detectors --set bf_fast.capacity=6"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A detector or correlator as `--json` gives it."""

    name: str
    log_type: str
    key: tuple[str, ...]
    technique: tuple[str, ...]
    base_severity: int
    sees: str
    params: tuple[dict[str, object], ...]


def detectors(as_json: JsonOption = False, settings: SettingsOption = None, assignments: SetOption = None) -> None:
    """List the detectors with their ATT&CK techniques, severity and parameters as the settings have them."""
    from livesec.core.protocols import Detector, param_infos
    from livesec.pipeline.assembly import assemble, param_values

    parts = assemble(settings_from(settings, assignments))
    records = []
    for part in parts.judges:
        values = param_values(part)
        records.append(
            _Listed(
                name=part.name,
                log_type=str(part.log_type),
                key=part.key if isinstance(part, Detector) else (),
                technique=part.technique,
                base_severity=part.base_severity,
                sees=(sys.modules[type(part).__module__].__doc__ or "").strip().partition("\n")[0],
                params=tuple(
                    {"name": info.name, "value": values[info.name], "unit": info.unit, "source": info.source}
                    for info in param_infos(part.params)
                ),
            )
        )
    if as_json:
        typer.echo(json.dumps([asdict(record) for record in records]))
        return
    table = Table(show_lines=False, box=None, pad_edge=False)
    for heading in ("detector", "log", "severity", "ATT&CK", "what it sees", "parameters"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "detector")
    for record in sorted(records, key=lambda item: (item.log_type, item.name)):
        shown = ", ".join(f"{param['name']}={_short(param['value'])}" for param in record.params)
        table.add_row(
            record.name,
            record.log_type,
            f"{record.base_severity / 10:.1f}",
            " ".join(record.technique),
            record.sees,
            shown,
        )
    console = Console(highlight=False)
    console.print(table)
    for name, reason in parts.off.items():
        console.print(f"{name} is off: {reason}", markup=False)


def _short(value: object) -> str:
    text = ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"
