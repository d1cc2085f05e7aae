"""Servers of the demo organisation and the accounts of its automation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DIRECTORY: Final = "10.10.0.10"
DNS: Final = "10.10.0.53"
FILES: Final = ("10.10.0.20", "10.10.0.21")
DATABASES: Final = ("10.10.0.30", "10.10.0.31")
GIT: Final = "10.10.0.40"
BUILD: Final = "10.10.0.41"
BUILD_NODES: Final = ("10.10.0.42", "10.10.0.43")
MAIL_STORE: Final = "10.10.0.50"
PRINTERS: Final = ("10.10.0.60", "10.10.0.61")
BACKUP: Final = "10.10.0.70"
SCANNER: Final = "10.10.0.77"
MONITOR: Final = "10.10.0.80"
INTRANET: Final = "10.10.0.85"
TRANSFER: Final = "10.10.0.90"
APPLICATIONS: Final = tuple(f"10.10.1.{number}" for number in range(10, 34))
WEB: Final = "192.168.50.10"
MAIL: Final = "192.168.50.20"
GATEWAY: Final = "192.168.50.22"
"""Remote access for everyone, the only SSH that faces the internet."""

SERVERS: Final = (
    DIRECTORY, DNS, *FILES, *DATABASES, GIT, BUILD, *BUILD_NODES, MAIL_STORE, BACKUP, MONITOR, INTRANET,
    TRANSFER, *APPLICATIONS,
)  # fmt: skip
INTERNET_FACING: Final = (WEB, MAIL, GATEWAY)

PARTNER_FEEDS: Final = ("orders", "stock", "prices")
"""What the transfer server sends to partners each hour, in files of nearly equal size."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account that logs in at a fixed period from one internal host."""

    username: str
    host: str
    agent: str
    period_min: float


SERVICE_ACCOUNTS: Final = (
    ServiceAccount("svc-backup", BACKUP, "restic/0.16.4", 60),
    ServiceAccount("svc-deploy", BUILD, "git/2.39.5", 20),
    ServiceAccount("svc-monitor", MONITOR, "check_http/2.3.3", 15),
    ServiceAccount("svc-etl", TRANSFER, "python-httpx/0.27.2", 30),
    ServiceAccount("svc-mailsync", MAIL_STORE, "imapsync/2.229", 10),
    ServiceAccount("svc-print", PRINTERS[0], "CUPS/2.4.2 IPP/2.0", 60),
)
