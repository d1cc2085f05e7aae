r"""Samba's authentication audit (log level auth_audit:3), as text lines of its own log.

    Auth: [SMB2,(null)] user [WORKGROUP]\[ann] at [Mon, 02 Mar 2026 00:00:01.5 UTC] with [NTLMv2]
    status [NT_STATUS_WRONG_PASSWORD] workstation [PC7] remote host [ipv4:192.0.2.1:44890] mapped to ...

(one line). Read: logins that succeeded or failed, with the NT status in words as reason. The client chooses the names
in the line: one that makes a second reading possible makes the line a reject. Not read: times in another zone than UTC;
the JSON form of the audit; vfs_full_audit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import utc_of_local
from livesec.formats.typed_fields import ip_address, port

_MARK: Final = "Auth: ["
_AUTH: Final = (
    r"^ *Auth: \[[^\]]*\] user \[[^\]]*\]\\\[(?P<user>.*)\] at \[[A-Z][a-z]{2}, (?P<clock>[^\]]*) UTC\] with "
    r"\[(?P<method>[^\]]*)\] status \[(?P<status>NT_STATUS_[A-Z0-9_]+)\] workstation \[(?P<client>.*)\] remote host "
    r"\[ipv[46]:(?P<ip>[0-9a-fA-F.:]+):(?P<port>[0-9]+)\] (?:became|mapped) .*local host \[[^\]]*\] ?$"
)
_OK: Final = "NT_STATUS_OK"
_REASONS: Final = {
    "NT_STATUS_WRONG_PASSWORD": "bad_credentials",
    "NT_STATUS_LOGON_FAILURE": "bad_credentials",
    "NT_STATUS_NO_SUCH_USER": "invalid_user",
    "NT_STATUS_ACCOUNT_LOCKED_OUT": "locked",
    "NT_STATUS_ACCOUNT_DISABLED": "disabled",
    "NT_STATUS_ACCOUNT_EXPIRED": "expired",
    "NT_STATUS_PASSWORD_EXPIRED": "password_expired",
    "NT_STATUS_PASSWORD_MUST_CHANGE": "password_expired",
}
_BROKEN: Final = "an authentication that is cut off or can be read in more than one way"
_NO_TIME: Final = "no such time"
_STATUSES: Final = r"\] status \[NT_STATUS_"


class SambaAuth(StatelessFormat):
    """Logins to a Samba server."""

    name = "samba_auth"
    title = "Samba's authentication audit"
    log_types = (LogType.LOGIN,)
    shape = Shape.TEXT
    order = 45

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the lines of authentications."""
        own = lines["line"].str.strip_chars_start().str.starts_with(_MARK)
        if not own.any():
            return NOTHING_PARSED
        lines = lines.filter(own)
        texts = lines["line"].str.extract_groups(_AUTH).struct.unnest().insert_column(0, lines["line_index"])
        # A name that holds these words itself makes a second reading: better none than the wrong one.
        single = (lines["line"].str.count_matches(_STATUSES) == 1) & (
            lines["line"].str.count_matches(r"\] remote host \[") == 1
        )
        known = texts["status"].is_not_null() & single
        broken = lines.filter(~known).select("line_index", reason=pl.lit(_BROKEN))
        texts = texts.filter(known)
        clock = texts["clock"].str.to_datetime("%d %b %Y %H:%M:%S%.f", time_unit="us", strict=False)
        times = utc_of_local(clock, "UTC")
        timeless = texts.filter(times.is_null()).select("line_index", reason=pl.lit(_NO_TIME))
        texts = texts.with_columns(event_time_us=times).drop_nulls("event_time_us")
        ok = pl.col("status") == _OK
        rows = texts.select(
            "line_index",
            "event_time_us",
            pl.lit("samba").alias("service"),
            pl.when(pl.col("user") != "").then("user").alias("user"),
            ip_address(texts["ip"]).values.alias("src_ip"),
            port(texts["port"]).values.alias("src_port"),
            pl.when(ok).then(pl.lit("success")).otherwise(pl.lit("failure")).cast(OUTCOME).alias("outcome"),
            pl.when(~ok)
            .then(pl.col("status").replace_strict(_REASONS, default=pl.col("status").str.to_lowercase()))
            .alias("reason"),
            pl.col("method").str.to_lowercase().alias("auth_method"),
            pl.when(~pl.col("client").is_in(["", "(null)"])).then("client").alias("client"),
            pl.lit(1, pl.Int32).alias("count"),
        )
        rejects = pl.concat([broken, timeless]).sort("line_index")
        return Parsed({LogType.LOGIN: rows}, np.asarray(rows["line_index"].to_numpy(), np.uint32), rejects=rejects)


FORMAT = SambaAuth()
