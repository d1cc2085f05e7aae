"""Reads mapping files: NAME.format.toml becomes a LogMapping, or an error that names the file, the line and the key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from livesec.core.errors import MappingError
from livesec.core.schema import COLUMNS, LOG_TYPES, LogType
from livesec.formats.column_readers import readable_columns, words_of
from livesec.formats.mapping import Constant, Kind, LogMapping, MappedField, TimeLayout

SUFFIX: Final = ".format.toml"
TIME: Final = "event_time"
_ALL_KINDS: Final = ("kind", "log_type", "title", "filter", "unset", "fields")
_BY_KIND: Final = {
    Kind.DELIMITED: ("delimiter", "columns", "header", "quoted"),
    Kind.JSON: (),
    Kind.REGEX: ("pattern", "program"),
}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_QUOTED_DELIMITERS: Final = (",", ";")
_LAYOUTS: Final = ("iso", "epoch", "epoch_ms")
_SAMPLE: Final = datetime(2026, 11, 27, 13, 24, 35, tzinfo=UTC)
_RESERVED: Final = "line_index"


def load_mapping(path: str) -> LogMapping:
    """The mapping in file `path`. Raises MappingError."""
    name = Path(path).name
    if not name.endswith(SUFFIX) or not _NAME.fullmatch(name.removesuffix(SUFFIX)):
        raise MappingError(f"{path}: a mapping file is named NAME{SUFFIX}, NAME of letters, digits, - and _")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise MappingError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: not UTF-8 at byte {error.start}") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        raise MappingError(f"{path}:{at[1] if at else len(text.splitlines())}: not valid TOML: {error}") from error
    return _File(path, text, table).mapping(name.removesuffix(SUFFIX))


class _File:
    """A mapping file under examination."""

    def __init__(self, path: str, text: str, table: Mapping[str, Any]) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.table = table

    def fail(self, keys: Sequence[str], message: str) -> NoReturn:
        """Raise MappingError about the value at `keys`."""
        where = ".".join(keys)
        raise MappingError(f"{self.path}:{self._line(keys)}: {where + ': ' if where else ''}{message}")

    def _line(self, keys: Sequence[str]) -> int:
        """The line on which the last of `keys` that can be found stands; TOML's own reader does not say."""
        at = 0
        for key in keys:
            mark = re.compile(rf"""(?:^|[\s\[{{.,"']){re.escape(key)}["']?\s*[=.\]]""")
            at = next((row for row in range(at, len(self.lines)) if mark.search(self.lines[row].partition("#")[0])), at)
        return at + 1

    def known(self, keys: Sequence[str], allowed: Iterable[str], what: str, found: Iterable[str]) -> None:
        """Fail at the first of `found`, below `keys`, that is none of `allowed`."""
        words = list(allowed)
        for word in found:
            if word not in words:
                near = difflib.get_close_matches(word, words, 1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(words)}"
                self.fail([*keys, word], f"unknown {what}; {hint}")

    def text(self, table: Mapping[str, Any], keys: Sequence[str], default: str | None = None) -> str:
        """The text at the last of `keys` in `table`."""
        value = table.get(keys[-1], default)
        if value is None:
            self.fail(keys[:-1], f"{keys[-1]} is missing")
        if not isinstance(value, str) or not value:
            self.fail(keys, f"expected a text, not {value!r}")
        return value

    def texts(self, table: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
        """The list of texts at the last of `keys`; a text alone is a list of one, () where there is none."""
        value = table.get(keys[-1], [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            self.fail(keys, f"expected a list of texts, not {value!r}")
        return tuple(values)

    def flag(self, key: str, default: bool) -> bool:
        """The truth value at `key`."""
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            self.fail([key], f"expected true or false, not {value!r}")
        return value

    def word(self, key: str, allowed: Sequence[str]) -> str:
        """The text at `key`, one of `allowed`."""
        value = self.text(self.table, [key])
        if value not in allowed:
            near = difflib.get_close_matches(value, allowed, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.fail([key], f"{value!r} is none of {', '.join(allowed)}{hint}")
        return value

    def mapping(self, name: str) -> LogMapping:
        """All of it."""
        every = [*_ALL_KINDS, *(key for keys in _BY_KIND.values() for key in keys)]
        self.known([], every, "key", self.table)
        kind = Kind(self.word("kind", [str(one) for one in Kind]))
        for key in self.table:
            if key not in (*_ALL_KINDS, *_BY_KIND[kind]):
                self.fail([key], f"belongs to another kind than {kind}")
        log_type = LogType(self.word("log_type", [str(one) for one in LOG_TYPES]))
        entries = self.table.get("fields")
        if not isinstance(entries, dict) or not entries:
            self.fail(["fields"], 'expected a table of columns, such as user = "account"')
        self.known(["fields"], [TIME, *readable_columns(log_type)], f"column of {log_type}", entries)
        programs = self.texts(self.table, ["program"])
        time_source, layout = self._time(entries, optional=bool(programs))
        fields, constants = self._fields(entries, log_type)
        if log_type == LogType.LOGIN and "outcome" not in entries:
            self.fail(["fields"], 'outcome is missing: a login needs one, if only {value = "failure"}')
        columns, delimiter, quoted = self._delimited(kind)
        known, paths = self._sources(
            kind, columns, [(TIME, time_source), *((one.column, one.source) for one in fields)]
        )
        return LogMapping(
            path=self.path,
            name=name,
            title=self.text(self.table, ["title"], f"{name} (mapping file)"),
            kind=kind,
            log_type=log_type,
            fields=fields,
            constants=constants,
            time_source=time_source,
            time=layout,
            literal=self.text(self.table, ["filter"]) if "filter" in self.table else None,
            unset=self.texts(self.table, ["unset"]) if "unset" in self.table else ("", "-"),
            delimiter=delimiter,
            columns=columns,
            quoted=quoted,
            pattern=known,
            paths=paths,
            programs=programs,
        )

    def _time(self, entries: Mapping[str, Any], *, optional: bool) -> tuple[str | None, TimeLayout]:
        if TIME not in entries:
            if optional:
                return None, TimeLayout("iso")
            self.fail(["fields"], f'{TIME} is missing: every event needs its time, such as {TIME} = "when"')
        keys = ["fields", TIME]
        entry = entries[TIME] if isinstance(entries[TIME], dict) else {"from": entries[TIME]}
        self.known(keys, ("from", "layout", "zone"), "key", entry)
        layout = self.text(entry, [*keys, "layout"], "iso")
        zone = entry.get("zone")
        if zone is not None:
            try:
                ZoneInfo(self.text(entry, [*keys, "zone"]))
            except (ZoneInfoNotFoundError, ValueError):
                self.fail([*keys, "zone"], f"{zone!r} is no IANA time zone, such as Europe/Paris")
        return self._source(entry, keys), TimeLayout(self._layout(layout, [*keys, "layout"]), zone)

    def _layout(self, layout: str, keys: Sequence[str]) -> str:
        if layout in _LAYOUTS:
            return layout
        if "%" not in layout:
            near = difflib.get_close_matches(layout, _LAYOUTS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.fail(keys, f"{layout!r} is none of {', '.join(_LAYOUTS)} nor a layout such as %d/%m/%Y %H:%M:%S{hint}")
        layout = layout.replace(".%f", "%.f")  # digits after a dot: polars' way to say it
        try:
            reads = "%f" not in layout and TimeLayout(layout).reads(_SAMPLE)
        except (ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            reads = False
        if not reads:
            self.fail(
                keys, f"{layout!r} gives no date and time; it needs year, month, day and time, as strptime has them"
            )
        return layout

    def _source(self, entry: Mapping[str, Any], keys: Sequence[str]) -> str:
        """The name of the log's field; that of a JSON path given as a list of keys joins them with a line break."""
        value = entry.get("from")
        if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
            return "\n".join(value)
        if not isinstance(value, str) or not value or value == _RESERVED:
            self.fail(keys, f"expected the name of a field of the log, not {value!r}")
        return value

    def _fields(
        self, entries: Mapping[str, Any], log_type: LogType
    ) -> tuple[tuple[MappedField, ...], dict[str, Constant]]:
        fields, constants = [], {}
        for column, value in entries.items():
            keys = ["fields", column]
            if column == TIME:
                continue
            entry = value if isinstance(value, dict) else {"from": value}
            self.known(keys, ("from", "words", "otherwise", "value"), "key", entry)
            if "value" in entry:
                constants[column] = self._constant(entry, keys, log_type)
                continue
            fields.append(MappedField(column, self._source(entry, keys), *self._words(entry, keys, log_type)))
        return tuple(fields), constants

    def _constant(self, entry: Mapping[str, Any], keys: Sequence[str], log_type: LogType) -> Constant:
        value, column = entry["value"], keys[-1]
        if len(entry) > 1:
            self.fail(keys, "a value stands alone, without from, words or otherwise")
        allowed = words_of(log_type, column)
        dtype = COLUMNS[log_type][column].dtype
        if allowed and value not in allowed:
            self.fail(keys, f"{value!r} is none of {', '.join(allowed)}")
        if isinstance(value, bool) or not isinstance(value, (str if allowed or dtype == pl.String else (int, float))):
            self.fail(keys, f"{value!r} does not fit the column's type {dtype}")
        try:
            pl.Series([value]).cast(dtype)
        except pl.exceptions.PolarsError:
            self.fail(keys, f"{value!r} does not fit the column's type {dtype}")
        return value

    def _words(
        self, entry: Mapping[str, Any], keys: Sequence[str], log_type: LogType
    ) -> tuple[dict[str, str] | None, str | None]:
        allowed = words_of(log_type, keys[-1])
        if "words" not in entry and "otherwise" not in entry:
            return None, None
        if not allowed:
            self.fail(keys, "takes any text or number; words are for outcome, action and direction")
        otherwise = entry.get("otherwise")
        if otherwise is not None and otherwise not in allowed:
            self.fail([*keys, "otherwise"], f"{otherwise!r} is none of {', '.join(allowed)}")
        table = entry.get("words", {})
        if not isinstance(table, dict):
            self.fail([*keys, "words"], f'expected a table such as {{{allowed[0]} = ["ok", "0"]}}')
        self.known([*keys, "words"], allowed, f"word for {keys[-1]}", table)
        words: dict[str, str] = {}
        for meaning in table:
            given = self.texts(table, [*keys, "words", meaning])
            if not given:
                self.fail([*keys, "words", meaning], "no word of the log stands for it; name one or leave it out")
            for text in given:
                if words.setdefault(text.strip().lower(), meaning) != meaning:
                    self.fail([*keys, "words", meaning], f"{text!r} stands for {words[text.strip().lower()]} already")
        return words, otherwise

    def _delimited(self, kind: Kind) -> tuple[tuple[str, ...], str, bool]:
        if kind != Kind.DELIMITED:
            return (), ",", False
        delimiter = self.text(self.table, ["delimiter"], ",")
        columns, header = self.texts(self.table, ["columns"]), self.flag("header", False)
        if header == bool(columns):
            self.fail(["columns"] if columns else [], "a delimited log needs either columns = [...] or header = true")
        if len(set(columns)) != len(columns):
            self.fail(["columns"], "names a field twice")
        quoted = self.flag("quoted", delimiter in _QUOTED_DELIMITERS)
        if quoted and (len(delimiter) != 1 or not delimiter.isascii()):
            self.fail(["quoted"], "quoted fields need a delimiter of one ASCII character")
        return columns, delimiter, quoted

    def _sources(
        self, kind: Kind, columns: tuple[str, ...], used: Sequence[tuple[str, str | None]]
    ) -> tuple[str, dict[str, tuple[str, ...]]]:
        """The anchored expression and the JSON paths, after a look whether all fields that are `used` exist."""
        sources = {source: column for column, source in used if source is not None}
        if kind == Kind.JSON:
            paths = {
                source: tuple(source.split("\n")) if "\n" in source else tuple(source.split(".")) for source in sources
            }
            for source, path in paths.items():
                if any(path == other[: len(path)] for name, other in paths.items() if name != source):
                    self.fail(
                        ["fields", sources[source]], f"{'.'.join(path)} is an object that another column looks into"
                    )
            return "", paths
        pattern = self.text(self.table, ["pattern"]) if kind == Kind.REGEX else ""
        groups = self._groups(pattern) if pattern else columns
        for source, column in sources.items():
            if groups and source not in groups:
                near = difflib.get_close_matches(source, groups, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(groups)}"
                what = "group" if pattern else "field in columns"
                self.fail(["fields", column], f"no {what} is named {source!r}; {hint}")
        return pattern, {}

    def _groups(self, pattern: str) -> tuple[str, ...]:
        try:
            dtype = pl.Series([""]).str.extract_groups(pattern).dtype
        except pl.exceptions.PolarsError as error:
            reason = " ".join(str(error).split())
            self.fail(["pattern"], f"not a regular expression of polars (Rust's syntax, no look-around): {reason}")
        names = [one.name for one in dtype.fields] if isinstance(dtype, pl.Struct) else []
        groups = tuple(name for name in names if not name.isdigit())
        if not groups:
            self.fail(["pattern"], "has no named group, such as (?P<user>[^ ]+)")
        return groups
