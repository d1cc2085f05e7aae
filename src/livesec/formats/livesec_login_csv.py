"""login_logs.csv: timestamp,username,ip_address,country,success,user_agent.

Read: all six. `country` is an English name or an ISO 3166-1 code; another text leaves the country to be found by the
address. An empty `success` is an attempt whose end is not told. Not read: records over several lines.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from livesec.core.country_names import iso_code
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.csv_log import LOGIN_HEADER, CsvLog
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import (
    Field,
    Reading,
    TypedRows,
    address,
    repeated,
    text,
    time,
    typed_rows,
    word_of,
)

_OUTCOMES: Final = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "y", "t", "success", "succeeded", "ok"), "success"),
    **dict.fromkeys(("false", "0", "0.0", "no", "n", "f", "failure", "failed", "fail"), "failure"),
}
_read_outcome = word_of(_OUTCOMES, OUTCOME)


def _outcome(texts: pl.Series) -> Reading:
    known = _read_outcome(texts)
    if known.values.null_count() == 0:
        return known
    return Reading(known.values.fill_null("attempt"), known.bad)


def _country(texts: pl.Series) -> Reading:
    names = texts.unique().drop_nulls()
    return Reading(texts.replace_strict(names, names.map_elements(iso_code, pl.String), default=None))


class LivesecLoginCsv(CsvLog):
    """Logins, one per line."""

    name = "livesec_login_csv"
    title = "login_logs.csv (header line with timestamp, username, ip_address, success)"
    log_types = (LogType.LOGIN,)
    header = LOGIN_HEADER

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of login events."""
        return typed_rows(
            texts,
            (
                Field("timestamp", "event_time_us", time(partial(iso_us, zone=time_zone)), "no time"),
                Field("username", "user", text),
                Field("ip_address", "src_ip", address),
                Field("country", "country", _country),
                Field("success", "outcome", _outcome, "neither true nor false"),
                Field("user_agent", "client", text),
            ),
            count=repeated(1, len(texts), pl.Int32),
        )


FORMAT = LivesecLoginCsv()
