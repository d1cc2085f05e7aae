"""Checks a whole explanation as people see it: the record and its five views."""

from __future__ import annotations

from livesec.core.explanation import Explanation
from livesec.core.severity import Severity
from livesec.explain.fixed_words import view_words
from livesec.explain.grounding import Grounds, ungrounded, ungrounded_view
from livesec.explain.model_call import View
from livesec.explain.views import page


def problems(explanation: Explanation, severity: Severity, grounds: Grounds) -> list[str]:
    """What the record or a view says that `grounds` do not bear out, each once, with where it stands."""
    found = [f"record: {item}" for item in ungrounded(explanation, grounds)]
    seen = set(found)
    with_views = grounds.with_words(view_words())
    for view in View:
        lines = [line for section in page(explanation, view, severity) for line in section.lines]
        for item in ungrounded_view(lines, explanation, with_views):
            if f"record: {item}" not in seen:
                found.append(f"{view}: {item}")
    return found
