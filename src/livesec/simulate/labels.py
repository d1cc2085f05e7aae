"""labels.csv: what the campaigns of a demo world did, so that detectors can be scored.

One row per stage of a campaign and entity, and per day where a stage pauses overnight. `user`, `src_ip` and
`dst_ip` name the entity; empty (null) means "not part of it". Every one of the `events` rows lies between
`start` and `end` (both inclusive) in the log of `log_type` and carries all named parts. A finding belongs to
a row when it names one of its parts and lies in that time (and a little after); a campaign is found when one
finding belongs to one of its rows; what belongs to none is a false alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from livesec.simulate.stage import Stage, Strength

FILE_NAME: Final = "labels.csv"

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "campaign_id": pl.String,
    "campaign": pl.String,
    "strength": pl.String,
    "stage": pl.String,
    "log_type": pl.String,
    "user": pl.String,
    "src_ip": pl.String,
    "dst_ip": pl.String,
    "start": pl.Datetime("us"),
    "end": pl.Datetime("us"),
    "events": pl.Int64,
}


def label_rows(campaign_id: str, campaign: str, strength: Strength, stages: Iterable[Stage]) -> pl.DataFrame:
    """One row per labelled stage that has events; times are cut to whole seconds, as in the logs."""
    rows = [
        (
            campaign_id, campaign, str(strength), stage.name, str(stage.log_type),
            stage.user or None, stage.src_ip or None, stage.dst_ip or None,
            stage.rows["timestamp"].min(), stage.rows["timestamp"].max(), stage.rows.height,
        )
        for stage in stages
        if stage.labelled and stage.rows.height
    ]  # fmt: skip
    whole = {"start": pl.Int64, "end": pl.Int64}
    frame = pl.DataFrame(rows, schema={**SCHEMA, **whole}, orient="row")
    return frame.with_columns((pl.col(name) // 1_000_000 * 1_000_000).cast(pl.Datetime("us")) for name in whole)


def no_labels() -> pl.DataFrame:
    """An empty table of labels."""
    return pl.DataFrame(schema=SCHEMA)
