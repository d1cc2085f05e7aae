r"""The header of Zeek's tab-separated logs, which says what follows it, and comes again at each rotation.

#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	conn
#open	2026-03-02-00-00-00
#fields	ts	uid	id.orig_h	...
#types	time	string	addr	...
... records ...
#close	2026-03-02-01-00-00
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Final

import polars as pl

from livesec.core.errors import StateVersionError
from livesec.formats.text_starts import begins_with

STATE_VERSION: Final = 1
_NAMES: Final = ("set_separator", "empty_field", "unset_field", "path", "open", "close", "fields", "types")
_FIRST: Final = "#separator "
_DIRECTIVE: Final = rf"^#(?:separator |{'|'.join(_NAMES)})"  # Zeek escapes a record's own leading #

_NO_STEP: Final = -1
_MAX_CHARACTERS: Final = 65_536
_MAX_FIELDS: Final = 512
_MAX_MARKER: Final = 64  # characters of a separator, a marker or a path


@dataclass(frozen=True, slots=True)
class ZeekHeader:
    """State: the last header as far as it was read. Without `fields` nothing that follows is a record."""

    separator: str = "\t"
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()

    def after(self, line: str) -> ZeekHeader | None:
        """The header once directive `line` is read, None if it is none; `#separator` starts a new header."""
        name, separator, value = line[1:].partition(self.separator)
        if not line.startswith(_FIRST) and not (separator and name in _NAMES):
            return None
        if len(line) > _MAX_CHARACTERS:
            return replace(self, fields=())
        if line.startswith(_FIRST):
            return ZeekHeader(separator=_unescaped(line.removeprefix(_FIRST))[:_MAX_MARKER] or "\t")
        if name == "empty_field":
            return replace(self, empty=_unescaped(value)[:_MAX_MARKER])
        if name == "unset_field":
            return replace(self, unset=_unescaped(value)[:_MAX_MARKER])
        if name == "path":
            return replace(self, path=value[:_MAX_MARKER])
        if name == "fields":
            fields = tuple(value.split(self.separator))
            return replace(self, fields=fields if len(fields) <= _MAX_FIELDS else ())
        return self

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps({"version": STATE_VERSION, **asdict(self)}).encode()

    @classmethod
    def from_bytes(cls, blob: bytes) -> ZeekHeader:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved.pop("version") != STATE_VERSION:
                raise StateVersionError("zeek header: saved by another version")
            return cls(**{**saved, "fields": tuple(saved["fields"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateVersionError(f"zeek header: saved state cannot be read: {error}") from error


def headers_in(line: pl.Series, held: ZeekHeader) -> list[tuple[int, ZeekHeader]]:
    """Where `line` has a directive, in order, and the header once it is read; `held` is in force before."""
    marks = begins_with(line, "#").arg_true()
    if len(marks) == 0:
        return []
    marks = marks.filter(line.gather(marks).str.contains(_DIRECTIVE))
    known = {held: 0}
    headers = [held]
    steps: list[dict[str, int]] = [{}]  # from each header by a directive to which; rotated logs repeat theirs
    found = []
    at = 0
    for mark, text in zip(marks.to_list(), line.gather(marks).to_list(), strict=True):
        step = steps[at].get(text)
        if step is None:
            following = headers[at].after(text)
            step = _NO_STEP if following is None else known.setdefault(following, len(headers))
            if following is not None and step == len(headers):
                headers.append(following)
                steps.append({})
            steps[at][text] = step
        if step != _NO_STEP:
            at = step
            found.append((mark, headers[at]))
    return found


def _unescaped(text: str) -> str:
    r"""Zeek's `\xNN` as the characters they stand for.

    >>> _unescaped("\\x09")
    '\t'
    """
    return re.sub(r"\\x([0-9A-Fa-f]{2})", lambda escape: chr(int(escape[1], 16)), text)
