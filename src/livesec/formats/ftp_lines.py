"""What vsftpd's two logs have in common: the date in front of each line."""

from __future__ import annotations

import polars as pl

_DATED = (
    r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<clock>[A-Z][a-z]{2} [ 0-9]?[0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}) "
    r"(?P<rest>.*)$"
)
_WEEKDAYS = ("Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun ")


def dated(lines: pl.DataFrame) -> pl.DataFrame:
    """Those of `lines` that start like `Wed Sep 17 18:59:02 2025 `: line_index, clock (`Sep 17 ...`) and rest."""
    own = lines["line"].str.head(4).is_in(_WEEKDAYS)
    if not own.any():
        return pl.DataFrame(schema={"line_index": pl.UInt32, "clock": pl.String, "rest": pl.String})
    suspects = lines.filter(own)
    parts = suspects["line"].str.extract_groups(_DATED).struct.unnest()
    return parts.insert_column(0, suspects["line_index"]).filter(pl.col("clock").is_not_null())
