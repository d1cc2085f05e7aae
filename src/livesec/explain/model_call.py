"""What stands between prompt, model client and worker: a request, its reply, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from livesec.core.errors import LiveSecError


class View(StrEnum):
    """For whom an explanation is worded: the five templates."""

    TECHNICAL_EXPERT = "technical_expert"
    RISK_ASSESSOR = "risk_assessor"
    INCIDENT_RESPONDER = "incident_responder"
    THREAT_INTELLIGENCE = "threat_intelligence"
    EXECUTIVE_BRIEFING = "executive_briefing"


class Rung(StrEnum):
    """How an endpoint can be asked for structure, the most reliable first."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    TEXT = "text"


class WireAnswer(BaseModel):
    """What a model fills in: prose and choices, no figures of its own. Kept plain, limits are checked afterwards."""

    model_config = ConfigDict(extra="forbid")

    headline: str
    what_happened: str
    """Cites evidence as [L1]."""
    usual: str
    alternatives: list[str]
    would_change: list[str]
    command_ids: list[str]
    """Chosen from the ids that the prompt offers."""
    advice: list[str]
    techniques: list[str]
    """Technique ids, of those that the prompt names."""
    benign: bool
    """The model's own opinion: shown as a badge where it disagrees, never used."""
    confidence_reason: str
    missing: list[str]


class NumberedAnswer(BaseModel):
    """An answer that says which finding it is about, so that two of them cannot be mixed up unnoticed."""

    model_config = ConfigDict(extra="forbid")

    finding: int
    """From 1 on, as the question numbers them."""
    answer: WireAnswer


class WireAnswers(BaseModel):
    """What a model fills in where one question is about several findings."""

    model_config = ConfigDict(extra="forbid")

    answers: list[NumberedAnswer]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model."""

    system: str
    user: str
    view: View
    template: str
    """View and version, such as `technical_expert/1`."""
    is_cacheable: bool
    """It holds placeholders only: the answer fits every anomaly of the same cache key."""
    cache_key: str
    is_redacted: bool
    max_tokens: int
    temperature: float
    findings: int = 1
    """How many it is about; with more than one the answer is WireAnswers, and takes that many times as long."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answers that fit the schema; nothing else about them is checked yet."""

    answers: tuple[WireAnswer, ...]
    """One for each finding of the question, in its order."""
    model: str
    rung: Rung
    latency_ms: int
    tokens_in: int
    tokens_out: int


class Failure(StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    AUTHENTICATION = "authentication"
    """401 or 403: nothing is asked again until the settings change."""
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    """5xx, or an answer that is no chat completion."""
    NOT_FOUND = "not_found"
    """404: no such model or path."""
    TRUNCATED = "truncated"
    INVALID = "invalid"
    """No rung of the ladder gave JSON of the schema."""
    REFUSED = "refused"
    REJECTED = "rejected"
    """It fitted the schema, and failed the checks of what it says."""


class ModelError(LiveSecError):
    """A model gave no usable answer. `retry_after_s`: what the server asked to wait, if it did."""

    def __init__(self, failure: Failure, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.failure = failure
        self.retry_after_s = retry_after_s


class Model(Protocol):
    """An endpoint's model."""

    def ask(self, request: Request) -> Reply:
        """The answer to `request`. Raises ModelError."""
        ...
