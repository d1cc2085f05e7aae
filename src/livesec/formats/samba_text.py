"""The lines of Samba's authentication audit for people, taken apart."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.formats.text_times import keep_where, utc_of_local

MARK: Final = "Auth: ["
BROKEN: Final = "an authentication that is cut off or can be read in more than one way"
NO_TIME: Final = "no such time"
# What ends each piece of a line that is cut at its opening brackets, if no name holds one.
_ENDS: Final = (
    *("Auth: ", "] user ", "]\\", "] at ", "] with ", "] status ", "] workstation ", "] remote host ", "] mapped to "),
    *("]\\", "]. local host "),
)
_BECAME: Final = {8: "] became ", 10: "] ", 11: "]. local host "}
_USER, _CLOCK, _METHOD, _STATUS, _CLIENT, _REMOTE = 3, 4, 5, 6, 7, 8
_FIELDS: Final = {"user": _USER, "clock": _CLOCK, "method": _METHOD, "status": _STATUS, "client": _CLIENT}
_LAST: Final = r"^[^\[\]]*\] ?$"
_CAREFUL: Final = (
    r"^Auth: \[[^\]]*\] user \[[^\]]*\]\\\[(?P<user>.*)\] at \[(?P<clock>[^\]]*)\] with "
    r"\[(?P<method>[^\]]*)\] status \[(?P<status>NT_STATUS_[A-Z0-9_]+)\] workstation \[(?P<client>.*)\] remote host "
    r"\[(?P<remote>[^\]]*)\] (?:became|mapped) .*local host \[[^\]]*\] ?$"
)
_STATUSES: Final = r"\] status \[NT_STATUS_"
_REMOTES: Final = r"\] remote host \["
_WEEKDAY_CHARACTERS: Final = 5  # "Mon, "
_WHEN: Final = r"^(.*) ([A-Za-z]{2,6}|[+-][0-9]{2}(?:[0-9]{2})?)$"
_OFFSET: Final = r"^([+-])([0-9]{2})([0-9]{2})?$"
_MINUTE_US: Final = 60_000_000


def taken_apart(lines: pl.DataFrame, zone: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of `lines` (line_index, line, which begin with MARK); line_index and reason of the others.

    Events have event_time_us and the texts user, status, remote, method and client.
    """
    pieces = lines["line"].str.split_exact("[", len(_ENDS) + 2).struct.unnest()
    became = pieces[:, 8].str.ends_with(_BECAME[8])
    plain = pieces[:, len(_ENDS)].is_not_null() & (pieces[:, len(_ENDS) + 2].is_null())
    for place, end in enumerate(_ENDS):
        ends = pieces[:, place].str.ends_with(end)
        other = _BECAME.get(place)
        plain &= ends if other is None else ends.zip_with(~became, pieces[:, place].str.ends_with(other))
    last = pieces[:, 11].zip_with(~became, pieces[:, 12])
    plain &= last.str.contains(_LAST) & (became == pieces[:, 12].is_not_null())
    plain &= ~became | pieces[:, 11].str.ends_with(_BECAME[11])
    plain &= pieces[:, _STATUS].str.starts_with("NT_STATUS_")
    plain = plain.fill_null(False)
    texts = pieces.filter(plain).select(
        lines["line_index"].filter(plain),
        *(pl.nth(place).str.strip_suffix(_ENDS[place]).alias(name) for name, place in _FIELDS.items()),
        pl.nth(_REMOTE).str.strip_suffix(_ENDS[8]).str.strip_suffix(_BECAME[8]).alias("remote"),
    )
    broken = lines.clear().select("line_index")
    if not plain.all():
        careful = _read_carefully(lines.filter(~plain))
        texts = pl.concat([texts, careful.drop_nulls("status")]).sort("line_index")
        broken = careful.filter(pl.col("status").is_null()).select("line_index")
    events = texts.with_columns(_time_us(texts["clock"], zone).alias("event_time_us"))
    timeless = events.filter(pl.col("event_time_us").is_null()).select("line_index", reason=pl.lit(NO_TIME))
    failed = pl.concat([broken.with_columns(reason=pl.lit(BROKEN)), timeless]).sort("line_index")
    return events.drop("clock").drop_nulls("event_time_us"), failed


def _read_carefully(lines: pl.DataFrame) -> pl.DataFrame:
    """Texts of lines with brackets in names; without a status where there are several readings or none."""
    texts = lines["line"].str.extract_groups(_CAREFUL).struct.unnest().insert_column(0, lines["line_index"])
    # A name that holds these words itself makes a second reading: better none than the wrong one.
    single = (lines["line"].str.count_matches(_STATUSES) == 1) & (lines["line"].str.count_matches(_REMOTES) == 1)
    return texts.with_columns(keep_where(single, texts["status"]).alias("status")).select(
        "line_index", *_FIELDS, "remote"
    )


def _time_us(clock: pl.Series, zone: str) -> pl.Series:
    """`Mon, 02 Mar 2026 00:00:01.5 UTC`; a zone that is another name is that of the source."""
    when = clock.str.slice(_WEEKDAY_CHARACTERS)
    in_utc = when.str.ends_with(" UTC")
    reading = when.str.strip_suffix(" UTC")
    if in_utc.all():
        return utc_of_local(_clock(reading), "UTC")
    parts = when.str.extract_groups(_WHEN).struct.unnest()
    reading = reading.zip_with(in_utc, parts["1"])
    named_utc = parts["2"].is_in(["UTC", "GMT"])
    shift = parts["2"].str.extract_groups(_OFFSET).struct.unnest()
    minutes = shift["2"].cast(pl.Int64) * 60 + shift["3"].cast(pl.Int64).fill_null(0)
    offset_us = minutes * _MINUTE_US * pl.select(pl.when(shift["1"] == "-").then(-1).otherwise(1)).to_series()
    read = _clock(reading)
    absolute = utc_of_local(read, "UTC")
    times = pl.when(named_utc | in_utc).then(absolute).when(offset_us.is_not_null()).then(absolute - offset_us)
    return pl.select(times.otherwise(utc_of_local(read, zone))).to_series()


def _clock(texts: pl.Series) -> pl.Series:
    return texts.str.to_datetime("%d %b %Y %H:%M:%S%.f", time_unit="us", strict=False, cache=False)
