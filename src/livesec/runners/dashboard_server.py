"""How the dashboard is served: its command, whether its port is free, and when it answers."""

from __future__ import annotations

import errno
import http.client
import socket
import sys
import tomllib
from pathlib import Path

from livesec.core.errors import LiveSecError, SettingsError

HOST = "127.0.0.1"
HEALTH_PATH = "/_stcore/health"
HEALTH_TIMEOUT_S = 0.5
PORTS_TO_TRY = 50  # when looking for a free one to suggest
LOWEST_OPEN_PORT = 1_024  # those below are reserved for the administrator
HIGHEST_PORT = 65_535
# The rest of the file, such as the theme, Streamlit reads for itself.
SERVED_SECTIONS = ("server", "browser", "client", "runner", "logger")


def dashboard_command(root: Path, port: int) -> list[str]:
    """The command that serves the dashboard of the checkout at `root` on 127.0.0.1:`port`, without a browser.

    Its options come from `.streamlit/config.toml`, the one place they are kept, as flags: no environment
    variable, such as STREAMLIT_SERVER_ADDRESS, overrides a flag.

    Raises:
        SettingsError: that file is missing or broken.
    """
    return [
        sys.executable,
        *("-m", "livesec.runners.dashboard_process", "run", str(root / "dashboard.py")),
        f"--server.port={port}",
        *server_flags(root / ".streamlit" / "config.toml"),
    ]


def server_flags(config: Path) -> list[str]:
    """The options of a Streamlit configuration file, theme apart, as flags for `streamlit run`.

    Raises:
        SettingsError: the file is missing or broken.
    """
    try:
        sections = tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{config}: {error}; it says how the dashboard is served: restore it") from error
    return [
        f"--{section}.{option}={_flag(item)}"
        for section in SERVED_SECTIONS
        for option, value in sections.get(section, {}).items()
        for item in (value if isinstance(value, list) else [value])
    ]


def _flag(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def require_free_port(port: int) -> None:
    """Return if the dashboard can listen on `port`.

    Raises:
        LiveSecError: another program does, or the port is reserved; the text names a free one.
    """
    reason = _why_not(port)
    if reason:
        tried = range(max(port + 1, LOWEST_OPEN_PORT), HIGHEST_PORT)[:PORTS_TO_TRY]
        free = next((other for other in tried if not _why_not(other)), None)
        raise LiveSecError(f"port {port} {reason}: choose another" + (f", say --port {free}" if free else ""))


def _why_not(port: int) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just freed is free
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            return {
                errno.EADDRINUSE: "is taken by another program",
                errno.EACCES: "is reserved for the administrator",
            }.get(error.errno or 0, f"cannot be used ({error.strerror})")
    return ""


def answers(port: int) -> bool:
    """Whether the dashboard on `port` says that it is healthy, within half a second."""
    connection = http.client.HTTPConnection(HOST, port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", HEALTH_PATH)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
