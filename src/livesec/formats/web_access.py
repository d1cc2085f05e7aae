r"""Access logs of web servers: the common and combined formats of nginx and Apache.

    192.0.2.1 - ann [02/Mar/2026:10:00:00 +0000] "GET /a.zip HTTP/1.1" 200 1234 "-" "curl/8.5.0"
    www.example.org:443 192.0.2.1 - - [02/Mar/2026:10:00:00 +0000] "POST /upload HTTP/1.1" 201 12

Read: requests that move a file, or were refused it. GET is a download where it was answered 2xx with a body, PUT, POST
and PATCH are uploads and DELETE is a delete where answered 2xx; answers 401, 403, 404 and, to an upload, 413 are
failures of the same. The path is the request's target as logged, with its query and still encoded. A virtual host in
front and anything behind the number of bytes (referer, agent, request time) may be there. Pure-FTPd's CLF log is read
by this format too. Skipped: other methods and answers (redirects, unchanged, server errors), empty answers, requests
that are not HTTP. Not read: custom formats (for JSON see web_access_json), the agent, the virtual host, the program's
name.

The bytes are those of the answer, so an upload over HTTP has none. A host name instead of an address gives no src_ip.
User names may imitate the log, but the servers escape quotes in them, so the first `] "` ends the time.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.ip_text import is_ip
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import keep_where, possible
from livesec.formats.typed_fields import address
from livesec.formats.web_requests import of_files, transfer_rows

_BEFORE_REQUEST: Final = '] "'
_CLOCK: Final = r"^\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})$"
_CLOCK_CHARACTERS: Final = 27
_WHO: Final = r"^[^ ]+ [^ ]+ "
_TAIL: Final = r'^((?:[^"\\]|\\.)*)" ([0-9]{3}) ([0-9]{1,18}|-)(?: |$)'
_VERSION: Final = r" HTTP/[0-9](?:\.[0-9])?$"
_FTP_COMMAND: Final = r"^[A-Z]{3,4}(?: |$)"  # ProFTPD's ExtendedLog looks the same
_NO_ANSWER: Final = "behind the time no quoted request, status and number of bytes follow"
_NO_TIME: Final = "no such time"


class WebAccess(StatelessFormat):
    """Files that web servers gave, took and refused."""

    name = "web_access"
    title = "nginx and Apache access logs (common, combined)"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.TEXT
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take requests."""
        suspects = lines["line"].str.contains(_BEFORE_REQUEST, literal=True)
        if not suspects.any():
            return NOTHING_PARSED
        own = _parts(lines if suspects.all() else lines.filter(suspects))
        if own.is_empty():
            return NOTHING_PARSED
        answered, timed = pl.col("status").is_not_null(), pl.col("event_time_us").is_not_null()
        reason = pl.when(~answered).then(pl.lit(_NO_ANSWER)).otherwise(pl.lit(_NO_TIME))
        usable = own.filter(answered & timed)
        rows = _rows(usable)
        taken = rows["line_index"]
        return Parsed(
            {LogType.FILE_TRANSFER: rows},
            consumed=taken.to_numpy(),
            skipped=left_over(usable["line_index"].to_numpy(), taken.to_numpy()),
            rejects=own.filter(~(answered & timed)).select("line_index", reason=reason),
        )


def _parts(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines that are ours: line_index, event_time_us, who, request, status and bytes, null where not written so."""
    halves = lines["line"].str.splitn(_BEFORE_REQUEST, 2).struct.unnest()
    clock = halves["field_0"].str.tail(_CLOCK_CHARACTERS).str.extract(_CLOCK)
    who = halves["field_0"].str.head(-_CLOCK_CHARACTERS)
    tail = halves["field_1"].str.extract_groups(_TAIL).struct.unnest()
    time_us = clock.str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="us", strict=False, cache=False).to_physical()
    parts = pl.DataFrame(
        {
            "line_index": lines["line_index"],
            "event_time_us": possible(time_us),
            "who": keep_where(clock.is_not_null() & who.str.contains(_WHO), who),
            "request": tail["1"],
            "status": tail["2"],
            "bytes": tail["3"],
        }
    )
    target = pl.col("request").str.replace(_VERSION, "")
    parts = parts.with_columns(
        target.str.splitn(" ", 2).struct.rename_fields(["method", "path"]).struct.unnest(),
        http=pl.col("request").str.contains(_VERSION),
    )
    ftp = ~pl.col("http") & pl.col("request").str.contains(_FTP_COMMAND) & ~pl.col("method").is_in(["GET", "PUT"])
    return parts.filter(pl.col("who").is_not_null() & ~ftp.fill_null(False))


def _rows(parts: pl.DataFrame) -> pl.DataFrame:
    told = of_files(parts)
    names = _names(told["who"])
    return transfer_rows(told, names["user"], names["src_ip"])


def _names(who: pl.Series) -> pl.DataFrame:
    """User and src_ip of `[virtual host ]address ident user `."""
    words = who.str.strip_suffix(" ").str.splitn(" ", 4).struct.unnest()
    rest = words["field_2"].zip_with(words["field_3"].is_null(), words["field_2"] + " " + words["field_3"])
    # Only where a host stands in front is the second word an address and the third the ident.
    hosted = is_ip(words["field_1"]) & (words["field_2"] == "-") & words["field_3"].is_not_null()
    named = rest.zip_with(~hosted, words["field_3"])
    place = address(words["field_0"].zip_with(~hosted, words["field_1"])).values
    return pl.select(
        user=pl.when(~named.is_in(["-", '""', ""])).then(named),
        src_ip=pl.when(is_ip(place)).then(place),
    )


FORMAT = WebAccess()
