"""The table of commands: every variant parses, and calls only programs, with such words, as read."""

from __future__ import annotations

import re
import subprocess

import pytest

from livesec.core.commands import COMMANDS, Platform, fill

VALUES = {
    "user": "alice",
    "src_ip": "192.0.2.1",
    "dst_ip": "198.51.100.2",
    "host": "web1",
    "port": 22,
    "path": "/srv/share/plan.txt",
    "since": "2026-03-02T08:30:00Z",
    "until": "2026-03-02T09:30:00Z",
}
READERS = frozenset(
    {
        *("last", "journalctl", "w", "ps", "getent", "ss", "whois", "dig"),
        *("grep", "cut", "sort", "uniq", "head", "tail", "wc", "stat", "ls", "df", "lsof", "uptime"),
        *("file", "sha256sum", "smbstatus", "lvs"),
    }
)
"""Programs that change nothing, whatever their options here."""
READING_FORMS = (
    "passwd -S ",
    "sshd -T",
    "ssh -V",
    "nft list ruleset",
    "crontab -l",
    "systemctl status ",
    "systemctl list-timers",
    "sh -c 'ls -la ",
    "ip neigh show ",
    "rpm -qa ",
    "zfs list ",
    "awk '{print ",
    "find /home /tmp /var/tmp -xdev ",
    "xargs -n1 ethtool -k",
    "timeout 60 tcpdump -ni any -c 20 -X ",
    "query user",
    "net accounts",
)
"""Programs that can change things, in the forms that do not."""
_AWS_READS = re.compile(r"aws [a-z0-9]+ (?:lookup|describe|get|list)-")
_CMDLET = re.compile(r"(?:Get|Where|Select|Group|Sort|Format|Resolve)-[A-Z]\w+\b")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\{[^{}]*\}|\([^()]*\)")

VARIANTS = [(name, platform) for name, command in COMMANDS.items() for platform in command.texts]
variants = pytest.mark.parametrize(("name", "platform"), VARIANTS)


def _text(name: str, platform: Platform) -> str:
    text = fill(name, platform, VALUES)
    assert text is not None
    return text.partition("    # ")[0]


def _calls(text: str) -> list[str]:
    """The commands of a pipeline or list, with nothing that is quoted or in braces to cut at."""
    masked = _QUOTED.sub(lambda match: "x" * len(match.group()), text)
    starts = [0, *(match.end() for match in re.finditer(r"[|;&]", masked))]
    ends = [*(start - 1 for start in starts[1:]), len(text)]
    return [text[start:end].strip().removeprefix("sudo ") for start, end in zip(starts, ends, strict=True)]


def _reads(call: str) -> bool:
    return (
        call.partition(" ")[0] in READERS
        or call.startswith(READING_FORMS)
        or _AWS_READS.match(call) is not None
        or _CMDLET.match(call) is not None
    )


@variants
def test_every_call_of_a_command_only_reads(name: str, platform: Platform) -> None:
    text = _text(name, platform)
    assert [call for call in _calls(text) if not _reads(call)] == []
    assert ">" not in _QUOTED.sub("", text), "it writes a file"


def test_a_call_that_changes_things_is_noticed() -> None:
    changing = ("last -i | xargs rm", "systemctl stop sshd", "aws iam delete-user --user-name a", "Stop-Process 1; w")
    assert all(not all(map(_reads, _calls(text))) for text in changing)


@pytest.mark.parametrize(("name", "platform"), [item for item in VARIANTS if item[1] is not Platform.WINDOWS])
def test_a_shell_can_parse_it(name: str, platform: Platform) -> None:
    parsed = subprocess.run(["bash", "-n", "-c", _text(name, platform)], capture_output=True, text=True, check=False)
    assert (parsed.returncode, parsed.stderr) == (0, "")
