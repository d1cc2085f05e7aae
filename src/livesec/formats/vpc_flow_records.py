"""Records of VPC flow logs, from lines of blank-separated fields to network rows."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from livesec.core.batch import no_rejects
from livesec.core.schema import DIRECTION, VERDICT
from livesec.formats.ip_protocols import protocol_name
from livesec.formats.ip_text import canonical_ip
from livesec.formats.text_times import epoch_us, keep_where
from livesec.formats.typed_fields import Field, Reading, count, divided, port, repeated, text, time, typed_rows, word_of

_DEFAULT: Final = """
version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action
log-status
"""
_CUSTOM: Final = """
vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type
sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn
ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id
ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason
resource-id encryption-status
"""
DEFAULT: Final = tuple(_DEFAULT.split())
NAMES: Final = frozenset(DEFAULT) | frozenset(_CUSTOM.split())
"""Fields that AWS documents, up to version 10."""


def _address(texts: pl.Series) -> Reading:
    values = canonical_ip(texts)
    return Reading(values, values.is_null() if values.null_count() else None)


_FIELDS: Final = (
    Field("start", "event_time_us", time(epoch_us), "no time"),
    Field("source", "src_ip", _address, "no address"),
    Field("target", "dst_ip", _address, "no address"),
    Field("srcport", "src_port", port, "no port number (0 to 65535)"),
    Field("dstport", "dst_port", port, "no port number (0 to 65535)"),
    Field("protocol", "protocol", protocol_name, "no protocol number (0 to 255)"),
    Field("packets", "packets_out", count, "no number of packets"),
    Field("bytes", "bytes_out", count, "no number of bytes"),
    Field("action", "action", word_of({"accept": "allow", "reject": "deny"}, VERDICT), "neither ACCEPT nor REJECT"),
    Field(
        "flow-direction",
        "direction",
        word_of({"ingress": "inbound", "egress": "outbound"}, DIRECTION),
        "neither ingress nor egress",
    ),
    Field("host", "host", text),
)
_OK: Final = "OK"
_NO_FLOW: Final = ("NODATA", "SKIPDATA")
_UNSET: Final = "-"
_US: Final = 1_000_000


class Records(NamedTuple):
    """Network rows; line_index of what says nothing; line_index and reason of what cannot be used."""

    rows: pl.DataFrame
    skipped: pl.Series
    rejects: pl.DataFrame


def read_records(lines: pl.DataFrame, header: tuple[str, ...]) -> Records:
    """Read `lines` (line_index, line) of the fields that `header` names."""
    width = len(header)
    pieces = lines["line"].str.split_exact(" ", width).struct.unnest()
    right = pieces[:, width - 1].is_not_null() & pieces[:, width].is_null()
    wrong = no_rejects()
    index = lines["line_index"]
    if not right.all():
        counts = lines["line"].filter(~right).str.count_matches(" ", literal=True) + 1
        told = pl.select(pl.concat_str(counts, pl.lit(f" fields where {width} are named"))).to_series()
        wrong = pl.DataFrame({"line_index": index.filter(~right), "reason": told})
        pieces, index = pieces.filter(right), index.filter(right)
    texts = pl.DataFrame({name: pieces[:, place] for place, name in enumerate(header)})
    said = texts["log-status"] == _OK if "log-status" in header else pl.repeat(True, len(index), eager=True)
    skipped = index.clear()
    if not said.all():
        nothing = texts["log-status"].is_in(_NO_FLOW)
        odd = ~said & ~nothing
        reason = pl.lit("log-status: none of OK, NODATA, SKIPDATA")
        wrong = pl.concat([wrong, pl.DataFrame({"line_index": index.filter(odd)}).with_columns(reason=reason)])
        skipped = index.filter(nothing)
        texts, index = texts.filter(said), index.filter(said)
    typed = typed_rows(
        _chosen(texts, index),
        _FIELDS,
        end_us=epoch_us(texts["end"]) if "end" in header else repeated(None, len(index), pl.Int64),
        connections=repeated(1, len(index), pl.Int64),
    )
    took_us = typed.rows["end_us"] - typed.rows["event_time_us"]
    rows = typed.rows.drop("end_us").with_columns(duration_s=divided(keep_where(took_us >= 0, took_us), _US))
    return Records(rows, skipped, pl.concat([wrong, typed.rejects]))


def _chosen(texts: pl.DataFrame, index: pl.Series) -> pl.DataFrame:
    """The texts that fields are read of; null where there is nothing."""

    def first_of(*names: str) -> pl.Expr:
        known = [
            pl.when(pl.col(name) != _UNSET).then(name) if (texts[name] == _UNSET).any() else pl.col(name)
            for name in names
            if name in texts.columns
        ]
        return pl.coalesce(known) if known else pl.lit(None, dtype=pl.String)

    return texts.select(
        index,
        first_of("start", "end").alias("start"),
        first_of("pkt-srcaddr", "srcaddr").alias("source"),
        first_of("pkt-dstaddr", "dstaddr").alias("target"),
        first_of("instance-id", "interface-id", "resource-id").alias("host"),
        *(
            first_of(name).alias(name)
            for name in ("srcport", "dstport", "protocol", "packets", "bytes", "action", "flow-direction")
        ),
    )
