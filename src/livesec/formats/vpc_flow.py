"""AWS VPC flow logs, as text.

    2 123456789010 eni-1235b8ca123456789 192.0.2.139 192.0.2.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK

The default fields (version 2) with or without their header line; any other choice of fields where a header line names
them (`version srcaddr dstaddr pkt-srcaddr tcp-flags flow-direction ... start end`), as the files in S3 have it; default
lines behind a time stamp, as CloudWatch Logs exports them.

Read: both ends (pkt-srcaddr and pkt-dstaddr where given: the ends behind a NAT gateway), ports, protocol, packets and
bytes as sent from source to destination, start as the time, end as the duration, ACCEPT and REJECT as allow and deny,
flow-direction, the instance or else the interface as the host. A flow has one direction: the answer is a line of its
own with the ends exchanged. Skipped: NODATA and SKIPDATA. Not read: tcp-flags, traffic-path, names of VPCs and AWS
services; Parquet files; custom fields without a header line; transit gateway flow logs. Lines under a header are all
taken to be records, and are rejects where they are none.
"""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.header_spans import spans
from livesec.formats.vpc_flow_records import DEFAULT, NAMES, Records, read_records

STATE_VERSION: Final = 1
Header = tuple[str, ...]
_ENDS: Final = ({"srcaddr", "pkt-srcaddr"}, {"dstaddr", "pkt-dstaddr"})
_INTERFACE: Final = " eni-"
_UNVERSIONED: Final = r"^[0-9]{12} eni-"  # the version was taken for the host behind the time stamp


class VpcFlow(Format[Header]):
    """VPC flow logs. The state is the header in force, empty before the first."""

    name = "vpc_flow"
    title = "AWS VPC flow logs (text)"
    log_types = (LogType.NETWORK,)
    shape = Shape.TEXT
    platform = Platform.AWS
    order = 45

    def initial(self, stream: StreamInfo) -> Header:
        """No header."""
        return ()

    def parse(self, state: Header, stream: StreamInfo, lines: pl.DataFrame) -> tuple[Header, Parsed]:
        """Take headers and the records under them, and default records without one."""
        heads = _headers(lines["line"])
        found: list[Records] = []
        for header, records in spans(lines, state, heads).items():
            found += [read_records(part, fields) for part, fields in _shaped(records, header) if part.height]
        if not found and not heads:
            return state, NOTHING_PARSED
        rows = pl.concat([one.rows for one in found]) if found else None
        parts = pl.concat(
            [lines["line_index"].gather([row for row, _ in heads]), *(one.rows["line_index"] for one in found)]
        )
        header = heads[-1][1] if heads else state
        parsed = Parsed(
            {} if rows is None else {LogType.NETWORK: rows.sort("line_index")},
            consumed=parts.sort().to_numpy(),
            skipped=pl.concat([parts.clear(), *(one.skipped for one in found)]).sort().to_numpy(),
            rejects=pl.concat([one.rejects for one in found]).sort("line_index") if found else NOTHING_PARSED.rejects,
        )
        return header, parsed

    def to_bytes(self, state: Header) -> bytes:
        """As JSON."""
        return json.dumps({"version": STATE_VERSION, "header": state}).encode()

    def from_bytes(self, blob: bytes) -> Header:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"a saved vpc_flow state has version {saved['version']}, not {STATE_VERSION}")
            return tuple(map(str, saved["header"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"a saved vpc_flow state cannot be read: {error}") from error


def _headers(line: pl.Series) -> list[tuple[int, Header]]:
    """Where header lines are, and their names."""
    may = line.str.contains("srcaddr", literal=True)
    if not may.any():
        return []
    found = []
    for row in may.arg_true().to_list():
        words = tuple(line[row].split())
        known = len(words) <= len(NAMES) and len(set(words)) == len(words) and NAMES.issuperset(words)
        if known and all(ends.intersection(words) for ends in _ENDS):
            found.append((row, words))
    return found


def _shaped(lines: pl.DataFrame, header: Header) -> list[tuple[pl.DataFrame, Header]]:
    """The records among `lines`, each with their fields."""
    line = lines["line"]
    if header:
        return [(lines.filter(line.str.contains(" ", literal=True)), header)]
    own = line.str.contains(_INTERFACE, literal=True)
    if not own.any():
        return []
    versioned = own & line.str.starts_with("2 ")
    if versioned.all():
        return [(lines, DEFAULT)]
    others = lines.filter(own & ~versioned)
    return [
        (lines.filter(versioned), DEFAULT),
        (others.filter(others["line"].str.contains(_UNVERSIONED)), DEFAULT[1:]),
    ]


FORMAT = VpcFlow()
