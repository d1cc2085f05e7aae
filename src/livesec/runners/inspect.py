"""Looks at one file without a store: which formats its lines have and which lines cannot be used."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

from livesec.core.batch import StreamInfo
from livesec.core.settings import Settings
from livesec.formats.stream_parser import StreamParser
from livesec.pipeline.assembly import all_formats
from livesec.sources.file_source import stream_uid
from livesec.sources.whole_file import WholeFile

_REJECTS_SHOWN = 100


def inspect_file(path: str, settings: Settings) -> dict[str, Any]:
    """What `check --json` says of `path`. Raises OSError, InputUnreadableError."""
    formats = all_formats()
    by_name = {item.name: item for item in formats}
    mtime_us = os.stat(path).st_mtime_ns // 1000
    file = WholeFile(path, StreamInfo(1, stream_uid(path, 0), path, mtime_us, settings.zone_of(path)))
    parser = StreamParser(file.info, formats)
    lines = events = skipped = rejected = sequence = 0
    taken: dict[str, int] = {}
    rejects: list[dict[str, Any]] = []
    started = time.perf_counter()
    try:
        for raw in file.batches():
            batch = replace(raw, first_sequence=sequence)
            sequence += len(batch)
            parsed = parser.parse(batch)
            lines += parsed.lines
            events += parsed.events
            skipped += parsed.skipped
            rejected += parsed.rejects.height
            for name, count in parsed.formats.items():
                taken[name] = taken.get(name, 0) + count
            for index, reason in parsed.rejects.select("line_index", "reason").head(_REJECTS_SHOWN).iter_rows():
                if len(rejects) < _REJECTS_SHOWN:
                    rejects.append({"offset": int(batch.offsets[index]), "reason": reason})
    finally:
        file.close()
    seconds = time.perf_counter() - started
    best = max(taken, key=lambda name: (taken[name], name), default=None)
    return {
        "path": path,
        "format": best,
        "log_type": [str(kind) for kind in by_name[best].log_types] if best is not None else [],
        "confidence": round((lines - rejected) / lines, 4) if lines and best is not None else 0.0,
        "lines": lines,
        "events": events,
        "skipped": skipped,
        "rejects": rejects,
        "rejects_total": rejected,
        "formats": taken,
        "lines_per_s": round(lines / seconds, 1) if seconds else 0.0,
    }
