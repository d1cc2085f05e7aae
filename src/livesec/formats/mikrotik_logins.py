"""Logins to a MikroTik router, as RouterOS logs them."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import no_rejects
from livesec.core.schema import OUTCOME
from livesec.formats.ip_text import canonical_ip
from livesec.formats.plain_regex import groups

_HEAD: Final = r"^(?:[a-z0-9-]+(?:,[a-z0-9-]+)+:? )?"
# The name stands before what the router writes: whatever is typed as a name, the last address is the client's.
_WHENCE: Final = r"(?: from (?P<src_ip>[^ ]+))? via (?P<service>[a-z0-9-]+)$"
_LOGIN: Final = rf"{_HEAD}(?:login failure for user (?P<failed>.*?)|user (?P<in>.+?) logged in){_WHENCE}"
_PLAIN_LOGINS: Final = tuple(  # where RouterOS writes them with three topics, or with none
    rf"^{head}{words} from (?P<src_ip>[^ ]+) via (?P<service>[a-z0-9-]+)$"
    for head in ("", "[a-z0-9-]+,[a-z0-9-]+,[a-z0-9-]+:? ")
    for words in ("login failure for user (?P<failed>.*)", "user (?P<in>.+) logged in")
)
_LOGOUT: Final = rf"{_HEAD}user .+ logged out(?: from [^ ]+)? via [a-z0-9-]+$"
_LOGIN_MARKS: Final = ("login failure for user ", " logged in ", " logged out ")
_NO_LOGIN: Final = "a login that is cut off"


def may_be_logins(message: pl.Series) -> pl.Series:
    """Which messages have words in them that all about logins and logouts have."""
    found = message.str.contains(_LOGIN_MARKS[0], literal=True)
    for mark in _LOGIN_MARKS[1:]:
        found |= message.str.contains(mark, literal=True)
    return found


def login_rows(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Rows, the logouts' line_index, and rejects."""
    message = lines["message"]
    texts = pl.DataFrame(groups(message, _LOGIN, *_PLAIN_LOGINS))
    is_login = texts["service"].is_not_null()
    is_logout = ~is_login & message.str.contains(_LOGOUT)
    is_cut = ~is_login & ~is_logout & message.str.contains(rf"{_HEAD}login failure for user ")
    rows = lines.with_columns(texts).filter(is_login)
    user = pl.coalesce("failed", "in")
    rows = rows.select(
        "line_index",
        "event_time_us",
        "host",
        "service",
        pl.when(user != "").then(user).alias("user"),
        canonical_ip(rows["src_ip"]),
        pl.when(pl.col("failed").is_null())
        .then(pl.lit("success"))
        .otherwise(pl.lit("failure"))
        .cast(OUTCOME)
        .alias("outcome"),
        pl.lit(1, pl.Int32).alias("count"),
    )
    failed = lines.filter(is_cut).select("line_index", reason=pl.lit(_NO_LOGIN))
    return rows, lines["line_index"].filter(is_logout), failed if failed.height else no_rejects()
