"""Logins to an OpenVPN server 2.3 to 2.6 in its own log file (--log, --log-append).

    2026-03-02 10:00:00 192.0.2.1:1194 TLS Auth Error: Auth Username/Password verification failed for peer
    Mon Mar  2 10:00:00 2026 192.0.2.1:1194 [ann] Peer Connection Initiated with [AF_INET]192.0.2.1:1194

Read, skipped and not read: as in the format openvpn, which reads the same messages in syslog. Both kinds of times are
read, the older one of versions up to 2.4 and that of 2.5 and later, with microseconds (`us=123`) where verb has them.
The file has no zone: it is that of the source's setting. Lines that begin like this but say nothing that OpenVPN says
are left to other formats.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.openvpn_peers import PAUSE_US, PEER, TELLING, read_peers
from livesec.formats.plain_regex import groups
from livesec.formats.recent_sessions import RecentSessions, SessionFormat
from livesec.formats.text_times import iso_us, month_first_us

_ISO: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_ASCTIME: Final = r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}"
_STAMP: Final = rf"^(?:{_ISO}|{_ASCTIME}) (?:us=[0-9]{{1,6}} )?"
_OF_PEERS: Final = (
    r"TLS[: _]|VERIFY |MULTI|PUSH|SENT CONTROL|peer info: |Control Channel|Data Channel|Outgoing |Incoming |NCP: |LZO "
    r"|Local Options |Expected Remote |Re-using |WARNING: |NOTE: |Delayed exit|OPTIONS IMPORT|PLUGIN_CALL|AUTH"
    r"|\[.*\] Inactivity"
)
_OF_SERVERS: Final = (
    r"OpenVPN [0-9]|library versions: |MULTI|TCP connection established|TUN/TAP |/sbin/|/usr/sbin/|UDPv[46] |TCPv[46]"
    r"|Initialization Sequence|Diffie-Hellman|IFCONFIG |net_|Socket Buffers|Could not determine|Listening for|PLUGIN_"
    r"|AUTH-|NOTE: |WARNING: |ROUTE_|Note: |DEPRECATED|Closing TUN|TCP/UDP: |event_wait|CRL: |ifconfig_pool|succeeded"
)
_KNOWN: Final = rf"{_STAMP}(?:(?:{PEER})?(?:{TELLING})|{PEER}(?:{_OF_PEERS})|(?:{_OF_SERVERS}))"
_PARTS: Final = (
    rf"^(?:(?P<iso>{_ISO})|[A-Z][a-z]{{2}} (?P<asctime>[A-Z].{{18}}[0-9])) (?:us=(?P<us>[0-9]+) )?(?P<message>.*)$"
)
_PLAIN_PARTS: Final = (  # a message that does not start with a u: no microseconds before it
    rf"^(?P<iso>{_ISO}) (?P<message>[!-tv-~].*)$",
    r"^[A-Z][a-z]{2} (?P<asctime>[A-Z][ -~]{18}[0-9]) (?P<message>[!-tv-~].*)$",
    rf"^(?P<iso>{_ISO}) us=(?P<us>[0-9]+) (?P<message>.*)$",
    r"^[A-Z][a-z]{2} (?P<asctime>[A-Z][ -~]{18}[0-9]) us=(?P<us>[0-9]+) (?P<message>.*)$",
)
_NO_TIME: Final = "no such time"


class OpenVpnLog(SessionFormat):
    """Lines of a server's own file. The state is its peers of late."""

    name = "openvpn_log"
    title = "OpenVPN server's own log file"
    log_types = (LogType.LOGIN,)
    shape = Shape.TEXT
    order = 40
    pause_us = PAUSE_US

    def parse(self, state: RecentSessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[RecentSessions, Parsed]:
        """Take what OpenVPN says; what is no login is skipped."""
        suspects = lines["line"].str.contains(_STAMP)
        if not suspects.any():
            return state, NOTHING_PARSED
        own = lines.filter(suspects)
        own = own.filter(own["line"].str.contains(_KNOWN))
        if own.height == 0:
            return state, NOTHING_PARSED
        parts = groups(own["line"], _PARTS, *_PLAIN_PARTS)
        iso, asctime = iso_us(parts["iso"], stream.time_zone), month_first_us(parts["asctime"], stream.time_zone)
        time_us = iso.zip_with(iso.is_not_null(), asctime)
        time_us += parts["us"].cast(pl.Int64, strict=False).fill_null(0)
        messages = own.select("line_index", host=pl.lit(None, pl.String)).with_columns(
            time_us.alias("event_time_us"), parts["message"].fill_null("")
        )
        timed = time_us.is_not_null()
        rejects = messages.filter(~timed).select("line_index", reason=pl.lit(_NO_TIME))
        rows, told = read_peers(state, messages.filter(timed))
        consumed = np.sort(np.concatenate([rows["line_index"].to_numpy(), told.to_numpy()]))
        skipped = left_over(own["line_index"].to_numpy(), consumed, rejects["line_index"].to_numpy())
        return state, Parsed({LogType.LOGIN: rows}, consumed, skipped, rejects)


FORMAT = OpenVpnLog()
