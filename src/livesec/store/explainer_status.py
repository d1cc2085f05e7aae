"""How the co-pilot is doing: the `explanations` object of `livesec status --json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, select

from livesec.store import tables as t
from livesec.store.explanations import queue_summary, template_performance


def explainer_status(connection: Connection) -> dict[str, Any]:
    """Queue, work, usage, template performance, and the breakers as the store keeps them, by endpoint and model."""
    columns = t.model_endpoints.c
    rows = connection.execute(select(columns.endpoint, columns.rung, columns.breaker).order_by(columns.endpoint))
    return {
        "queue": asdict(queue_summary(connection)),
        "endpoints": {row.endpoint: {"rung": row.rung, "breaker": json.loads(row.breaker)} for row in rows},
        "templates": [asdict(use) for use in template_performance(connection)],
    }
