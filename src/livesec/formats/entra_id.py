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
from numpy.typing import NDArray

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over, no_rejects
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
_OF_AZURE: Final = r"SignInLogs|icrosoft\.aadiam|ICROSOFT\.AADIAM"
_ATTEMPTS: Final = {
    **dict.fromkeys(("50072", "50074", "50076", "50078", "50079", "50158"), "mfa_required"),
    **dict.fromkeys(
        ("50089", "50132", "50133", "50173", "70008", "70043", "700082", "700084", "70046"), "token_expired"
    ),
    **dict.fromkeys(("65001", "65004"), "no_consent"),
}
_INTERRUPTS: Final = ["16000", "16001", "16002", "50058", "50097", "50125", "50129", "50140", "50168", "50199", "51006"]
_REASONS: Final = {
    **_ATTEMPTS,
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
_NO_EVENTS: Final = pl.DataFrame(schema={"line_index": pl.UInt32, **dict.fromkeys(_AZURE, pl.String)})


def _said(*names: str) -> pl.Expr:
    return pl.coalesce(pl.when(pl.col(name) != "").then(name) for name in names)


# Expressions take longer to make than to evaluate over a batch: they are made once.
_CODE: Final = pl.coalesce("code", "result").alias("code")
_IS_SIGN_IN: Final = pl.col("category").is_null() | pl.col("category").is_in(_SIGN_INS)
_IS_LOGIN: Final = _IS_SIGN_IN & ~_CODE.is_in(_INTERRUPTS).fill_null(False)
_PROBLEM: Final = (
    pl.when(pl.col("event_time_us").is_null())
    .then(pl.lit(_NO_TIME))
    .when(~pl.col("code").str.contains(r"^[0-9]{1,9}$").fill_null(False))
    .then(pl.lit(_NO_CODE))
)
_IS_AZURE: Final = pl.all_horizontal(
    pl.col("line").str.contains(_OF_AZURE),
    *(pl.col("line").str.contains(word, literal=True) for word in _CATEGORY),
)
_IS_SUCCESS: Final = pl.col("code") == "0"
_IS_SECOND: Final = (
    (pl.col("requirement") == "multiFactorAuthentication") & _IS_SUCCESS & (pl.col("method") == "password")
)
_COLUMNS: Final = (
    "line_index",
    "event_time_us",
    _said("tenant_id", "tenant").alias("host"),
    pl.coalesce(_said("service"), pl.lit("entra_id")).alias("service"),
    _said("correlation").alias("session_id"),
    _said("user").alias("user"),
    "src_ip",
    _said("country").alias("country"),
    pl.when(_IS_SUCCESS)
    .then(pl.lit("success", OUTCOME))
    .when(pl.col("known").is_in(set(_ATTEMPTS.values())))
    .then(pl.lit("attempt", OUTCOME))
    .otherwise(pl.lit("failure", OUTCOME))
    .alias("outcome"),
    pl.when(~_IS_SUCCESS).then(pl.coalesce("known", "aadsts" + pl.col("code"))).alias("reason"),
    pl.when(_IS_SECOND.fill_null(False)).then(pl.col("method") + "+mfa").otherwise("method").alias("auth_method"),
    _said("agent", "app").alias("client"),
    pl.lit(1, pl.Int32).alias("count"),
)


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
        own = _own(lines["line"])
        if not own.any():
            return NOTHING_PARSED
        records, failed = _records(lines if own.all() else lines.filter(own))
        line_of = records["line_index"].to_numpy()
        numbered = records.with_columns(pl.Series("line_index", np.arange(len(line_of), dtype=np.uint32)))
        events, broken = _fields(numbered)
        logins, problems = _judged(events)
        place = line_of[logins["line_index"].to_numpy()]
        row_in_line = np.arange(len(place), dtype=np.int32) - np.searchsorted(place, place).astype(np.int32)
        rows = _rows(logins).with_columns(pl.Series("line_index", place), pl.Series("row_in_line", row_in_line))
        rejects = _rejects(failed, pl.concat([broken, problems]), line_of, place)
        every = np.append(line_of[events["line_index"].to_numpy()], failed["line_index"].to_numpy())
        used = np.append(place, rejects["line_index"].to_numpy())
        return Parsed({LogType.LOGIN: rows}, place[row_in_line == 0], left_over(every, used), rejects)


def _rejects(
    failed: pl.DataFrame, unusable: pl.DataFrame, line_of: NDArray[np.uint32], place: NDArray[np.uint32]
) -> pl.DataFrame:
    """Why lines of which nothing is in `place` give no row: of broken lists, and of records by their number."""
    if not (failed.height or unusable.height):
        return no_rejects()
    own = unusable.with_columns(pl.Series("line_index", line_of[unusable["line_index"].to_numpy()]))
    rejects = pl.concat([failed, own])
    rejects = rejects.filter(~pl.Series(np.isin(rejects["line_index"].to_numpy(), place)))
    return rejects.unique("line_index", keep="first").sort("line_index")


def _own(line: pl.Series) -> pl.Series:
    """Which lines tell that they are Azure's or Graph's."""
    own = line.to_frame("line").select(_IS_AZURE).to_series()
    others = (~own).arg_true()
    if not len(others):
        return own
    left = line.gather(others)
    for word in _TELLING:
        others = others.filter(told := left.str.contains(word, literal=True))
        left = left.filter(told)
    return own.scatter(others, True)


def _records(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """line_index and line of each record in `lines`; line_index and reason of broken lists."""
    many = lines["line"].str.contains(_LISTS)
    if not many.any():
        return lines, no_rejects()
    found = listed(lines.filter(many), ("records", "value"))
    return pl.concat([lines.filter(~many), found.records]).sort("line_index", maintain_order=True), found.failed


def _fields(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """_AZURE's fields of `records` (line_index, line) and their line_index; line_index and reason of broken ones."""
    in_azure = records["line"].str.contains('"properties"', literal=True)
    events, broken = [_NO_EVENTS], [no_rejects()]
    for own, paths, needed in ((in_azure, _AZURE, ["category"]), (~in_azure, _GRAPH, ["created", "code"])):
        if own.any():
            found = json_fields(records if own.all() else records.filter(own), paths)
            events.append(found.fields.drop_nulls(needed))  # else of others, who quote one
            broken.append(found.failed)
    return pl.concat(events, how="diagonal").sort("line_index"), pl.concat(broken).sort("line_index")


def _judged(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Logins that can be used, with event_time_us; line_index and reason of those that cannot."""
    logins = events.filter(_IS_LOGIN).with_columns(_CODE)
    times = iso_us(pl.select(pl.coalesce(logins["created"], logins["time"])).to_series(), "UTC")
    logins = logins.with_columns(times.alias("event_time_us"))
    problems = logins.select("line_index", reason=_PROBLEM).drop_nulls("reason")
    if problems.height:
        logins = logins.filter(_PROBLEM.is_null())
    return logins, problems


def _rows(logins: pl.DataFrame) -> pl.DataFrame:
    source = ip_address(pl.select(pl.coalesce(logins["ip"], logins["caller"])).to_series()).values
    method = logins["steps"].str.extract(_METHOD).str.to_lowercase()
    reason = logins["code"].replace_strict(_REASONS, default=None, return_dtype=pl.String)
    return logins.with_columns(source.alias("src_ip"), method.alias("method"), reason.alias("known")).select(_COLUMNS)


FORMAT = EntraId()
