"""Typed commands: the tools without a model. Forgiving to read, exact in what they ask.

top ips 24h          anomalies high 24h        incident ID        entity 192.0.2.1        health
count by type 24h    anomalies bf_fast 7d      context ID 20      score ID                help
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from livesec.copilot.answer import ToolError
from livesec.copilot.questions import (
    DetectorHealth,
    Question,
    SearchAnomalies,
)
from livesec.copilot.times import EXPECTED, check_time
from livesec.copilot.tools import question_of
from livesec.core.severity import SEVERITIES
from livesec.core.text import shown

HELP: tuple[tuple[str, str], ...] = (
    ("anomalies [SEVERITY] [DETECTOR] [LOG TYPE] [TIME] [TEXT]", "the latest, of this severity and worse"),
    ("top ips|users|hosts|targets|types [TIME]", "who and what has the most anomalies"),
    ("count by COLUMN [TIME]", "type, severity, log_type, user, src_ip, dst_ip, host, entity, status, hour or day"),
    ("incidents", "the latest incidents"),
    ("incident ID", "one incident with its anomalies"),
    ("entity NAME", "a user, an address or a host"),
    ("context ID [LINES]", "the log lines around an anomaly"),
    ("score ID", "why an anomaly has its score"),
    ("health", "the daemon, the sources and the detectors"),
)
EXAMPLES = ("anomalies high 24h", "top ips 24h", "top users 7d", "count by type 24h", "entity 192.0.2.1", "health")
TIME_HELP = "TIME is 30min, 24h, 7d, a date or RFC 3339, or all; without one it is 7d. An ID may be its beginning."
COMMAND_CHARACTERS = 500

_COLUMNS = {
    **dict.fromkeys(("ip", "ips", "address", "addresses", "source", "sources", "src_ip", "src"), "src_ip"),
    **dict.fromkeys(("target", "targets", "destination", "destinations", "dst_ip", "dst"), "dst_ip"),
    **dict.fromkeys(("user", "users", "account", "accounts"), "user"),
    **dict.fromkeys(("host", "hosts", "machine", "machines"), "host"),
    **dict.fromkeys(("type", "types", "detector", "detectors"), "type"),
    **dict.fromkeys(("severity", "severities"), "severity"),
    **dict.fromkeys(("log_type", "log_types", "logtype", "log"), "log_type"),
    **dict.fromkeys(("entity", "entities"), "entity"),
    **dict.fromkeys(("status", "statuses"), "status"),
    **dict.fromkeys(("hour", "hours", "hourly"), "hour"),
    **dict.fromkeys(("day", "days", "daily"), "day"),
}
_LOG_TYPES = {
    **dict.fromkeys(("login", "logins"), "login"),
    **dict.fromkeys(("network", "net"), "network"),
    **dict.fromkeys(("file_transfer", "file_transfers", "transfers", "files"), "file_transfer"),
}
_IGNORED = frozenset({"by", "in", "of", "the", "last", "past", "since", "for", "from", "me", "show", "list", "about"})
_UNITS = re.compile(r"m|min|minutes?|h|hours?|d|days?|w|weeks?", re.IGNORECASE)
_WORD = re.compile(r'"([^"]*)"|(\S+)')


class CommandError(ToolError):
    """Words that are no command; the text says which would be."""

    exit_code = 2


def parse(text: str, detectors: Sequence[str] = ()) -> Question | None:
    """The question that a typed command asks; None for `help`. Raises CommandError.

    >>> parse("top ips 24h").column
    'src_ip'
    >>> parse("show me the anomalies of the last 24 hours").since
    '24hours'
    >>> parse("help") is None
    True
    """
    if len(text) > COMMAND_CHARACTERS:
        raise CommandError(f"a command has at most {COMMAND_CHARACTERS} characters")
    words = [quoted or plain for quoted, plain in _WORD.findall(text)]
    while words and words[0].lower() in _IGNORED:
        words.pop(0)
    if not words:
        raise CommandError(f"nothing was asked; try `{EXAMPLES[0]}` or `help`")
    first, rest = words[0].lower(), words[1:]
    if first in ("help", "?", "commands"):
        return None
    command = _COMMANDS.get(first)
    if command is None:
        raise CommandError(_suggestion(first))
    try:
        return command(rest, detectors)
    except CommandError:
        raise
    except ToolError as error:  # what the tool's own parameters refuse
        raise CommandError(str(error).partition(": ")[2] or str(error)) from None


def is_command(text: str, detectors: Sequence[str] = ()) -> bool:
    """Whether `text` is a typed command and no question in words, so that no model need be asked.

    >>> is_command("anomalies high 24h"), is_command("anomalies of the night that look like one attacker")
    (True, False)
    """
    try:
        question = parse(text, detectors)
    except CommandError:
        return False
    loose = question.text if isinstance(question, SearchAnomalies) else ""
    return "?" not in text.removeprefix("?") and " " not in loose


def help_text() -> str:
    """All commands, for a terminal."""
    width = max(len(form) for form, _ in HELP)
    lines = [f"{form:{width}}  {about}" for form, about in HELP]
    return "\n".join([*lines, "", TIME_HELP, f"Examples: {'; '.join(EXAMPLES)}"])


def _suggestion(word: str) -> str:
    near = difflib.get_close_matches(word, list(_COMMANDS), 1, 0.7)
    hint = f"did you mean `{near[0]}`?" if near else f"try `{EXAMPLES[0]}`, `{EXAMPLES[1]}` or `help`"
    return f"{shown(word, 40)} is no command; {hint}"


def _joined_spans(words: Sequence[str]) -> list[str]:
    """`24 hours` as one word, and words that only make a sentence of it left out."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].isdigit() and _UNITS.fullmatch(word):
            joined[-1] += word
        elif word.lower() not in _IGNORED:
            joined.append(word)
    return joined


def _is_time(word: str) -> bool:
    try:
        check_time(word)
    except ValueError:
        return False
    return True


def _severity(word: str) -> str | None:
    word = word.lower().rstrip("+")
    return word if word in [str(name) for name in SEVERITIES] else None


def _window(words: Sequence[str], detectors: Sequence[str]) -> dict[str, object]:
    """Severity, detectors, log type, times and text, each known by what it looks like."""
    given: dict[str, object] = {}
    names: list[str] = []
    text: list[str] = []
    for word in _joined_spans(words):
        lower = word.lower()
        if (severity := _severity(word)) is not None:
            given["min_severity"] = severity
        elif lower in detectors:
            names.append(lower)
        elif lower in _LOG_TYPES:
            given["log_type"] = _LOG_TYPES[lower]
        elif _is_time(word):
            given["until" if "since" in given else "since"] = word
        else:
            text.append(word)
    if names:
        given["detectors"] = names
    if text:
        given["text"] = " ".join(text)
    return given


def _anomalies(words: Sequence[str], detectors: Sequence[str]) -> Question:
    return question_of("search_anomalies", _window(words, detectors))


def _count(words: Sequence[str], detectors: Sequence[str]) -> Question:
    words = _joined_spans(words)
    if words and words[0].isdigit():  # top 5 ips
        limit, words = int(words[0]), words[1:]
    else:
        limit = 10
    if not words:
        raise CommandError("count by what? try `top ips 24h` or `count by type 24h`")
    column = _COLUMNS.get(words[0].lower())
    if column is None:
        near = difflib.get_close_matches(words[0].lower(), list(_COLUMNS), 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(dict.fromkeys(_COLUMNS.values()))}"
        raise CommandError(f"nothing is counted by {shown(words[0], 40)}; {hint}")
    given = _window(words[1:], detectors)
    if "text" in given:
        raise CommandError(f"{shown(str(given['text']), 60)} is no time; expected {EXPECTED}")
    if column in ("hour", "day"):
        limit = 50
    return question_of("count_by", {"column": column, "limit": limit, **given})


def _incident(words: Sequence[str], _: Sequence[str]) -> Question:
    return question_of("get_incident", {"incident_id": _only(words, "incident ID") if words else ""})


def _entity(words: Sequence[str], _: Sequence[str]) -> Question:
    if not words:
        raise CommandError("which one? try `entity 192.0.2.1` or `entity alice`")
    name, times = words[0], _joined_spans(words[1:])
    if len(times) > 1 or not all(_is_time(word) for word in times):
        raise CommandError('expected `entity NAME [TIME]`; a name with spaces needs quotes, as in entity "Ann Lee"')
    return question_of("get_entity", {"entity": name, "since": times[0] if times else None})


def _context(words: Sequence[str], _: Sequence[str]) -> Question:
    if len(words) == 2 and words[1].isdigit():  # noqa: PLR2004 - ID and LINES
        return question_of("get_log_context", {"anomaly_id": words[0], "lines": int(words[1])})
    return question_of("get_log_context", {"anomaly_id": _only(words, "context ID [LINES]")})


def _score(words: Sequence[str], _: Sequence[str]) -> Question:
    return question_of("explain_score", {"anomaly_id": _only(words, "score ID")})


def _health(words: Sequence[str], _: Sequence[str]) -> Question:
    if words:
        raise CommandError(f"`health` takes nothing more, and {shown(' '.join(words), 60)} was given")
    return DetectorHealth()


def _only(words: Sequence[str], form: str) -> str:
    if len(words) != 1:
        raise CommandError(f"expected `{form}`; ids stand in the answers to `anomalies 7d`")
    return words[0]


_COMMANDS: dict[str, Callable[[Sequence[str], Sequence[str]], Question]] = {
    **dict.fromkeys(("anomalies", "anomaly", "alerts", "search", "find"), _anomalies),
    **dict.fromkeys(("top", "count"), _count),
    **dict.fromkeys(("incident", "incidents"), _incident),
    **dict.fromkeys(("entity", "user", "ip", "host"), _entity),
    "context": _context,
    **dict.fromkeys(("score", "explain"), _score),
    **dict.fromkeys(("health", "status"), _health),
}
