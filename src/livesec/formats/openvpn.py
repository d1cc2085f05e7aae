"""Logins to an OpenVPN server 2.3 to 2.6, through syslog or the journal.

    ovpn-server[9]: 192.0.2.1:1194 TLS Auth Error: Auth Username/Password verification failed for peer
    ovpn-server[9]: 192.0.2.1:1194 [ann] Peer Connection Initiated with [AF_INET]192.0.2.1:1194

Read: a peer's connection as a success; a wrong or missing name and password, AUTH_FAILED and certificates that do not
verify as failures; packets with a bad signature and handshakes that fail or time out as attempts (reasons timeout,
bad_packet_signature, bad_protocol, handshake_failed). The lines of one peer, by address and port, are one try: those
after the first that tells of it are parts. The user is the name that the peer gave or, if the log does not say that,
the one in its certificate. Where passwords are checked in the background (deferred) a success may be followed by a
failure of the same peer: the log says so only then.
Skipped: all else that OpenVPN says.
Not read: what a client logs; the lines of authentication plugins, which have no address; logins at verb 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.openvpn_peers import PAUSE_US, read_peers
from livesec.formats.recent_sessions import RecentSessions, SessionFormat

_PROGRAMS: Final = ("openvpn", "ovpn-", "openvpn-", "openvpn(", "openvpn_")


class OpenVpn(SessionFormat):
    """Messages of a server. The state is its peers of late."""

    name = "openvpn"
    title = "OpenVPN server through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("openvpn", "ovpn-server")
    order = 30
    pause_us = PAUSE_US

    def owns(self, program: str) -> bool:
        """The names that distributions and routers give it."""
        return program == _PROGRAMS[0] or program.startswith(_PROGRAMS[1:])

    def parse(self, state: RecentSessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[RecentSessions, Parsed]:
        """Take all of `lines`; what is no login is skipped."""
        rows, parts = read_peers(
            state, lines.select("line_index", "event_time_us", "host", pl.col("message").fill_null(""))
        )
        consumed = np.sort(np.concatenate([rows["line_index"].to_numpy(), parts.to_numpy()]))
        skipped = left_over(lines["line_index"].to_numpy(), consumed)
        return state, Parsed({LogType.LOGIN: rows}, consumed, skipped)


FORMAT = OpenVpn()
