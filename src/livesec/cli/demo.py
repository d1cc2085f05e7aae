"""`livesec demo`: a believable organisation under attack, written as the three CSV logs with labels."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from livesec.core.errors import LiveSecError, UsageError
from livesec.simulate.campaigns import CAMPAIGNS
from livesec.simulate.folder import DemoFolder
from livesec.simulate.frames import FILE_NAMES
from livesec.simulate.labels import FILE_NAME as LABELS_NAME
from livesec.simulate.live import DEFAULT_CAMPAIGN_EVERY_MIN, DEFAULT_RATE_PER_S, LIVE_CAMPAIGNS, LiveFeed
from livesec.simulate.player import now_us, play_live
from livesec.simulate.rhythm import DAY_US, MINUTE_US, SECOND_US
from livesec.simulate.schedule import DEFAULT_ORDERS, CampaignOrder, PlayedCampaign
from livesec.simulate.stage import Strength
from livesec.simulate.timeline import SimulatedLogs, simulate
from livesec.simulate.world import World

DEFAULT_SEED: Final = 1
DEFAULT_USERS: Final = 60
_NO_CAMPAIGN: Final = "none"
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"

app = typer.Typer(
    help="Make demo logs: a believable organisation with labelled attacks.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Example: [bold]livesec demo batch --days 14[/bold], then [bold]livesec demo continuous 10[/bold]",
)

OutOption = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the logs and labels go.")]
CampaignOption = Annotated[
    list[str] | None,
    typer.Option("--campaign", metavar="NAME", help="A campaign to play; repeatable; 'none' for quiet logs."),
]
StrengthOption = Annotated[Strength | None, typer.Option(help="How loud campaigns are; mixed unless given.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, nothing else.")]
EndOption = Annotated[
    str | None,
    typer.Option("--end", metavar="'YYYY-MM-DD HH:MM:SS'", help="End of the history, UTC; now unless given."),
]


@app.command(
    epilog="Examples: [bold]livesec demo batch[/bold] · [bold]livesec demo batch --days 3 --strength strong "
    "--campaign brute_force --out /tmp/demo[/bold] · [bold]livesec demo batch --campaign none --rate 3[/bold]"
)
def batch(
    days: Annotated[float, typer.Option(help="Length of the history in days.")] = 14.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same organisation.")] = DEFAULT_SEED,
    users: Annotated[int, typer.Option(help="People in the organisation.")] = DEFAULT_USERS,
    rate: Annotated[float, typer.Option(help="Factor on events per day; 1 is about 24,000.")] = 1.0,
    campaign: CampaignOption = None,
    strength: StrengthOption = None,
    end: EndOption = None,
    out: OutOption = Path("data"),
    as_json: JsonOption = False,
) -> None:
    """Write a history that ends now: three logs and their labels, in place of an earlier one."""
    with _errors_reported():
        began = time.perf_counter()
        end_us = now_us() if end is None else _parsed_time(end)
        start_us = end_us - end_us % SECOND_US - int(days * DAY_US)
        orders = _orders(campaign, strength)
        with _progress() as progress:
            task = progress.add_task("Making days", total=None)

            def day_done(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            logs = simulate(World(seed, users), start_us, days, rate, orders, progress=day_done)
            progress.update(task, description="Writing files")
            replaced = DemoFolder(out).replace(logs)
        _print_batch(out, logs, replaced, start_us, days, time.perf_counter() - began, as_json=as_json)


@app.command(
    epilog="Examples: [bold]livesec demo continuous 10[/bold] · [bold]livesec demo continuous --rate 50 "
    "--campaign scan --campaign-every 1[/bold]. Ctrl-C ends it cleanly."
)
def continuous(
    minutes: Annotated[float, typer.Argument(help="How long; 0 is until stopped.")] = 0.0,
    rate: Annotated[float, typer.Option(help="Ordinary events per second.")] = DEFAULT_RATE_PER_S,
    seed: Annotated[int | None, typer.Option(help="Organisation; else that of the history.")] = None,
    users: Annotated[int | None, typer.Option(help="People; else as in the history.")] = None,
    campaign: CampaignOption = None,
    campaign_every: Annotated[
        float, typer.Option(metavar="MINUTES", help="From one campaign to the next.")
    ] = DEFAULT_CAMPAIGN_EVERY_MIN,
    strength: StrengthOption = None,
    out: OutOption = Path("data"),
    as_json: JsonOption = False,
) -> None:
    """Append live events to the logs, at their own time, as the history in the same folder would go on."""
    with _errors_reported(), _stopped_by_signals() as stop:
        if minutes < 0:
            raise UsageError(f"minutes: {minutes} is negative; give 0 to go on until stopped")
        folder = DemoFolder(out)
        known = folder.manifest()
        seed = seed if seed is not None else known.seed if known else DEFAULT_SEED
        users = users if users is not None else known.users if known else DEFAULT_USERS
        begin_us = now_us()
        feed = LiveFeed(
            World(seed, users),
            begin_us,
            rate_per_s=rate,
            history_rate=known.rate if known else 1.0,
            campaigns=tuple(o.name for o in _orders(campaign, None)) if campaign else LIVE_CAMPAIGNS,
            campaign_every_min=campaign_every,
            strength=strength,
        )
        until_us = begin_us + int(minutes * MINUTE_US) if minutes else None
        written, played = _play(feed, folder, stop, until_us)
        seconds = (now_us() - begin_us) / SECOND_US
    _print_continuous(out, written, played, seconds, as_json=as_json)


@app.command("list", epilog="Example: [bold]livesec demo list[/bold]")
def list_campaigns(as_json: JsonOption = False) -> None:
    """Name the campaigns there are."""
    if as_json:
        print(json.dumps([{"name": one.name, "about": one.about} for one in CAMPAIGNS.values()]))
        return
    width = max(map(len, CAMPAIGNS))
    for one in CAMPAIGNS.values():
        print(f"{one.name:<{width}}  {one.about}")
    print(f"\nStrengths: {', '.join(Strength)}. What a campaign did is in labels.csv.")


def _play(feed: LiveFeed, folder: DemoFolder, stop: Event, until_us: int | None) -> tuple[int, list[PlayedCampaign]]:
    """Run the feed with a status line on stderr; returns the events written and the campaigns begun."""
    played: list[PlayedCampaign] = []
    with _progress() as progress:
        task = progress.add_task("Live", total=None)

        def heard(written: int, started: list[PlayedCampaign]) -> None:
            played.extend(started)
            progress.update(task, description=f"Live: {written:,} events, {len(played)} campaigns")
            for one in started:
                begins = f"campaign {one.order.name} ({one.order.strength}) begins"
                print(f"{datetime.now(UTC):%H:%M:%S} {begins}", file=sys.stderr, flush=True)

        return play_live(feed, folder, stop, until_us, heard), played


def _orders(names: Sequence[str] | None, strength: Strength | None) -> tuple[CampaignOrder, ...]:
    """The campaigns that the options ask for."""
    if not names:
        if strength is None:
            return DEFAULT_ORDERS
        return tuple(CampaignOrder(name, strength) for name in CAMPAIGNS)
    if _NO_CAMPAIGN in names:
        if len(names) > 1:
            raise UsageError(f"--campaign none cannot go with other campaigns: {', '.join(names)}")
        return ()
    return tuple(CampaignOrder(name, strength or Strength.MEDIUM) for name in names)


def _parsed_time(text: str) -> int:
    try:
        moment = datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"--end {text!r} is not a time such as '2026-01-31 18:00:00' (UTC)") from None
    return int(moment.timestamp()) * SECOND_US


def _print_batch(
    out: Path,
    logs: SimulatedLogs,
    replaced: list[str],
    start_us: int,
    days: float,
    seconds: float,
    *,
    as_json: bool,
) -> None:
    rows = {name: logs.of(log_type).height for log_type, name in FILE_NAMES.items()}
    rows[LABELS_NAME] = logs.labels.height
    campaigns = logs.labels["campaign_id"].n_unique()
    start, end = (datetime.fromtimestamp(us // SECOND_US, UTC) for us in (start_us, start_us + int(days * DAY_US)))
    per_s = round(logs.events / seconds)
    if as_json:
        summary = {
            "folder": str(out),
            "rows": rows,
            "replaced": replaced,
            "events": logs.events,
            "campaigns": campaigns,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "seed": logs.world.seed,
            "users": logs.world.users,
            "rate": logs.rate,
            "seconds": round(seconds, 3),
            "events_per_s": per_s,
        }
        print(json.dumps(summary))
        return
    for name, count in rows.items():
        note = ", in place of the demo's earlier file" if name in replaced else ""
        print(f"{out / name}: {count:,} rows{note}")
    print(f"{logs.events:,} events of {logs.world.users} users and {campaigns} campaigns, ", end="")
    print(f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, made in {seconds:.1f} s ({per_s:,}/s)")


def _print_continuous(out: Path, written: int, played: list[PlayedCampaign], seconds: float, *, as_json: bool) -> None:
    if as_json:
        campaigns = [
            {"id": one.campaign_id, "campaign": one.order.name, "strength": one.order.strength} for one in played
        ]
        summary = {
            "folder": str(out),
            "events": written,
            "campaigns": campaigns,
            "seconds": round(seconds, 3),
        }
        print(json.dumps(summary))
        return
    print(f"{written:,} events appended to the logs in {out} in {seconds:.0f} s, {len(played)} campaigns begun")


def _progress() -> Progress:
    """A bar on stderr where that is a terminal, else nothing."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


@contextmanager
def _errors_reported() -> Iterator[None]:
    """Every error made on purpose as one line on stderr and its exit code."""
    try:
        yield
    except LiveSecError as error:
        print(f"livesec demo: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from error


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set, instead of cutting a line in two."""
    stop = Event()

    def set_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
