"""What Argus' states of TCP flows, such as `S_RA`, say in Zeek's words."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

_FLAGS: Final = re.compile("([FSRPAUEC]*)_([FSRPAUEC]*)")


def zeek_states(texts: pl.Series, names: pl.Series, back: pl.Series) -> pl.Series:
    """Zeek's conn_state of TCP flows, by the flags that each end sent; `back`: the second end opened it.

    >>> texts = pl.Series(["S_", "S_RA", "S_RA", "FSPA_FSPA", "CON"])
    >>> zeek_states(texts, pl.Series(["tcp"] * 5), pl.Series([False, False, True, False, False])).to_list()
    ['S0', 'REJ', 'OTH', 'SF', None]
    """
    distinct = texts.unique().drop_nulls()
    both = [way for state in distinct for way in _both_ways(state)]
    places = pl.int_range(0, len(both), 2, eager=True)
    forth = texts.replace_strict(distinct, places, default=None, return_dtype=pl.Int64)
    state = pl.Series(both, dtype=pl.String).gather(forth + back.cast(pl.Int64))
    return pl.select(pl.when(names == "tcp").then(state)).to_series()


def _both_ways(state: str) -> tuple[str | None, str | None]:
    """The state if the first end opened the connection, and if the second did."""
    flags = _FLAGS.fullmatch(state)
    if flags is None:
        return None, None
    return _zeek_state(flags[1], flags[2]), _zeek_state(flags[2], flags[1])


def _zeek_state(out: str, back: str) -> str:
    if "S" not in out:
        return "OTH"
    if "R" in back:
        return "RSTR" if "S" in back else "REJ"
    if "R" in out:
        return "RSTO" if "S" in back else "RSTOS0"
    if "S" not in back:
        return "S0"
    return "SF" if "F" in out and "F" in back else "S1"
