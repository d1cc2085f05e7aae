"""The lines around an anomaly's evidence, read from the log as far as it still is the log that the store knows."""

from __future__ import annotations

import os
import stat

from sqlalchemy import Connection

from livesec.copilot.answer import LINE_COLUMN, Answer, Table, ToolError, table
from livesec.copilot.questions import GetLogContext
from livesec.copilot.subject import anomaly_meant
from livesec.copilot.subject_tools import anomaly_facts, detail_private
from livesec.core.text import shown
from livesec.store.anomaly_queries import EvidenceView
from livesec.store.ask_queries import stream_files

AROUND_BYTES = 64 * 1024
"""Read at most, before and behind the line."""
LINE_CHARACTERS = 300
_FILES = ("file", "replay")
"""Kinds of streams whose path names a file: a watched one, and one read whole."""
_NOT_THERE = "The log no longer holds the line there ({why}): shown are the lines that the store kept."


def get_log_context(connection: Connection, question: GetLogContext, now_us: int) -> Answer:
    """Evidence lines and those around one of them. Raises ToolError for a line number that the anomaly has not."""
    detail = anomaly_meant(connection, question.anomaly_id)
    evidence = detail.evidence
    number = question.evidence_line or len(evidence)
    if not 0 <= number <= len(evidence):
        raise ToolError(f"evidence_line {number}: this anomaly has lines L1 to L{len(evidence)}")
    marks = {(line.path, line.offset): f"L{place}" for place, line in enumerate(evidence, 1)}
    tables: list[Table] = []
    notes: tuple[str, ...] = ("No line was kept for this anomaly.",) if not evidence else ()
    facts = anomaly_facts(detail)
    if evidence:
        line = evidence[number - 1]
        facts |= {"file": shown(line.path), "byte": line.offset, "evidence_lines": len(evidence)}
        kind = stream_files(connection, [line.path]).get(line.path)
        around, why = lines_around(line, question.lines) if kind in _FILES else (None, "it is not a plain file")
        if around is None:
            notes = (_NOT_THERE.format(why=why),)
        else:
            rows = [(marks.get((line.path, at), ""), at, _text(raw)) for at, raw in around]
            tables.append(table("lines around", ("evidence", "byte", LINE_COLUMN), rows, LINE_CHARACTERS))
    kept = [(f"L{place}", item.offset, _text(item.line)) for place, item in enumerate(evidence, 1)]
    tables.append(table("evidence", ("evidence", "byte", LINE_COLUMN), kept[:12] if tables else kept, LINE_CHARACTERS))
    return Answer(
        f"The log around {shown(detail.row.type)} {detail.row.id}",
        facts=facts,
        tables=tuple(tables),
        ids=(detail.row.id,),
        private=detail_private(detail),
        notes=notes,
    )


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def lines_around(line: EvidenceView, count: int) -> tuple[list[tuple[int, bytes]] | None, str]:
    """((offset, line) from `count` lines before to `count` behind, ""), or (None, why not).

    The bytes at its offset must be those that the store kept, or it is another file, or changed since.
    """
    if not line.line:
        return None, "its text was not kept"
    try:
        descriptor = os.open(line.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        return None, getattr(error, "strerror", None) or "no such path"
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None, "it is not a plain file"
        start = max(0, line.offset - AROUND_BYTES)
        before = os.pread(descriptor, line.offset - start, start)
        behind = os.pread(descriptor, line.length + AROUND_BYTES, line.offset)
    except OSError as error:
        return None, error.strerror or "it cannot be read"
    finally:
        os.close(descriptor)
    if len(before) < line.offset - start or not behind.startswith(line.line):
        return None, "other bytes stand there now"
    return _cut_out(before, start, behind, line, count), ""


def _cut_out(before: bytes, start: int, behind: bytes, line: EvidenceView, count: int) -> list[tuple[int, bytes]]:
    """Whole lines only: what is cut at the border of what was read is left out."""
    if start and b"\n" in before:
        cut = before.index(b"\n") + 1
        before, start = before[cut:], start + cut
    elif start:
        before, start = b"", line.offset
    earlier = _split(before, start)[-count:]
    rest = behind[line.length :].removeprefix(b"\r").removeprefix(b"\n")
    at = line.offset + len(behind) - len(rest)
    if len(behind) == line.length + AROUND_BYTES:
        rest = rest[: rest.rfind(b"\n") + 1]
    return [*earlier, (line.offset, behind[: line.length]), *_split(rest, at)[:count]]


def _split(data: bytes, at: int) -> list[tuple[int, bytes]]:
    lines: list[tuple[int, bytes]] = []
    for whole in data.split(b"\n"):  # not splitlines: a lone carriage return ends no line of a log
        lines.append((at, whole.removesuffix(b"\r")))
        at += len(whole) + 1
    return [item for item in lines if item[1]]
