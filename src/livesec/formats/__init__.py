"""Log formats: a module with a FORMAT turns lines into rows; other modules are parts they share."""

from __future__ import annotations

from typing import Any

from livesec.core.discovery import exported
from livesec.core.errors import ContractError
from livesec.core.protocols import Format


def known_formats() -> tuple[Format[Any], ...]:
    """Every format, in the order in which lines are offered to them: `order`, name. Raises ContractError."""
    found = []
    for name, thing in exported(__name__, "FORMAT").items():
        if not isinstance(thing, Format):
            raise ContractError(
                f"livesec.formats.{name}: FORMAT is a {type(thing).__name__}, not an instance of Format"
            )
        found.append(thing)
    return tuple(sorted(found, key=lambda form: (form.order, form.name)))
