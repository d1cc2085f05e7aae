"""Zeek's notice.log: what its policies found worth a note, tab-separated or JSON.

    {"ts":1772409600.25,"note":"SSH::Password_Guessing","msg":"192.0.2.1 appears to be ..","src":"192.0.2.1",..}

Read: ts, uid, src (else id.orig_h), id.orig_p, dst (else id.resp_h), p (else id.resp_p), proto, and the note as the
rule, as what an inspection saw: action deny where Zeek had the source dropped (Notice::ACTION_DROP), else allow. As
with Suricata's alerts, a row is no connection; the message is in the evidence, not in a column. Skipped: notices
without a source, which are about Zeek itself (CaptureLoss::Too_Much_Loss). Not read: n, sub, actions, files, the place
that Zeek looked up, and notice_alarm.log, which tells some notices again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import VERDICT, LogType
from livesec.formats.typed_fields import Field, TypedRows, ip_address, lower_text, needed, port, text, typed_rows
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import CONNECTION, ORIGINATOR_PORT, TIME

_PORT_PROBLEM: Final = "no port number (0 to 65535)"
_FIELDS: Final = (
    TIME,
    CONNECTION,
    Field("src", "src_ip", needed(ip_address), "no address"),
    ORIGINATOR_PORT,
    Field("dst", "dst_ip", ip_address),
    Field("p", "dst_port", port, _PORT_PROBLEM),
    Field("proto", "protocol", lower_text),
    Field("note", "rule", text),
)
_ELSE: Final = {"src": "id.orig_h", "dst": "id.resp_h", "p": "id.resp_p"}
_DROP: Final = "Notice::ACTION_DROP"


class ZeekNotice(ZeekLog):
    """Zeek's notices."""

    name = "zeek_notice"
    title = "Zeek notice.log (tab-separated or JSON)"
    log_types = (LogType.NETWORK,)
    log = "notice"
    fields = (*(field.name for field in _FIELDS), *_ELSE.values(), "actions")

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each notice that names who caused it."""
        texts = texts.with_columns(pl.coalesce(name, other).alias(name) for name, other in _ELSE.items())
        told = texts.filter(texts["src"].is_not_null())
        dropped = told["actions"].str.contains(_DROP, literal=True).fill_null(False)
        action = pl.when(dropped).then(pl.lit("deny")).otherwise(pl.lit("allow")).cast(VERDICT)
        return [(LogType.NETWORK, typed_rows(told, _FIELDS, action=pl.select(action).to_series()))]


FORMAT = ZeekNotice()
