"""Writes to a syslog socket as syslog(3) does."""

from __future__ import annotations

import socket
import time
from pathlib import Path

_AUTH_INFO = 38  # facility auth (4) times 8, severity info (6)


def send(log_socket: Path, identifier: str, pid: int, message: str) -> None:
    """One message of `identifier`, at the present time."""
    stamp = time.strftime("%b %e %H:%M:%S")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(log_socket))
        sender.send(f"<{_AUTH_INFO}>{stamp} {identifier}[{pid}]: {message}".encode())
