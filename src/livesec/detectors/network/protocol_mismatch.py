"""An application at a port that belongs to another one: SSH at 443, HTTP at 22, TLS at 53.

Sees tunnels and remote shells that borrow a port which firewalls let through, where the log says which application it
saw (Zeek's service, Suricata's app_proto). Misses tunnels inside the right protocol, such as anything in TLS at 443,
and applications at ports that belong to none: those are common and mean little. Each source, destination and port
is reported at its first answered connection; from outside, where scanners say anything to every port, and
without an answer, only when it comes back. Then on fourfold growth, so that going slowly hides nothing. Ports
and names: IANA's service names, Zeek's and Suricata's spelling of them; the idea is of the
network_multi_template seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.baselines.growth import GROWTH
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

_TLS = ("tls", "ssl")
_HTTP = ("http", "http2", "websocket")
_MAIL = ("smtp", *_TLS)
_SMB = ("smb", "gssapi", "ntlm", "dce_rpc", "krb", "spnego")

USUAL_APPS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        21: ("ftp", "ftps", *_TLS),
        22: ("ssh", "sftp"),
        23: ("telnet",),
        25: _MAIL,
        53: ("dns",),
        80: (*_HTTP, *_TLS),
        88: ("krb", "krb5", "krb_tcp", "kerberos"),
        110: ("pop3", *_TLS),
        123: ("ntp",),
        143: ("imap", *_TLS),
        389: ("ldap", "ldap_tcp", "ldap_udp", "gssapi", "ntlm", "krb", *_TLS),
        443: (*_TLS, *_HTTP, "quic", "https", "dtls", "stun"),
        445: _SMB,
        465: _MAIL,
        587: _MAIL,
        853: ("dns", "quic", *_TLS),
        993: ("imap", "imaps", *_TLS),
        995: ("pop3", "pop3s", *_TLS),
        3306: ("mysql", *_TLS),
        3389: ("rdp", "rdpeudp", "dtls", *_TLS),
        5432: ("postgresql", "pgsql", *_TLS),
    }
)
"""The applications that are at home at a port."""

KNOWN_APPS = frozenset(
    {name for names in USUAL_APPS.values() for name in names}
    | {"ftp-data", "irc", "rfb", "vnc", "socks", "bittorrent", "bittorrent-dht", "mqtt", "modbus", "tftp", "rtsp"}
    | {"redis", "mongodb", "x11", "openvpn", "wireguard", "sip", "snmp", "nfs", "dhcp"}
) - {"gssapi", "ntlm", "spnego", "stun"}
"""Names that say what an application is; those left out occur inside others."""

_PLACE_OF_PORT = np.full(1 << 16, len(USUAL_APPS), dtype=np.int8)
_PLACE_OF_PORT[list(USUAL_APPS)] = np.arange(len(USUAL_APPS))


@dataclass(frozen=True)
class Params:
    """When a contact counts, and when it is a new one."""

    repeats: int = param(20, "connections", "our choice: more than a scanner's tries at one port", minimum=1)
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new contact", minimum=3600)


class ProtocolMismatch(Detector[Params]):
    """Applications at others' ports per source, destination and port."""

    name = "protocol_mismatch"
    log_type = LogType.NETWORK
    key = ("src_ip", "dst_ip", "dst_port")
    needs = ("app",)
    technique = ("T1571",)
    base_severity = 47
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} spoke {application} with {dst_ip} at port {port}, which is for {usual_application}"
    guidance = Guidance(
        meaning="The application is not the one that the port is for. Tunnels and remote shells take ports "
        "that firewalls let through, and count on nobody looking at what is spoken there.",
        usual="At port {port} {usual_application} is usual, and for {quiet_text} before the first of these, "
        "or as far as the log reaches, this pair spoke nothing else there. Connections with "
        "{application} so far: {connections:,}, within {span_text}.",
        benign=(
            "a service put at this port on purpose, such as SSH at a web port for hotels",
            "a sensor that took the application for another",
            "a check of your own that tries what a port answers",
        ),
        next_steps=(
            "Find the program on {src_ip} that speaks {application} at port {port}, and the user who started it.",
            "Look at how much went each way and for how long: a tunnel stays open for hours and carries "
            "data both ways.",
            "Look at the logins and downloads of {src_ip} just before the first of these.",
            "If nobody set this up, block the pair at port {port}, then look at {src_ip} before it is used again.",
        ),
        commands=("sockets_to_destination", "owner_of_destination", "machine_of_source", "sockets_of_port"),
        would_change=(
            "harmless if you run {application} at port {port} of {dst_ip} on purpose: then suppress the pair",
            "worse if {dst_ip} is a rented server outside, or an address of somebody's home",
            "worse if the connection was open for hours and carried data both ways",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Known applications at a port of others."""
        app = rows.column("app")
        if app.null_count() == len(rows):
            return np.zeros(len(rows), dtype=np.bool_)
        return mismatched(rows.column("dst_port"), app)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each contact."""
        from_outside = rows.integers("is_internal", null=1)[at] == 0
        reports = recurrence.recur(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            (~unanswered(rows)[at] & ~from_outside) | self.seed_mode,
            rows.addresses()[at],
            repeats=self.p.repeats,
            growth=1 if self.seed_mode else GROWTH,
            quiet_s=self.p.quiet_s,
        )
        found = at[reports.at]
        ports = rows.integers("dst_port")[found]
        return Findings(
            at=found,
            details={
                "application": rows.column("app").gather(found).to_list(),
                "port": ports,
                "usual_application": [USUAL_APPS[port][0] for port in ports.tolist()],
                "connections": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a contact is a new one."""
        return self.p.quiet_s


def mismatched(ports: pl.Series, apps: pl.Series) -> NDArray[np.bool_]:
    """Whether each application, of which a log may name several, joined by commas, is known and none is the port's.

    >>> apps = pl.Series(["ssh", "tls,http", "http", "strange", "ssl,gssapi", None])
    >>> mismatched(pl.Series([443, 443, 22, 22, 22, 22]), apps).tolist()
    [True, False, True, False, True, False]
    """
    distinct = [app for app in apps.unique().drop_nulls().to_list() if _names(app) & KNOWN_APPS]
    if not distinct:
        return np.zeros(len(apps), dtype=np.bool_)
    wrong = np.zeros((len(distinct) + 1, len(USUAL_APPS) + 1), dtype=np.bool_)  # the last row and column are others
    for number, app in enumerate(distinct):
        wrong[number, :-1] = [not _names(app).intersection(usual) for usual in USUAL_APPS.values()]
    numbers = apps.replace_strict(distinct, range(len(distinct)), default=len(distinct), return_dtype=pl.Int32)
    places = _PLACE_OF_PORT[np.clip(ports.fill_null(0).to_numpy(), 0, len(_PLACE_OF_PORT) - 1)]
    return np.asarray(wrong[numbers.to_numpy(), places])


def _names(app: str) -> frozenset[str]:
    return frozenset(app.lower().split(","))


DETECTOR = ProtocolMismatch
