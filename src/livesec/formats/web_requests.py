"""Which requests to a web server move a file, or were refused one, and the rows they give."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.schema import FILE_ACTION, OUTCOME

_ACTIONS: Final = {"GET": "download", "PUT": "upload", "POST": "upload", "PATCH": "upload", "DELETE": "delete"}
_REFUSED: Final = ("401", "403", "404")
_TOO_LARGE: Final = "413"


def of_files(requests: pl.DataFrame) -> pl.DataFrame:
    """Those of `requests` (method, path, status and bytes as texts) that are about files.

    With further columns action, moved (else refused) and size.
    """
    status, action = pl.col("status"), pl.col("method").replace_strict(_ACTIONS, default=None, return_dtype=FILE_ACTION)
    size = pl.col("bytes").cast(pl.Int64, strict=False)
    moved = status.str.starts_with("2") & ((pl.col("method") != "GET") | (size > 0))
    refused = status.is_in(_REFUSED) | ((status == _TOO_LARGE) & (action == "upload"))
    told = requests.with_columns(action=action, size=size, moved=moved.fill_null(False), refused=refused)
    return told.filter(pl.col("action").is_not_null() & (pl.col("moved") | pl.col("refused")) & (pl.col("path") != ""))


def transfer_rows(told: pl.DataFrame, *more: pl.Expr | pl.Series) -> pl.DataFrame:
    """Rows of what `of_files` gave (with line_index, event_time_us, http), and `more` columns.

    `size` is that of the answer, and of an upload only where the request was not over HTTP; `size_in` is that of the
    request where the log has it.
    """
    download, upload = pl.col("action") == "download", pl.col("action") == "upload"
    knows_uploads = "size_in" in told.columns
    uploaded = pl.when(pl.col("http")).then("size_in" if knows_uploads else pl.lit(None, pl.Int64)).otherwise("size")
    return told.select(
        "line_index",
        "event_time_us",
        *more,
        "path",
        pl.when(pl.col("refused") & (download | (upload & knows_uploads)))
        .then(0)
        .when(download)
        .then("size")
        .when(upload)
        .then(uploaded)
        .alias("bytes"),
        "action",
        pl.when("http").then(pl.lit("http")).alias("protocol"),
        pl.when("moved").then(pl.lit("success")).otherwise(pl.lit("failure")).cast(OUTCOME).alias("outcome"),
    )
