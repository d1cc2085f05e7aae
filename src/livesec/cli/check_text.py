"""What `livesec check` prints for people: a few lines per file, and what a mapping file maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from livesec.core.text import shown

_REJECTS_SHOWN = 3
_CELL_CHARACTERS = 40
_LINE_CHARACTERS = 160
_LINES_THAT_TELL_SPEED = 10_000
_NOT_IN_SAMPLE = ("count", "connections", "service")  # the same in nearly every row
_GOOD_SHARE = 0.99
_POOR_SHARE = 0.5
_INDENT = "  "
_NUMBERS = (("host", "hosts"), ("user", "users"), ("address", "addresses"))


def console() -> Console:
    """Standard output; colours and table lines only on a terminal."""
    return Console(highlight=False, soft_wrap=True)


def file_text(record: Mapping[str, Any], titles: Mapping[str, str]) -> RenderableType:
    """A file's answer; `titles` of formats by name."""
    parts: list[RenderableType] = [Text(shown(record["path"]), style="bold")]
    parts += [Text(_INDENT).append_text(line) for line in _lines(record, titles)]
    parts += _rejects(record)
    if record.get("sample"):
        parts.append(Padding(_sample(record["sample"]), (0, 0, 0, len(_INDENT)), expand=False))
    return Group(*parts)


def _lines(record: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[Text]:
    taken: Mapping[str, int] = record["formats"]
    if record["lines"] == 0:
        yield Text("empty: no lines", style="yellow")
        return
    if record["format"] is None:
        yield Text("no known format", style="bold red")
    else:
        kinds = ", ".join(kind.replace("_", " ") for kind in (record["rows"] or record["log_type"]))
        yield Text(shown(record["title"]), style="cyan").append(f" ({record['format']}): {kinds}", style="default")
    yield _share(record)
    if len(taken) > 1:
        for name, count in sorted(taken.items(), key=lambda item: (-item[1], item[0])):
            yield Text(
                f"{count:>12,} {'line' if count == 1 else 'lines'} of {shown(titles.get(name, name))}", style="dim"
            )
    if record["first_time"] is not None:
        yield Text(f"from {_minute(record['first_time'])} to {_minute(record['last_time'])} UTC{_span(record)}")
        counts = [_counted(record[many], one, many) for one, many in _NUMBERS if record[many]]
        if counts:
            yield Text(", ".join(counts))
    if record.get("filled"):
        yield Text("filled: " + ", ".join(f"{name} {share:.0%}" for name, share in record["filled"].items()))


def _share(record: Mapping[str, Any]) -> Text:
    used = record["confidence"]
    style = "green" if used >= _GOOD_SHARE else "yellow" if used >= _POOR_SHARE else "red"
    head = "" if record["is_whole"] else "first "
    text = Text(f"{_percent(used)} of {head}{record['lines']:,} lines used", style=style)
    speed = f", {record['lines_per_s']:,.0f} lines/s" if record["lines"] >= _LINES_THAT_TELL_SPEED else ""
    text.append(
        f"; {record['events']:,} events, {record['skipped']:,} skipped, {record['rejects_total']:,} rejects{speed}",
        style="default",
    )
    return text


def _percent(share: float) -> str:
    """Never 100 % where something is missing.

    >>> _percent(1.0), _percent(0.9996), _percent(0.5)
    ('100 %', '99.9 %', '50.0 %')
    """
    return "100 %" if share == 1 else f"{int(share * 1000) / 10:.1f} %"


def _minute(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"


def _span(record: Mapping[str, Any]) -> str:
    span = datetime.fromisoformat(record["last_time"]) - datetime.fromisoformat(record["first_time"])
    hours = span.seconds // 3600
    if span.days:
        return f" ({span.days} d {hours} h)"
    return f" ({hours} h {span.seconds // 60 % 60} min)" if hours else f" ({span.seconds // 60} min)"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _rejects(record: Mapping[str, Any]) -> list[RenderableType]:
    found: list[RenderableType] = []
    rejects = record["rejects"][:_REJECTS_SHOWN]
    for item in rejects:
        head = Text(f"{_INDENT}reject, line {item['line']:,} (byte {item['offset']}): ", style="yellow")
        found.append(head.append(shown(item["reason"], _LINE_CHARACTERS), style="default"))
        found.append(Text(f"{_INDENT * 2}{shown(item['text'], _LINE_CHARACTERS)}", style="dim"))
    more = record["rejects_total"] - len(rejects)
    if more > 0:
        found.append(Text(f"{_INDENT}... and {more:,} more rejects", style="yellow"))
    return found


def _sample(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _NOT_IN_SAMPLE]
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name == "event_time")
    for row in rows:
        table.add_row(*(Text(shown(str(row[name]), _CELL_CHARACTERS) if name in row else "") for name in names))
    return table


def mapping_text(mapping: Mapping[str, Any]) -> RenderableType:
    """What a mapping file maps, column by column."""
    head = Text(shown(mapping["path"]), style="bold")
    head.append(f"\n{_INDENT}{shown(mapping['title'])}: {mapping['kind']}, gives {mapping['log_type']} rows", "default")
    if mapping["filter"] is not None:
        head.append(f"\n{_INDENT}only lines that hold {shown(mapping['filter'])}", "default")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", "from", "how"):
        table.add_column(name)
    for item in mapping["columns"]:
        table.add_row(*(Text(shown(item[name] or "")) for name in ("column", "from", "how")))
    return Group(head, Padding(table, (0, 0, 0, len(_INDENT)), expand=False))
