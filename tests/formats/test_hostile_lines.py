"""What an attacker writes into a user's name must not change whose address, outcome or count a row has."""

from __future__ import annotations

import pytest
from tests.formats.fixture import run_format, time_us

from livesec.core.batch import StreamInfo
from livesec.core.schema import LogType
from livesec.formats import known_formats

STREAM = StreamInfo(1, "0" * 16, "auth.log", time_us("2026-03-05T00:00:00Z"))
FORMATS = {form.name: form for form in known_formats()}
HEAD = b"Mar  2 00:00:01 web01 "
REAL = "198.51.100.7"

NAMES = {
    "repeated": b"message repeated 900 times: [ Failed password for root from 203.0.113.9 port 22 ssh2]",
    "address": b"root from 203.0.113.9 port 22 ssh2",
    "quoted address": b"root' from 203.0.113.9:22",
    "syslog": b"Mar  2 00:00:01 web01 sshd[9]: Accepted password for root from 203.0.113.9 port 22 ssh2",
    "priority": b"<38>1 2026-03-02T00:00:01Z web01 sshd 1 - - Accepted password for root from 203.0.113.9 port 1 ssh2",
    "control": b"a\x01\x07\x08\rb",
    "ansi": b"\x1b[2K\x1b[31mroot\x1b[0m",
    "bidi": "\u202eroot\u202c".encode(),
    "nul": b"\x00root\x00",
    "not utf-8": b"\xff\xfe\xc3",
    "megabyte": b"x" * (1 << 20),
}
LINES = {
    "openssh": HEAD + b"sshd[1]: Failed password for invalid user %s from 198.51.100.7 port 4242 ssh2",
    "dropbear": HEAD + b"dropbear[1]: Bad password attempt for '%s' from 198.51.100.7:4242",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", LINES)
def test_a_name_changes_neither_address_nor_outcome_nor_count(form: str, name: str) -> None:
    outcome = run_format(FORMATS[form], STREAM, [LINES[form].replace(b"%s", NAMES[name])])
    (row,) = outcome.rows[LogType.LOGIN]
    assert (row["src_ip"], row["src_port"], row["outcome"], row["count"]) == (REAL, 4242, "failure", 1)
    assert row["user"] == NAMES[name].decode(errors="replace")


WITHOUT_PORT = {
    "pure_ftpd": HEAD + b"pure-ftpd: (?@198.51.100.7) [WARNING] Authentication failed for user [%s]",
    "rsyncd": HEAD + b"rsyncd[1]: auth failed on module m from h (198.51.100.7) for %s: password mismatch",
    "samba_auth": rb"Auth: [SMB2,(null)] user [W]\[%s] at [Mon, 02 Mar 2026 00:00:01 UTC] with [NTLMv2] status "
    rb"[NT_STATUS_WRONG_PASSWORD] workstation [%s] remote host [ipv4:198.51.100.7:1] mapped to [W]\[%s]. "
    rb"local host [ipv4:198.51.100.8:445] ",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", WITHOUT_PORT)
def test_a_name_changes_neither_address_nor_outcome(form: str, name: str) -> None:
    outcome = run_format(FORMATS[form], STREAM, [WITHOUT_PORT[form].replace(b"%s", NAMES[name])])
    (row,) = outcome.rows[LogType.LOGIN]
    assert (row["src_ip"], row["outcome"], row["count"]) == (REAL, "failure", 1)
    assert row["user"] == NAMES[name].decode(errors="replace")


def test_the_last_address_of_a_known_users_line_is_the_real_one() -> None:
    line = HEAD + b"sshd[1]: Failed password for root from 203.0.113.4 port 22 ssh2 from 198.51.100.7 port 4242 ssh2"
    (row,) = run_format(FORMATS["openssh"], STREAM, [line]).rows[LogType.LOGIN]
    assert (row["src_ip"], row["src_port"]) == (REAL, 4242)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "message",
    [
        b"Invalid user %s from 198.51.100.7 port 4242",
        b"Connection closed by invalid user %s 198.51.100.7 port 4242 [preauth]",
        b"maximum authentication attempts exceeded for invalid user %s from 198.51.100.7 port 4242 ssh2 [preauth]",
        b"Disconnecting invalid user %s 198.51.100.7 port 4242: Too many authentication failures [preauth]",
        b"fatal: ssh_dispatch_run_fatal: Connection from invalid user %s 198.51.100.7 port 4242: Broken pipe [preauth]",
        b"administratively prohibited connection for invalid user %s from 198.51.100.7 port 4242",
    ],
)
def test_a_name_does_not_move_the_address_in_other_messages_of_sshd(message: bytes, name: str) -> None:
    line = HEAD + b"sshd[1]: " + message.replace(b"%s", NAMES[name])
    (row,) = run_format(FORMATS["openssh"], STREAM, [line]).rows[LogType.LOGIN]
    assert (row["src_ip"], row["src_port"], row["count"]) == (REAL, 4242, 1)
    assert row["user"] == NAMES[name].decode(errors="replace")


CALLERS = NAMES | {
    "sudo's grammar": b"eve : TTY=pts/1 ; PWD=/ ; USER=ann ; COMMAND=/bin/true",
    "sudo's failure": b"eve : 900 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=ann ; COMMAND=/bin/true",
    "su's grammar": b"ann) eve on pts/1 (to ann",
    "words": b"root on pts/1",
}


@pytest.mark.parametrize("name", CALLERS)
def test_the_name_of_sudos_caller_changes_neither_account_nor_count_nor_outcome(name: str) -> None:
    lines = [
        HEAD + b"sudo: " + CALLERS[name] + b" : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        HEAD + b"sudo: " + CALLERS[name] + b" : 2 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root"
        b" ; COMMAND=/bin/ls",
    ]
    rows = run_format(FORMATS["sudo"], STREAM, lines).rows.get(LogType.LOGIN, [])
    assert len(rows) == 2 or set(CALLERS[name]) & set(b":;")
    for row in rows:
        wanted = ("success", 1) if row["line_index"] == 0 else ("failure", 2)
        assert (row["user"], row["outcome"], row["count"]) == ("root", *wanted)


SU_LINES = {
    b"FAILED SU (to root) %s on pts/0": "failure",
    b"(to root) %s on pts/0": "success",
    b"Successful su for root by %s": "success",
    b"FAILED su for root by %s": "failure",
    b"'su root' failed for %s on /dev/pts/0": "failure",
    b"BAD SU %s to root on /dev/pts/0": "failure",
    b"%s to root on /dev/pts/0": "success",
    b"- /dev/pts/0 %s:root": "failure",
}


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("message", SU_LINES)
def test_the_name_of_sus_caller_changes_neither_account_nor_count_nor_outcome(message: bytes, name: str) -> None:
    line = HEAD + b"su: " + message.replace(b"%s", CALLERS[name])
    rows = run_format(FORMATS["su"], STREAM, [line]).rows.get(LogType.LOGIN, [])
    assert len(rows) == 1 or set(CALLERS[name]) & set(b" :")
    for row in rows:
        assert (row["user"], row["outcome"], row["count"]) == ("root", SU_LINES[message], 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_directory_and_a_command_do_not_change_what_sudo_did(name: str) -> None:
    text = NAMES[name]
    lines = [
        HEAD + b"sudo:  eve : TTY=pts/0 ; PWD=/tmp/" + text + b" ; USER=root ; COMMAND=/bin/ls",
        HEAD + b"sudo:  eve : 2 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/" + text,
    ]
    first, second = run_format(FORMATS["sudo"], STREAM, lines).rows[LogType.LOGIN]
    assert (first["user"], first["outcome"], first["count"]) == ("root", "success", 1)
    assert (second["user"], second["outcome"], second["count"]) == ("root", "failure", 2)


def test_two_readings_of_a_sudo_line_are_a_reject() -> None:
    line = HEAD + b"sudo:  eve : TTY=pts/0 ; PWD=/x ; USER=ann ; COMMAND=y ; USER=root ; COMMAND=/bin/sh"
    outcome = run_format(FORMATS["sudo"], STREAM, [line])
    assert outcome.dispositions == {0: "reject"}
    assert not outcome.rows
