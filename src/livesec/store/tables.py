"""The tables, in SQLAlchemy Core. A change here is a new migration in `migrations.py`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 3

metadata = MetaData()
_Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite makes only INTEGER keys rowids

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

streams = Table(
    "streams",
    metadata,
    Column("stream_id", Integer, primary_key=True),
    Column("uid", String, nullable=False),
    Column("kind", String, nullable=False, comment="file or journal"),
    Column("path", Text, nullable=False),
    Column("device", BigInteger),
    Column("inode", BigInteger),
    Column("generation", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False, comment="first byte not yet committed"),
    Column("size", BigInteger, comment="size when last looked at"),
    Column("oldest_unread_us", BigInteger, comment="when unread bytes were first seen; null when none"),
    Column("head_bytes", Integer, nullable=False),
    Column("head_hash", String, nullable=False),
    Column("tail_hash", String, nullable=False),
    Column("history_end", BigInteger, nullable=False, comment="bytes before this were there at the first look"),
    Column("not_before_us", BigInteger, nullable=False, comment="older events are left out"),
    Column("reference_time_us", BigInteger, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("cursor", Text, comment="journal: resume after this"),
    Column("state", String, nullable=False, comment="active, error, rotated, drained, truncated, unwatched or retired"),
    Column("error", Text),
    Column("format", String, comment="format of most of its lines"),
    Column("modified_us", BigInteger, comment="mtime of its file when last looked at"),
    Column("searched", BigInteger, nullable=False, default=0, comment="no line break from offset up to here"),
)

journal = Table(
    "journal",
    metadata,
    Column("batch", _Big, primary_key=True, autoincrement=True),
    Column("first_sequence", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("stream_id", Integer, nullable=False),
    Column("start_offset", BigInteger, nullable=False),
    Column("end_offset", BigInteger, nullable=False),
    Column("historical", Boolean, nullable=False),
    Column(
        "addresses",
        LargeBinary,
        comment="zstd int64 (4, lines) starts, kept, offsets, lengths where lines were cut",
    ),
    Column("data", LargeBinary, nullable=False, comment="zstd of the lines' bytes"),
    Index("journal_stream", "stream_id", "start_offset"),
)

saved_state = Table(
    "saved_state",
    metadata,
    Column("component", String, primary_key=True),
    Column("kind", String, primary_key=True, comment="whole, changes or group: core/snapshot.py"),
    Column("part", Integer, primary_key=True),
    Column("number", Integer, nullable=False, comment="of the snapshot that wrote it"),
    Column("crc", BigInteger, nullable=False, comment="CRC-32 of data: not every component would notice damage"),
    Column("data", LargeBinary, nullable=False),
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=True, comment="order of arrival"),
    Column("id", String, nullable=False, unique=True),
    Column("time_us", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("log_type", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("score", Float, nullable=False),
    Column("entity_type", String, nullable=False),
    Column("entity", Text, nullable=False),
    Column("user", Text),
    Column("src_ip", Text),
    Column("dst_ip", Text),
    Column("host", Text),
    Column("description", Text, nullable=False),
    Column("details", Text, nullable=False, comment="JSON object"),
    Column("techniques", Text, nullable=False, comment="JSON list"),
    Column("reason", String, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("explanation", Text, nullable=False, comment="JSON of core.explanation.Explanation"),
    Column("evidence", LargeBinary, nullable=False, comment="the lines behind it, see store/evidence.py"),
    Column("status", String, nullable=False),
    Column("incident_id", String),
    Column("historical", Boolean, nullable=False),
    Column("committed_us", BigInteger, nullable=False, comment="wall clock of the commit"),
    Index("anomalies_time", "time_us"),
    Index("anomalies_incident", "incident_id"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("severity", String, nullable=False),
    Column("score", Float, nullable=False, comment="0-100, of its worst anomaly or its risk"),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("anomalies", Integer, nullable=False),
    Column("entities", Text, nullable=False, comment="JSON list of [type, text]"),
    Column("tactics", Text, nullable=False, comment="JSON list in ATT&CK order"),
    Column("types", Text, nullable=False, comment="JSON list of detector names"),
    Column("status", String, nullable=False),
)

risk = Table(
    "risk",
    metadata,
    Column("entity_type", String, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("risk", Float, nullable=False, comment="0-100 at time_us"),
    Column("time_us", BigInteger, nullable=False),
    Column("anomalies", Integer, nullable=False),
)

reject_counts = Table(
    "reject_counts",
    metadata,
    Column("stream_id", Integer, primary_key=True),
    Column("reason", String, primary_key=True),
    Column("lines", BigInteger, nullable=False),
)

rejects = Table(
    "rejects",
    metadata,
    Column("stream_id", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("line", LargeBinary, nullable=False, comment="at most 4 KiB"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap", _Big, primary_key=True, autoincrement=True),
    Column("stream_id", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("start_offset", BigInteger),
    Column("end_offset", BigInteger),
    Column("reason", Text, nullable=False),
    Column("committed_us", BigInteger, nullable=False),
)

counts = Table(
    "counts",
    metadata,
    Column("log_type", String, primary_key=True),
    Column("minute_us", BigInteger, primary_key=True, comment="start of the minute, event time"),
    Column("events", BigInteger, nullable=False),
)

totals = Table(
    "totals",
    metadata,
    Column("name", String, primary_key=True, comment="lines, consumed, skipped, rejects, events, anomalies"),
    Column("value", BigInteger, nullable=False),
)

recent_events = Table(
    "recent_events",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=True),
    Column("log_type", String, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("stream_id", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("fields", Text, nullable=False, comment="JSON object of the row's known columns"),
    Index("recent_events_type", "log_type", "number"),
)

coverage = Table(
    "coverage",
    metadata,
    Column("detector", String, primary_key=True),
    Column("rows", BigInteger, nullable=False, comment="rows of its log type"),
    Column("judged", BigInteger, nullable=False, comment="of these, rows with its key and needed columns"),
    Column("findings", BigInteger, nullable=False),
    Column("entities", BigInteger, nullable=False, comment="keys in its state now"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=True),
    Column("anomaly_id", String, nullable=False, unique=True),
    Column("delivered_us", BigInteger, comment="null: not shown yet, or shown and not marked before a crash"),
)
Index("outbox_waiting", outbox.c.number, sqlite_where=outbox.c.delivered_us.is_(None))

health = Table(
    "health",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON"),
)

# What the worker that asks a model writes, beside the daemon's one writer --------------------------------------------

explanations = Table(
    "explanations",
    metadata,
    Column("subject_id", String, primary_key=True, comment="id of an anomaly or incident"),
    Column("view", String, primary_key=True),
    Column("language", String, nullable=False),
    Column("is_default", Boolean, nullable=False, comment="worded unasked: shown where no view is chosen"),
    Column("record", Text, comment="JSON of core.explanation.Explanation; null: the deterministic text stays"),
    Column("reason", Text, nullable=False, comment="why it stays"),
    Column("cache_key", String, comment="of the model's answer, where it may be used again"),
    Column("sent", Text, comment="what was sent for it; null where an answer was there already"),
    Column("members", Integer, nullable=False, comment="of an incident when it was worded; 1 for an anomaly"),
    Column("severity", Integer, nullable=False, comment="0 low to 3 critical, likewise"),
    Column("committed_us", BigInteger, nullable=False),
)

explanation_queue = Table(
    "explanation_queue",
    metadata,
    Column("subject_id", String, primary_key=True),
    Column("view", String, primary_key=True),
    Column("kind", String, nullable=False, comment="anomaly or incident"),
    Column("is_default", Boolean, nullable=False),
    Column("by_person", Boolean, nullable=False, comment="asked for on the desk or the command line: comes first"),
    Column("severity", Integer, nullable=False, comment="0 low to 3 critical"),
    Column("score", Float, nullable=False),
    Column("number", BigInteger, nullable=False, comment="the newest first; an incident has its latest anomaly's"),
    Column("state", String, nullable=False, comment="waiting or working"),
    Column("attempts", Integer, nullable=False, comment="in vain, for the endpoint's fault"),
    Column("rejected", Integer, nullable=False, comment="answers that were of no use"),
    Column("due_us", BigInteger, nullable=False, comment="not before"),
    Column("reason", Text, nullable=False, comment="why it waits still"),
)
Index(
    "explanation_queue_order",
    explanation_queue.c.by_person.desc(),
    explanation_queue.c.severity.desc(),
    explanation_queue.c.score.desc(),
    explanation_queue.c.number.desc(),
    explanation_queue.c.state,
    explanation_queue.c.due_us,
)

explainer_state = Table(
    "explainer_state",
    metadata,
    Column("key", String, primary_key=True, comment="cursor, or a count: worked, cached, dropped, kept"),
    Column("value", BigInteger, nullable=False),
)

model_answers = Table(
    "model_answers",
    metadata,
    Column("cache_key", String, primary_key=True),
    Column("body", Text, nullable=False, comment="JSON of WireAnswer with placeholders, as the model wrote it"),
    Column("rung", String, nullable=False),
    Column("sent", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("model_answers_created", "created_us"),
)

model_flights = Table(
    "model_flights",
    metadata,
    Column("cache_key", String, primary_key=True, comment="of a question that is being asked now"),
    Column("until_us", BigInteger, nullable=False, comment="who asks is gone after this"),
)

model_usage = Table(
    "model_usage",
    metadata,
    Column("period", String, primary_key=True, comment="day or minute"),
    Column("start_us", BigInteger, primary_key=True, comment="UTC"),
    Column("calls", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)

model_endpoints = Table(
    "model_endpoints",
    metadata,
    Column("endpoint", String, primary_key=True, comment="base URL as it may be shown, and model"),
    Column("fingerprint", String, nullable=False, comment="of base URL, model and key: another one starts anew"),
    Column("rung", String, comment="of the ladder, the one that last worked"),
    Column("breaker", Text, nullable=False, comment="JSON of explain.breaker.Breaker"),
)

template_uses = Table(
    "template_uses",
    metadata,
    Column("template", String, primary_key=True, comment="view and version"),
    Column("uses", Integer, nullable=False, comment="explanations worded with it, from the cache or not"),
    Column("cached", Integer, nullable=False, comment="of these, from the cache"),
    Column("calls", Integer, nullable=False, comment="questions answered by the model, usable or not"),
    Column("latency_ms", BigInteger, nullable=False, comment="sum over calls"),
    Column("characters", BigInteger, nullable=False, comment="sum over uses"),
)

template_errors = Table(
    "template_errors",
    metadata,
    Column("template", String, primary_key=True),
    Column("failure", String, primary_key=True, comment="explain.model_call.Failure"),
    Column("errors", Integer, nullable=False),
)

EXPLAINER_TABLES = (
    explanations,
    explanation_queue,
    explainer_state,
    model_answers,
    model_flights,
    model_usage,
    model_endpoints,
    template_uses,
    template_errors,
)
