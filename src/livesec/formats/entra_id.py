"""Sign-ins to Microsoft Entra ID (Azure AD): Azure's diagnostic logs and Microsoft Graph's signIn objects, as JSON.

    {"time":"2026-03-02T10:00:00Z","category":"SignInLogs","resultType":"50126","properties":{"userPrincipalName":..},..}
    {"id":"..","createdDateTime":"2026-03-02T10:00:00Z","userPrincipalName":"ann@example.org","status":{"errorCode":0},..}

One record a line, or lists on one line, as they are or under `records` (event hubs) or `value` (Graph). Read:
SignInLogs and NonInteractiveUserSignInLogs as logins. Error 0 is a success; a request for a second factor or an
expired session is an attempt, for nothing was tried that failed; every other error is a failure, with a word for the
usual ones as reason and `aadsts` with the number for the rest. Service is the application that was signed in to, host
the tenant, session the correlation id, client the user agent or else clientAppUsed, method the first of
authenticationDetails; the country is the one that Entra states. Skipped: interrupts that ask for no credential (stay
signed in, choose an account, confirm, no session yet); other categories of Entra (service principals, managed
identities, audit). Not read: documents over several lines; tables of Log Analytics (`UserPrincipalName`); ADFS. Error
50053 is a locked account or an address known as bad.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.commands import Platform
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.one_line_lists import listed
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import ip_address

_GRAPH: Final[dict[str, Path]] = {
    "created": ("createdDateTime",),
    "user": ("userPrincipalName",),
    "ip": ("ipAddress",),
    "code": ("status", "errorCode"),
    "agent": ("userAgent",),
    "app": ("clientAppUsed",),
    "service": ("appDisplayName",),
    "country": ("location", "countryOrRegion"),
    "correlation": ("correlationId",),
    "tenant": ("resourceTenantId",),
    "steps": ("authenticationDetails",),
    "requirement": ("authenticationRequirement",),
}
_AZURE: Final[dict[str, Path]] = {
    **{name: ("properties", *path) for name, path in _GRAPH.items()},
    "category": ("category",),
    "time": ("time",),
    "result": ("resultType",),
    "caller": ("callerIpAddress",),
    "tenant_id": ("tenantId",),
}
_SIGN_INS: Final = ["SignInLogs", "NonInteractiveUserSignInLogs"]
_TELLING: Final = ('"createdDateTime"', '"userPrincipalName"', '"errorCode"')
_CATEGORY: Final = ('"operationName"', '"category"')
_OF_AZURE: Final = ["SignInLogs", "icrosoft.aadiam", "ICROSOFT.AADIAM"]
_ATTEMPTS: Final = {
    **dict.fromkeys(("50072", "50074", "50076", "50078", "50079", "50158"), "mfa_required"),
    **dict.fromkeys(
        ("50089", "50132", "50133", "50173", "70008", "70043", "700082", "700084", "70046"), "token_expired"
    ),
    **dict.fromkeys(("65001", "65004"), "no_consent"),
}
_INTERRUPTS: Final = ["16000", "16001", "16002", "50058", "50097", "50125", "50129", "50140", "50168", "50199", "51006"]
_REASONS: Final = {
    **dict.fromkeys(("50056", "50064", "50126"), "bad_credentials"),
    **dict.fromkeys(("50034", "51004"), "invalid_user"),
    "50053": "locked",
    "50057": "disabled",
    **dict.fromkeys(("50055", "50144"), "password_expired"),
    "500121": "mfa_failed",
    **dict.fromkeys(("50005", "50131", "53000", "53001", "53002", "53003"), "conditional_access"),
    "530035": "security_defaults",
    "53011": "risk",
    "50105": "not_assigned",
}
_LISTS: Final = r'^\s*(?:\[|\{\s*(?:"@odata\.[a-zA-Z.]+"\s*:\s*"[^"]*"\s*,\s*)*"(?:records|value)"\s*:\s*\[)'
_METHOD: Final = r'"authenticationMethod":\s*"([^"\\]{1,100})"'
_NO_TIME: Final = "createdDateTime: no time that can be read"
_NO_CODE: Final = "no errorCode"


class EntraId(StatelessFormat):
    """Logins to a Microsoft Entra tenant."""

    name = "entra_id"
    title = "Microsoft Entra ID sign-ins (JSON)"
    log_types = (LogType.LOGIN,)
    shape = Shape.JSON
    platform = Platform.CLOUD
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take sign-ins and Entra's other diagnostic records."""
        line = lines["line"]
        of_azure = line.str.contains(_CATEGORY[0], literal=True)
        if of_azure.any():
            of_azure &= line.str.contains(_CATEGORY[1], literal=True)
        if of_azure.any():
            of_azure &= line.str.contains_any(_OF_AZURE)
        others = (~of_azure).arg_true()
        if len(others):
            left = line.gather(others)
            for word in _TELLING:
                others = others.filter(told := left.str.contains(word, literal=True))
                left = left.filter(told)
        own = of_azure.scatter(others, True) if len(others) else of_azure
        if not own.any():
            return NOTHING_PARSED
        numbered, line_of, failed = _records(lines if own.all() else lines.filter(own))
        in_azure = numbered["line"].str.contains('"properties"', literal=True)
        azure = json_fields(numbered.filter(in_azure), _AZURE)
        plain = json_fields(numbered.filter(~in_azure), _GRAPH)
        azure_own = azure.fields.filter(pl.col("category").is_not_null())  # else of others, who quote one
        plain_own = plain.fields.filter(pl.col("created").is_not_null() & pl.col("code").is_not_null())
        events = pl.concat([azure_own, plain_own], how="diagonal").sort("line_index")
        broken = pl.concat([azure.failed, plain.failed]).sort("line_index")
        return _parsed(events, broken, line_of, failed)


def _records(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """The records of `lines`, numbered; the line_index of each; line_index and reason of broken lists."""
    many = lines["line"].str.contains(_LISTS)
    records, failed = lines, no_rejects()
    if many.any():
        found = listed(lines.filter(many), ("records", "value"))
        records = pl.concat([lines.filter(~many), found.records]).sort("line_index", maintain_order=True)
        failed = found.failed
    numbered = records.with_columns(line_index=pl.int_range(records.height, dtype=pl.UInt32))
    return numbered, records["line_index"], failed


def _parsed(events: pl.DataFrame, broken: pl.DataFrame, line_of: pl.Series, failed: pl.DataFrame) -> Parsed:
    every = pl.concat([line_of.gather(events["line_index"]), failed["line_index"]]).unique()
    wanted = pl.col("category").is_null() | pl.col("category").is_in(_SIGN_INS)
    code = pl.coalesce("code", "result")
    events = events.filter(wanted).with_columns(code.alias("code"))
    events = events.filter(~pl.col("code").is_in(_INTERRUPTS).fill_null(False))
    times = iso_us(pl.select(pl.coalesce(events["created"], events["time"])).to_series(), "UTC")
    events = events.with_columns(times.alias("event_time_us"))
    problem = (
        pl.when(pl.col("event_time_us").is_null())
        .then(pl.lit(_NO_TIME))
        .when(~pl.col("code").str.contains(r"^[0-9]{1,9}$").fill_null(False))
        .then(pl.lit(_NO_CODE))
    )
    judged = events.with_columns(problem.alias("problem"))
    unusable = pl.concat([broken, judged.drop_nulls("problem").select("line_index", reason="problem")])
    rows = _rows(judged.filter(pl.col("problem").is_null()))
    line_index = line_of.gather(rows["line_index"])
    place = line_index.to_numpy()
    row_in_line = np.arange(len(place), dtype=np.int32) - np.searchsorted(place, place).astype(np.int32)
    rows = rows.with_columns(line_index, pl.Series("row_in_line", row_in_line))
    consumed = rows["line_index"].unique().sort()
    bad = pl.concat([failed, unusable.with_columns(line_index=line_of.gather(unusable["line_index"]))])
    bad = bad.filter(~pl.col("line_index").is_in(consumed.implode())).unique("line_index", keep="first")
    used = pl.concat([consumed, bad["line_index"]])
    return Parsed(
        {LogType.LOGIN: rows},
        consumed=consumed.to_numpy(),
        skipped=np.setdiff1d(every.sort().to_numpy(), used.to_numpy(), assume_unique=True),
        rejects=bad.sort("line_index"),
    )


def _rows(events: pl.DataFrame) -> pl.DataFrame:
    source = ip_address(pl.select(pl.coalesce(events["ip"], events["caller"])).to_series()).values
    code = pl.col("code")
    asked = code.replace_strict(_ATTEMPTS, default=None, return_dtype=pl.String)
    failed = pl.coalesce(code.replace_strict(_REASONS, default=None, return_dtype=pl.String), "aadsts" + code)
    method = pl.lit(events["steps"].str.extract(_METHOD).str.to_lowercase())  # once: an expression would be read anew
    second = (pl.col("requirement") == "multiFactorAuthentication") & (code == "0") & (method == "password")
    return events.select(
        "line_index",
        "event_time_us",
        _said("tenant_id", "tenant").alias("host"),
        pl.coalesce(_said("service"), pl.lit("entra_id")).alias("service"),
        _said("correlation").alias("session_id"),
        _said("user").alias("user"),
        source.alias("src_ip"),
        _said("country").alias("country"),
        pl.when(code == "0")
        .then(pl.lit("success"))
        .when(asked.is_not_null())
        .then(pl.lit("attempt"))
        .otherwise(pl.lit("failure"))
        .cast(OUTCOME)
        .alias("outcome"),
        pl.when(code != "0").then(pl.coalesce(asked, failed)).alias("reason"),
        pl.when(second.fill_null(False)).then(method + "+mfa").otherwise(method).alias("auth_method"),
        _said("agent", "app").alias("client"),
        pl.lit(1, pl.Int32).alias("count"),
    )


def _said(*names: str) -> pl.Expr:
    return pl.coalesce(pl.when(pl.col(name) != "").then(name) for name in names)


FORMAT = EntraId()
