"""file_transfer_logs.csv: timestamp,username,filename,file_size,action,destination.

Read: all six. An `action` that the schema has no word for is null; the event stays.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from livesec.core.schema import FILE_ACTION, LogType
from livesec.formats.csv_log import TRANSFER_HEADER, CsvLog
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import Field, Reading, TypedRows, count, text, time, typed_rows, word_of

_ACTIONS: Final = {word: word for word in FILE_ACTION.categories}
_read_action = word_of(_ACTIONS, FILE_ACTION)


def _action(texts: pl.Series) -> Reading:
    return Reading(_read_action(texts).values)


class LivesecTransferCsv(CsvLog):
    """File transfers, one per line."""

    name = "livesec_transfer_csv"
    title = "file_transfer_logs.csv (header line with timestamp, username, filename, file_size)"
    log_types = (LogType.FILE_TRANSFER,)
    header = TRANSFER_HEADER

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of file transfers."""
        return typed_rows(
            texts,
            (
                Field("timestamp", "event_time_us", time(partial(iso_us, zone=time_zone)), "no time"),
                Field("username", "user", text),
                Field("filename", "path", text),
                Field("file_size", "bytes", count, "no number of bytes"),
                Field("action", "action", _action),
                Field("destination", "destination", text),
            ),
        )


FORMAT = LivesecTransferCsv()
