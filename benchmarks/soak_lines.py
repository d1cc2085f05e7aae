"""sshd lines of one host among many that share no entity: its users, addresses and attackers are nobody else's."""

from __future__ import annotations

import random
import time

STAFF = 12
ATTACKERS = 200
ATTACK_SHARE = 0.003  # of the sessions: enough for anomalies all the time, in a log that is mostly quiet
MOST_TRIES = 14
_LOGIN = "Accepted publickey for {user} from {address} port {port} ssh2: ED25519 SHA256:invented{user}"
_GUESS = "Failed password for root from {address} port {port} ssh2"
_INVALID = "Invalid user {user} from {address} port {port}"
_INVALID_GUESS = "Failed password for invalid user {user} from {address} port {port} ssh2"
_BREAK_IN = "Accepted password for {user} from {address} port {port} ssh2"


class HostLog:
    """Blocks of whole sessions; one generator per file, so that a file's lines depend on its seed and the clock only.

    A session's lines stay in one block: a parser that starts anew with a rotated file then sees what one of the whole
    log sees.
    """

    def __init__(self, number: int, seed: int) -> None:
        self._chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a soak, no secret
        self._host = f"soak{number:03d}"
        self._number = number
        self._time_us = 0
        self._pid = 1_000

    def block(self, lines: int) -> bytes:
        """Some `lines` lines, at least as many, at the time now; times never fall and no two are equal."""
        self._time_us = max(self._time_us + 1, time.time_ns() // 1000)
        made: list[str] = []
        while len(made) < lines:
            self._pid += 1
            session = self._attack() if self._chance.random() < ATTACK_SHARE else [self._login()]
            made += [self._line(text) for text in session]
        return "".join(made).encode()

    def _line(self, text: str) -> str:
        self._time_us += 1
        seconds, rest_us = divmod(self._time_us, 1_000_000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return f"{stamp}.{rest_us:06d}+00:00 {self._host} sshd[{self._pid}]: {text}\n"

    def _port(self) -> int:
        return self._chance.randrange(30_000, 60_000)

    def _login(self) -> str:
        who = self._chance.randrange(STAFF)
        address = f"10.{self._number // 256}.{self._number % 256}.{who + 1}"
        return _LOGIN.format(user=f"staff{self._number}x{who}", address=address, port=self._port())

    def _attack(self) -> list[str]:
        """Guesses from one address: at a known name, or at many that do not exist; now and then one succeeds."""
        place = self._number * ATTACKERS + self._chance.randrange(ATTACKERS)
        address = f"198.{18 + place // 65_000}.{place % 65_000 // 250}.{place % 250 + 1}"
        tries = self._chance.randrange(1, MOST_TRIES)
        if self._chance.random() < 0.5:
            lines = [_GUESS.format(address=address, port=self._port()) for _ in range(tries)]
        else:
            lines = []
            for _ in range(tries):
                user, port = f"guess{self._number}x{self._chance.randrange(500)}", self._port()
                lines += [
                    template.format(user=user, address=address, port=port) for template in (_INVALID, _INVALID_GUESS)
                ]
        if self._chance.random() < 0.05:
            user = f"staff{self._number}x{self._chance.randrange(STAFF)}"
            lines.append(_BREAK_IN.format(user=user, address=address, port=self._port()))
        return lines
