"""Packets of a teaching tool, one JSON object a line.

    {"src_port":50000,"dst_port":443,"packet_size":1500,"duration_ms":12.5,"protocol":"TCP","timestamp":"2026-03-02T00:00:00Z"}

Read: ports, protocol, packet_size (what went out), duration_ms, and timestamp (a time of the calendar, or seconds since
1970). A packet without one is dated by when its file was last written: such packets all have the same time. Needed:
src_port, packet_size and duration_ms. Not read: other keys, addresses (the tool has none), and packets in an array.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import epoch_us, iso_us
from livesec.formats.typed_fields import (
    Field,
    Reading,
    count,
    divided,
    lower_text,
    needed,
    port,
    repeated,
    seconds,
    typed_rows,
)

_TELLING: Final = ("src_port", "packet_size", "duration_ms")
_WANTED: Final[dict[str, Path]] = {name: (name,) for name in (*_TELLING, "dst_port", "protocol", "timestamp")}
_MILLISECONDS: Final = 1000.0


def _duration(texts: pl.Series) -> Reading:
    known = seconds(texts)
    return Reading(divided(known.values, _MILLISECONDS), known.bad)


def _time(texts: pl.Series, zone: str, otherwise_us: int) -> Reading:
    numbers = epoch_us(texts)
    times_us = numbers.zip_with(numbers.is_not_null(), iso_us(texts, zone))
    bad = times_us.is_null() & texts.is_not_null()
    return Reading(times_us.fill_null(otherwise_us), bad if bad.any() else None)


class PacketJson(StatelessFormat):
    """Packets with their size and duration."""

    name = "packet_json"
    title = "Packets in JSON (src_port, packet_size, duration_ms)"
    log_types = (LogType.NETWORK,)
    shape = Shape.JSON
    order = 60

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the objects that have the three keys."""
        line = lines["line"]
        own = line.str.contains('"packet_size"', literal=True)
        if own.any():
            own &= line.str.contains('"src_port"', literal=True) & line.str.contains('"duration_ms"', literal=True)
        if not own.any():
            return NOTHING_PARSED
        found = json_fields(lines if own.all() else lines.filter(own), _WANTED)
        packets = found.fields.filter(pl.all_horizontal(pl.col(_TELLING).is_not_null()))
        typed = typed_rows(
            packets,
            (
                Field(
                    "timestamp",
                    "event_time_us",
                    partial(_time, zone=stream.time_zone, otherwise_us=stream.reference_time_us),
                    "no time that can be read",
                ),
                Field("src_port", "src_port", needed(port), "no port number (0 to 65535)"),
                Field("dst_port", "dst_port", port, "no port number (0 to 65535)"),
                Field("protocol", "protocol", lower_text),
                Field("packet_size", "bytes_out", needed(count), "no number of bytes"),
                Field("duration_ms", "duration_s", _duration, "no number of milliseconds"),
            ),
            packets_out=repeated(1, packets.height, pl.Int64),
            connections=repeated(1, packets.height, pl.Int64),
        )
        return Parsed(
            {LogType.NETWORK: typed.rows},
            consumed=typed.rows["line_index"].to_numpy(),
            rejects=pl.concat([no_rejects(), found.failed, typed.rejects]).sort("line_index"),
        )


FORMAT = PacketJson()
