"""What the Security events of Windows mean, whatever they are written in: see windows_security."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import Parsed
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import ip_address, whole_number

DATA: Final = (
    "TargetUserName",
    "IpAddress",
    "IpPort",
    "LogonType",
    "Status",
    "SubStatus",
    "TargetLogonId",
    "WorkstationName",
    "Workstation",
    "TargetLinkedLogonId",
    "ElevatedToken",
)
"""Fields of an event's data that are read."""
TIMES: Final = ("@timestamp", "SystemTime", "EventTime")
"""Where the time may stand, the first that says one counts; the last is in the zone of the source."""
_LOGIN: Final = "4624"
_FAILURES: Final = ("4625", "4768", "4771", "4776")
READ_IDS: Final = (_LOGIN, *_FAILURES)
"""Of all other events, only id and channel are looked at."""
_METHODS: Final = {
    "2": "interactive",
    "3": "network",
    "4": "batch",
    "5": "service",
    "7": "unlock",
    "8": "network_cleartext",
    "9": "new_credentials",
    "10": "remote_interactive",
    "11": "cached_interactive",
    "12": "cached_remote_interactive",
    "13": "cached_unlock",
}
_OF_NO_PERSON: Final = ("4", "5", "9")
"""The third starts a program with other credentials for the network; who starts it is logged in already."""
_NO_LINK: Final = ("", "-", "0x0", "0")
_LIMITED: Final = ("%%1843", "no", "false")
_OWN_ACCOUNTS: Final = r"(?i)^(?:system|anonymous logon|local service|network service|iusr|(?:dwm|umfd)-[0-9]+|-|.*\$)$"
_REASONS: Final = {  # NTSTATUS of 4625 and 4776, and Kerberos error codes of 4768 and 4771
    "0xc000006a": "bad_credentials",
    "0xc000006d": "bad_credentials",
    "0x18": "bad_credentials",
    "0xc0000064": "invalid_user",
    "0x6": "invalid_user",
    "0xc0000234": "locked",
    "0xc0000072": "disabled",
    "0x12": "disabled",
    "0xc0000193": "expired",
    "0xc0000071": "password_expired",
    "0xc0000224": "password_expired",
    "0x17": "password_expired",
    "0xc000006f": "not_allowed",
    "0xc0000070": "not_allowed",
    "0xc000015b": "not_allowed",
    "0xc000006e": "not_allowed",
    "0xc": "not_allowed",
    "0xc0000133": "clock_skew",
    "0x25": "clock_skew",
}
_SUCCESS_CODES: Final = ("0x0", "0")
_NO_KIND: Final = "an event without an EventID and a Channel that can be read"
_NO_DATA: Final = "an event whose data cannot be read: no TargetUserName"
_NO_TIME: Final = "an event without a time that can be read in @timestamp, SystemTime or EventTime"
_PORT: Final = whole_number(1, 65_535, pl.Int32)


def parsed(events: pl.DataFrame, zone: str, failed: pl.DataFrame) -> Parsed:
    """Login rows of `events`: line_index and String columns id, channel, host, those of DATA and those of TIMES.

    `failed`: rejects found before. What has neither an id nor a channel is left.
    """
    code = pl.coalesce(_code("SubStatus"), _code("Status"), pl.lit(""))
    person = ~pl.col("TargetUserName").str.contains(_OWN_ACCOUNTS)
    refused = pl.col("id").is_in(_FAILURES) & ((pl.col("id") == "4625") | ~code.is_in(_SUCCESS_CODES))
    told_twice = ~pl.col("TargetLinkedLogonId").is_in(_NO_LINK) & (
        pl.col("ElevatedToken").str.to_lowercase().is_in(_LIMITED)
    )
    by_person = pl.col("LogonType").is_in([code for code in _METHODS if code not in _OF_NO_PERSON])
    login = (pl.col("id") == _LOGIN) & by_person & ~told_twice.fill_null(False)
    security = pl.col("channel").str.to_lowercase() == "security"
    problem = (
        pl.when(pl.col("id").is_null() | pl.col("channel").is_null())
        .then(pl.lit(_NO_KIND))
        .when(security & pl.col("id").is_in(READ_IDS) & pl.col("TargetUserName").is_null())
        .then(pl.lit(_NO_DATA))
    )
    wanted = (security & ((login & person) | refused)).fill_null(False)
    events = events.filter(pl.col("id").is_not_null() | pl.col("channel").is_not_null())
    events = events.with_columns(code=code, wanted=wanted, problem=problem)
    unread = events.filter(pl.col("problem").is_not_null()).select("line_index", reason="problem")
    skipped = events.filter(~pl.col("wanted") & pl.col("problem").is_null())["line_index"]
    events = events.filter(pl.col("wanted") & pl.col("problem").is_null())
    times = _times(events, zone)
    timeless = events.filter(times.is_null()).select("line_index", reason=pl.lit(_NO_TIME))
    rows = _rows(events.with_columns(times.alias("event_time_us")).filter(times.is_not_null()))
    return Parsed(
        {LogType.LOGIN: rows},
        consumed=rows["line_index"].to_numpy(),
        skipped=skipped.to_numpy(),
        rejects=pl.concat([failed, unread, timeless]).sort("line_index"),
    )


def _code(name: str) -> pl.Expr:
    """A status code in lower case; null where it says nothing (0x0 beside another code says nothing either)."""
    code = pl.col(name).str.to_lowercase()
    return pl.when(~code.is_in(["0x0", "-", ""]) if name == "SubStatus" else code.is_not_null()).then(code)


def _times(events: pl.DataFrame, zone: str) -> pl.Series:
    times = iso_us(events[TIMES[0]], "UTC")
    for name in TIMES[1:]:
        if times.null_count():
            times = times.zip_with(times.is_not_null(), iso_us(events[name], zone))
    return times


def _rows(events: pl.DataFrame) -> pl.DataFrame:
    source = ip_address(events["IpAddress"].str.replace(r"%.*$", "")).values
    port = _PORT(events["IpPort"]).values
    is_login = events["id"] == _LOGIN
    outcome = pl.select(
        pl.when(is_login).then(pl.lit("success")).otherwise(pl.lit("failure")).cast(OUTCOME)
    ).to_series()
    stated = pl.coalesce("WorkstationName", "Workstation")
    return events.select(
        "line_index",
        "event_time_us",
        "host",
        pl.lit("windows").alias("service"),
        pl.when(pl.lit(is_login)).then(pl.col("TargetLogonId")).alias("session_id"),
        pl.when(~pl.col("TargetUserName").is_in(["", "-"])).then("TargetUserName").alias("user"),
        source.alias("src_ip"),
        port.alias("src_port"),
        outcome.alias("outcome"),
        pl.when(pl.lit(~is_login))
        .then(pl.col("code").replace_strict(_REASONS, default=pl.col("code")))
        .alias("reason"),
        pl.col("LogonType").replace_strict(_METHODS, default=None, return_dtype=pl.String).alias("auth_method"),
        pl.when(~stated.is_in(["", "-"])).then(stated).alias("client"),
        pl.lit(1, pl.Int32).alias("count"),
    )
