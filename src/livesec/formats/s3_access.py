"""Amazon S3 server access logs, as the files that S3 delivers to a bucket.

    owner bucket [06/Feb/2026:00:00:38 +0000] 192.0.2.3 requester 3E57427F3EXAMPLE REST.GET.OBJECT key
    "GET /key HTTP/1.1" 200 - 113 113 7 6 "-" "agent" - ...        (all on one line)

Read: REST.GET.OBJECT and WEBSITE.GET.OBJECT (download, the bytes sent); REST.PUT.OBJECT, REST.POST.OBJECT and
REST.POST.UPLOAD, which completes one in parts (upload, the object's size); REST.COPY.OBJECT and, in the log of the
bucket copied from, REST.COPY.OBJECT_GET (copy); REST.DELETE.OBJECT and BATCH.DELETE.OBJECT (delete);
REST.GET.BUCKET (read: a listing). The path is `s3://bucket/key` with the key URL-encoded as in the log. A status below
400 is a success; a failed request moved no bytes.

The user is the last part of the requester's ARN (the session's name for a role), or the canonical id; null for
anonymous requests. Skipped: all other operations, such as REST.PUT.PART, REST.HEAD.OBJECT and what S3 does by itself
(S3.*). Not read: the fields behind the user agent; the JSON form in CloudWatch Logs.

Requesters choose the request line, the referrer and the user agent, quotes included. Where such a text makes a second
place that could be the status and the sizes, the line is a reject.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import keep_where, utc_of_local
from livesec.formats.typed_fields import count, divided, ip_address

_OPERATIONS: Final = [" REST.", " BATCH.", " WEBSITE.", " S3.", " SOAP."]
_OWN: Final = (
    r"^[^ ]+ [^ ]+ \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}\] [^ ]+ [^ ]+ [^ ]+ "
    r"(?:REST|BATCH|WEBSITE|S3|SOAP)\."
)
_HEAD: Final = ("owner", "bucket", "clock", "zone", "ip", "requester", "request", "operation", "key", "end")
_OPERATION: Final = len(_HEAD) - 3
_NUMBERS: Final = ("start", "status", "error", "sent", "size", "total", "turn", "end")
_QUOTES: Final = 6  # around request line, referrer, user agent
_AFTER: Final = r'(?:"| -) (?:[0-9]{3}|-) [^ ]+ (?:[0-9]+|-) (?:[0-9]+|-) (?:[0-9]+|-) (?:[0-9]+|-) (?:"|- )'
_ACTIONS: Final = {
    "REST.GET.OBJECT": "download",
    "WEBSITE.GET.OBJECT": "download",
    "REST.PUT.OBJECT": "upload",
    "REST.POST.OBJECT": "upload",
    "REST.POST.UPLOAD": "upload",
    "REST.COPY.OBJECT": "copy",
    "REST.COPY.OBJECT_GET": "copy",
    "REST.DELETE.OBJECT": "delete",
    "BATCH.DELETE.OBJECT": "delete",
    "REST.GET.BUCKET": "read",
}
_ANONYMOUS: Final = ["-", "Anonymous"]
_FIRST_FAILURE: Final = 400
_MS: Final = 1000

CUT_SHORT: Final = "cut short: no status, sizes and times behind the request"
AMBIGUOUS: Final = "several places could be the status and the sizes: a request, referrer or user agent with quotes"
NO_TIME: Final = "no such time"
NO_NUMBER: Final = "status, sizes or times: no number"


class S3Access(StatelessFormat):
    """Requests to S3 buckets."""

    name = "s3_access"
    title = "Amazon S3 server access logs"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.TEXT
    platform = Platform.AWS
    order = 45

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take S3's lines."""
        suspects = lines["line"].str.contains_any(_OPERATIONS)
        if not suspects.any():
            return NOTHING_PARSED
        own = lines.filter(suspects)
        own = own.filter(own["line"].str.contains(_OWN))
        if own.height == 0:
            return NOTHING_PARSED
        operation = own["line"].str.splitn(" ", _OPERATION + 2).struct.field(f"field_{_OPERATION}")
        known = operation.is_in(list(_ACTIONS))
        plain = known & (own["line"].str.count_matches('"', literal=True) == _QUOTES)
        told = _plain(own.filter(plain))
        if not plain.all():
            told = pl.concat([told, _careful(own.filter(known & ~plain))])
        judged = _judged(told)
        good = judged["reason"].is_null()
        rows = judged.filter(good).drop("reason").sort("line_index")
        rejects = judged.filter(~good).select("line_index", "reason").sort("line_index")
        return Parsed(
            {LogType.FILE_TRANSFER: rows},
            consumed=rows["line_index"].to_numpy(),
            skipped=own["line_index"].filter(~known).to_numpy(),
            rejects=rejects,
        )


def _plain(own: pl.DataFrame) -> pl.DataFrame:
    """The texts of lines in which all quotes are S3's own."""
    quoted = own["line"].str.split_exact('"', 3).struct.unnest()
    return _texts(own["line_index"], quoted["field_0"], quoted["field_2"], pl.repeat(None, own.height, eager=True))


def _careful(own: pl.DataFrame) -> pl.DataFrame:
    """The texts of other lines, with a reason where they cannot be told apart."""
    line = own["line"]
    places = line.str.count_matches(_AFTER)
    reason = pl.select(
        pl.when(places == 0).then(pl.lit(CUT_SHORT)).when(places > 1).then(pl.lit(AMBIGUOUS))
    ).to_series()
    numbers = line.str.extract(f"({_AFTER})").str.replace(r'^(?:"| -)', "").str.replace(r'(?:"|- )$', "")
    return _texts(own["line_index"], line, numbers, reason)


def _texts(index: pl.Series, head: pl.Series, numbers: pl.Series, reason: pl.Series) -> pl.DataFrame:
    heads = head.str.splitn(" ", len(_HEAD)).struct.rename_fields(list(_HEAD)).struct.unnest().drop("end")
    split = numbers.str.split_exact(" ", len(_NUMBERS)).struct.unnest()
    whole = (split.to_series(0) == "") & (split.to_series(len(_NUMBERS) - 1) == "")
    whole &= split.to_series(len(_NUMBERS)).is_null()
    named = {name: split.to_series(place) for place, name in enumerate(_NUMBERS) if name not in {"start", "end"}}
    reason = pl.select(
        pl.when(reason.is_not_null()).then(reason).when(~whole.fill_null(False)).then(pl.lit(CUT_SHORT))
    ).to_series()
    return heads.with_columns(index, reason.cast(pl.String).alias("reason")).with_columns(**named)


def _number(texts: pl.Series) -> pl.Series:
    """-1 where there is a text that is no number."""
    values, bad = count(keep_where(texts != "-", texts))
    return values if bad is None else pl.select(pl.when(bad).then(-1).otherwise(values)).to_series()


def _judged(told: pl.DataFrame) -> pl.DataFrame:
    """Rows, with a reason where they cannot be used."""
    clock = told["clock"].str.to_datetime("[%d/%b/%Y:%H:%M:%S", time_unit="us", strict=False, cache=False)
    times = keep_where(told["zone"] == "+0000]", utc_of_local(clock, "UTC"))
    action = pl.col("operation").replace_strict(_ACTIONS, return_dtype=FILE_ACTION)
    numbers = {name: _number(told[name]) for name in ("status", "sent", "size", "total")}
    numbered = told.with_columns(
        times.alias("event_time_us"),
        ip_address(told["ip"]).values.alias("src_ip"),
        action=action,
        duration_s=divided(numbers["total"], _MS),
        **numbers,
    )
    bad = pl.any_horizontal(pl.col("status", "sent", "size", "total") < 0).fill_null(False)
    failed = pl.col("status") >= _FIRST_FAILURE
    moved = (
        pl.when(pl.col("action").is_in(["download", "read"]))
        .then(pl.col("sent").fill_null(0))
        .when(pl.col("action").is_in(["upload", "copy"]))
        .then("size")
    )
    requester = pl.col("requester")
    return numbered.select(
        "line_index",
        "event_time_us",
        pl.when(requester.str.starts_with("arn:"))
        .then(pl.coalesce(requester.str.extract(r"[/:]([^/:]+)$"), requester))
        .when(~requester.is_in(_ANONYMOUS))
        .then(requester)
        .alias("user"),
        "src_ip",
        pl.concat_str(
            pl.lit("s3://"), "bucket", pl.lit("/"), pl.when(pl.col("key") == "-").then(pl.lit("")).otherwise("key")
        ).alias("path"),
        pl.when(failed & moved.is_not_null()).then(0).otherwise(moved).alias("bytes"),
        "action",
        pl.lit("s3").alias("protocol"),
        pl.when(failed)
        .then(pl.lit("failure"))
        .when(pl.col("status").is_null())
        .then(pl.lit("attempt"))
        .otherwise(pl.lit("success"))
        .cast(OUTCOME)
        .alias("outcome"),
        "duration_s",
        pl.lit("s3").alias("service"),
        pl.coalesce(
            "reason",
            pl.when(pl.col("event_time_us").is_null()).then(pl.lit(NO_TIME)),
            pl.when(bad).then(pl.lit(NO_NUMBER)),
        ).alias("reason"),
    )


FORMAT = S3Access()
