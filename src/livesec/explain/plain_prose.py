"""What plain prose holds, and a model's may not: figures, names, links, markup and commands of its own."""

from __future__ import annotations

import re
from typing import Final

FILLED: Final = "X"
"""Stands for what code fills in."""

_MARKUP: Final = re.compile(r"[`<>|$\\~^=*#_{}\[\]@&\"“”„«»]|--|//|(?<!\w)/|/(?!\w)")
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
a about access accounts activity address addresses after against alone already also among an and answer answered
answers any are around as asked asks at attempted attempts authentication base based be became because becomes been
before began begins behave behaved behaves behaviour behaviours belonged belongs between both but by called calls
came can carries certificate certificates changed changes comes compromise connected connects contacted contacts
contains copied copies could create created credentials data database did directly do does downloaded downloads
during each either elsewhere ends even ever every exchanges exist exists expects exposes failed fails fetched
followed follows for from gains gave gets gives goes going got grew grows had happens has have held here holder
holders however if in inside instead into is itself joined just keeps kept key key-based keys known lacks later
leads left like likely list listens lists lives lock lockout lockouts log logged logging login logins logs looked
looks lost made makes management matches may means might moved moves must name names needs neither never no nor
normally not now of offered offers often on once one only opened or ordinarily otherwise our outside over own owner
owners password passwords perhaps picks policy possibly probably produced reached reaches read reads really received
receives remains reported requested requires responds rests returned reveals review reviews role roles running runs
scanned scans seems sends sent served serves session sessions sets should shows signed signs simply since sits so
software sometimes somewhere soon started starts stay stayed stays still stopped stops stores such suddenly suffered
switched takes taking talked talks targeted team than that the their them then there therefore these they this
though through thus time times to together too took touched towards traffic transferred transfers tried tries twice
types under unless until up uploaded uploads upon used uses usual usually very via visited visits waited wants was
went were what when where whether which while who whose will with within without works would wrote yet you your
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
    if any(character.isnumeric() for character in left):  # of any script, also fractions and numbers in circles
        return "a digit"
    for what, pattern in _FORBIDDEN:
        if pattern.search(left):
            return what
    if is_step and _HARMFUL.search(left):
        return "advice that would weaken the defence"
    return "a name that is not in the facts" if _names_somebody(left) else None
