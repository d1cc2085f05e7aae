"""`livesec feed`: brings records of other systems into files that the daemon watches."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livesec.cli.context import DbOption, SetOption, SettingsOption, require, settings_from, store_name
from livesec.core.errors import UsageError
from livesec.core.settings import home

if TYPE_CHECKING:
    from livesec.runners.collector import Collector

app = typer.Typer(
    help="Bring records of other systems into files that the daemon watches: `livesec run --logs data/feeds`; "
    "`feed watch` brings its own daemon.",
    no_args_is_help=True,
)
HTTP_EPILOG = (
    "Example: livesec feed http 'https://api.example.org/events?after={cursor}' --name events --items data --cursor id "
    '--header "Authorization: Bearer $TOKEN"'
)
SQL_EPILOG = (
    "Example: livesec feed sql sqlite:///app.db 'select * from logins where id > :cursor order by id' "
    "--name logins --cursor id"
)
WATCH_EPILOG = "Example: livesec feed watch --host localhost --port 9999 --db data/feed.db"
NameOption = Annotated[str, typer.Option("--name", help="Name of the feed: its file is data/feeds/NAME.jsonl.")]
CursorOption = Annotated[
    str, typer.Option("--cursor", help="Field of a record that grows with each one: an id, a time.")
]
EveryOption = Annotated[float, typer.Option("--every", min=1.0, metavar="SECONDS", help="Ask this often.")]
OnceOption = Annotated[bool, typer.Option("--once", help="Ask once and end.")]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_NO_TEMPLATES = (
    "Accepted and without effect: this version explains by rules, not by a language model, and has no templates."
)


def _spool_path(name: str, settings: Path | None, assignments: list[str] | None) -> Path:
    require(_NAME.fullmatch(name) is not None, f"--name {name!r}: letters, digits, dots, dashes and underscores alone")
    return home() / settings_from(settings, assignments).data_dir / "feeds" / f"{name}.jsonl"


def _run(collector: Collector, *, once: bool) -> None:
    from livesec.runners.signals import Signals

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # addresses may hold keys
    if once:
        count = collector.collect()
    else:
        logging.getLogger("livesec").info("collecting into %s every %g s", collector.spool.path, collector.every_s)
        with Signals() as signals:
            count = collector.run(signals)
    typer.echo(f"{count} new records in {collector.spool.path}", err=True)


@app.command(epilog=HTTP_EPILOG)
def http(
    url: Annotated[str, typer.Argument(help="Address that answers with JSON; {cursor} stands for the last record's.")],
    name: NameOption,
    cursor: CursorOption,
    items: Annotated[str, typer.Option("--items", help="Path to the list of records; empty: the answer itself.")] = "",
    header: Annotated[list[str] | None, typer.Option("--header", metavar="NAME: VALUE", help="Header to send.")] = None,
    start: Annotated[str, typer.Option("--start", help="Cursor before the first record is known.")] = "",
    every: EveryOption = 30.0,
    once: OnceOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Poll an HTTP API and keep its records, each once, in data/feeds/NAME.jsonl."""
    import httpx2

    from livesec.runners.collector import Collector
    from livesec.sources.http_poll import HttpPoll
    from livesec.sources.spool import Spool

    headers = dict(_header(text) for text in header or [])
    poll = HttpPoll(url, items, cursor, headers, start)
    with httpx2.Client(follow_redirects=False) as client:  # headers may hold a key that no other host may see
        spool = Spool(_spool_path(name, settings, assignments))
        _run(Collector(lambda last: poll.poll(client, last), spool, cursor, every), once=once)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    require(bool(colon) and bool(name.strip()), f"--header {name!r}: expected NAME: VALUE")
    return name.strip(), value.strip()


@app.command(epilog=SQL_EPILOG)
def sql(
    url: Annotated[str, typer.Argument(help="Database, as SQLAlchemy names it.")],
    query: Annotated[str, typer.Argument(help="A select with :cursor, ordered by the cursor's column.")],
    name: NameOption,
    cursor: CursorOption,
    start: Annotated[str, typer.Option("--start", help="Cursor before the first row is known.")] = "0",
    every: EveryOption = 30.0,
    once: OnceOption = False,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Ask a database by a cursor and keep its rows, each once, in data/feeds/NAME.jsonl.

    Give it an account that may only read: the query is sent as it is.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    from livesec.core.errors import InputUnreadableError
    from livesec.runners.collector import Collector
    from livesec.sources.cursor import Cursor
    from livesec.sources.spool import Spool
    from livesec.sources.sql_poll import SqlPoll

    poll = SqlPoll(query, cursor, int(start) if re.fullmatch(r"-?[0-9]+", start) else start)
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as error:
        raise UsageError(f"the database cannot be used: {error}") from error

    def ask(last: Cursor | None) -> list[bytes]:
        try:
            with engine.connect() as connection:
                return poll.poll(connection, last)
        except SQLAlchemyError as error:
            raise InputUnreadableError(f"the database does not answer: {error}") from error

    try:
        spool = Spool(_spool_path(name, settings, assignments))
        _run(Collector(ask, spool, cursor, every), once=once)
    finally:
        engine.dispose()


@app.command(epilog=WATCH_EPILOG)
def watch(
    host: Annotated[str, typer.Option("--host", help="Server that sends the lines.")] = "localhost",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Its TCP port.")] = 9999,
    db: DbOption = None,
    template: Annotated[str | None, typer.Option("--template", metavar="NAME", help=_NO_TEMPLATES)] = None,
    no_multi_template: Annotated[bool, typer.Option("--no-multi-template", help=_NO_TEMPLATES)] = False,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    ] = "INFO",
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.0, help="End after so long. [default: when stopped]")
    ] = None,
    settings: SettingsOption = None,
    assignments: SetOption = None,
) -> None:
    """Receive lines over TCP and raise anomalies, until stopped.

    The lines, of any format that LiveSec knows, are kept in data/feeds/tcp-HOST-PORT.log (five files of 64 MiB at most)
    and read from there, each once, through kills and restarts. A connection that ends is opened again: after a second,
    then later and later, at most every five minutes. What the server sent while there was none cannot be asked for:
    each such time is a gap in the store. Lines over 1 MiB are cut. A packet that states no time is dated by when its
    file was begun.
    """
    from livesec.runners.feed_watch import watch_tcp_feed
    from livesec.runners.run_plan import RunPlan
    from livesec.runners.signals import Signals

    level = log_level.upper()
    require(level in _LEVELS, f"--log-level {log_level!r}: one of {', '.join(_LEVELS)}")
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(message)s")
    if template is not None or no_multi_template:
        logging.getLogger("livesec").warning("--template and --no-multi-template: %s", _NO_TEMPLATES)
    name = f"tcp-{re.sub('[^A-Za-z0-9.-]', '_', host)}-{port}"
    spool_path = home() / settings_from(settings, assignments).data_dir / "feeds" / f"{name}.log"

    def planned() -> RunPlan:
        loaded = settings_from(settings, [*(assignments or []), "history=start"])
        return RunPlan(loaded, (str(spool_path),), journal=False, store=store_name(db, loaded), is_demo=False)

    watch_tcp_feed(host, port, spool_path, planned, signals=Signals(), minutes=minutes)
