"""What models have cost: calls and tokens per minute and UTC day, and how each template has done."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select

from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.store import tables as t
from livesec.store.statements import upsert

US_PER_MINUTE = 60 * US_PER_S
_ADD_USAGE = upsert(t.model_usage, ["period", "start_us"], ["calls", "tokens"])
_ADD_USE = upsert(t.template_uses, ["template"], ["uses", "cached", "calls", "latency_ms", "characters"])
_ADD_ERROR = upsert(t.template_errors, ["template", "failure"], ["errors"])
_KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Usage:
    """In one minute or day."""

    calls: int = 0
    tokens: int = 0


def _starts(now_us: int) -> dict[str, int]:
    return {"minute": now_us - now_us % US_PER_MINUTE, "day": now_us - now_us % US_PER_DAY}


def add_usage(connection: Connection, now_us: int, *, calls: int = 0, tokens: int = 0) -> None:
    """Count calls (before they are made, so that a crash does not forget them) and tokens (afterwards)."""
    starts = _starts(now_us)
    for period, start_us in starts.items():
        connection.execute(_ADD_USAGE, {"period": period, "start_us": start_us, "calls": calls, "tokens": tokens})
    columns = t.model_usage.c
    for period, oldest_us in (("minute", starts["minute"]), ("day", starts["day"] - _KEPT_DAYS * US_PER_DAY)):
        connection.execute(delete(t.model_usage).where(columns.period == period, columns.start_us < oldest_us))


def usage(connection: Connection, now_us: int) -> dict[str, Usage]:
    """Of the current `minute` and `day`."""
    columns = t.model_usage.c
    found = {period: Usage() for period in ("minute", "day")}
    for period, start_us in _starts(now_us).items():
        row = connection.execute(
            select(columns.calls, columns.tokens).where(columns.period == period, columns.start_us == start_us)
        ).first()
        if row is not None:
            found[period] = Usage(row.calls, row.tokens)
    return found


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """How one template has done since the store was made."""

    template: str
    """View and version."""
    uses: int = 0
    """Explanations worded with it."""
    cached: int = 0
    """Of these, without asking the model."""
    calls: int = 0
    """Answers of the model, of use or not."""
    latency_ms: float = 0.0
    """Mean of an answer; 0 without any."""
    characters: float = 0.0
    """Mean length of an explanation; 0 without any."""
    errors: dict[str, int] = field(default_factory=dict)
    """By explain.model_call.Failure."""


def add_use(connection: Connection, template: str, *, characters: int, is_cached: bool) -> None:
    """An explanation was worded with `template`."""
    row = {"template": template, "uses": 1, "cached": int(is_cached), "calls": 0, "latency_ms": 0}
    connection.execute(_ADD_USE, row | {"characters": characters})


def add_answer(connection: Connection, template: str, latency_ms: int) -> None:
    """The model answered."""
    row = {"template": template, "uses": 0, "cached": 0, "calls": 1, "latency_ms": latency_ms, "characters": 0}
    connection.execute(_ADD_USE, row)


def add_error(connection: Connection, template: str, failure: str) -> None:
    """There was no answer, or one of no use."""
    connection.execute(_ADD_ERROR, {"template": template, "failure": failure, "errors": 1})


def template_performance(connection: Connection) -> list[TemplateUse]:
    """Every template that was used or failed, by name."""
    errors: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(t.template_errors).order_by(t.template_errors.c.failure)):
        errors.setdefault(row.template, {})[row.failure] = row.errors
    found = {name: TemplateUse(name, errors=failed) for name, failed in errors.items()}
    for row in connection.execute(select(t.template_uses)):
        found[row.template] = TemplateUse(
            row.template,
            row.uses,
            row.cached,
            row.calls,
            round(row.latency_ms / row.calls, 1) if row.calls else 0.0,
            round(row.characters / row.uses, 1) if row.uses else 0.0,
            errors.get(row.template, {}),
        )
    return [found[name] for name in sorted(found)]
