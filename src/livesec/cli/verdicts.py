"""`livesec suppress` and `livesec feedback`: what analysts decide about findings."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from livesec.cli.context import DbOption, JsonOption, SettingsOption, readable_store, require, settings_from
from livesec.core.errors import UsageError
from livesec.core.settings import VERDICTS, home
from livesec.core.text import shown
from livesec.core.verdict_file import Verdicts, read_verdicts, write_verdicts
from livesec.core.verdicts import ANY, Feedback, Suppression

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    help="Keep findings silent, with a reason and an end: they are stored with score 0 and status suppressed, and "
    "raise no alert, risk or incident. A running daemon takes it over at SIGHUP.",
    no_args_is_help=True,
)
ADD_EPILOG = (
    "Example: livesec suppress add --detector large_file_transfer --entity backup --days 90 --reason 'nightly backup' "
    "--preview"
)
FEEDBACK_EPILOG = "Example: livesec feedback 3f2a9c51d0b7e846 benign --reason 'the new deployment host'"
_HALF = 0.5
_LEAST = 1 / 64
_MOST_SHOWN = 10


@app.command(epilog=ADD_EPILOG)
def add(
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in each finding that is kept silent.")],
    detector: Annotated[str, typer.Option("--detector", help="A detector's name; * for any.")] = ANY,
    entity: Annotated[
        str, typer.Option("--entity", help="A user, host, address or network (CIDR), as in the anomaly; * for any.")
    ] = ANY,
    days: Annotated[int | None, typer.Option("--days", min=1, help="End after so many days.")] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day, UTC. [default: for good]")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what of the store's history it would have kept silent.")
    ] = False,
    db: DbOption = None,
    settings: SettingsOption = None,
) -> None:
    """Keep a detector's findings, or those about an entity, silent."""
    from livesec.pipeline.assembly import correlator_classes, detector_classes

    require(days is None or until is None, "give --days or --until, not both")
    known = {*detector_classes(), *correlator_classes(), ANY}
    require(detector in known, f"--detector {detector}: there is none of that name; `livesec detectors` lists them")
    last = datetime.now(UTC).date() + timedelta(days=days) if days is not None else until.date() if until else None
    item = _checked(detector=detector, entity=entity, reason=reason, until=last)
    if preview:
        _preview(item, readable_store(db, settings_from(settings, None)))
        return
    path = home() / VERDICTS
    kept = read_verdicts(path)
    write_verdicts(path, kept.model_copy(update={"suppressions": (*kept.suppressions, item)}))
    typer.echo(f"{_line(item)}\nWritten: {path}. A running daemon takes it over at SIGHUP.")


def _checked(**values: Any) -> Suppression:
    try:
        return Suppression(**values)
    except ValidationError as error:
        raise UsageError("suppress: " + "; ".join(str(item["msg"]) for item in error.errors())) from error


def _preview(item: Suppression, db: str) -> None:
    """What of the anomalies that are stored `item` would have kept silent, its end left aside."""
    by_type: Counter[str] = Counter()
    alerts, first = 0, list[str]()
    for row in _stored(db):
        if item.is_about(row["type"], (row[name] for name in ("entity", "user", "src_ip", "dst_ip", "host"))):
            by_type[row["type"]] += 1
            alerts += row["severity"] != "low"
            if len(first) < _MOST_SHOWN:
                first.append(f"  {row['time'][:19]} {row['severity']:8} {row['type']}: {shown(row['description'])}")
    told = ", ".join(f"{number:,} {kind}" for kind, number in by_type.most_common()) or "nothing"
    typer.echo("\n".join([f"It would have kept silent: {told}; {alerts:,} of medium or higher.", *first]))
    if by_type.total() > len(first):
        typer.echo(f"  and {by_type.total() - len(first):,} more")
    typer.echo("Nothing written.")


def _stored(db: str) -> Iterator[dict[str, Any]]:
    from livesec.store.export import export_rows
    from livesec.store.open import reader_engine

    return export_rows(reader_engine(db), "anomalies")


@app.command("list", epilog="Example: livesec suppress list")
def show(as_json: JsonOption = False) -> None:
    """Show what is kept silent, and what feedback there is, by `livesec suppress` and `livesec feedback`."""
    kept = read_verdicts(home() / VERDICTS)
    if as_json:
        typer.echo(kept.model_dump_json())
        return
    today = datetime.now(UTC).date()
    for number, item in enumerate(kept.suppressions, 1):
        typer.echo(f"{number}. {_line(item)}{' (ended)' if _is_over(item, today) else ''}")
    for judged in kept.feedback:
        typer.echo(f"feedback: {judged.detector} about {shown(judged.entity)}, {shown(str(judged))}")
    if kept == Verdicts():
        typer.echo("Nothing is kept silent.")


@app.command(epilog="Example: livesec suppress remove 2")
def remove(number: Annotated[int, typer.Argument(help="As `livesec suppress list` numbers them.")]) -> None:
    """Let findings be heard again."""
    path = home() / VERDICTS
    kept = read_verdicts(path)
    require(
        1 <= number <= len(kept.suppressions), f"{number}: there is no such suppression; see `livesec suppress list`"
    )
    item = kept.suppressions[number - 1]
    left = tuple(other for place, other in enumerate(kept.suppressions, 1) if place != number)
    write_verdicts(path, kept.model_copy(update={"suppressions": left}))
    typer.echo(f"no longer: {_line(item)}\nWritten: {path}. A running daemon takes it over at SIGHUP.")


def feedback(
    anomaly_id: Annotated[str, typer.Argument(metavar="ID", help="An anomaly's id, as export and the desk show it.")],
    verdict: Annotated[str, typer.Argument(metavar="benign|real", help="What it was.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in later findings.")] = "judged benign",
    db: DbOption = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Say what an anomaly was: `benign` halves the confidence of its detector about its entity, `real` restores it.

    It never goes below 1/64; to hear nothing at all of it, use `livesec suppress`.
    """
    require(verdict in ("benign", "real"), f"{verdict}: expected benign or real")
    name = readable_store(db, settings_from(settings, None))
    row = next((row for row in _stored(name) if row["id"] == anomaly_id), None)
    if row is None:
        raise UsageError(f"{anomaly_id}: there is no such anomaly in {name}; `livesec export` shows their ids")
    path = home() / VERDICTS
    kept = read_verdicts(path)
    own = [item for item in kept.feedback if (item.detector, item.entity) == (row["type"], row["entity"])]
    others = tuple(item for item in kept.feedback if item not in own)
    weight, new = 1.0, list[Feedback]()
    if verdict == "benign":
        weight = max(_LEAST, _HALF * min((item.weight for item in own), default=1.0))
        new = [Feedback(detector=row["type"], entity=row["entity"], weight=weight, reason=reason)]
    write_verdicts(path, kept.model_copy(update={"feedback": (*others, *new)}))
    if as_json:
        typer.echo(json.dumps({"detector": row["type"], "entity": row["entity"], "weight": weight}))
    else:
        typer.echo(f"{row['type']} about {shown(row['entity'])}: confidence times {weight:g} from now on.")
        typer.echo(f"Written: {path}. A running daemon takes it over at SIGHUP.")


def _line(item: Suppression) -> str:
    about = "all detectors" if item.detector == ANY else item.detector
    return f"{about} about {'anything' if item.entity == ANY else shown(item.entity)}, {shown(str(item))}"


def _is_over(item: Suppression, today: date) -> bool:
    return item.until is not None and item.until < today
