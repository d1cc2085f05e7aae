"""The columns of the demo logs and their labels, and frames made of them.

While a world is generated, `timestamp` is a number of microseconds since 1970-01-01 UTC; finished logs hold a
datetime.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate.randomness import IntArray

Value = str | int | bool | pl.Series | IntArray
"""One value for every row, or one per row."""

_Types = dict[str, type[pl.DataType]]

COLUMNS: Final[dict[LogType, _Types]] = {
    LogType.LOGIN: {
        "timestamp": pl.Int64,
        "username": pl.String,
        "ip_address": pl.String,
        "country": pl.String,
        "success": pl.Boolean,
        "user_agent": pl.String,
    },
    LogType.NETWORK: {
        "timestamp": pl.Int64,
        "source_ip": pl.String,
        "dest_ip": pl.String,
        "port": pl.Int64,
        "protocol": pl.String,
        "bytes_sent": pl.Int64,
        "bytes_received": pl.Int64,
        "connections": pl.Int64,
    },
    LogType.FILE_TRANSFER: {
        "timestamp": pl.Int64,
        "username": pl.String,
        "filename": pl.String,
        "file_size": pl.Int64,
        "action": pl.String,
        "destination": pl.String,
    },
}

FILE_NAMES: Final[dict[LogType, str]] = {
    LogType.LOGIN: "login_logs.csv",
    LogType.NETWORK: "network_logs.csv",
    LogType.FILE_TRANSFER: "file_transfer_logs.csv",
}


def rows(log_type: LogType, times_us: IntArray, **values: Value) -> pl.DataFrame:
    """A frame of a log type, one row per time; every other column is named, with one value or one per row."""
    columns = COLUMNS[log_type]
    if set(values) != set(columns) - {"timestamp"}:
        raise ValueError(f"{log_type} rows need {sorted(set(columns) - {'timestamp'})}, got {sorted(values)}")
    frame = pl.DataFrame({"timestamp": times_us}, schema={"timestamp": pl.Int64})
    return frame.with_columns(_column(name, values[name], dtype) for name, dtype in columns.items() if name in values)


def _column(name: str, value: Value, dtype: type[pl.DataType]) -> pl.Expr | pl.Series:
    if isinstance(value, pl.Series):
        return value.cast(dtype).alias(name)
    if isinstance(value, np.ndarray):
        return pl.Series(name, value).cast(dtype)
    return pl.lit(value, dtype=dtype).alias(name)


def login_rows(
    times_us: IntArray, username: Value, ip_address: Value, country: Value, success: Value, user_agent: Value
) -> pl.DataFrame:
    """Rows of login_logs.csv."""
    return rows(
        LogType.LOGIN,
        times_us,
        username=username,
        ip_address=ip_address,
        country=country,
        success=success,
        user_agent=user_agent,
    )


def transfer_rows(
    times_us: IntArray, username: Value, filename: Value, file_size: Value, action: Value, destination: Value
) -> pl.DataFrame:
    """Rows of file_transfer_logs.csv."""
    return rows(
        LogType.FILE_TRANSFER,
        times_us,
        username=username,
        filename=filename,
        file_size=file_size,
        action=action,
        destination=destination,
    )


def empty(log_type: LogType) -> pl.DataFrame:
    """No rows of a log type."""
    return pl.DataFrame(schema=COLUMNS[log_type])


def in_window(frame: pl.DataFrame, start_us: int, end_us: int) -> pl.DataFrame:
    """The rows with start <= timestamp < end."""
    return frame.filter((pl.col("timestamp") >= start_us) & (pl.col("timestamp") < end_us))


def joined(log_type: LogType, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All rows in time order, times cut to whole seconds; rows of one second keep the order they came in."""
    whole = pl.concat([empty(log_type), *frames])
    seconds = whole.with_columns(pl.col("timestamp") // 1_000_000 * 1_000_000)
    return seconds.sort("timestamp", maintain_order=True)
