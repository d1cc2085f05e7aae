"""What the launcher prints, and where the person at the other end can look at the dashboard."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping

BOLD = "\x1b[1m"
RED = "\x1b[31m"
PLAIN = "\x1b[0m"
CONNECTION_SERVER_FIELD = 2  # SSH_CONNECTION: client address, client port, server address, server port


def say(line: str, style: str = "") -> None:
    """Print one line, styled where the output is a terminal and NO_COLOR is not set."""
    styled = style and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    try:
        print(f"{style}{line}{PLAIN}" if styled else line, flush=True)
    except OSError:  # the terminal is gone; what runs goes on, or is stopped by its SIGHUP
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for the rest of this process


def has_display(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a browser opened here would be seen by the one who started this.

    >>> has_display({"DISPLAY": ":0"}, "linux"), has_display({}, "linux"), has_display({}, "darwin")
    (True, False, True)
    >>> has_display({"DISPLAY": ":10", "SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}, "linux")
    False
    """
    if environment.get("SSH_CONNECTION"):
        return False
    return platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def ssh_line(port: int, environment: Mapping[str, str]) -> str:
    """The command that brings the dashboard to another computer's browser.

    >>> ssh_line(8501, {"SSH_CONNECTION": "198.51.100.7 50000 192.0.2.1 22"}).split("@")[1]
    '192.0.2.1'
    """
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no entry in the password file, as in some containers
        user = "USER"
    connection = environment.get("SSH_CONNECTION", "").split()
    host = connection[CONNECTION_SERVER_FIELD] if len(connection) > CONNECTION_SERVER_FIELD else socket.gethostname()
    return f"ssh -L {port}:127.0.0.1:{port} {shlex.quote(f'{user}@{host}')}"


def open_browser(address: str) -> None:
    """Open `address` in the user's browser, in a process of its own: some starters do not return."""
    subprocess.Popen(
        [sys.executable, "-m", "webbrowser", "-t", address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
