"""`livesec lab`: models that are trained, and the files that keep them."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from livesec.cli.context import JsonOption, SetOption, SettingsOption, require, settings_from
from livesec.core.settings import home

app = typer.Typer(help="Train models.", no_args_is_help=True)
TRAIN_EPILOG = "Example: livesec lab train --model packet_forest --data /var/log/packets.jsonl"
MIN_SAMPLES, MAX_SAMPLES = 200, 1_000_000


class Model(StrEnum):
    """What can be trained."""

    PACKET_FOREST = "packet_forest"


@app.callback()
def _lab() -> None:
    """Train models."""


@app.command(epilog=TRAIN_EPILOG)
def train(
    model: Annotated[Model, typer.Option("--model", help="What to train.")],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="More logs, as a shell names them after --data.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="PATH...", help="Logs to train on; without them LiveSec's simulated packets."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write; else where the settings say.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", help="Packets to train on.")] = 1_000,
    as_json: JsonOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Train a model and keep it without pickle.

    packet_forest is what the detector behavioural_anomaly runs with: an isolation forest of 100 trees over the ports,
    size, duration and protocol of packets. The simulated packets are those of a small office; packets of your own
    network make a better model. A running daemon takes it over at its next start or SIGHUP.
    """
    from livesec.evaluate.packet_training import trained_on_logs, trained_on_simulated
    from livesec.models.forest_file import save

    require(MIN_SAMPLES <= samples <= MAX_SAMPLES, f"--samples {samples}: from {MIN_SAMPLES} to {MAX_SAMPLES:,}")
    loaded = settings_from(settings, assignments)
    require(
        out is not None or loaded.packet_forest is not None, "packet_forest is None in the settings: say where by --out"
    )
    target = out if out is not None else home() / str(loaded.packet_forest)
    paths = [*(data or []), *(more or [])]
    trained = trained_on_logs(paths, samples, loaded) if paths else trained_on_simulated(samples)
    save(trained, target)
    if as_json:
        record = {
            "model": str(model),
            "written": str(target),
            "trained_on": trained.trained_on,
            "samples": trained.samples,
            "nodes": len(trained.forest.feature),
            "offset": trained.offset,
            "tail": asdict(trained.tail),
            "sklearn_version": trained.sklearn_version,
        }
        typer.echo(json.dumps(record))
        return
    tail = trained.tail
    typer.echo(f"Trained on {trained.trained_on}, with scikit-learn {trained.sklearn_version}.")
    typer.echo(
        f"Of {tail.scores:,} packets, 2 % score {-tail.limit:.3f} or more; each {tail.excess:.3f} above that "
        "is e times as rare."
    )
    typer.echo(f"Written: {target}")
