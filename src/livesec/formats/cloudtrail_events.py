"""CloudTrail's events, from the texts of their fields to login and file-transfer rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from livesec.core.schema import FILE_ACTION, OUTCOME
from livesec.formats.json_scan import Path
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import count, ip_address

NO_TIME: Final = "eventTime: no time"
_REQUEST: Final = "requestParameters"
_MORE: Final = "additionalEventData"
_WHO: Final = "userIdentity"

PATHS: Final[Mapping[str, Path]] = {
    **{
        name: (name,)
        for name in (
            "eventTime",
            "@timestamp",
            "eventSource",
            "eventName",
            "sourceIPAddress",
            "userAgent",
            "errorCode",
            "errorMessage",
            "recipientAccountId",
        )
    },
    **{name: (_WHO, name) for name in ("type", "userName", "arn", "principalId", "accountId", "accessKeyId")},
    **{name: (_REQUEST, name) for name in ("bucketName", "key", "prefix", "x-amz-copy-source")},
    **{name: ("responseElements", name) for name in ("ConsoleLogin", "SwitchRole")},
    **{name: (_MORE, name) for name in ("MFAUsed", "bytesTransferredIn", "bytesTransferredOut")},
}

SIGN_IN: Final = "ConsoleLogin"
_LOGINS: Final = {
    "signin.amazonaws.com": {SIGN_IN: "password", "SwitchRole": "role"},
    "sts.amazonaws.com": {
        "AssumeRole": "role",
        "AssumeRoleWithSAML": "saml",
        "AssumeRoleWithWebIdentity": "web_identity",
        "AssumeRoot": "role",
        "GetSessionToken": "session_token",
        "GetFederationToken": "federation_token",
    },
    "ec2-instance-connect.amazonaws.com": {
        "SendSSHPublicKey": "publickey",
        "SendSerialConsoleSSHPublicKey": "publickey",
    },
    "ssm.amazonaws.com": {"StartSession": "session_manager", "ResumeSession": "session_manager"},
}
_METHODS: Final = {f"{source} {name}": method for source, of in _LOGINS.items() for name, method in of.items()}
_ACTIONS: Final = {
    f"s3.amazonaws.com {name}": action
    for action, names in {
        "download": ("GetObject", "GetObjectTorrent"),
        "upload": ("PutObject", "PostObject", "CompleteMultipartUpload"),
        "copy": ("CopyObject",),
        "delete": ("DeleteObject", "DeleteObjects"),
        "read": ("ListObjects", "ListObjectsV2", "ListObjectVersions", "ListBuckets", "SelectObjectContent"),
    }.items()
    for name in names
}
_REASONS: Final = {
    "Failed authentication": "bad_credentials",
    "No username found in supplied account": "invalid_user",
}
_HIDDEN: Final = "HIDDEN_DUE_TO_SECURITY_REASONS"  # a user name that is none: it may be a password
_MAX_REASON: Final = 200
_SERVICE: Final = ".amazonaws.com"


NAMES: Final = tuple(what.split(" ")[1] for what in (*_METHODS, *_ACTIONS))
"""Of the events that give rows."""
SOURCES: Final = {what.split(" ")[1]: what.split(" ")[0] for what in (*_METHODS, *_ACTIONS)}
"""The service that has an event, by the event's name."""


def _said(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(name)


def _user() -> pl.Expr:
    named = pl.when((pl.col("userName") != "") & (pl.col("userName") != _HIDDEN)).then("userName")
    principal = pl.when(pl.col("principalId") != "").then("principalId")
    account = pl.when(~pl.col("accountId").is_in(["", "ANONYMOUS_PRINCIPAL"])).then("accountId")
    hidden = pl.col("userName") == _HIDDEN
    return (
        pl.when(pl.col("type") == "Root")
        .then(pl.lit("root"))
        .when(hidden)
        .then(None)
        .otherwise(
            pl.coalesce(
                named,
                principal.str.extract(r"^[^:]*:(.+)$"),
                pl.col("arn").str.extract(r"[:/]([^/:]+)$"),
                principal,
                account,
            )
        )
    )


def _login_outcome() -> pl.Expr:
    said = pl.col("ConsoleLogin")
    failed = pl.col("errorCode").is_not_null() | (pl.col("SwitchRole") == "Failure").fill_null(False)
    return (
        pl.when(pl.col("eventName") == SIGN_IN)
        .then(
            pl.when(said == "Success")
            .then(pl.lit("success"))
            .when((said == "Failure") | failed | pl.col("errorMessage").is_not_null())
            .then(pl.lit("failure"))
            .otherwise(pl.lit("attempt"))
        )
        .otherwise(pl.when(failed).then(pl.lit("failure")).otherwise(pl.lit("success")))
        .cast(OUTCOME)
    )


def _auth_method() -> pl.Expr:
    method = pl.col("what").replace_strict(_METHODS, return_dtype=pl.String)
    federated = (pl.col("eventName") == SIGN_IN) & pl.col("type").is_in(["AssumedRole", "SAMLUser", "FederatedUser"])
    second = pl.when(pl.col("MFAUsed") == "Yes").then(pl.lit("+mfa")).otherwise(pl.lit(""))
    return pl.when(federated).then(pl.lit("federation")).otherwise(pl.concat_str(method, second))


def _reason() -> pl.Expr:
    known = pl.col("errorMessage").replace_strict(_REASONS, default=None, return_dtype=pl.String)
    said = pl.coalesce(known, "errorCode", "errorMessage")
    return pl.when(pl.col("outcome") == "failure").then(said.str.head(_MAX_REASON))


def _size() -> pl.Expr:
    """Bytes that a request moved, or would have."""
    action, failed = pl.col("action"), pl.col("errorCode").is_not_null()
    size = (
        pl.when(action.is_in(["download", "read"]))
        .then("size_out")
        .when((action == "upload") & (pl.col("eventName") != "CompleteMultipartUpload"))
        .then("size_in")
    )
    return pl.when(failed & size.is_not_null()).then(0).otherwise(size)


def _path() -> pl.Expr:
    key = pl.coalesce("key", pl.when(pl.col("action") == "read").then("prefix"), pl.lit(""))
    return pl.concat_str(pl.lit("s3://"), "bucketName", pl.lit("/"), key)


def _old_path() -> pl.Expr:
    source = pl.col("x-amz-copy-source").str.strip_prefix("/")
    return pl.when(pl.col("action") == "copy").then(pl.concat_str(pl.lit("s3://"), source))


# Expressions take longer to make than to evaluate over a batch: they are made once.
_WHAT: Final = pl.concat_str("eventSource", pl.lit(" "), "eventName").alias("what")
_IS_WANTED: Final = pl.col("what").is_in([*_METHODS, *_ACTIONS]) & (pl.col("type") != "AWSService").fill_null(True)
_TIME: Final = pl.coalesce("eventTime", "@timestamp")
_OF_EVENT: Final = (
    pl.when(pl.col("sourceIPAddress").str.ends_with(_SERVICE))
    .then("sourceIPAddress")
    .otherwise(_said("userAgent"))
    .alias("client"),
    _user().alias("user"),
    _said("recipientAccountId").alias("host"),
    pl.col("eventSource").alias("service"),
)
_COMMON: Final = ("line_index", "event_time_us", "host", "service", "user", "src_ip")
_IS_LOGIN: Final = pl.col("what").is_in(list(_METHODS))
_OUTCOME: Final = _login_outcome().alias("outcome")
_LOGIN: Final = (
    *_COMMON,
    "outcome",
    _reason().alias("reason"),
    _auth_method().alias("auth_method"),
    _said("accessKeyId").alias("key_id"),
    "client",
    pl.lit(1, dtype=pl.Int32).alias("count"),
)
_ACTION: Final = pl.col("what").replace_strict(_ACTIONS, return_dtype=FILE_ACTION).alias("action")
_TRANSFER: Final = (
    *_COMMON,
    _path().alias("path"),
    _old_path().alias("old_path"),
    _size().alias("bytes"),
    "action",
    pl.lit("s3").alias("protocol"),
    pl.when(pl.col("errorCode").is_not_null())
    .then(pl.lit("failure", OUTCOME))
    .otherwise(pl.lit("success", OUTCOME))
    .alias("outcome"),
)


def typed_events(fields: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(line_index and all that logins and transfers need; line_index and reason of those without a time)."""
    events = fields.with_columns(_WHAT).filter(_IS_WANTED)
    events = events.with_columns(iso_us(events.select(_TIME).to_series(), "UTC").alias("event_time_us"))
    timeless = events.filter(pl.col("event_time_us").is_null()).select("line_index", reason=pl.lit(NO_TIME))
    if timeless.height:
        events = events.drop_nulls("event_time_us")
    source = ip_address(events["sourceIPAddress"]).values
    return events.with_columns(source.alias("src_ip"), *_OF_EVENT), timeless


def login_rows(events: pl.DataFrame) -> pl.DataFrame:
    """Rows of the sign-ins among `events`."""
    return events.filter(_IS_LOGIN).with_columns(_OUTCOME).select(_LOGIN)


def transfer_rows(events: pl.DataFrame) -> pl.DataFrame:
    """Rows of S3's events among `events`."""
    moved = events.filter(~_IS_LOGIN)
    sizes = (("size_in", "bytesTransferredIn"), ("size_out", "bytesTransferredOut"))
    return moved.with_columns(_ACTION, *(count(moved[said]).values.alias(name) for name, said in sizes)).select(
        _TRANSFER
    )
