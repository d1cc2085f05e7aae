"""Times as log lines write them, read column by column into microseconds since 1970-01-01 UTC.

Every function gives an Int64 series, null where there is no usable time. What a value becomes depends on that value
alone, never on its neighbours, so that batches may be cut anywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from livesec.formats.iso_time import UNREADABLE, clock_readings, iso_readings

EARLIEST_US = 0
"""1970-01-01: earlier times are unset clocks and zero values."""
LATEST_US = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""Later ones would not fit the nanoseconds that pandas and numpy use at the edges (they end in 2262)."""

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_HOUR_US = 60 * _MINUTE_US
_DATE_TIME_BYTES = 19  # of 2026-03-02 00:00:00
# What may follow those: a fraction (digits past the microsecond are cut) and a zone.
_TAIL = (
    r"^(?:[.,](?P<fraction>\d{1,6})\d*)? ?"
    r"(?:(?P<utc>[Zz]|UTC|GMT)|(?P<offset_hours>[+-](?:[01]\d|2[0-3])):?(?P<offset_minutes>[0-5]\d)?)?$"
)
_MICROSECOND_DIGITS = 6
_FRACTION_UTC = r"^[.,][0-9]+[Zz]$"
_MANY = 4  # times as many tails as there are distinct ones: worth finding those
_FRACTION = r"^(?:\.[0-9]+)?$"


def keep_where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """`values` where `mask` holds, null elsewhere."""
    return pl.select(pl.when(mask).then(values).alias(values.name)).to_series()


def possible(time_us: pl.Series) -> pl.Series:
    """`time_us` (Int64) with null for what lies outside the years 1970 to 2199."""
    inside = time_us.is_between(EARLIEST_US, LATEST_US, closed="left")
    return time_us if inside.all() else keep_where(inside, time_us)


def epoch_us(text: pl.Series) -> pl.Series:
    """Seconds since 1970 UTC with a fraction, such as `1521911724.699488`.

    >>> epoch_us(pl.Series(["1521911724.699488", "-", "nan", "1e300"])).to_list()
    [1521911724699488, None, None, None]
    """
    # A double holds the microseconds of these years exactly after rounding (2**53 us reach to the year 2255).
    time_us = (text.cast(pl.Float64, strict=False) * _SECOND_US).round()
    return possible(time_us.cast(pl.Int64, strict=False))


def epoch_ms_us(text: pl.Series) -> pl.Series:
    """Milliseconds since 1970 UTC, also with a fraction, such as `1521911724699`.

    >>> epoch_ms_us(pl.Series(["1521911724699", "1.5", "-", "1e300"])).to_list()
    [1521911724699000, 1500, None, None]
    """
    time_us = (text.cast(pl.Float64, strict=False) * 1000).round()
    return possible(time_us.cast(pl.Int64, strict=False))


def month_first_us(text: pl.Series, zone: str) -> pl.Series:
    """`Sep 17 18:59:02 2025`, the end of C's asctime, local time in `zone`.

    The name of the weekday before it is not read: it can only contradict.

    >>> month_first_us(pl.Series(["Jan  1 00:00:01 1970", "Jan 32 00:00:01 1970"]), "UTC").to_list()
    [1000000, None]
    """
    return utc_of_local(_clock(text, "%b %d %H:%M:%S %Y"), zone)


def iso_us(text: pl.Series, zone: str) -> pl.Series:
    """`2026-03-02 10:00:00`, also with T, a fraction, Z or an offset; local time in `zone` where none is written.

    >>> iso_us(pl.Series(["1970-01-01 00:00:01", "1970-01-01T01:00:01.5+01:00", "soon"]), "UTC").to_list()
    [1000000, 1500000, None]
    """
    found = iso_readings(text)
    read = pl.Series(found.time_us != UNREADABLE)
    all_read = read.all()
    time_us = pl.Series(found.time_us) if all_read else pl.Series(found.time_us).set(~read, None)
    if zone != "UTC" and not found.has_zone.all():
        local = utc_of_local(time_us.cast(pl.Datetime("us")), zone)
        time_us = time_us.zip_with(pl.Series(found.has_zone), local)
    time_us = possible(time_us)
    if all_read:
        return time_us
    dated = text.str.head(_DATE_TIME_BYTES).str.contains("-", literal=True)
    others = (~read & dated).arg_true()
    return time_us.scatter(others, _iso_variant_us(text.gather(others), zone)) if len(others) else time_us


def _iso_variant_us(text: pl.Series, zone: str) -> pl.Series:
    clock = _clock(text.str.slice(0, _DATE_TIME_BYTES).str.replace("[Tt]", " "), "%Y-%m-%d %H:%M:%S")
    tails = text.str.slice(_DATE_TIME_BYTES).alias("tail")
    distinct = tails.unique()  # few, where there are no fractions
    if len(distinct) * _MANY < len(tails):
        read = pl.DataFrame(tails).join(_tails(distinct), on="tail", how="left", maintain_order="left")
    else:
        read = _tails(tails)
    shift_us = read["shift_us"]
    utc = utc_of_local(clock, zone) + shift_us
    if read["with_zone"].any():
        utc = utc.zip_with(~read["with_zone"].fill_null(False), clock.to_physical() + shift_us)
    return possible(keep_where(read["is_tail"], utc))


def _tails(tails: pl.Series) -> pl.DataFrame:
    """What stands behind a clock reading: whether it may, whether it names a zone, how far that and fractions shift."""
    if tails.str.contains(_FRACTION_UTC).all() and tails.null_count() == 0:  # as many programs write it: sooner read
        digits = tails.str.slice(1, 6).str.strip_chars_end("Zz")
        always = pl.repeat(True, len(tails), eager=True)
        shift_us = digits.str.pad_end(6, "0").cast(pl.Int64)
        return pl.DataFrame({"tail": tails, "is_tail": always, "with_zone": always, "shift_us": shift_us})
    parts = tails.str.extract_groups(_TAIL).struct.unnest()
    hours, minutes = (parts[name].cast(pl.Int64).fill_null(0) for name in ("offset_hours", "offset_minutes"))
    west = parts["offset_hours"].str.starts_with("-").fill_null(False).cast(pl.Int64) * -2 + 1
    offset_us = hours * _HOUR_US + west * minutes * _MINUTE_US
    return pl.DataFrame(
        {
            "tail": tails,
            "is_tail": tails.str.contains(_TAIL),
            "with_zone": parts["utc"].is_not_null() | parts["offset_hours"].is_not_null(),
            "shift_us": parts["fraction"].str.pad_end(6, "0").cast(pl.Int64).fill_null(0) - offset_us,
        }
    )


def clock_text_us(text: pl.Series, dash: str, zone: str) -> pl.Series:
    """Clock readings in `zone` as `2026-03-02 00:00:01`, with `dash` in the date, also with a fraction behind them.

    >>> clock_text_us(pl.Series(["1970/01/01 00:00:01.5", "1970/01/01 00:00:01"]), "/", "UTC").to_list()
    [1500000, 1000000]
    """
    found = clock_readings(text, dash)
    read = pl.Series(found != UNREADABLE)
    if read.all():
        return utc_of_local(pl.Series(found).cast(pl.Datetime("us")), zone)
    time_us = utc_of_local(pl.Series(found).set(~read, None).cast(pl.Datetime("us")), zone)
    others = (~read & text.is_not_null()).arg_true()
    return time_us.scatter(others, _loose_clock_us(text.gather(others), dash, zone)) if len(others) else time_us


def _loose_clock_us(text: pl.Series, dash: str, zone: str) -> pl.Series:
    """As `clock_text_us`, of what only strptime reads."""
    time_us = utc_of_local(_clock(text.str.slice(0, _DATE_TIME_BYTES), f"%Y{dash}%m{dash}%d %H:%M:%S"), zone)
    tail = text.str.slice(_DATE_TIME_BYTES)
    fraction_us = (
        tail.str.slice(1, _MICROSECOND_DIGITS).str.pad_end(_MICROSECOND_DIGITS, "0").cast(pl.Int64, strict=False)
    )
    return keep_where(tail.str.contains(_FRACTION), time_us + fraction_us)


def utc_of_local(clock: pl.Series, zone: str) -> pl.Series:
    """Clock readings in `zone` (Datetime, us) as Int64 us UTC.

    A reading that came twice, when the clock was put back, is taken as the first; one that never came, when it was put
    forward, as if it had not been: a source set to other rules still writes it.

    >>> clock = pl.Series([datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)])
    >>> [str(datetime.fromtimestamp(us / 1e6, UTC)) for us in utc_of_local(clock, "Europe/Paris")]
    ['2026-03-29 00:30:00+00:00', '2026-03-29 01:30:00+00:00', '2026-10-25 00:30:00+00:00']
    """
    readings = possible(clock.to_physical())
    if zone == "UTC":
        return readings
    utc = _localised(readings, zone)
    if utc.null_count() > readings.null_count():
        utc = utc.zip_with(utc.is_not_null(), _localised(readings + _HOUR_US, zone))
    return possible(utc)


def _localised(readings_us: pl.Series, zone: str) -> pl.Series:
    clock = readings_us.cast(pl.Datetime("us"))
    return clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").to_physical()


def _clock(text: pl.Series, layout: str) -> pl.Series:
    return text.str.to_datetime(layout, time_unit="us", strict=False, cache=False)
