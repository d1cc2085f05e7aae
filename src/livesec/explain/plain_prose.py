"""What plain prose holds, and a model's may not: figures, names, links, markup, commands and verdicts of its own.

What a detector's own texts say may be said again: their acronyms, names of settings and the like are constants of
this program. All else fails closed; a word that is an ordinary one and a name too ("alice failed") cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

FILLED: Final = "X"
"""Stands for what code fills in."""

_MARKUP: Final = re.compile(r"[`<>|$\\~^=*#_{}\[\]@/&;\"“”„«»]|--|!\[|\]\(|(?<!\w)['\u2018]\w")
_SEMICOLON: Final = re.compile(r"(?<=[\w)]);(?= [A-Za-z])")  # between clauses
_OPTION: Final = re.compile(r"(?:^|\s)[-\u2010-\u2012\u2212]\w")
_DOTTED: Final = re.compile(r"\w\.\w|\.\w+\b(?<=\.exe|.\.sh|\.ps1)")
_ABBREVIATIONS: Final = re.compile(r"\b(?:e\.g|i\.e|a\.k\.a|vs)\.|\b(?:and/or|either/or|TCP/IP|read/write|km/h)\b")
_NUMBERS: Final = re.compile(
    r"\b(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|percent)\b",
    re.IGNORECASE,
)
_PROGRAMS: Final = re.compile(
    r"\b(?:curl|wget|ncat|netcat|nc|bash|zsh|powershell|pwsh|chmod|chown|iptables|nft|ufw|systemctl|sudo|scp|certutil|"
    r"mshta|rundll|regsvr|crontab|journalctl|whois|whoami|passwd|useradd|usermod|userdel|mkfs|eval|exec|xargs|invoke|"
    r"rm|dd|killall|pkill|netsh|schtasks|wmic|msiexec|bitsadmin|cscript|wscript|nmap|kubectl|base64)\b",
    re.IGNORECASE,
)
_DEFENCE: Final = (
    r"(?:alerts?|alerting|alarms?|rules?|sensors?|detectors?|detections?|firewalls?|monitor(?:s|ing)?|antivirus|edr|"
    r"audit(?:s|ing)?|logs?|logging|evidence|findings?|anomal(?:y|ies)|livesec|protections?|defences?|defenses?|"
    r"backups?|mfa|factor|policy|policies|incidents?|lockouts?|encryption)"
)
_NOT_BEFORE: Final = r"(?<!do not )(?<!don't )(?<!never )(?<!without )"
_HARMFUL: Final = re.compile(
    rf"{_NOT_BEFORE}\b(?:disabl|delet|eras|wip|uninstall|remov|clear|bypass|weaken|stop(?!ped)|pause(?!d))\w*"
    rf"(?: \w+){{0,3}} {_DEFENCE}\b"
    rf"|{_NOT_BEFORE}\b(?:turn|switch)(?:ing)?(?: \w+){{0,3}} (?:off(?: \w+){{0,3}} {_DEFENCE}|{_DEFENCE} off)\b"
    rf"|{_NOT_BEFORE}\b(?:whitelist|allowlist|unblock|ignor|suppress|dismiss|grant|exempt)\w*"
    r"|\b(?:no|without) (?:further |any )?(?:action|steps?|response|investigation)\b"
    r"|\bclose (?:\w+ )?(?:case|alerts?|incidents?|findings?|tickets?)\b",
    re.IGNORECASE,
)
_LOW: Final = r"(?:low|lower|lowest|info|informational|none|minor|zero|benign|negligible)"
_LEVELS: Final = rf"(?:{_LOW}|medium|moderate|high|critical)"
_SEVERITY: Final = re.compile(
    rf"\b(?:severity|priority|score)\b(?: \w+){{0,3}}[:,]? {_LEVELS}\b|\b{_LEVELS}[ -](?:severity|priority|score)\b"
    rf"|\brisk\b(?: \w+){{0,3}}[:,]? {_LOW}\b|\b{_LOW}[ -]risk\b",
    re.IGNORECASE,
)
_VERDICT: Final = re.compile(
    r"\b(?:(?:is|are|was|were|as|be|it's|looks|seems|appears|considered|classified|marked)(?: \w+){0,2} "
    r"(?:benign|harmless|safe|legitimate|authori[sz]ed|(?:false positive|false alarm)|nothing)"
    r"|false (?:positive|alarm)|nothing to (?:worry|see|do)|safe to"
    r"|(?:be|been) (?:safely )?(?:ignored|closed|dismissed)"
    r"|no (?:cause|reason|need) (?:for|to)|no (?:\w+ )?(?:threat|danger|risk|concern|attack|action|investigation)"
    r"|poses no)\b",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"\b(?:users?|accounts?|hosts?|machines?|servers?|domains?|groups?|usernames?|hostnames?)"
    r"(?: (?:named|called))?[ :]+(?P<word>'?[\w-]+)",
    re.IGNORECASE,
)
_AFTER_A_NOUN_WORDS: Final = """
a about abuse accepted access accessed accesses accessing account accounts across active activity address addresses
affected after again against agent ago alike all allowed alone already also although always among an and another answer
answered answers any anyway appear appears are around as ask asked asking asks at attempted attempts authentication
away back base based be became because becomes been before began begins behave behaved behaves behavior behaviour
behaviours behind being belong belonged belongs below beside between beyond blocked both brute but by called calls came
can cannot carries certificate certificates change changed changes client clients come comes coming compromise
compromised connect connected connecting connections connects contact contacted contacts contains context copied copies
could create created creates creation credential credentials currently data database deletion denied details did
different directly directory disabled do does doing done dormant down downloaded downloads during each earlier either
else elsewhere enabled ends enumeration even ever every exchanges exfiltrated exist exists expects expired exposed
exposes external fail failed failing fails far fast fetched first followed follows for forced found from gains gave get
gets given gives goes going got grew grows guessed guesses guessing had happens has have having held here hijacking
holder holders holds however idle if in inactive including infected inside instead internal into inventory involved is
it its itself joined just keep keeps kept key key-based keys kind known knows lacks last later lead leads least left
level like likely list listens lists lives load local lock locked lockout lockouts log logged logging login logins logs
look looked looks lost made maintenance make makes making management manager many matches matters may mean means member
members memberships might migration misuse modification more moved moves moving much must name names need needed needs
neither never new next no nobody noise nor normally not now occurred occurs of off offered offers often on once one
online only open opened opens or ordinarily other others otherwise our out outside over own owned owner owners password
passwords pattern patterns per performed performs perhaps permissions picks policy possibly previously privileges
probably probed probes probing produced profile quickly rarely reach reachable reached reaches read reading reads
really received receives refused rejected remain remains remote rented repeatedly reported reports requested require
required requires responded responds responsible rests returned reveals review reviews rights role roles running runs
said same saw say says scanned scanning scans see seem seems seen send sending sends sent serve served serves service
services session sessions set sets several share shared shares should show showing shown shows signed signs simply
since sits so software some somebody someone something sometimes somewhere soon speak speaks spraying start started
starts stay stayed stays still stop stopped stops stores succeed succeeded succeeds such suddenly suffered suspected
switched tail takeover takes taking talk talked talking talks target targeted targets team test tests than that the
theft their them themselves then there therefore these they this those though through thus time times to today together
too took touched touches toward towards traffic transferred transfers tried tries try trying turn twice two type types
typical typically unavailable under unknown unless unlocked until up uploaded uploads upon use used user users uses
using usual usually very via visited visits wait waited waits want wants was went were what when where whereas whether
which while who whom whose will with within without work works would writes wrote yet you your
"""
_AFTER_A_NOUN: Final = frozenset(_AFTER_A_NOUN_WORDS.split())
_CAPITALS: Final = re.compile(r"(?<![.!?:(] )(?<![(])(?<!^)\b[A-Z][a-z]+\b", re.MULTILINE)
_MIXED: Final = re.compile(r"\b\w*[a-z][A-Z]\w*\b")
_PROPER_WORDS: Final = """
Internet Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August
September October November December Windows Linux Unix Kerberos Azure Entra Okta Amazon Microsoft Google Zeek Suricata
Samba Python English Active Directory Tor Remote Desktop Web Wi Fi Excel Word Office
PowerShell OpenSSH CloudTrail GitHub GitLab macOS iOS WinRM OneDrive SharePoint DoS DDoS OpenVPN IPv WiFi LiveSec IoT
NetFlow JavaScript TeamViewer AnyDesk IDs IPs VPNs APIs VMs PCs DNSSEC
"""
_PROPER: Final = frozenset(_PROPER_WORDS.split())
_ACRONYMS: Final = re.compile(r"\b[A-Z][A-Z]+\b")
_KNOWN_ACRONYMS_WORDS: Final = """
SSH FTP SFTP VPN NAT DNS IP TCP UDP ICMP HTTP HTTPS TLS SSL SMB RDP VNC IT AI SOC SIEM EDR MFA PAM AWS IAM API USB URL
CDN ISP ASN CPU OS ID UTC DDOS DOS IDS IPS NTP SMTP IMAP POP LDAP SQL ATT CK DMZ LAN WAN VLAN CI CD HR PDF CSV ZIP GDPR
DPO CISO CIO CEO CFO PII TTL MAC ARP DHCP SNMP NFS CLI GUI SSO VM PC TOR NOT AND OR NO
"""
_KNOWN_ACRONYMS: Final = frozenset(_KNOWN_ACRONYMS_WORDS.split())
_GERMAN: Final = re.compile(r"german|deutsch", re.IGNORECASE)
_SPECIAL: Final = re.compile(r"(?<![\w{])(?=\w*[A-Za-z])\w*[A-Z0-9_]\w*(?![\w}])")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_WORD: Final = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a detector's texts say, which is no invention of a model that repeats it."""

    special: frozenset[str] = frozenset()
    """Words with capitals, digits or underscores in them."""
    pairs: frozenset[tuple[str, str]] = frozenset()
    """Words that follow each other, in small letters."""


NOTHING: Final = OwnWords()


@lru_cache(maxsize=256)
def own_words(texts: Sequence[str]) -> OwnWords:
    """Those of the templates `texts` (hashable).

    >>> own_words(("{user}: list it in relay_networks",)).special
    frozenset({'relay_networks'})
    """
    plain = [_PLACEHOLDER.sub(" . ", text) for text in texts]
    pairs: set[tuple[str, str]] = set()
    for text in plain:
        words = _WORD.findall(text.lower())
        pairs.update(pairwise(words))
    return OwnWords(frozenset(word for text in plain for word in _SPECIAL.findall(text)), frozenset(pairs))


def _names_somebody(text: str, own: OwnWords, language: str) -> bool:
    for found in _NAMED.finditer(text):
        word, noun = found["word"].lower(), _WORD.findall(found.group().lower())[0]
        if found["word"] != FILLED and word not in _AFTER_A_NOUN and (noun, word) not in own.pairs:
            return True
    if any(word not in _PROPER for word in _MIXED.findall(text)):
        return True
    # German writes all nouns with a capital: there it tells nothing
    if not _GERMAN.search(language) and any(word not in _PROPER for word in _CAPITALS.findall(text)):
        return True
    return any(word not in _KNOWN_ACRONYMS for word in _ACRONYMS.findall(text))


def _counts(text: str, own: OwnWords) -> bool:
    """Whether a number stands there in words that is not one of the detector's own."""
    words = _WORD.findall(text.lower())
    return any(
        _NUMBERS.fullmatch(word) and (before, word) not in own.pairs
        for before, word in zip(["", *words], words, strict=False)
    )


def foreign(
    text: str, *, is_step: bool = False, is_verdict: bool = False, own: OwnWords = NOTHING, language: str = "English"
) -> str | None:
    """What `text` holds beyond plain prose, in words; None where it is plain. FILLED stands for a value of the facts.

    `is_step`: it tells a person what to do, and may not weaken the defence. `is_verdict`: it says what the finding is,
    so that it may not call it harmless. `own`: what may be repeated.

    >>> foreign("A script with an old password, e.g. of a backup."), foreign("Ask X."), foreign("Ask the user bob.")
    (None, None, 'a name that is not in the facts')
    >>> foreign("see evil.example"), foreign("three times"), foreign("Disable the sensor.", is_step=True)
    ('an address, a domain or a file', 'a number in words', 'advice that would weaken the defence')
    >>> foreign("It is a false positive.", is_verdict=True), foreign("Severity is low.")
    ('a verdict', 'a severity')
    """
    bare = _ABBREVIATIONS.sub(" ", text)
    if _PROGRAMS.search(bare):
        return "a command of the model's own"
    left = _SPECIAL.sub(lambda found: FILLED if found.group() in own.special else found.group(), bare)
    left = _SEMICOLON.sub(",", left)
    for what, pattern in (
        ("markup, a link, quotes or a path", _MARKUP),
        ("an option of a command", _OPTION),
        ("an address, a domain or a file", _DOTTED),
    ):
        if pattern.search(left):
            return what
    if any(character.isnumeric() for character in left):  # of any script, also fractions and numbers in circles
        return "a digit"
    if _SEVERITY.search(bare):
        return "a severity"
    if _counts(bare, own):
        return "a number in words"
    if is_verdict and _VERDICT.search(bare):
        return "a verdict"
    if is_step and _HARMFUL.search(bare):
        return "advice that would weaken the defence"
    return "a name that is not in the facts" if _names_somebody(left, own, language) else None
