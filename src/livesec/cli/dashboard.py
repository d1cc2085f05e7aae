"""`livesec dashboard`: the desk, served on this machine to this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from livesec.cli.context import DbOption, SettingsOption, readable_store, require, settings_from
from livesec.core.errors import UsageError
from livesec.core.settings import home

EPILOG = "Example: livesec dashboard --port 8501"

LOOPBACK = "127.0.0.1"
LOOPBACK_HOSTS = ("localhost", LOOPBACK, "::1")
REPLACED = ("--server.address=", "--server.headless=", "--server.allowedHosts=")


def parsed_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address to listen on. Raises UsageError for what is none."""
    try:
        return ipaddress.ip_address(LOOPBACK if text == "localhost" else text)
    except ValueError:
        raise UsageError(f"--address {text}: expected an IP address such as {LOOPBACK}") from None


def allowed_hosts(address: str, names: Sequence[str]) -> list[str]:
    """The names under which a browser may ask for the desk: without such a list a foreign page could read it."""
    parsed = parsed_address(address)
    hosts = [*LOOPBACK_HOSTS, *names]
    if not parsed.is_unspecified:
        hosts.append(str(parsed))
    if not parsed.is_loopback:
        hosts += [socket.gethostname(), socket.getfqdn()]
    return list(dict.fromkeys(hosts))


def server_command(root: Path, port: int, address: str, names: Sequence[str], *, browser: bool) -> list[str]:
    """The command that serves the desk of the checkout at `root`. Raises SettingsError where its options are gone."""
    from livesec.runners.dashboard_server import dashboard_command

    return [
        *(argument for argument in dashboard_command(root, port) if not argument.startswith(REPLACED)),
        f"--server.address={parsed_address(address)}",
        f"--server.headless={str(not browser).lower()}",
        *(f"--server.allowedHosts={name}" for name in allowed_hosts(address, names)),
    ]


def dashboard(
    db: DbOption = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="Port. [default: 8501]")] = None,
    address: Annotated[str, typer.Option("--address", help="Address to listen on.")] = LOOPBACK,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen on an address that other machines can reach.")
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option("--host-name", metavar="NAME", help="A name by which other machines reach this one."),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    settings: SettingsOption = None,
) -> None:
    """Show the desk in a browser, until stopped with Ctrl-C."""
    from livesec.runners.console import has_display
    from livesec.runners.dashboard_server import require_free_port

    loaded = settings_from(settings, None)
    chosen_port = loaded.dashboard_port if port is None else port
    require(
        allow_remote or parsed_address(address).is_loopback,
        f"--address {address}: the desk has no login, so whoever reaches this address could read every log line in "
        f"it. Keep {LOOPBACK} and come from elsewhere with `ssh -L {chosen_port}:{LOOPBACK}:{chosen_port} HOST`; or, "
        "if you know who can reach it, add --allow-remote",
    )
    require_free_port(chosen_port)
    command = server_command(
        home(), chosen_port, address, host_name or (), browser=not no_browser and has_display(os.environ)
    )
    store = readable_store(db, loaded)
    environment = os.environ | {"LIVESEC_DB": store if "://" in store else str(Path(store).absolute())}
    sys.stdout.flush()
    # Becoming the server, rather than starting it, leaves one process for Ctrl-C, systemd and their signals.
    os.execve(command[0], command, environment)
