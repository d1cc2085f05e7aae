r"""Access logs of web servers as JSON, one request a line: nginx and Apache by the usual recipes, Caddy's own.

    {"time_iso8601":"2026-03-02T10:00:00+00:00","remote_addr":"192.0.2.1","request":"GET /a.zip HTTP/1.1",..}
    {"time":"[02/Mar/2026:10:00:00 +0000]","remoteIP":"192.0.2.1","method":"GET","request":"/a.zip","status":"200",..}
    {"level":"info","ts":1772445600.25,"logger":"http.log.access.log0","request":{"remote_ip":"192.0.2.1",..},..}

Read: the same as of text logs (see web_access): requests that move a file, or were refused it. A line is taken that has
the client's address, a status, a time and either the request line or method and path, under the names that nginx's
variables, Logstash's patterns and the recipes for Apache use (`remote_addr`, `remote_ip`, `clientip`, `request_method`,
`verb`, `request_uri`, `uri`, `body_bytes_sent`, `bytes`, `time_iso8601`, `time_local`, `msec`, `@timestamp`, ...). Of
Caddy's also the time a request took, and the bytes of an upload. Escapes such as `\x22`, which nginx writes without
`escape=json`, are left as they are. Skipped: what web_access skips; Caddy's other messages. Not read: the address that
a client or a proxy claims in X-Forwarded-For (Caddy's client_ip is taken, for which it knows its proxies); objects
inside others, but Caddy's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.json_lines import JsonFields, json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_marks import holds_any
from livesec.formats.text_times import epoch_ms_us, epoch_us, iso_us, keep_where, possible
from livesec.formats.typed_fields import count, ip_address, seconds
from livesec.formats.web_requests import of_files, transfer_rows

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "ip": ("remote_addr", "remote_ip", "remoteIP", "remoteAddr", "clientip", "clientIP", "client_ip", "remote_host"),
    "method": ("request_method", "method", "verb", "requestMethod", "request_type"),
    "line": ("request",),
    "target": ("request_uri", "requestURI", "url", "uri", "path", "request_path"),
    "query": ("query", "query_string", "queryString", "args"),
    "status": ("status", "response", "status_code"),
    "bytes": ("body_bytes_sent", "bytes_sent", "bytes", "size", "sent_length", "len_bytes", "responseSize"),
    "user": ("remote_user", "remoteUser", "user", "auth"),
    "time": (
        *("time_iso8601", "@timestamp", "time_local", "msec", "timestamp", "time", "event_datetime", "date", "ts"),
        "Time",
    ),
    "version": ("server_protocol", "http_version", "protocol", "proto"),
}
_WANTED: Final[dict[str, Path]] = {name: (name,) for names in _NAMES.values() for name in names}
_OF_NGINX: Final = (
    *("remote_addr", "remote_user", "request", "request_method", "request_uri", "status", "body_bytes_sent"),
    *("time_iso8601", "@timestamp", "time_local", "msec"),
)
_CADDY: Final[dict[str, Path]] = {
    "logger": ("logger",),
    "time": ("ts",),
    "ip": ("request", "client_ip"),
    "peer": ("request", "remote_ip"),
    "end": ("request", "remote_addr"),  # with a port, before Caddy 2.5
    "method": ("request", "method"),
    "target": ("request", "uri"),
    "user": ("user_id",),
    "status": ("status",),
    "bytes": ("size",),
    "read": ("bytes_read",),
    "duration": ("duration",),
}
_IPS: Final = [f'"{name}"' for name in _NAMES["ip"]]
_STATUSES: Final = ('"status', '"response"')
_REQUESTS: Final = [f'"{name}"' for name in (*_NAMES["line"], *_NAMES["method"])]
_IS_NGINX: Final = "whether nginx's names say all that is needed"
_IN_CADDY: Final = '"request":{'  # inside of a text its quotes would have backslashes
_LOGGER: Final = '"logger":"http.'
_ACCESS: Final = "http.log.access"
_LINE: Final = r"^([A-Z]+) (.*?)( HTTP/[0-9](?:\.[0-9])?)?$"
_BAD_ESCAPE: Final = "\\x"
_NO_TIME: Final = "no time that can be read"
_CLF: Final = "%d/%b/%Y:%H:%M:%S %z"
_EPOCH: Final = r"^[0-9]{9,10}(?:\.[0-9]+)?$"
_EPOCH_MS: Final = r"^[0-9]{12,13}$"
_PORT: Final = r":[0-9]+$"


def _said(key: str) -> pl.Expr:
    """What stands under `key`, null where that is nothing or an object, or where nginx's names suffice."""
    is_object = pl.col(key).str.starts_with('{"') & pl.col(key).str.ends_with("}")
    is_said = (pl.col(key) != "") & (pl.col(key) != "-") & ~is_object
    return pl.when(is_said if key in _OF_NGINX else is_said & ~pl.col(_IS_NGINX)).then(key)


# Made once, as that takes longer than their evaluation over a batch.
_SAID: Final = {key: _said(key) for key in _WANTED}
_BY_NGINX: Final = (
    pl.all_horizontal(pl.col("remote_addr", "status", "body_bytes_sent").is_not_null())
    & pl.any_horizontal(pl.col("time_iso8601", "@timestamp", "time_local", "msec").is_not_null())
    & (
        pl.col("request").str.contains(_LINE) | pl.all_horizontal(pl.col("request_method", "request_uri").is_not_null())
    ).fill_null(False)
)


class WebAccessJson(StatelessFormat):
    """Files that web servers gave, took and refused."""

    name = "web_access_json"
    title = "nginx, Apache and Caddy access logs (JSON)"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.JSON
    order = 60  # formats that know their lines by more come first

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take requests."""
        line = lines["line"]
        caddy = line.str.contains(_IN_CADDY, literal=True)
        if caddy.any():
            caddy &= line.str.contains(_LOGGER, literal=True)
        own = holds_any(line, _STATUSES)
        if own.any():
            own &= holds_any(line, _IPS) & holds_any(line, _REQUESTS)
        if not (own.any() or caddy.any()):
            return NOTHING_PARSED
        parts = [
            _parsed(_of_caddy(lines.filter(caddy)), stream.time_zone) if caddy.any() else NOTHING_PARSED,
            _parsed(_of_recipe(lines.filter(own & ~caddy)), stream.time_zone) if own.any() else NOTHING_PARSED,
        ]
        rows = [part.rows[LogType.FILE_TRANSFER] for part in parts if part.rows]
        return Parsed(
            {LogType.FILE_TRANSFER: pl.concat(rows, how="diagonal").sort("line_index")} if rows else {},
            consumed=np.sort(np.concatenate([part.consumed for part in parts])),
            skipped=np.sort(np.concatenate([part.skipped for part in parts])),
            rejects=pl.concat([part.rejects for part in parts]).sort("line_index"),
        )


def _of_caddy(lines: pl.DataFrame) -> JsonFields:
    """Requests of Caddy: line_index and texts, `is_skipped` where it is another message of its."""
    found = json_fields(lines, _CADDY)
    end = pl.col("end").str.replace(_PORT, "").str.strip_chars("[]")
    fields = found.fields.with_columns(
        pl.coalesce("ip", "peer", end).alias("ip"),
        is_skipped=~pl.col("logger").str.starts_with(_ACCESS).fill_null(False),
        http=pl.lit(True),
        service=pl.lit("caddy"),
    )
    return JsonFields(fields, found.failed)


def _of_recipe(lines: pl.DataFrame) -> JsonFields:
    """As `_of_caddy`; without the lines that are no requests."""
    found = json_fields(_without_bad_escapes(lines), _WANTED)
    filled = [name for name in _WANTED if found.fields[name].null_count() < found.fields.height]
    said = {name: [_SAID[key] for key in keys if key in filled] for name, keys in _NAMES.items()}
    fields = found.fields.with_columns(_BY_NGINX.alias(_IS_NGINX)).select(
        "line_index",
        *((pl.coalesce(keys) if keys else pl.lit(None, pl.String)).alias(name) for name, keys in said.items()),
    )
    words = fields["line"].str.extract_groups(_LINE).struct.unnest()
    written = keep_where(words["1"].is_not_null() & (words["3"].is_not_null() | fields["method"].is_null()), words["2"])
    query = pl.when(pl.col("query").str.starts_with("?")).then("query").otherwise("?" + pl.col("query"))
    bare = pl.coalesce("target", pl.when(pl.col("line").str.starts_with("/")).then("line"))
    path = pl.when(bare.str.contains("?", literal=True) | pl.col("query").is_null()).then(bare).otherwise(bare + query)
    fields = fields.with_columns(
        method=pl.coalesce("method", words["1"]),
        target=pl.coalesce(written, path),
        http=(words["3"].is_not_null() | pl.col("version").str.starts_with("HTTP") | words["1"].is_null()),
        is_skipped=pl.lit(False),
    )
    ours = pl.col("ip").is_not_null() & pl.col("status").str.contains(r"^[0-9]{3}$")
    ours &= (pl.col("method").is_not_null() & pl.col("target").is_not_null()) | found.fields["request"].is_not_null()
    return JsonFields(fields.filter(ours.fill_null(False)), found.failed)


def _without_bad_escapes(lines: pl.DataFrame) -> pl.DataFrame:
    r"""`lines` with \\x22 for \x22, which is no JSON; a backslash behind another is a text's own."""
    bad = lines["line"].str.contains(_BAD_ESCAPE, literal=True)
    if not bad.any():
        return lines
    pairs_kept = pl.col("line").str.replace_all("\\\\", "\\u005c", literal=True)
    mended = pairs_kept.str.replace_all(_BAD_ESCAPE, "\\\\x", literal=True)
    return lines.with_columns(pl.when(bad).then(mended).otherwise("line").alias("line"))


def _parsed(found: JsonFields, zone: str) -> Parsed:
    fields = found.fields.with_columns(_time_us(found.fields["time"], zone).alias("event_time_us"))
    skipped = fields["is_skipped"]
    timeless = fields.filter(~skipped & pl.col("event_time_us").is_null())
    requests = fields.filter(~skipped & pl.col("event_time_us").is_not_null()).rename({"target": "path"})
    if "read" in fields.columns:
        requests = requests.with_columns(
            count(requests["read"]).values.alias("size_in"), seconds(requests["duration"]).values.alias("duration_s")
        )
    told = of_files(requests)
    source = ip_address(told["ip"]).values
    more = [pl.col(name) for name in ("service", "duration_s") if name in told.columns]
    user = pl.when(pl.col("user") != "").then("user").alias("user")
    rows = transfer_rows(told, user, source.alias("src_ip"), *more)
    rejects = pl.concat([found.failed, timeless.select("line_index", reason=pl.lit(_NO_TIME))])
    used = pl.concat([rows["line_index"], rejects["line_index"]])
    return Parsed(
        {LogType.FILE_TRANSFER: rows},
        consumed=rows["line_index"].to_numpy(),
        skipped=left_over(fields["line_index"].to_numpy(), used.to_numpy()),
        rejects=rejects,
    )


def _time_us(texts: pl.Series, zone: str) -> pl.Series:
    """As ISO 8601, as in common log lines, or since 1970 in seconds or milliseconds."""
    times = iso_us(texts, zone)
    if times.null_count() == 0:
        return times
    clock = texts.str.strip_chars("[]").str.to_datetime(_CLF, time_unit="us", strict=False, cache=False)
    ages = keep_where(texts.str.contains(_EPOCH), texts), keep_where(texts.str.contains(_EPOCH_MS), texts)
    return pl.select(
        pl.coalesce(times, possible(clock.to_physical()), epoch_us(ages[0]), epoch_ms_us(ages[1]))
    ).to_series()


FORMAT = WebAccessJson()
