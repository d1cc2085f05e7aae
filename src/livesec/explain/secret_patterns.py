"""Secrets that never leave, whoever is asked: keys, tokens, passwords and hashes in texts of logs.

Shapes as GitHub's secret scanning, AWS, Slack, OpenAI and RFC 7519 (JWT) document them; passwords by where they stand.
What has no shape of its own, such as a password typed as a user name, cannot be told from any other word.
"""

from __future__ import annotations

import re
from typing import Final

REMOVED: Final = "[secret removed]"

_WHOLE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"  # AWS access keys
    r"|\bgh[pousr]_[A-Za-z0-9]{20,255}\b|\bgithub_pat_[A-Za-z0-9_]{20,255}\b|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\bsk-[A-Za-z0-9_-]{16,}"  # OpenAI and others
    r"|\bAIza[A-Za-z0-9_-]{30,}"  # Google
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"  # JWT
    r"|\$(?:2[abxy]|[1567y]|argon2[a-z]*|scrypt)\$[A-Za-z0-9./$,=+-]{8,}"  # crypt(3) hashes
)
_VALUE: Final = re.compile(
    r"(?i)(?P<before>"
    r"\b(?:passw(?:or)?d|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|session[_-]?key|"
    r"client[_-]?secret)(?:=[\"']?(?!/)|[\"']?\s*:\s*[\"'])"  # PWD=/home is a folder
    r"|\bsig(?:nature)?=[\"']?"
    r"|\bauthorization[\"']?\s*[=:]\s*[\"']?(?:basic|bearer|digest|negotiate|token)?\s*"
    r"|\bbearer\s+"
    r"|[a-z][a-z0-9+.-]*://[^\s/:@]*:(?=[^\s/@]*@)"
    r")(?P<value>[^\s\"'&;,@{]+)"
)


def without_secrets(text: str) -> str:
    """`text` with REMOVED in the place of each secret.

    >>> without_secrets("GET /?user=ann&password=hunter2 https://ann:pw@host/ AKIAABCDEFGHIJKLMNOP")
    'GET /?user=ann&password=[secret removed] https://ann:[secret removed]@host/ [secret removed]'
    """
    return _VALUE.sub(lambda found: f"{found['before']}{REMOVED}", _WHOLE.sub(REMOVED, text))


def has_secret(text: str) -> bool:
    """Whether there is one."""
    return without_secrets(text) != text
