"""Text that attackers wrote, made fit to show: no control, escape or direction-changing characters."""

from __future__ import annotations

import re

# C0 and C1 controls (with ANSI's ESC), bidi overrides, zero-width characters, line separators, BOM, lone surrogates,
# tag characters (ASCII that no font shows).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)

SHOWN_CHARACTERS = 400


def shown(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    r"""`text` for a terminal, a table or a CSV cell: unsafe characters as `\xNN`, cut to `limit` characters.

    >>> shown("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable() and len(text) <= limit:  # nearly all text: Unicode calls all unsafe characters unprintable
        return text
    safe = _UNSAFE.sub(lambda match: f"\\x{ord(match.group()):02x}", text)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def spreadsheet_safe(cell: str) -> str:
    """`cell` so that no spreadsheet takes it for a formula (OWASP, CSV injection).

    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("a=1")
    ("'=1+1", 'a=1')
    """
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
