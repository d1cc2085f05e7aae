"""What Samba's authentication audit says in both its forms: NT statuses, addresses with a port, login rows."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.schema import OUTCOME
from livesec.formats.typed_fields import ip_address, port

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
_ENDPOINT: Final = r"^ipv[46]:([0-9a-fA-F.:]+):([0-9]+)$"


def login_rows(events: pl.DataFrame) -> pl.DataFrame:
    """Rows of `events`: line_index, event_time_us and the texts user, status, remote, method and client."""
    ends = events["remote"].str.extract_groups(_ENDPOINT).struct.unnest()
    ok = pl.col("status") == _OK
    return events.select(
        "line_index",
        "event_time_us",
        pl.lit("samba").alias("service"),
        pl.when(pl.col("user") != "").then("user").alias("user"),
        ip_address(ends["1"]).values.alias("src_ip"),
        port(ends["2"]).values.alias("src_port"),
        pl.when(ok).then(pl.lit("success")).otherwise(pl.lit("failure")).cast(OUTCOME).alias("outcome"),
        pl.when(~ok)
        .then(pl.col("status").replace_strict(_REASONS, default=pl.col("status").str.to_lowercase()))
        .alias("reason"),
        pl.col("method").str.to_lowercase().alias("auth_method"),
        pl.when(~pl.col("client").is_in(["", "(null)"])).then("client").alias("client"),
        pl.lit(1, pl.Int32).alias("count"),
    )
