"""The sshd generator: lines as OpenSSH writes them, sessions that hang together, reproducible."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from ipaddress import ip_address, ip_network

import pytest

from livesec.core.errors import UsageError
from livesec.simulate.sshd import sshd_lines

START_US = 1_762_128_000_000_000  # 2025-11-03 00:00:00 UTC
LINE = re.compile(rb"^(Nov| Dec) [ 123]\d \d\d:\d\d:\d\d gate01 (sshd|CRON)\[(\d+)\]: (.+)$")


def lines(count: int = 20_000, attack_share: float = 0.8) -> list[bytes]:
    return sshd_lines(count, 3, attack_share, start_us=START_US).splitlines()


def test_as_many_lines_as_asked_for_in_syslog_form_and_time_order() -> None:
    made = lines()
    assert len(made) == 20_000
    assert all(LINE.match(line) for line in made)
    assert made[0].startswith(b"Nov  3 ")
    assert [line[:15] for line in made] == sorted(line[:15] for line in made)


def test_the_mixture_has_every_kind_of_line() -> None:
    text = b"\n".join(lines())
    for part in (
        b"Failed password for invalid user ",
        b"Failed password for root from ",
        b"Invalid user ",
        b"Accepted publickey for ",
        b"Accepted password for ",
        b"Connection closed by authenticating user root ",
        b"pam_unix(sshd:auth): check pass; user unknown",
        b"pam_unix(sshd:session): session opened for user ",
        b": Bye Bye [preauth]",
    ):
        assert text.count(part) > 50, part
    repeated = re.findall(rb"message repeated (\d) times: \[ Failed password for root from \S+ port \d+ ssh2\]", text)
    assert set(repeated) == {b"2", b"3", b"4", b"5"}


def test_lines_of_a_session_share_process_address_and_port() -> None:
    sessions: dict[bytes, list[bytes]] = defaultdict(list)
    for line in lines(6_000):
        match = LINE.match(line)
        assert match
        sessions[match[3]].append(match[4])
    failed = [texts for texts in sessions.values() if any(text.startswith(b"Invalid user") for text in texts)]
    assert len(failed) > 300
    for texts in failed:
        assert texts[0].startswith(b"Invalid user")
        assert len({found for text in texts for found in re.findall(rb" port (\d+)", text)}) == 1
    whole = [texts for texts in failed if len(texts) == 6]
    assert len(whole) > 0.9 * len(failed)
    assert whole[0][3].startswith(b"Failed password for invalid user ")


def test_attacks_come_in_runs_from_documentation_addresses() -> None:
    sources = Counter(re.findall(rb"Failed password for \S+ from (\S+)", b"\n".join(lines())))
    assert all(ip_address(source.decode()) in ip_network("198.18.0.0/15") for source in sources)
    assert sources.most_common(1)[0][1] > 30


def test_the_share_of_attacks_can_be_all_or_nothing() -> None:
    quiet, loud = b"\n".join(lines(3_000, 0.0)), b"\n".join(lines(3_000, 1.0))
    assert b"Invalid user" not in quiet
    assert b"Accepted" not in loud


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert sshd_lines(500, 9, start_us=START_US) == sshd_lines(500, 9, start_us=START_US)
    assert sshd_lines(500, 9, start_us=START_US) != sshd_lines(500, 10, start_us=START_US)
    assert sshd_lines(0, 9, start_us=START_US) == b""


def test_shares_outside_zero_to_one_are_refused() -> None:
    with pytest.raises(UsageError, match=r"attack_share 1\.5"):
        sshd_lines(10, 1, 1.5, start_us=START_US)
