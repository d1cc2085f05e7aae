"""The file in which `livesec suppress` and `livesec feedback` keep verdicts: TOML, a layer of the settings."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from livesec.core.errors import SettingsError
from livesec.core.verdicts import Feedback, Suppression


class Verdicts(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suppressions: tuple[Suppression, ...] = ()
    feedback: tuple[Feedback, ...] = ()


def read_verdicts(path: Path) -> Verdicts:
    """The verdicts in `path`; none where there is no such file. Raises SettingsError."""
    if not path.is_file():
        return Verdicts()
    try:
        return Verdicts(**tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise SettingsError(f"{path}: no verdicts can be read from it: {error}; mend or delete it") from error


def write_verdicts(path: Path, verdicts: Verdicts) -> None:
    """Write `verdicts` in place of what `path` holds. Raises SettingsError."""
    lines = ["# Kept by `livesec suppress` and `livesec feedback`; a running daemon takes it over at SIGHUP."]
    for name, items in (("suppressions", verdicts.suppressions), ("feedback", verdicts.feedback)):
        lines += _tables(name, items)
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.replace(new, path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror})") from error


def _tables(name: str, items: Sequence[BaseModel]) -> list[str]:
    lines = []
    for item in items:
        lines += ["", f"[[{name}]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in item.model_dump(exclude_none=True).items()]
    return lines


def _toml(value: object) -> str:
    r"""A date as such, all else as JSON, whose texts TOML reads alike; U+007F must be escaped for it.

    >>> _toml('a"\n\x7f'), _toml(0.5)
    ('"a\\"\\n\\u007f"', '0.5')
    """
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
