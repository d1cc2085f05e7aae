r"""Zeek's files.log: the files that went over the network, tab-separated or JSON.

    {"ts":1772409600.25,"fuid":"FJ1","tx_hosts":["198.51.100.7"],"rx_hosts":["192.0.2.1"],"conn_uids":["CJ1"],
     "source":"HTTP",..,"filename":"report.pdf","duration":0.5,"local_orig":false,"is_orig":false,"seen_bytes":1234,..}
     (all on one line)

Read: ts, the uid of the (first) connection, source as protocol, filename, duration, and seen_bytes as what was moved.
is_orig tells who sent it: the client (upload) or the server (download); the address is the client's. local_orig tells
whether it came from one of Zeek's own networks: if so it is outbound, internal where the receiver's address is private,
and else inbound. It is a success where all bytes were seen.
Skipped: certificates and OCSP answers; FTP's data, which ftp.log tells with the user and the path; files of which no
client is known, as those read from disk. A transfer over HTTP has no name unless the server gives one.
Not read: the MIME type, hashes, and what an analyzer extracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import DIRECTION, FILE_ACTION, OUTCOME, LogType
from livesec.formats.typed_fields import (
    Field,
    TypedRows,
    count,
    ip_address,
    lower_text,
    needed,
    seconds,
    text,
    typed_rows,
)
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import TIME, first_of, is_true

_FIELDS: Final = (
    TIME,
    Field("uid", "session_id", text),
    Field("id.orig_h", "src_ip", needed(ip_address), "the client's address is none"),
    Field("filename", "path", text),
    Field("seen_bytes", "bytes", count, "no number of bytes"),
    Field("source", "protocol", lower_text),
    Field("duration", "duration_s", seconds, "no number of seconds"),
)
_MORE: Final = (
    *("conn_uids", "tx_hosts", "rx_hosts", "id.resp_h", "mime_type", "is_orig", "local_orig"),
    *("total_bytes", "missing_bytes", "timedout"),
)
_TOLD_ELSEWHERE: Final = ("FTP_DATA", "SSL", "KRB", "KRB_TCP")
_PRIVATE: Final = r"^(?:10\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|192\.168\.|127\.|169\.254\.|[fF][cCdD]..:|[fF][eE]80:)"
_CERTIFICATES: Final = r"^application/(?:x-x509-|pkix-|ocsp-)"


class ZeekFiles(ZeekLog):
    """Files that Zeek saw."""

    name = "zeek_files"
    title = "Zeek files.log (tab-separated or JSON)"
    log_types = (LogType.FILE_TRANSFER,)
    log = "files"
    fields = (*(field.name for field in _FIELDS), *_MORE)

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each file."""
        other = texts["source"].is_in(_TOLD_ELSEWHERE) | texts["mime_type"].str.contains(_CERTIFICATES)
        files = texts.filter(~other.fill_null(False))
        sent, local = is_true(files["is_orig"]), is_true(files["local_orig"])
        senders, receivers = first_of(files["tx_hosts"]), first_of(files["rx_hosts"])
        client = pl.when(sent).then(senders).when(~sent).then(receivers)
        files = files.with_columns(  # Zeek names either one connection or a set of them, by its version
            pl.coalesce("uid", first_of(files["conn_uids"])).alias("uid"),
            pl.coalesce("id.orig_h", client).alias("id.orig_h"),
            sent=sent,
            local=local,
            receiver=receivers,
        ).filter(pl.col("id.orig_h").is_not_null())
        action = pl.when("sent").then(pl.lit("upload")).when(~pl.col("sent")).then(pl.lit("download"))
        receiver = pl.coalesce("receiver", pl.when("sent").then("id.resp_h").otherwise("id.orig_h"))
        outwards = pl.when(receiver.str.contains(_PRIVATE)).then(pl.lit("internal")).otherwise(pl.lit("outbound"))
        way = pl.when("local").then(outwards).when(~pl.col("local")).then(pl.lit("inbound"))
        whole = pl.coalesce(pl.col("total_bytes") == pl.col("seen_bytes"), pl.lit(True))
        whole &= (pl.col("missing_bytes") == "0") & ~pl.lit(is_true(files["timedout"]).fill_null(False))
        typed = typed_rows(
            files,
            _FIELDS,
            action=files.select(action.cast(FILE_ACTION)).to_series(),
            direction=files.select(way.cast(DIRECTION)).to_series(),
            outcome=files.select(pl.when(whole).then(pl.lit("success")).cast(OUTCOME)).to_series(),
        )
        return [(LogType.FILE_TRANSFER, typed)]


FORMAT = ZeekFiles()
