"""The part of MITRE ATT&CK (Enterprise, v16) that the detectors name: techniques, their tactics, the tactics' order."""

from __future__ import annotations

from collections.abc import Iterable

TACTICS = (
    "reconnaissance",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
)

# Technique without its sub-technique: (name, the tactic it serves in what LiveSec sees).
_TECHNIQUES: dict[str, tuple[str, str]] = {
    "T1589": ("Gather Victim Identity Information", "reconnaissance"),
    "T1595": ("Active Scanning", "reconnaissance"),
    "T1078": ("Valid Accounts", "initial-access"),
    "T1133": ("External Remote Services", "initial-access"),
    "T1190": ("Exploit Public-Facing Application", "initial-access"),
    "T1505": ("Server Software Component", "persistence"),
    "T1562": ("Impair Defenses", "defense-evasion"),
    "T1110": ("Brute Force", "credential-access"),
    "T1552": ("Unsecured Credentials", "credential-access"),
    "T1018": ("Remote System Discovery", "discovery"),
    "T1046": ("Network Service Discovery", "discovery"),
    "T1619": ("Cloud Storage Object Discovery", "discovery"),
    "T1550": ("Use Alternate Authentication Material", "lateral-movement"),
    "T1021": ("Remote Services", "lateral-movement"),
    "T1570": ("Lateral Tool Transfer", "lateral-movement"),
    "T1530": ("Data from Cloud Storage", "collection"),
    "T1560": ("Archive Collected Data", "collection"),
    "T1071": ("Application Layer Protocol", "command-and-control"),
    "T1571": ("Non-Standard Port", "command-and-control"),
    "T1572": ("Protocol Tunneling", "command-and-control"),
    "T1030": ("Data Transfer Size Limits", "exfiltration"),
    "T1041": ("Exfiltration Over C2 Channel", "exfiltration"),
    "T1048": ("Exfiltration Over Alternative Protocol", "exfiltration"),
    "T1567": ("Exfiltration Over Web Service", "exfiltration"),
    "T1486": ("Data Encrypted for Impact", "impact"),
    "T1498": ("Network Denial of Service", "impact"),
    "T1499": ("Endpoint Denial of Service", "impact"),
}


def technique_name(technique: str) -> str:
    """The name of a technique id, of its parent where it is a sub-technique. Raises KeyError for an unknown one.

    >>> technique_name("T1110.001")
    'Brute Force'
    """
    return _TECHNIQUES[technique.partition(".")[0]][0]


def tactics_of(techniques: Iterable[str]) -> tuple[str, ...]:
    """The tactics of technique ids, each once, in ATT&CK order.

    >>> tactics_of(["T1048", "T1110.001", "T1110"])
    ('credential-access', 'exfiltration')
    """
    named = {_TECHNIQUES[technique.partition(".")[0]][1] for technique in techniques}
    return tuple(tactic for tactic in TACTICS if tactic in named)
