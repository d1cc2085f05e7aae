"""`livesec feed`: brings records of other systems into files that the daemon watches."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livesec.cli.context import SetOption, SettingsOption, require, settings_from
from livesec.core.errors import UsageError
from livesec.core.settings import home

if TYPE_CHECKING:
    from livesec.runners.collector import Collector

app = typer.Typer(
    help="Bring records of other systems into files that the daemon watches: `livesec run --logs data/feeds`.",
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
NameOption = Annotated[str, typer.Option("--name", help="Name of the feed: its file is data/feeds/NAME.jsonl.")]
CursorOption = Annotated[
    str, typer.Option("--cursor", help="Field of a record that grows with each one: an id, a time.")
]
EveryOption = Annotated[float, typer.Option("--every", min=1.0, metavar="SECONDS", help="Ask this often.")]
OnceOption = Annotated[bool, typer.Option("--once", help="Ask once and end.")]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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
