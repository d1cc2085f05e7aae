"""What can be asked: the parameters of each tool, checked. Their JSON schemas are what models and MCP clients see.

Plain on purpose, each parameter with a default of its own type: some servers reject null, $ref or lengths.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from livesec.copilot.times import check_time

SeverityWord = Literal["low", "medium", "high", "critical"]
LogTypeWord = Literal["any", "login", "network", "file_transfer"]
GroupColumn = Literal[
    "type", "severity", "log_type", "user", "src_ip", "dst_ip", "host", "entity", "status", "hour", "day"
]
TEXT_CHARACTERS = 200
ID_CHARACTERS = 64


def _short(text: str, limit: int) -> str:
    text = text.strip()
    if len(text) > limit:
        raise ValueError(f"at most {limit} characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds half a character (a lone surrogate)")  # which no store takes
    return text


def _listed(value: object) -> object:
    """A list, also where a model gives one name."""
    return ([value] if value else []) if isinstance(value, str) else value


def _text(text: str) -> str:
    return _short(text, TEXT_CHARACTERS)


def _id(text: str) -> str:
    text = _short(text, ID_CHARACTERS)
    if not text:
        raise ValueError("must not be empty")
    return text


def _named(text: str) -> str:
    text = _short(text, TEXT_CHARACTERS)
    if not text:
        raise ValueError("must not be empty")
    return text


def _limit(number: int) -> int:
    if not 1 <= number <= 50:  # noqa: PLR2004 - answer.MAX_ROWS
        raise ValueError("1 to 50")
    return number


Time = Annotated[str, AfterValidator(check_time)]
Since = Annotated[Time, Field(description="from when on: 24h, 7d, 30min (back from now), RFC 3339, or all")]
Until = Annotated[Time, Field(description="until when, in the same forms; all: until now")]
Text = Annotated[str, AfterValidator(_text)]
Id = Annotated[str, AfterValidator(_id)]
Limit = Annotated[int, AfterValidator(_limit)]
Detectors = Annotated[
    list[Text], BeforeValidator(_listed), Field(description="names of detectors; none means all of them")
]


class Question(BaseModel):
    """Parameters of one tool; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Window(Question):
    min_severity: SeverityWord = Field(default="low", description="this severity and worse")
    detectors: Detectors = Field(default_factory=list)
    log_type: LogTypeWord = Field(default="any", description="kind of log")
    text: Text = Field(default="", description="part of a user, address, host, description or id; empty means any")
    since: Since = "7d"
    until: Until = "all"


class SearchAnomalies(_Window):
    """Anomalies, the latest found first, with how many there are in all."""

    limit: Limit = Field(default=20, description="rows, 1 to 50")


class GetIncident(Question):
    """One incident: what it is, its anomalies in order of time, entities and tactics. Without an id: the latest."""

    incident_id: Text = Field(
        default="", description="its id, or the first characters of it; empty: a list of the latest"
    )


class GetEntity(Question):
    """One user, address or host: its risk, anomalies by type, incidents, first and last sight."""

    entity: Annotated[str, AfterValidator(_named)] = Field(description="a user name, an IP address or a host name")
    since: Since = "all"


class GetLogContext(Question):
    """The log lines that led to an anomaly, with the lines around one of them."""

    anomaly_id: Id = Field(description="its id, or the first characters of it")
    evidence_line: int = Field(
        default=0, description="number of the line to look around, as in L1; 0: the last one", ge=0
    )
    lines: Limit = Field(default=10, description="lines before and behind it, 1 to 50")


class CountBy(_Window):
    """Anomalies counted by one column, the most first; by hour or day in order of time."""

    column: GroupColumn = Field(description="what to count by")
    limit: Limit = Field(default=10, description="rows, 1 to 50")


class ExplainScore(Question):
    """Why an anomaly has its score: what adds to it and takes from it, the observed and the usual values."""

    anomaly_id: Id = Field(description="its id, or the first characters of it")


class DetectorHealth(Question):
    """Whether the daemon lives, how far the logs are read, and what share of its rows each detector could judge."""


QUESTIONS: dict[str, type[Question]] = {
    "search_anomalies": SearchAnomalies,
    "get_incident": GetIncident,
    "get_entity": GetEntity,
    "get_log_context": GetLogContext,
    "count_by": CountBy,
    "explain_score": ExplainScore,
    "detector_health": DetectorHealth,
}
