"""What an OpenSSH server writes about a session, by kind: guesses, probes, and honest visits.

Texts and their order are those of OpenSSH 9 with PAM on Debian; shares are chosen to look like a host whose
port 22 is open to the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_INVALID: Final = (
    "admin", "test", "oracle", "user", "postgres", "ubuntu", "guest", "ftpuser", "git", "hadoop", "pi",
    "minecraft", "deploy", "jenkins", "es", "www", "nagios", "dev", "mysql", "support", "tomcat", "steam",
)  # fmt: skip
STAFF: Final = ("anja", "bram", "celia", "dmitri", "elif", "farid", "greta", "hugo", "ops", "deploybot")
_PAM_DETAILS: Final = "logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}"
_PAM: Final = "pam_unix(sshd:auth): authentication failure; " + _PAM_DETAILS
_OPENED: Final = "pam_unix(sshd:session): session opened for user {user}(uid=1001) by (uid=0)"
_FAILED: Final = "Failed password for {user} from {ip} port {port} ssh2"
_CLOSED: Final = "pam_unix(sshd:session): session closed for user {user}"


@dataclass(frozen=True, slots=True)
class SessionKind:
    """What one kind of session writes: delay in seconds since its start, and text with places to fill."""

    share: float
    """Among the attacks, or among the others."""
    attack: bool
    users: tuple[str, ...]
    lines: tuple[tuple[float, str], ...]
    program: str = "sshd"


SESSION_KINDS: Final = (
    SessionKind(
        0.42, True, _INVALID,
        (
            (0.0, "Invalid user {user} from {ip} port {port}"),
            (0.1, "pam_unix(sshd:auth): check pass; user unknown"),
            (0.1, _PAM),
            (2.1, "Failed password for invalid user {user} from {ip} port {port} ssh2"),
            (3.0, "Received disconnect from {ip} port {port}:11: Bye Bye [preauth]"),
            (3.0, "Disconnected from invalid user {user} {ip} port {port} [preauth]"),
        ),
    ),
    SessionKind(
        0.28, True, ("root",),
        (
            (0.0, _PAM + "  user={user}"),
            (2.0, _FAILED),
            (4.5, "Connection closed by authenticating user {user} {ip} port {port} [preauth]"),
        ),
    ),
    SessionKind(
        0.14, True, ("root",),
        (
            (0.0, _PAM + "  user={user}"),
            (2.0, _FAILED),
            (11.0, "message repeated {repeats} times: [ " + _FAILED + "]"),
            (12.0, "Received disconnect from {ip} port {port}:11:  [preauth]"),
            (12.0, "Disconnected from authenticating user {user} {ip} port {port} [preauth]"),
            (12.0, "PAM {repeats} more authentication failures; " + _PAM_DETAILS + "  user={user}"),
        ),
    ),
    SessionKind(
        0.10, True, ("",),
        ((0.0, "Connection closed by {ip} port {port} [preauth]"),),
    ),
    SessionKind(
        0.06, True, ("",),
        (
            (0.0, "error: kex_exchange_identification: Connection closed by remote host"),
            (0.0, "Connection closed by {ip} port {port}"),
        ),
    ),
    SessionKind(
        0.60, False, STAFF,
        (
            (0.0, "Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 SHA256:{digest}"),
            (0.0, _OPENED),
            (900.0, "Received disconnect from {ip} port {port}:11: disconnected by user"),
            (900.0, "Disconnected from user {user} {ip} port {port}"),
            (900.0, _CLOSED),
        ),
    ),
    SessionKind(
        0.12, False, STAFF,
        (
            (0.0, _PAM + "  user={user}"),
            (2.0, _FAILED),
            (9.0, "Accepted password for {user} from {ip} port {port} ssh2"),
            (9.0, _OPENED),
            (2_400.0, "Received disconnect from {ip} port {port}:11: disconnected by user"),
            (2_400.0, "Disconnected from user {user} {ip} port {port}"),
            (2_400.0, _CLOSED),
        ),
    ),
    SessionKind(
        0.28, False, ("root",),
        (
            (0.0, "pam_unix(cron:session): session opened for user {user}(uid=0) by (uid=0)"),
            (1.0, "pam_unix(cron:session): session closed for user {user}"),
        ),
        program="CRON",
    ),
)  # fmt: skip
"""Shares of the attacks add up to 1, those of the others too."""
