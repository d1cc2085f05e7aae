"""What `livesec explain` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from livesec.core.explanation import DETERMINISTIC, Provenance
from livesec.core.text import shown

if TYPE_CHECKING:
    from livesec.runners.explain_now import Explained
    from livesec.store.explanations import TemplateUse

_INDENT = "  "
_MS_PER_S = 1000


def view_text(explained: Explained) -> str:
    """One view: its title, sections, and who worded it."""
    from livesec.explain.templates import TEMPLATES
    from livesec.explain.views import page

    record = explained.explanation
    lines = [f"{explained.kind.capitalize()} {explained.subject_id}, {explained.severity}"]
    lines.append(f"{TEMPLATES[explained.view].title}: {provenance_text(record.provenance)}")
    for section in page(record, explained.view, explained.severity):
        lines += ["", section.heading, *(_INDENT + line for line in section.lines)]
    return "\n".join(lines)


def provenance_text(provenance: Provenance) -> str:
    """Who worded it, and how.

    >>> provenance_text(Provenance(reason="budget: 200 calls per day"))
    'deterministic (budget: 200 calls per day)'
    >>> provenance_text(Provenance(writer="m", template="risk_assessor/1.1", rung="text", latency_ms=1200, tokens=900))
    'worded by m, checked by code (risk_assessor/1.1, text, 1.2 s, 900 tokens)'
    """
    if provenance.writer == DETERMINISTIC:
        return DETERMINISTIC + (f" ({shown(provenance.reason, 300)})" if provenance.reason else "")
    parts = [provenance.template, provenance.rung]
    if provenance.cached:
        parts.append("from a kept answer")
    else:
        parts.append(f"{provenance.latency_ms / _MS_PER_S:.1f} s, {provenance.tokens:,} tokens")
    if provenance.redacted:
        parts.append("without names and addresses")
    badge = "; MODEL DISAGREES: it calls this benign, which changes nothing" if provenance.disagrees else ""
    return f"worded by {shown(provenance.writer, 80)}, checked by code ({', '.join(parts)}){badge}"


def performance_text(uses: Sequence[TemplateUse]) -> str:
    """How each template has done on this store."""
    return "\n".join(["How the templates have done:", *_performance_lines(uses)])


def _performance_lines(uses: Sequence[TemplateUse]) -> Iterator[str]:
    if not uses:
        yield _INDENT + "none was used: no model has been asked"
        return
    width = max(len(use.template) for use in uses)
    yield f"{_INDENT}{'':{width}}  {'time':>8} {'length':>8} {'uses':>6} {'cached':>6} {'errors':>6}"
    for use in uses:
        failed = ", ".join(f"{count} {failure}" for failure, count in use.errors.items())
        yield (
            f"{_INDENT}{use.template:{width}}  {use.latency_ms / _MS_PER_S:>6.1f} s {use.characters:>8.0f} "
            f"{use.uses:>6,} {use.cached:>6,} {sum(use.errors.values()):>6,}" + (f"  ({failed})" if failed else "")
        )
