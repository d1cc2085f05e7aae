"""What ProFTPD says about logins, through syslog or in its own log: see proftpd and proftpd_log."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import Parsed
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.ip_text import is_ip
from livesec.formats.typed_fields import address

SERVICE: Final = "proftpd"
_SESSION: Final = r"^[^ ]* \([^ \[\]()]*\[(?P<ip>[^\]]*)\]\)(?: -|:) (?P<said>.*)$"
# Each ends as the program ends it: what a user name holds cannot stand behind its end.
_UNKNOWN: Final = r"^USER (?P<unknown>.*): no such user found from [^ ]+ \[[^ \]]+\] to [^ ]+$"
_FAILED: Final = r"^USER (?P<failed>.*) \(Login failed\): (?P<why>[A-Za-z' ,.]*)$"
_SUCCESS: Final = r"^(?:USER|ANON) (?P<user>.*): Login successful\.?$"
_ROOT: Final = r"(?i)^SECURITY VIOLATION: root login attempted"
_REASONS: Final = {"incorrect password": "bad_credentials", "no such user found": "invalid_user"}
_OTHER_REASON: Final = "not_allowed"
_CUT: Final = "a message about a login that is cut off or not of a known form"
_NO_ADDRESS: Final = "the client in brackets is no address"


def read_messages(messages: pl.DataFrame) -> Parsed:
    """Login rows of `messages`: line_index, event_time_us, host, pid (Int64), message; all are taken."""
    session = messages["message"].str.extract_groups(_SESSION).struct.unnest()
    said = session["said"]
    told = pl.DataFrame(
        [
            messages["line_index"],
            said.str.extract(_UNKNOWN).alias("unknown"),
            *said.str.extract_groups(_FAILED).struct.unnest(),
            said.str.extract(_SUCCESS).alias("user"),
            (said.str.contains(_ROOT).fill_null(False)).alias("as_root"),
            address(session["ip"]).values.alias("src_ip"),
        ]
    ).with_columns(
        success=pl.col("unknown").is_null() & pl.col("failed").is_null() & pl.col("user").is_not_null(),
        reason=pl.when(pl.col("unknown").is_not_null())
        .then(pl.lit("invalid_user"))
        .when(pl.col("why").is_not_null())
        .then(pl.col("why").str.strip_chars(" .").str.to_lowercase().replace_strict(_REASONS, default=_OTHER_REASON))
        .when("as_root")
        .then(pl.lit(_OTHER_REASON)),
    )
    is_login = told["success"] | told["reason"].is_not_null()
    stray = ~is_login & (said.str.starts_with("USER ") & said.str.contains("ogin", literal=True)).fill_null(False)
    placed = is_ip(told["src_ip"])
    rows = pl.concat([told, messages.select("event_time_us", "host", "pid")], how="horizontal").filter(
        is_login & placed
    )
    reason = pl.when(stray).then(pl.lit(_CUT)).when(is_login & ~placed).then(pl.lit(_NO_ADDRESS)).alias("reason")
    rejects = messages.select("line_index", reason).drop_nulls("reason")
    named = pl.coalesce("unknown", "failed", "user", pl.when("as_root").then(pl.lit("root")))
    consumed = rows["line_index"].to_numpy()
    taken = np.concatenate([consumed, rejects["line_index"].to_numpy()])
    logins = rows.select(
        "line_index",
        "event_time_us",
        "host",
        pl.lit(SERVICE).alias("service"),
        pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), "pid").alias("session_id"),
        pl.when(named != "").then(named).alias("user"),
        "src_ip",
        pl.when("success").then(pl.lit("success")).otherwise(pl.lit("failure")).cast(OUTCOME).alias("outcome"),
        "reason",
        pl.lit("password").alias("auth_method"),
        pl.lit(1, pl.Int32).alias("count"),
    )
    skipped = np.setdiff1d(messages["line_index"].to_numpy(), taken, assume_unique=True).astype(np.uint32)
    return Parsed({LogType.LOGIN: logins}, consumed, skipped, rejects)
