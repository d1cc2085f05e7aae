"""What plain prose holds, and a model's may not: figures, names, links, markup and commands of its own."""

from __future__ import annotations

import re
from typing import Final

FILLED: Final = "X"
"""Stands for what code fills in."""

_MARKUP: Final = re.compile(r"[`<>|$\\~^=*#_{}\[\]@/&;\"“”„«»]|--|&&|!\[|\]\(")
_DOTTED: Final = re.compile(r"\w\.\w")
_ABBREVIATIONS: Final = re.compile(r"\b(?:e\.g|i\.e|a\.k\.a|vs)\.")
_NUMBERS: Final = re.compile(
    r"\b(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|percent)\b",
    re.IGNORECASE,
)
_PROGRAMS: Final = re.compile(
    r"\b(?:curl|wget|ncat|netcat|bash|zsh|powershell|pwsh|chmod|chown|iptables|nft|ufw|systemctl|sudo|scp|certutil|"
    r"mshta|rundll|regsvr|crontab|journalctl|whois|passwd|useradd|usermod|userdel|mkfs|eval|exec|xargs|invoke|rm)\b",
    re.IGNORECASE,
)
_HARMFUL: Final = re.compile(
    r"\b(?:disabl|delet|eras|wip|uninstall|whitelist|allowlist|unblock|ignor|suppress|dismiss|grant|turn(?:ing)? off|"
    r"switch(?:ing)? off|clear(?:ing)? the (?:log|evidence)|no (?:further )?action)\w*",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"\b(?:users?|accounts?|hosts?|machines?|servers?|domains?|groups?|usernames?|hostnames?)"
    r"(?: (?:named|called))?[ :]+(?!\{)('?[\w-]+)",
    re.IGNORECASE,
)
_AFTER_A_NOUN_WORDS: Final = """
a about access accounts activity after alone already also an and are as at attempted attempts base based be because
been before behaves behaviour belongs but by came can comes compromise connected connects could create created
credentials did directly do does during elsewhere for from had has have held holder holders if in inside instead
into is itself just leads left lists lock lockout lockouts log logged logging login logins logs made makes
management may means might must name names never no normally not now of offered offers on once one only opened or
outside over owner owners password passwords policy really responds review reviews role roles running runs seems
sends sent sets should shows since so still takes taking than that the their them then there these they this to took
towards tried tries under until used uses usually was were when where whether which while who whose will with within
without works would your
"""
_AFTER_A_NOUN: Final = frozenset(_AFTER_A_NOUN_WORDS.split())
_CAPITALS: Final = re.compile(r"(?<![.!?:] )(?<!^)\b[A-Z][a-z]+\b", re.MULTILINE)
_PROPER_WORDS: Final = """
Internet Monday Tuesday Wednesday Thursday Friday Saturday Sunday Windows Linux Unix Kerberos Azure Entra Okta
Amazon Zeek Suricata Samba Python English
"""
_PROPER: Final = frozenset(_PROPER_WORDS.split())
_ACRONYMS: Final = re.compile(r"\b[A-Z][A-Z]+\b")
_KNOWN_ACRONYMS_WORDS: Final = """
SSH FTP SFTP VPN NAT DNS IP TCP UDP ICMP HTTP HTTPS TLS SMB RDP IT AI SOC SIEM MFA PAM AWS IAM API USB URL CDN ISP
ASN CPU OS ID UTC DDOS DOS C2 IDS IPS NTP SMTP IMAP LDAP SQL
"""
_KNOWN_ACRONYMS: Final = frozenset(_KNOWN_ACRONYMS_WORDS.split())
_FORBIDDEN: Final = (
    ("markup, a link, quotes or a path", _MARKUP),
    ("an address, a domain or a file", _DOTTED),
    ("a digit", re.compile(r"\d")),
    ("a number in words", _NUMBERS),
    ("a command", _PROGRAMS),
)


def _names_somebody(text: str) -> bool:
    return (
        any(found[1].lower() not in _AFTER_A_NOUN and found[1] != FILLED for found in _NAMED.finditer(text))
        or any(word not in _PROPER for word in _CAPITALS.findall(text))
        or any(word not in _KNOWN_ACRONYMS for word in _ACRONYMS.findall(text))
    )


def foreign(text: str, *, is_step: bool = False) -> str | None:
    """What `text` holds beyond plain prose, in words; None where it is plain. FILLED stands for a value of the facts.

    `is_step`: it tells a person what to do, and may not weaken the defence.

    >>> foreign("A script with an old password, e.g. of a backup."), foreign("Ask X."), foreign("Ask the user bob.")
    (None, None, 'a name that is not in the facts')
    >>> foreign("see evil.example"), foreign("three times"), foreign("Disable the sensor.", is_step=True)
    ('an address, a domain or a file', 'a number in words', 'advice that would weaken the defence')
    """
    left = _ABBREVIATIONS.sub("", text)
    for what, pattern in _FORBIDDEN:
        if pattern.search(left):
            return what
    if is_step and _HARMFUL.search(left):
        return "advice that would weaken the defence"
    return "a name that is not in the facts" if _names_somebody(left) else None
