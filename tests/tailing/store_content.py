"""Everything of a store that promise 1 covers, to be compared between two runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import zstandard

_LEFT_OUT = {"committed_us", "delivered_us"}  # wall clock
_TABLES: Mapping[str, str] = {
    "anomalies": "number",
    "incidents": "id",
    "risk": "entity_type, entity",
    "reject_counts": "stream_id, reason",
    "rejects": 'stream_id, "offset"',
    "counts": "log_type, minute_us",
    "totals": "name",
    "coverage": "detector",
    "gaps": "gap",
    "outbox": "number",
}

Content = dict[str, Any]


def content_of(db: Path) -> Content:
    """The promised tables with everything but wall clocks, the lines in journalled order, places, and the mirror."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found: Content = {
            table: [
                {name: row[name] for name in row.keys() if name not in _LEFT_OUT}  # noqa: SIM118 - no dict
                for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}")
            ]
            for table, order in _TABLES.items()
        }
        found["undelivered"] = connection.execute("SELECT count(*) FROM outbox WHERE delivered_us IS NULL").fetchone()[
            0
        ]
        batches = connection.execute("SELECT stream_id, data FROM journal ORDER BY batch").fetchall()
        found["journal"] = b"".join(b"%d:" % stream_id + line for stream_id, line in _lines(batches))
        found["places"] = [
            tuple(row)
            for row in connection.execute(
                'SELECT stream_id, uid, path, generation, "offset", head_hash, tail_hash, state FROM streams'
            )
        ]
        (mirror,) = connection.execute("SELECT value FROM meta WHERE key = 'mirror'").fetchone()
    found["mirror"] = Path(mirror).read_bytes()
    return found


def _lines(batches: list[sqlite3.Row]) -> list[tuple[int, bytes]]:
    decompressor = zstandard.ZstdDecompressor()
    return [
        (stream_id, line)
        for stream_id, data in batches
        for line in decompressor.decompress(data).splitlines(keepends=True)
    ]


def assert_same(found: Content, expected: Content) -> None:
    """Table by table, so that a difference is named."""
    for name, value in expected.items():
        assert found[name] == value, name
