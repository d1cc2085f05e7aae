"""A JSON document that is one endless line, such as the files that CloudTrail delivers, as a line per record.

    {"Records":[{"eventVersion":...},{"eventVersion":...}]}        [{...},{...}]

Records are what the JSON scanner of the standard library takes for one, so brackets in texts do no harm. Where a record
is broken, or longer than a line can be, everything from there on is left as it is.
"""

from __future__ import annotations

import json
import re
from typing import BinaryIO, Final

from livesec.core.batch import MAX_LINE_BYTES

LONG_LINE_BYTES: Final = 1 << 16
"""Documents with a shorter first line are left to the formats that know them."""
_OPENING: Final = re.compile(rb'\s*(?:\{\s*"[A-Za-z]{1,32}"\s*:\s*)?\[(?=\s*\{)')
_GAP: Final = re.compile(r"[\s,]*")


def is_endless_document(head: bytes) -> bool:
    r"""Whether a file that begins with `head` is one line of many records.

    >>> is_endless_document(b'{"Records":[' + b'{"a":1},' * 10_000), is_endless_document(b'{"Records":[]}' + b"\\n")
    (True, False)
    """
    return b"\n" not in head[:LONG_LINE_BYTES] and len(head) > LONG_LINE_BYTES and _OPENING.match(head) is not None


class RecordLines:
    """The document `file` with line breaks around each of its records."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._scan = json.JSONDecoder().raw_decode
        self._rest = ""  # bytes as latin-1: one character each, and brackets and quotes are the same
        self._is_open = False
        self._is_over = False

    def read(self, size: int) -> bytes:
        """At least `size` bytes, fewer only at the end."""
        lines: list[str] = []
        length = 0
        while length < size:
            chunk = self._file.read(size)
            if not chunk and not self._rest:
                break
            ready = self._ready(chunk)
            lines.append(ready)
            length += len(ready)
        return "".join(lines).encode("latin-1")

    def _ready(self, chunk: bytes) -> str:
        """What can be given out now that `chunk` has come, b"" being the end of the file."""
        text, self._rest = self._rest + chunk.decode("latin-1"), ""
        if self._is_over:
            return text
        lines, at = [], 0
        if not self._is_open:
            opening = _OPENING.match(text.encode("latin-1"))
            at = 0 if opening is None else opening.end()
            lines.append(text[:at])
            self._is_open = True
        while text.startswith("{", begin := _GAP.match(text, at).end()):  # type: ignore[union-attr]  # matches anything
            try:
                end = self._scan(text, begin)[1]
            except (ValueError, RecursionError):
                break
            lines.append(text[begin:end])
            at = end
        lines.append(text[at:])
        if chunk and len(lines[-1]) <= MAX_LINE_BYTES:  # more of the record may come
            self._rest = lines.pop()
        else:
            self._is_over = True
        return "\n".join([*lines, ""]) if lines else ""
