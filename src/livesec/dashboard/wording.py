"""Times, ages and amounts as the desk words them. Every time is UTC."""

from __future__ import annotations

import json
from collections.abc import Mapping

from livesec.core.clock import seed_time
from livesec.core.schema import LogType
from livesec.core.text import shown, spreadsheet_safe

SOURCE_NAMES = {LogType.LOGIN: "Logins", LogType.NETWORK: "Network", LogType.FILE_TRANSFER: "File transfers"}
_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def utc(time_us: int) -> str:
    """`2026-03-02 03:12:10 UTC`, for text outside a table whose heading says UTC."""
    return f"{seed_time(time_us)} UTC"


def age(seconds: float) -> str:
    """A span as one number: `45 s`, `4 min`, `3 h`, `9 d`.

    >>> age(0.4), age(59), age(200), age(200_000)
    ('0 s', '59 s', '3 min', '2 d')
    """
    for size, unit in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def amount(number: float) -> str:
    """A count with three figures at least, exact below a million.

    >>> amount(999_999), amount(1_244_442), amount(0.25)
    ('999,999', '1.24 M', '0.2')
    """
    if number != int(number) and number < 100:  # noqa: PLR2004
        return f"{number:.1f}"
    if number < 1_000_000:  # noqa: PLR2004
        return f"{int(number):,d}"
    size, unit = next(step for step in _STEPS if number >= step[0])
    return f"{number / size:.3g} {unit}"


def byte_amount(count: int) -> str:
    """Bytes in decimal units.

    >>> byte_amount(0), byte_amount(319_488), byte_amount(12_000_000_000)
    ('0 B', '319 kB', '12 GB')
    """
    for size, unit in _STEPS:
        if count >= size:
            return f"{count / size:.3g} {unit}B"
    return f"{count:d} B"


def shown_json(value: object) -> object:
    """`value` (plain JSON) with every text in it made safe to show."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(name)): shown_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown_json(item) for item in value]
    return value


def shown_bytes(line: bytes, limit: int = 4096) -> str:
    """A raw log line as text, made safe to show."""
    return shown(line.decode("utf-8", "replace"), limit)


def cell(text: str | None) -> str:
    """A text from a log as a table cell: safe to show, and safe in a spreadsheet, for a table can be downloaded.

    >>> cell("=1+1"), cell(None)
    ("'=1+1", '')
    """
    return "" if text is None else spreadsheet_safe(shown(text))


def field_cell(value: object) -> str:
    """A field of a log event, plain JSON, as a table cell."""
    if value is None or isinstance(value, str):
        return cell(value)
    return cell(json.dumps(value))
