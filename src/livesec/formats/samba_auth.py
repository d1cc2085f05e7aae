r"""Samba's authentication audit (log levels auth_audit:3 and auth_json_audit:3), for people and as JSON.

    Auth: [SMB2,(null)] user [WORKGROUP]\[ann] at [Mon, 02 Mar 2026 00:00:01.5 UTC] with [NTLMv2]
    status [NT_STATUS_WRONG_PASSWORD] workstation [PC7] remote host [ipv4:192.0.2.1:44890] mapped to ...
    {"timestamp": "2026-03-02T00:00:01.5+0000", "type": "Authentication", "Authentication": {"status": ..}}

(the first is one line). The JSON may stand behind `JSON Authentication: `. Read: logins that succeeded or failed, with
the NT status in words as reason. Where both forms are on, the one for people comes first and counts; the JSON of the
same connection and status behind it is a part. Skipped: Authorization and the other events of the JSON audit; the debug
headers that Samba's own files have, and the indented lines under them. A time that names a zone other than UTC is in
that of the source. The client chooses the names in the line for people: one that makes a second reading possible makes
the line a reject. Not read: names of months in other languages than English; vfs_full_audit.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.samba_statuses import login_rows
from livesec.formats.samba_text import MARK, NO_TIME, taken_apart
from livesec.formats.text_times import iso_us

STATE_VERSION: Final = 1
MAX_WAITING: Final = 256
_MAX_KEY: Final = 128
_HEADER: Final = r"^\[[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:.]{8,15}, +[0-9]{1,2}(?:, [^\]]*)?\] [^ ]+:[0-9]+\("
_PREFIX: Final = r"^ *(?:JSON [A-Za-z ]{3,40}: )?\{"
_TELLING: Final = ('"timestamp"', '"type"')
_KINDS: Final = (
    *("Authentication", "Authorization", "KDC Authorization", "dsdbChange", "dsdbTransaction", "passwordChange"),
    *("replicatedUpdate", "groupChange"),
)
_OBJECTS: Final = [f'"{name}":{blank}{{' for name in _KINDS for blank in ("", " ")]
_AUTHENTICATION: Final = "Authentication"
_WANTED: Final[dict[str, Path]] = {
    "timestamp": ("timestamp",),
    "type": ("type",),
    **{
        name: (_AUTHENTICATION, key)
        for name, key in {
            "status": "status",
            "remote": "remoteAddress",
            "user": "clientAccount",
            "client": "workstation",
            "method": "passwordType",
            "description": "authDescription",
        }.items()
    },
}
_NO_STATUS: Final = "Authentication.status: none"

State = tuple[bool, tuple[str, ...]]
"""Whether the last line was under a debug header; the logins told to people whose JSON may still come, oldest first."""


class SambaAuth(Format[State]):
    """Logins to a Samba server."""

    name = "samba_auth"
    title = "Samba's authentication audit"
    log_types = (LogType.LOGIN,)
    shape = Shape.ANY
    order = 45

    def initial(self, stream: StreamInfo) -> State:
        """Nothing waited for."""
        return False, ()

    def parse(self, state: State, stream: StreamInfo, lines: pl.DataFrame) -> tuple[State, Parsed]:
        """Take the audit's lines, and what stands around them in Samba's own files."""
        line = lines["line"]
        told = line.str.contains(MARK, literal=True)
        if told.any():
            told &= line.str.strip_chars_start().str.starts_with(MARK)
        in_json = _in_json(line)
        around, under = _around(line, told | in_json, under=state[0])
        if not (told.any() or in_json.any() or around.any()):
            return (under, state[1]), NOTHING_PARSED
        people = lines.filter(told).with_columns(pl.col("line").str.strip_chars_start())
        events, failed = taken_apart(people, stream.time_zone)
        found = _json_events(lines.filter(in_json))
        events, again, waiting = _once(state[1], events, found.events)
        rows = login_rows(events)
        skipped = pl.concat([lines["line_index"].filter(around), found.skipped]).sort()
        return (under, waiting), Parsed(
            {LogType.LOGIN: rows},
            np.sort(np.concatenate([rows["line_index"].to_numpy(), again.to_numpy()])),
            skipped.to_numpy(),
            pl.concat([failed, found.failed]).sort("line_index"),
        )

    def to_bytes(self, state: State) -> bytes:
        """As JSON."""
        return json.dumps({"version": STATE_VERSION, "under": state[0], "waiting": state[1]}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        if not blob:  # of the time when it kept no state
            return False, ()
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"{self.name}: saved by another version")
            return bool(saved["under"]), tuple(map(str, saved["waiting"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{self.name}: saved state cannot be read: {error}") from error


class _Found(NamedTuple):
    events: pl.DataFrame
    skipped: pl.Series
    failed: pl.DataFrame


def _in_json(line: pl.Series) -> pl.Series:
    own = line.str.contains(_TELLING[0], literal=True)
    if own.any():
        own &= line.str.contains(_TELLING[1], literal=True)
        own &= line.str.contains_any(_OBJECTS) & line.str.contains(_PREFIX)
    return own


def _json_events(lines: pl.DataFrame) -> _Found:
    """What `taken_apart` gives, of the JSON form."""
    found = json_fields(lines.with_columns(pl.col("line").str.replace(_PREFIX, "{")), _WANTED)
    kind = found.fields["type"]
    skipped = found.fields.filter(kind.is_in(_KINDS) & (kind != _AUTHENTICATION))["line_index"]
    told = found.fields.filter((kind == _AUTHENTICATION).fill_null(False))
    told = told.with_columns(
        iso_us(told["timestamp"], "UTC").alias("event_time_us"), pl.coalesce("method", "description").alias("method")
    )
    problem = (
        pl.when(pl.col("event_time_us").is_null())
        .then(pl.lit(NO_TIME))
        .when(pl.col("status").is_null())
        .then(pl.lit(_NO_STATUS))
    )
    judged = told.with_columns(problem.alias("problem"))
    failed = judged.drop_nulls("problem").select("line_index", reason="problem")
    events = judged.filter(pl.col("problem").is_null())
    return _Found(events, skipped, pl.concat([no_rejects(), found.failed, failed]))


def _around(line: pl.Series, own: pl.Series, *, under: bool) -> tuple[pl.Series, bool]:
    """Which lines are debug headers, or not `own` and indented under one; whether the last is under one."""
    header = line.str.starts_with("[")
    if header.any():
        header &= line.str.contains(_HEADER)
    if len(line) == 0 or not (under or header.any()):
        return pl.repeat(False, len(line), eager=True), under
    outer = ~line.str.starts_with("  ")
    inside = pl.select(
        pl.when(header).then(True).when(outer).then(False).otherwise(None).forward_fill().fill_null(under)
    ).to_series()
    return header | (inside & ~outer & ~own), bool(inside[-1])


def _once(
    waiting: tuple[str, ...], people: pl.DataFrame, in_json: pl.DataFrame
) -> tuple[pl.DataFrame, pl.Series, tuple[str, ...]]:
    """All events but the JSON of those told before; the line_index of those; what is waited for then."""
    columns = ["line_index", "event_time_us", "user", "status", "remote", "method", "client"]
    people, in_json = people.select(columns), in_json.select(columns)
    nothing = in_json["line_index"].clear()
    if in_json.height == 0:
        return people, nothing, (*waiting, *_keys(people.tail(MAX_WAITING)))[-MAX_WAITING:]
    if people.height == 0 and not waiting:
        return in_json, nothing, waiting
    both = pl.concat([people.with_columns(is_json=False), in_json.with_columns(is_json=True)]).sort("line_index")
    kept, counts = list(waiting), Counter(waiting)
    again = []
    for key, is_json in zip(_keys(both), both["is_json"].to_list(), strict=True):
        known = is_json and counts[key] > 0
        again.append(known)
        if known:
            counts[key] -= 1
            del kept[len(kept) - 1 - kept[::-1].index(key)]
        elif not is_json:
            counts[key] += 1
            kept.append(key)
            if len(kept) > MAX_WAITING:
                counts[kept.pop(0)] -= 1
    repeats = pl.Series(again, dtype=pl.Boolean)
    return both.filter(~repeats).drop("is_json"), both["line_index"].filter(repeats), tuple(kept)


def _keys(events: pl.DataFrame) -> list[str]:
    """A connection and how an attempt on it ended."""
    said = pl.concat_str("status", pl.lit(" "), pl.col("remote").fill_null(""))
    return events.select(said.str.head(_MAX_KEY)).to_series().to_list()


FORMAT = SambaAuth()
