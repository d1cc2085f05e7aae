"""Login rows from the messages of one program, each of which is of one of a few forms and stands for itself.

A form is a literal start and a regular expression whose named groups fill the columns user, src_ip, src_port, key_id
and count. Forms are tried in order. A message that starts like a form that gives rows and is of none is a reject, as it
is cut off or forged; all others of the program are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livesec.core.batch import Parsed, no_rejects
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.plain_regex import groups
from livesec.formats.typed_fields import ip_address

MAX_COUNT = 1_000_000
CUT_OFF = "a message about a login that is cut off or not of a known form"
BAD_COUNT = f"stands for more than {MAX_COUNT:,} attempts, or for none"
_REPEATED = r"^message repeated (?P<repeats>[0-9]+) times: \[ ?(?P<inner>.*)\]$"
_GROUPS = ("user", "src_ip", "src_port", "key_id", "count")
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class MessageForm:
    """One form: a row if it has an outcome, else a part (`part`) or nothing for us."""

    start: str
    regex: str = ""
    """Without one, the start is enough."""
    outcome: str | None = None
    reason: str | None = None
    auth_method: str | None = None
    user: str | None = None
    """The user where the words themselves say it; the expression then needs another group that is always there."""
    part: bool = False
    plain: tuple[str, ...] = ()
    """Plain cases of the expression (see plain_regex), which are read sooner."""
    claims: bool = True
    """Whether what starts like it must be of a known form, if it gives rows."""


def read_forms(lines: pl.DataFrame, forms: Sequence[MessageForm], service: pl.Expr) -> Parsed:
    """What the decoded messages `lines` (see `envelope.decode`) of a program are; all are taken."""
    left = _unwrapped(lines.select("line_index", "message"))
    bad = left["repeats"].is_null()
    rejects = [no_rejects(), left.filter(bad).select("line_index", reason=pl.lit(BAD_COUNT))]
    left = left.filter(~bad) if bad.any() else left
    rows: list[pl.DataFrame] = []
    parts: list[pl.Series] = [pl.Series([], dtype=pl.UInt32)]
    skipped: list[pl.Series] = [pl.Series([], dtype=pl.UInt32)]
    claimed: list[str] = []
    for form in forms:
        if left.height == 0:
            break
        own = left["message"].str.starts_with(form.start)
        if not own.any():
            continue
        of_form, own = _matched(left, own, form)
        if form.outcome is not None:
            if form.claims:
                claimed.append(form.start)
            if of_form.height:
                rows.append(_stated(of_form, form))
        elif of_form.height:
            (parts if form.part else skipped).append(of_form["line_index"])
        left = left.filter(~own)
    for start in dict.fromkeys(claimed):
        own = left["message"].str.starts_with(start)
        rejects.append(left.filter(own).select("line_index", reason=pl.lit(CUT_OFF)))
        left = left.filter(~own)
    skipped.append(left["line_index"])
    told = _rows(pl.concat(rows, how="diagonal").sort("line_index"), lines, service) if rows else None
    if told is not None and told["count"].null_count():
        uncounted = told["count"].is_null()
        rejects.append(told.filter(uncounted).select("line_index", reason=pl.lit(BAD_COUNT)))
        told = told.filter(~uncounted)
    consumed = pl.concat([*parts, *([] if told is None else [told["line_index"]])]).sort()
    return Parsed(
        {} if told is None else {LogType.LOGIN: told},
        consumed.to_numpy(),
        pl.concat(skipped).sort().to_numpy(),
        pl.concat(rejects).sort("line_index"),
    )


def _unwrapped(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` with repeated messages taken out of `message repeated 3 times: [ ]`; repeats is null out of range."""
    lines = lines.with_columns(pl.col("message").fill_null(""), repeats=pl.lit(1, dtype=pl.Int64))
    if not lines["message"].str.starts_with("message repeated ").any():
        return lines
    found = lines["message"].str.extract_groups(_REPEATED).struct.unnest()
    times = found["repeats"].cast(pl.Int64, strict=False)
    return lines.with_columns(
        message=pl.coalesce(found["inner"], "message"),
        repeats=pl.when(found["repeats"].is_null())
        .then(pl.lit(1, dtype=pl.Int64))
        .otherwise(pl.when(times.is_between(1, MAX_COUNT)).then(times)),
    )


def _matched(left: pl.DataFrame, own: pl.Series, form: MessageForm) -> tuple[pl.DataFrame, pl.Series]:
    """The lines of the form, with its groups as columns, and where they are in `left`."""
    some = left if own.all() else left.filter(own)
    if not form.regex:
        return some, own
    if "(?P<" not in form.regex:
        own = own & left["message"].str.contains(form.regex)
        return left.filter(own), own
    if form.plain:
        own = own & left["message"].str.contains(form.regex)
        some = left.filter(own)
        return some.hstack(list(groups(some["message"], form.regex, *form.plain).values())), own
    captured = some["message"].str.extract_groups(form.regex).struct.unnest()
    fits = captured.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    found = pl.concat([some, captured], how="horizontal")
    if fits.all():
        return found, own
    of_form = np.zeros(left.height, dtype=np.bool_)
    of_form[own.arg_true().filter(fits).to_numpy()] = True
    return found.filter(fits), pl.Series(of_form)


def _stated(found: pl.DataFrame, form: MessageForm) -> pl.DataFrame:
    """What lines of one form state: their groups, and what the form itself says."""
    more = {"outcome": form.outcome, "reason": form.reason, "auth_method": form.auth_method}
    if form.user:
        more["user"] = form.user
    return found.select(
        "line_index",
        "repeats",
        *(name for name in _GROUPS if name in found.columns),
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in more.items()),
    )


def _rows(stated: pl.DataFrame, lines: pl.DataFrame, service: pl.Expr) -> pl.DataFrame:
    at = np.searchsorted(lines["line_index"].to_numpy(), stated["line_index"].to_numpy())
    envelope = lines.select("event_time_us", "host", "pid", service.alias("service"))
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in _GROUPS if name not in stated.columns]
    found = pl.concat([stated.with_columns(missing), envelope[at]], how="horizontal")
    count = pl.col("count").cast(pl.Int64, strict=False).clip(0, MAX_COUNT + 1)
    total = pl.when(pl.col("count").is_null()).then(pl.lit(1, dtype=pl.Int64)).otherwise(count) * pl.col("repeats")
    port = pl.col("src_port").cast(pl.Int64, strict=False)
    return found.select(
        "line_index",
        "event_time_us",
        "host",
        "service",
        session_id=pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), pl.col("pid").cast(pl.String)),
        user=pl.when(pl.col("user") != "").then("user"),
        src_ip=ip_address(found["src_ip"]).values,
        src_port=pl.when(port.is_between(0, _MAX_PORT)).then(port).cast(pl.Int32),
        outcome=pl.col("outcome").cast(OUTCOME),
        reason="reason",
        auth_method="auth_method",
        key_id="key_id",
        count=pl.when(total.is_between(1, MAX_COUNT)).then(total).cast(pl.Int32),
    )
