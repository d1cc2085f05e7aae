"""Compact JSON for the store, by orjson: several values per anomaly are written, and the standard library is slow."""

from __future__ import annotations

import json
from typing import Any

import orjson


def json_text(value: Any) -> str:
    """`value`, a dataclass too, as JSON without spaces; a float that is not finite is null.

    Raises TypeError for what JSON has not.

    >>> json_text({"bytes": 3, "z": float("nan")})
    '{"bytes":3,"z":null}'
    """
    return orjson.dumps(value).decode()


def ascii_json(value: Any) -> str:
    r"""As `json_text`, in ASCII alone: nothing in it can move a cursor, turn text round or look like something else.

    >>> ascii_json(["caf\u00e9", "a"])
    '["caf\\u00e9","a"]'
    """
    text = json_text(value)
    return text if text.isascii() and "\x7f" not in text else json.dumps(value, separators=(",", ":"))
