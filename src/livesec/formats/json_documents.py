"""Records out of JSON documents: arrays of objects, `{"Records": [...]}`, and objects written over several lines.

A record is complete when its brackets close outside texts; it belongs to the line in which it ends. Only the record
that is open is kept from one line to the next, so documents may be of any length. JSON texts have no line breaks in
them, so a line with an odd number of quotes is torn: the whole records before are given and the document is over.

A document is given up, and the line looked at as if none had been open, where a line cannot go on with it: text that is
no JSON, a bracket at the margin after indented lines, an object that starts like a record inside of one. Lines of a
record over MAX_RECORD_BYTES are rejects until its brackets close.
"""

from __future__ import annotations

import json
import re
from collections.abc import Set
from dataclasses import asdict, dataclass, field
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from livesec.core.batch import MAX_LINE_BYTES
from livesec.core.errors import StateVersionError
from livesec.formats.json_brackets import brackets_of

STATE_VERSION: Final = 1
MAX_RECORD_BYTES: Final = 1 << 20
TOO_LONG: Final = f"a JSON record over {MAX_RECORD_BYTES} bytes"
TORN: Final = "broken JSON: a document that is cut short in this line"

_CLOSED: Final = -2
_UNDECIDED: Final = -1  # a brace was read, of a record or of {"Records": [
_OBJECT, _ARRAY, _WRAPPED = range(3)  # how many brackets are around a record
_CUT_BYTES: Final = MAX_LINE_BYTES - 4  # a line this long has lost its end; U+FFFD may stand for its last byte
_HEAD: Final = r'^(?:\[\s*(?:\{|$)|\{\s*$|\{\s*"Records"\s*(?::|$))'
_HEAD_CHARACTERS: Final = 40
_SPACE: Final = " \t\r"
_STARTS: Final = ("{", "[", " ", "\t")
_GAP: Final = re.compile(rb"[\s,]*")
_BETWEEN: Final = re.compile(rb'[\s,]*(?:\{\s*"Records"\s*:\s*\[|\[)?\s*')
_PREFIX: Final = re.compile(rb'\s*(?:(\{\s*"Records"\s*:\s*\[)|(\[)|(\{\s*(?:"Records"\s*(?::\s*)?)?$))?')
_KEY: Final = re.compile(rb'\s*(?:\{\s*)?"([^"\\]{0,64})"')
_GOES_ON: Final = re.compile(rb'["{}\[\],]|(?:-?[0-9][0-9.eE+-]*|true|false|null)\s*,?\s*$')
_BLANKS: Final = b" \t\r"
_LINE_COST: Final = 16  # bytes that a line of a record counts beside its own


class Framed(NamedTuple):
    """What was found: whole records, and what became of the lines that have a part in a document."""

    records: pl.DataFrame
    """line_index (UInt32), line (String: one record, on one line); in order."""
    parts: list[int]
    """line_index of lines in which no record ends."""
    rejects: list[tuple[int, str]]
    """line_index and reason."""
    others: pl.DataFrame
    """Lines outside of documents."""


@dataclass(slots=True)
class OpenDocument:
    """The document that lines so far have left open, if any; changed in place."""

    level: int = _CLOSED
    depth: int = 0
    text: list[str] = field(default_factory=list)
    """Lines of the open record."""
    size: int = 0
    dropped: bool = False
    """Whether the open record is too long to keep."""
    indented: bool = False

    def close(self) -> None:
        """Forget it."""
        self.level, self.depth = _CLOSED, 0
        self.start_record()

    def start_record(self) -> None:
        """Forget the record."""
        self.text, self.size, self.dropped, self.indented = [], 0, False, False

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps({"version": STATE_VERSION} | asdict(self)).encode()

    @staticmethod
    def from_bytes(blob: bytes) -> OpenDocument:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved.pop("version") != STATE_VERSION:
                raise StateVersionError("a saved JSON document has another version")
            return OpenDocument(**saved)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateVersionError(f"a saved JSON document cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class RecordKind:
    """What tells a format's records from others: any of `keys` comes first, `telling` (as written) are in all."""

    keys: Set[str]
    telling: tuple[str, ...]

    def may_start(self, text: bytes) -> bool:
        """Whether `text`, which begins at or behind a record's brace, starts with a key of this kind."""
        found = _KEY.match(text)
        return found is not None and found[1].decode(errors="replace") in self.keys

    def is_one(self, text: bytes) -> bool:
        """Whether the whole record `text` is of this kind."""
        return all(word.encode() in text for word in self.telling)


def frame(state: OpenDocument, lines: pl.DataFrame, kind: RecordKind) -> Framed:
    """Take documents of `kind` from `lines` (line_index, line); `state` is carried on."""
    opening = [] if lines.height == 0 else _opening(lines["line"])
    if lines.height == 0 or (state.level == _CLOSED and not opening):
        return Framed(lines.head(0), [], [], lines)
    first = 0 if state.level != _CLOSED else opening[0]
    framing = _Framing(state, lines.slice(first), kind)
    framing.run([place - first for place in opening])
    index = lines["line_index"].slice(first)
    ends = pl.Series([place for place, _ in framing.records], dtype=pl.Int64)
    taken = framing.taken
    return Framed(
        pl.DataFrame(
            {"line_index": index.gather(ends), "line": [text for _, text in framing.records]},
            schema_overrides={"line": pl.String},
        ),
        index.gather(sorted(place for place, fate in taken.items() if fate == "")).to_list(),
        [(int(index[place]), fate) for place, fate in sorted(taken.items()) if fate],
        _without(lines, first, {*taken, *ends}),
    )


def _opening(line: pl.Series) -> list[int]:
    """Where lines are that may open a document which they do not close, or hold several records."""
    may = pl.repeat(False, len(line), eager=True)
    for start in _STARTS:
        may |= line.str.starts_with(start)
    if not may.any():  # as in most logs: little to look at
        return []
    line = line.str.strip_chars(_SPACE)
    may = line.str.head(_HEAD_CHARACTERS).str.contains(_HEAD)
    unfinished = line.str.ends_with(",") | line.str.ends_with("{") | line.str.ends_with("[")
    if unfinished.any():
        may |= unfinished & line.str.starts_with("{")
    return may.arg_true().to_list()


def _without(lines: pl.DataFrame, first: int, taken: set[int]) -> pl.DataFrame:
    kept = np.ones(lines.height, dtype=np.bool_)
    kept[[first + place for place in taken]] = False
    return lines.filter(pl.Series(kept))


class _Framing:
    """One batch of lines on its way through the documents."""

    def __init__(self, state: OpenDocument, lines: pl.DataFrame, kind: RecordKind) -> None:
        self.state = state
        self.kind = kind
        self.records: list[tuple[int, str]] = []
        self.taken: dict[int, str] = {}
        """Lines without a record's end, and the reason of those that are rejects ("" for parts)."""
        self.data: bytes = lines["line"].str.join("\n").item().encode()
        self.brackets = brackets_of(self.data, lines.height)

    def run(self, opening: list[int]) -> None:
        """Go through the lines."""
        height, place, at = len(self.brackets.starts), 0, 0
        while place < height:
            if self.state.level == _CLOSED:
                while at < len(opening) and opening[at] < place:
                    at += 1
                if at == len(opening):
                    return
                place = opening[at]
                self._open(place)
            elif not self._go_on(place):
                self.state.close()
                continue  # the same line, with nothing open
            place += 1

    def _line(self, place: int) -> bytes:
        return self.data[self.brackets.starts[place] : self.brackets.ends[place]]

    def _open(self, place: int) -> None:
        """Open a document in line `place`, if one of this kind starts there."""
        line, state = self._line(place), self.state
        prefix = _PREFIX.match(line)
        begin = 0
        if prefix is not None and prefix[3]:
            state.level = _UNDECIDED
            state.depth, state.text = 1, [line.decode()]
            self.taken[place] = ""
            return
        if prefix is not None and (prefix[1] or prefix[2]):
            state.level = _WRAPPED if prefix[1] else _ARRAY
            begin = prefix.end()
        else:
            state.level = _OBJECT
        if not self._walk(place, line, begin):
            state.close()

    def _go_on(self, place: int) -> bool:
        """Take line `place` as the next of the open document; False if it cannot be."""
        line, state = self._line(place), self.state
        start = line.lstrip(_BLANKS)
        if not start:
            self.taken[place] = ""
            return True
        if state.level == _UNDECIDED:
            return self._decide(place, line)
        if state.depth <= state.level:
            return start[0] in b"{],}" and self._walk(place, line, 0)
        if not _GOES_ON.match(start) or (start[0] in b"{[" and len(start) == len(line) and state.indented):
            return False
        if start[:1] == b"{" and self.kind.may_start(start):
            return False
        keyless = state.depth == state.level + 1 and len(state.text) == 1 and state.text[0].strip() == "{"
        if keyless and start[:1] != b"}" and not self.kind.may_start(start):
            return False
        state.indented |= len(start) < len(line)
        brackets = self.brackets
        if brackets.odd[place] or state.depth + brackets.low[place] <= state.level:
            return self._walk(place, line, 0)
        state.depth += int(brackets.net[place])
        self._keep(place, line)
        self.taken.setdefault(place, "")
        return True

    def _decide(self, place: int, line: bytes) -> bool:
        """Find out what the brace of an earlier line is part of."""
        state = self.state
        head = " ".join(state.text).encode()
        prefix = _PREFIX.match(head + b" " + line)
        if prefix is not None and prefix[3]:
            state.text.append(line.decode())
            state.text = ["".join(" ".join(state.text).split())]
            self.taken[place] = ""
            return True
        if prefix is not None and prefix[1]:
            state.level, state.text = _WRAPPED, []
            return self._walk(place, line, max(0, prefix.end() - len(head) - 1))
        state.level = _OBJECT
        return head.strip() == b"{" and self._go_on(place)

    def _walk(self, place: int, line: bytes, begin: int) -> bool:
        """Take a line in which records may start or end, from byte `begin`; False if it is none of this kind's."""
        state, brackets, level = self.state, self.brackets, self.state.level
        first, last = brackets.bounds[place], brackets.bounds[place + 1]
        places = brackets.places[first:last] - brackets.starts[place]
        after = brackets.depths[first:last] - (brackets.depths[first - 1] if first else 0) + state.depth
        opens = brackets.opens[first:last]
        marks = np.flatnonzero(np.where(opens, after == level + 1, after <= level))
        found: list[str] = []
        inside = state.depth > level
        at, ended = begin, False
        for byte, is_start, depth in zip(
            places[marks].tolist(), opens[marks].tolist(), after[marks].tolist(), strict=True
        ):
            if byte < begin:
                continue
            if depth < 0:
                break
            if is_start:
                between = _BETWEEN.fullmatch if ended else _GAP.fullmatch
                if not between(line, at, byte) or not self._may_start(line[byte:], first=not found):
                    return False
                inside, at = True, byte
            elif inside:
                text = line[at : byte + 1]
                self._end_record(text, found)
                inside, at = False, byte + 1
            else:
                at = byte + 1
            ended = depth <= 0
        torn = bool(brackets.odd[place]) or (len(line) >= _CUT_BYTES and not ended)
        rest = line[at:]
        if not (inside or found or ended or _GAP.fullmatch(rest)):
            return False
        if found and not self._is_own(found[0].encode()):
            return False
        self.records += [(place, text) for text in found]
        if not found:
            self.taken.setdefault(place, TORN if torn else "")
        if ended or torn:
            state.close()
            return True
        state.depth = int(after[-1]) if len(after) else state.depth
        if inside:
            self._keep(place, rest, has_record=bool(found))
        return True

    def _is_own(self, record: bytes) -> bool:
        return self.kind.may_start(record) if self.state.level == _OBJECT else self.kind.is_one(record)

    def _may_start(self, record: bytes, *, first: bool) -> bool:
        self.state.start_record()
        return not first or record[1:].strip() == b"" or self.kind.may_start(record)

    def _end_record(self, text: bytes, found: list[str]) -> None:
        state = self.state
        if not state.dropped:
            found.append(" ".join([*state.text, text.decode(errors="replace")]))
        state.start_record()

    def _keep(self, place: int, line: bytes, *, has_record: bool = False) -> None:
        """Add `line` to the open record."""
        state = self.state
        state.size += len(line) + _LINE_COST
        if state.size > MAX_RECORD_BYTES:
            state.dropped, state.text = True, []
        if not state.dropped:
            state.text.append(line.decode(errors="replace"))
        elif not has_record:
            self.taken[place] = TOO_LONG
