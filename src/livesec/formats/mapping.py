"""What a mapping file says, checked: how a log that no format knows is cut into fields, and which column each fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

import polars as pl

from livesec.core.schema import LogType
from livesec.formats.json_scan import Path
from livesec.formats.text_times import epoch_ms_us, epoch_us, iso_us, possible, utc_of_local

Constant = str | int | float


class Kind(StrEnum):
    """How lines are cut into fields."""

    DELIMITED = "delimited"
    JSON = "json"
    REGEX = "regex"


@dataclass(frozen=True)
class TimeLayout:
    """How times are written: `iso`, `epoch`, `epoch_ms` or a strptime layout; `zone` where they state none."""

    layout: str
    zone: str | None = None

    def reader(self, stream_zone: str) -> Callable[[pl.Series], pl.Series]:
        """From texts to Int64 us UTC, null where there is no time."""
        zone = self.zone or stream_zone
        if self.layout == "epoch":
            return epoch_us
        if self.layout == "epoch_ms":
            return epoch_ms_us
        return partial(iso_us, zone=zone) if self.layout == "iso" else partial(_laid_out_us, self.layout, zone)

    def reads(self, moment: datetime) -> bool:
        """Whether a time written by this layout (strptime) is read back to the second."""
        text = moment.strftime(self.layout.replace("%.f", ".%f").replace("%z", "+0000"))
        (found,) = self.reader("UTC")(pl.Series([text]))
        return found is not None and found == int(moment.timestamp()) * 1_000_000


def _laid_out_us(layout: str, zone: str, texts: pl.Series) -> pl.Series:
    # With an offset the times are read as UTC; without, they are clock readings in the zone.
    if "%z" in layout:
        dated = texts.str.to_datetime(layout, time_unit="us", time_zone="UTC", strict=False, cache=False)
        return possible(dated.to_physical())
    return utc_of_local(texts.str.to_datetime(layout, time_unit="us", strict=False, cache=False), zone)


@dataclass(frozen=True)
class MappedField:
    """A schema column and the log's field that fills it."""

    column: str
    source: str
    words: Mapping[str, str] | None = None
    """What the log's words (lower case) mean, for a column that takes only some words."""
    otherwise: str | None = None
    """What a word not among them means; None: the line is a reject."""


@dataclass(frozen=True)
class LogMapping:
    """One mapping file."""

    path: str
    name: str
    title: str
    kind: Kind
    log_type: LogType
    fields: tuple[MappedField, ...]
    constants: Mapping[str, Constant]
    time_source: str | None
    """None: the time of the syslog envelope (`programs`)."""
    time: TimeLayout = field(default_factory=lambda: TimeLayout("iso"))
    literal: str | None = None
    """What a line must hold to be this log's."""
    unset: tuple[str, ...] = ("", "-")
    """Texts that stand for nothing."""
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    """Names of a delimited line's fields in order; empty: a header line names them."""
    quoted: bool = False
    pattern: str = ""
    paths: Mapping[str, Path] = field(default_factory=dict)
    """Of a JSON log, by the field's name in the mapping."""
    programs: tuple[str, ...] = ()
    """Programs whose syslog messages are meant; empty: whole lines."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The log's fields that are read, the time's first."""
        first = () if self.time_source is None else (self.time_source,)
        return tuple(dict.fromkeys((*first, *(one.source for one in self.fields))))

    def described(self) -> dict[str, Any]:
        """What it maps, column by column, for people and JSON."""
        when = self.time.layout + (f", times in {self.time.zone}" if self.time.zone is not None else "")
        columns: list[tuple[str, str | None, str]] = [("event_time", _name(self.time_source), when)]
        if self.time_source is None:
            columns = [("event_time", None, "from the syslog envelope")]
        columns += [(one.column, _name(one.source), _how(one)) for one in self.fields]
        columns += [(column, None, f"always {value}") for column, value in self.constants.items()]
        return {
            "path": self.path,
            "format": self.name,
            "title": self.title,
            "kind": str(self.kind),
            "log_type": str(self.log_type),
            "filter": self.literal,
            "columns": [dict(zip(("column", "from", "how"), column, strict=True)) for column in columns],
        }


def _name(source: str | None) -> str | None:
    return source.replace("\n", " / ") if source is not None else None


def _how(one: MappedField) -> str:
    meanings: dict[str, list[str]] = {}
    for text, meaning in (one.words or {}).items():
        meanings.setdefault(meaning, []).append(text)
    told = [f"{meaning}: {', '.join(texts)}" for meaning, texts in meanings.items()]
    return "; ".join([*told, *([f"{one.otherwise}: all others"] if one.otherwise is not None else [])])
