"""`livesec evaluate`: how good the detectors are, on labelled data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from livesec.cli.context import JsonOption, SetOption, SettingsOption, fail, progress_bar, require, settings_from

if TYPE_CHECKING:
    from livesec.evaluate.groundedness import Groundedness

EPILOG = "Example: livesec evaluate --demo"


def evaluate(
    demo: Annotated[bool, typer.Option("--demo", help="Score a demo world made for it, by campaign.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of labelled logs to score.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the demo world.")] = 1,
    users: Annotated[int, typer.Option(help="People in the demo world.")] = 60,
    days: Annotated[float, typer.Option(help="Days of the demo world.")] = 14.0,
    campaigns: Annotated[
        int | None,
        typer.Option(min=1, help="Campaigns of the demo world, each kind in each strength in turn. [default: eleven]"),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Tables in Markdown, as docs/detection.md has them.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="With --json: an object of rows, measures, campaigns and notes.")
    ] = False,
    explanations: Annotated[
        bool,
        typer.Option(
            "--explanations", help="With --demo: check the explanations, that their logs bear out all they say."
        ),
    ] = False,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Replay labelled logs and print recall, precision and alerts per day, by set and detector.

    Found or flagged means: named by an anomaly of severity medium or higher. On --data a thing to find is an attacking
    address, source, connection or technique, on --demo a campaign; alerts per day are those of days that no campaign
    touches. Measures are incidents per campaign, and time and lines until the first alert of an attacking address.
    """
    require(demo or data is not None, "evaluate needs --demo, or --data DIR")
    from livesec.evaluate.run import evaluate_data, evaluate_demo, explanations_of_demo
    from livesec.evaluate.scores import Evaluation

    loaded = settings_from(settings, assignments)
    whole = Evaluation()
    checked: Groundedness | None = None
    with progress_bar() as bar:
        task = bar.add_task("evaluate", total=1.0, note="")

        def progress(share: float, lines: int) -> None:
            bar.update(task, completed=share, note=f"{lines:,} lines")

        if explanations:
            require(demo and data is None, "--explanations goes with --demo alone")
            checked = explanations_of_demo(
                loaded, seed=seed, users=users, days=days, campaigns=campaigns, progress=progress
            )
        elif demo:
            found = evaluate_demo(loaded, seed=seed, users=users, days=days, campaigns=campaigns, progress=progress)
            whole.add(found)
        if data is not None:
            whole.add(evaluate_data(loaded, data, progress))
    if checked is not None:
        _print_groundedness(checked, as_json=as_json)
        return
    rows = [score.as_dict() for score in whole.scores]
    measures = [measure.as_dict() for measure in whole.measures]
    for note in whole.notes:
        fail(note)
    if as_json:
        told = {"rows": rows, "measures": measures, "campaigns": whole.campaigns, "notes": whole.notes}
        typer.echo(json.dumps(told if full else rows))
        return
    tables = [_table(rows)]
    if measures:
        tables.append(_measure_table(measures))
    if whole.campaigns:
        tables.append(_campaign_table(whole.campaigns))
    console = Console(highlight=False)
    for table in tables:
        if markdown:
            typer.echo(_as_markdown(table))
        else:
            console.print(table)


def _print_groundedness(told: Groundedness, *, as_json: bool) -> None:
    """Counts and every problem; ends with 1 where there is one."""
    if as_json:
        typer.echo(json.dumps(told.as_dict()))
    else:
        typer.echo(
            f"{told.explanations:,} explanations ({told.anomalies:,} anomalies of {len(told.detectors)} detectors, "
            f"{told.incidents:,} incidents), each with its five views.\n"
            f"{told.grounded:,} say only what their lines and figures bear out, "
            f"{told.with_both_values:,} state the observed and the usual value."
        )
        for problem in told.found:
            fail(problem)
    if told.found:
        raise typer.Exit(1)


def _as_markdown(table: Table) -> str:
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    headings = [str(column.header) for column in table.columns]
    marks = ["---:" if column.justify == "right" else "---" for column in table.columns]
    rows = [headings, marks, *([*row] for row in zip(*cells, strict=True))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("set", "detector", "recall", "precision", "alerts/day", "n"):
        table.add_column(heading, justify="left" if heading in ("set", "detector") else "right")
    for row in rows:
        cells = [row["recall"], row["precision"], row["alerts_per_day"]]
        table.add_row(
            row["set"],
            row["detector"],
            *("-" if cell is None else f"{cell:.2f}" for cell in cells),
            str(row["n"]),
        )
    return table


def _measure_table(measures: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, title="measures", title_justify="left")
    for heading in ("set", "measure", "value", "unit", "n"):
        table.add_column(heading, justify="right" if heading in ("value", "n") else "left")
    for row in measures:
        value = "-" if row["value"] is None else f"{row['value']:,.2f}"
        table.add_row(row["set"], row["name"], value, row["unit"], str(row["n"]))
    return table


def _campaign_table(campaigns: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, title="campaigns", title_justify="left")
    for heading in ("id", "campaign", "strength", "incidents", "found by"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "incidents" else "left")
    for record in campaigns:
        found = ", ".join(record["found_by"]) or "not found"
        cells = [record[name] for name in ("campaign_id", "campaign", "strength", "incidents")]
        table.add_row(*map(str, cells), found)
    return table
