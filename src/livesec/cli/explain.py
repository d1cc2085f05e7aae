"""`livesec explain`: one anomaly or incident, as the reader of a view needs it."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from livesec.cli.context import (
    DbOption,
    JsonOption,
    SetOption,
    SettingsOption,
    fail,
    readable_store,
    require,
    settings_from,
)
from livesec.cli.explain_test import run_endpoint_test

if TYPE_CHECKING:
    from livesec.explain.model_call import View
    from livesec.runners.explain_now import Explained, ExplainNow
    from livesec.store.subjects import Subject

EPILOG = (
    "Examples: livesec explain 3f2a9c51; livesec explain 3f2a9c51 --view executive_briefing; "
    "livesec explain 3f2a9c51 --compare; livesec explain 3f2a9c51 --show-sent; livesec explain --test"
)


def explain(
    subject_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An anomaly's or incident's id, or the beginning of it.")
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(
            metavar="VIEW",
            help="technical_expert, risk_assessor, incident_responder, threat_intelligence or executive_briefing. "
            "[default: EXPLAIN_VIEW]",
        ),
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the model anew.")] = False,
    show_sent: Annotated[
        bool, typer.Option("--show-sent", help="Print what was, or would be, sent to the model; ask nothing.")
    ] = False,
    compare: Annotated[bool, typer.Option("--compare", help="All five views, and how each template has done.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Ask the endpoint one invented question; needs no id.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Explain an anomaly or incident: in the words of the model where one is set, else in LiveSec's own.

    A model is asked now where its words of the view are not there yet, within budget and breaker; if it gives nothing
    usable, the deterministic text stands, and why is said.
    """
    loaded = settings_from(settings, assignments)
    if test:
        raise typer.Exit(run_endpoint_test(loaded, as_json))
    require(subject_id is not None, "name an anomaly or incident: livesec explain ID; `livesec export` shows ids")
    require(not (compare and (view or show_sent)), "--compare shows all views: leave --view and --show-sent out")
    require(not (refresh and show_sent), "--show-sent asks nothing: leave --refresh out")
    from livesec.explain.model_call import View
    from livesec.runners.explain_now import ExplainNow

    chosen = view or loaded.explain_view
    require(chosen in list(View), f"--view {chosen}: expected one of {', '.join(View)}")
    now = ExplainNow(readable_store(db, loaded), loaded)
    subject = now.find(subject_id or "")
    if show_sent:
        _print_sent(now, subject, View(chosen), as_json)
        return
    views = list(View) if compare else [View(chosen)]
    explained = [now.explain(subject, item, refresh=refresh, waiting=_spinner) for item in views]
    for problem in dict.fromkeys(item.problem for item in explained if item.problem):
        fail(f"the model did not word it, the text that is there stands: {problem}")
    _print(now, explained, compare, as_json)


def _spinner(text: str) -> AbstractContextManager[object]:
    """On a terminal something turns, elsewhere nothing is shown."""
    console = Console(stderr=True)
    return console.status(text) if sys.stderr.isatty() else nullcontext()


def _print_sent(now: ExplainNow, subject: Subject, view: View, as_json: bool) -> None:
    text, was_sent = now.sent(subject, view)
    if as_json:
        typer.echo(json.dumps({"id": subject.id, "view": view, "was_sent": was_sent, "text": text}))
        return
    fail("this was sent:" if was_sent else "nothing was sent for this view; this would be, by `livesec explain`:")
    typer.echo(text)


def _print(now: ExplainNow, explained: list[Explained], compare: bool, as_json: bool) -> None:
    from livesec.cli.explain_text import performance_text, view_text

    if as_json:
        records = [_record(item) for item in explained]
        templates = [asdict(use) for use in now.performance()]
        typer.echo(json.dumps({"views": records, "templates": templates} if compare else records[0]))
        return
    parts = [view_text(item) for item in explained]
    if compare:
        parts.append(performance_text(now.performance()))
    typer.echo("\n\n\n".join(parts))


def _record(item: Explained) -> dict[str, Any]:
    from livesec.explain.views import page

    sections = [asdict(section) for section in page(item.explanation, item.view, item.severity)]
    about = {"id": item.subject_id, "kind": item.kind, "severity": item.severity, "view": item.view}
    return {**about, "explanation": asdict(item.explanation), "sections": sections, "problem": item.problem}
