"""What vsftpd's two logs have in common: the date in front of each line."""

from __future__ import annotations

import polars as pl

from livesec.formats.plain_regex import plain_groups

_DATED = (
    r"^[A-Z][a-z]{2} (?P<clock>[A-Z][a-z]{2} [ 0-9]?[0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}) "
    r"(?P<rest>.*)$"
)
_WEEKDAYS = ("Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun ")


def dated(lines: pl.DataFrame) -> pl.DataFrame:
    """Those of `lines` that start like `Wed Sep 17 18:59:02 2025 `: line_index, clock (`Sep 17 ...`) and rest."""
    own = lines["line"].str.head(4).is_in(_WEEKDAYS)
    if not own.any():
        return pl.DataFrame(schema={"line_index": pl.UInt32, "clock": pl.String, "rest": pl.String})
    suspects = lines.filter(own)
    parts = pl.DataFrame({"line_index": suspects["line_index"], **plain_groups(suspects["line"], _DATED)})
    return parts.filter(pl.col("clock").is_not_null())
