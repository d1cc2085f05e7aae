"""What `livesec ask` prints: answers as short tables for people, and as one JSON object for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from livesec.copilot.answer import Answer, Cell, Table
from livesec.copilot.chat import Turn
from livesec.core.severity import Severity
from livesec.core.text import shown

_PIPE_WIDTH = 200  # columns, where no terminal says how wide it is
_STYLES: dict[str, str] = {
    str(Severity.CRITICAL): "bold red",
    str(Severity.HIGH): "red",
    str(Severity.MEDIUM): "yellow",
    str(Severity.LOW): "blue",
}
_NARROW = ("id", "type", "time_utc", "severity", "score", "points", "evidence", "byte", "anomalies")
"""Columns that are never wrapped."""


def print_turn(turn: Turn) -> None:
    """`turn` on standard output; colours only on a terminal, and none where NO_COLOR is set."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(_turn_text(turn))
        return
    console = Console(highlight=False, width=_PIPE_WIDTH)
    with console.capture() as captured:
        console.print(_turn_text(turn))
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))  # no blanks at the ends


def turn_record(turn: Turn) -> dict[str, object]:
    """`turn` as plain JSON. `by` is the model's name, or `deterministic`."""
    return {
        "question": turn.question,
        "by": turn.model or "deterministic",
        "text": turn.text,
        "not_shown_because": turn.why or None,
        "calls": [
            {
                "tool": call.tool,
                "arguments": call.arguments,
                "answer": None if call.answer is None else call.answer.as_json(),
                "problem": call.problem or None,
            }
            for call in turn.calls
        ],
        "latency_ms": turn.latency_ms,
        "tokens": turn.tokens,
        "redacted": turn.is_redacted,
    }


def _turn_text(turn: Turn) -> RenderableType:
    """`turn` for a terminal: the model's words if they are shown, else the answers of the tools."""
    parts: list[RenderableType] = []
    if turn.text is not None:
        parts.append(Text(turn.text))
    if turn.why:
        parts.append(Text(f"{turn.why[:1].upper()}{turn.why[1:]}.", style="yellow"))
    if turn.model:
        parts += [Text(f"  {_call(call.tool, call.arguments)}", style="dim") for call in turn.calls]
        pseudonyms = ", with pseudonyms" if turn.is_redacted else ""
        spent = f"{turn.latency_ms / 1000:.1f} s, {turn.tokens:,} tokens"
        parts.append(Text(f"  {shown(turn.model, 80)}{pseudonyms}, {spent}", style="dim"))
    if turn.text is None:
        for call in turn.calls:
            if call.answer is not None:
                parts += [*_answer(call.answer)]
            else:
                parts.append(Text(f"{shown(call.tool, 60)}: {shown(call.problem)}", style="yellow"))
    return Group(*parts)


def _call(tool: str, arguments: str) -> str:
    return f"{shown(tool, 60)} {shown(arguments, 300)}"


def _answer(answer: Answer) -> Iterator[RenderableType]:
    yield Text(answer.title, style="bold")
    facts = [(name, value) for name, value in answer.facts.items() if value not in (None, "")]
    if facts:
        grid = RichTable.grid(padding=(0, 2))
        for name, value in facts:
            grid.add_row(Text(name.replace("_", " "), style="dim"), _text(value))
        yield Padding(grid, (0, 0, 0, 2))
    for item in answer.tables:
        if item.rows:
            yield Padding(_table(item), (1, 0, 0, 2))
    for note in answer.notes:
        yield Text(note, style="dim")


def _table(item: Table) -> RichTable:
    used = [at for at in range(len(item.columns)) if any(row[at] not in (None, "") for row in item.rows)]
    grid = RichTable(box=None, pad_edge=False, title=item.name, title_justify="left", title_style="cyan")
    for at in used:
        name = item.columns[at]
        is_number = all(isinstance(row[at], int | float | None) for row in item.rows)
        grid.add_column(
            name.replace("_", " "),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=name in _NARROW or name.endswith("_utc"),
        )
    for row in item.rows:
        grid.add_row(*(_text(row[at]) for at in used))
    return grid


def _text(value: Cell) -> Text:
    """A cell as text without markup; a severity in its colour."""
    if value is None:
        return Text("")
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return Text(text, style=_STYLES.get(text, ""))
