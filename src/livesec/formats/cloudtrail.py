"""AWS CloudTrail: sign-ins, roles taken on, shell access, and what is done with objects in S3.

    {"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"ann",...},"eventName":"ConsoleLogin",...}

One event a line, the files that CloudTrail delivers (`{"Records":[...]}`, on one line or many), arrays of events over
one or many lines, events written over several lines, one after another.

Read as logins: ConsoleLogin; AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity, AssumeRoot, GetSessionToken,
GetFederationToken, SwitchRole; SendSSHPublicKey, SendSerialConsoleSSHPublicKey (EC2 Instance Connect) and
StartSession, ResumeSession (Systems Manager). Read as file transfers, of S3's events: GetObject, GetObjectTorrent
(download); PutObject, PostObject, CompleteMultipartUpload (upload, the latter without bytes); CopyObject (copy);
DeleteObject, DeleteObjects (delete, the latter without a key); ListObjects, ListObjectsV2, ListObjectVersions,
ListBuckets and SelectObjectContent (read). The path is `s3://bucket/key`. CloudTrail logs reads and writes of objects
only where data events are switched on.

The user is userName, `root` for the root user, the session's name for a role, the account where the log has no more;
null for anonymous requests and for names that AWS hides because they may be a password. The host is the account the
event was delivered to, the service is eventSource, key_id of a login is the access key it was made with. Where an AWS
service made the request src_ip is null and client names the service. A failed request moved no bytes.

Skipped: all other events, and roles that AWS services take on by themselves. Not read: UploadPart (one upload is one
CompleteMultipartUpload), events inside EventBridge's envelope (`"detail":`), Insights, digests. Lines of an event over
1 MiB are rejects. Of a line with several events those that can be used are; it is a reject if there are none and one
is broken. A one-line file over 64 KiB is read as a line per event by replay and check; where it is watched, only its
first 1 MiB is.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.commands import Platform
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.cloudtrail_events import NAMES, PATHS, login_rows, transfer_rows, typed_events
from livesec.formats.json_documents import OpenDocument, RecordKind, frame
from livesec.formats.json_lines import json_fields

_TELLING: Final = ('"eventSource"', '"eventName"', '"awsRegion"')
_KEYS: Final = """
eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode
errorMessage requestParameters responseElements additionalEventData requestID eventID readOnly resources
eventType managementEvent recipientAccountId eventCategory tlsDetails sharedEventID vpcEndpointId
vpcEndpointAccountId serviceEventDetails sessionCredentialFromConsole edgeDeviceDetails apiVersion
addendum insightDetails @version @timestamp
"""
_KIND: Final = RecordKind(
    keys=frozenset(_KEYS.split()),
    telling=_TELLING[:2],
)
_STARTS: Final = ('{"eventVersion"', '{"userIdentity"', '{"additionalEventData"', '{"awsRegion"')
_QUOTED_NAMES: Final = [f'"{name}"' for name in NAMES]


class CloudTrail(Format[OpenDocument]):
    """CloudTrail's events. The state is the document that is open at the end of a batch."""

    name = "cloudtrail"
    title = "AWS CloudTrail (JSON)"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.ANY  # lines inside of documents need not begin with a bracket
    platform = Platform.AWS
    order = 45

    def initial(self, stream: StreamInfo) -> OpenDocument:
        """No document open."""
        return OpenDocument()

    def parse(self, state: OpenDocument, stream: StreamInfo, lines: pl.DataFrame) -> tuple[OpenDocument, Parsed]:
        """Take events and the documents that they are in."""
        framed = frame(state, lines, _KIND)
        line = framed.others["line"]
        single = line.str.contains(_TELLING[0], literal=True)
        if single.any():
            for word in _TELLING[1:]:
                single &= line.str.contains(word, literal=True)
            single &= line.str.strip_chars_start(" \t").str.starts_with("{")
        singles = framed.others.filter(single)
        if singles.height == 0 and framed.records.height == 0 and not framed.parts and not framed.rejects:
            return state, NOTHING_PARSED
        parsed = _parsed(pl.concat([singles, framed.records]), singles.height)
        rejects = pl.DataFrame(framed.rejects, schema=no_rejects().schema, orient="row")
        return state, Parsed(
            parsed.rows,
            np.sort(np.concatenate([parsed.consumed, np.array(framed.parts, dtype=np.uint32)])),
            parsed.skipped,
            pl.concat([parsed.rejects, rejects]).sort("line_index"),
        )

    def to_bytes(self, state: OpenDocument) -> bytes:
        """The open document."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> OpenDocument:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return OpenDocument.from_bytes(blob)


def _parsed(records: pl.DataFrame, singles: int) -> Parsed:
    """Rows of `records` (line_index, line), of which the first `singles` have a line of their own each."""
    line_of = records["line_index"]
    numbered = records.with_columns(line_index=pl.int_range(records.height, dtype=pl.UInt32))
    fields, failed = json_fields(numbered.filter(_of_interest(records["line"])), PATHS)
    nameless = fields["eventName"].is_null()
    others = fields["line_index"].filter(nameless & (fields["line_index"] < singles))  # objects around an event
    events, timeless = typed_events(fields.filter(~nameless))
    rows = {LogType.LOGIN: login_rows(events), LogType.FILE_TRANSFER: transfer_rows(events)}
    told = pl.concat([frame["line_index"] for frame in rows.values()]).sort()
    row_in_line = _ordinals(line_of.gather(told))
    placed = {kind: _placed(frame, line_of, told, row_in_line) for kind, frame in rows.items()}
    consumed = line_of.gather(told).unique()
    bad = pl.concat([failed, timeless]).with_columns(
        line_index=line_of.gather(pl.concat([failed, timeless])["line_index"])
    )
    bad = bad.filter(~bad["line_index"].is_in(consumed.implode())).unique(
        "line_index", keep="first", maintain_order=True
    )
    taken = pl.concat([consumed, bad["line_index"], line_of.gather(others)])
    skipped = line_of.unique().filter(~line_of.unique().is_in(taken.implode()))
    return Parsed(placed, consumed.sort().to_numpy(), skipped.sort().to_numpy(), bad)


def _of_interest(line: pl.Series) -> pl.Series:
    """All but whole events that name none of those that give rows: most of them, and no need to read them."""
    plain = line.str.ends_with("}")
    started = pl.repeat(False, len(line), eager=True)
    for start in _STARTS:
        started |= line.str.starts_with(start)
    plain &= started
    return ~plain | line.str.contains_any(_QUOTED_NAMES) if plain.any() else ~plain


def _ordinals(lines: pl.Series) -> pl.Series:
    """0, 1, ... within each run of equal `lines`."""
    return pl.DataFrame({"line": lines}).select(pl.int_range(pl.len(), dtype=pl.Int32).over("line")).to_series()


def _placed(rows: pl.DataFrame, line_of: pl.Series, told: pl.Series, row_in_line: pl.Series) -> pl.DataFrame:
    at = told.search_sorted(rows["line_index"])
    return rows.with_columns(line_index=line_of.gather(rows["line_index"]), row_in_line=row_in_line.gather(at))


FORMAT = CloudTrail()
