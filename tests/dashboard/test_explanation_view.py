"""Explanations on the page: five views, who worded them, what was sent, and that a model's words stay text."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.dashboard.invented_store import make_store
from tests.dashboard.test_page import drawn, markdown_of, page, table_of, texts_of

from livesec.core.clock import now_us
from livesec.core.explanation import Contribution, Explanation, Provenance, Step
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES
from livesec.dashboard.anomaly_panel import NO_LONGER_READABLE, evidence_blocks
from livesec.dashboard.explanation_view import VIEW_LABELS, bold, provenance_text
from livesec.explain.model_call import View
from livesec.explain.views import page as page_of
from livesec.store.anomaly_queries import EvidenceView
from livesec.store.explanation_queue import waiting_count
from livesec.store.explanations import Wording, put_wording
from livesec.store.model_usage import add_answer, add_error, add_use
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import find_subject

WORST = f"{17:016x}"
HOSTILE = "![x](http://evil.example/a.png) <img src=http://evil.example/b.png onerror=alert(1)> :red[all clear] \x1b[2J"


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "desk.db"
    monkeypatch.setenv("LIVESEC_DB", str(path))
    make_store(path, now_us())
    return path


def worded(words: str, view: View, **provenance: object) -> Explanation:
    """A record as a model would have worded it."""
    values: dict[str, object] = {"writer": "test-model", "template": f"{view}/1", "latency_ms": 2_300, "tokens": 1_100}
    return Explanation(
        headline=words,
        what_happened=f"{words} [L1]",
        usual=words,
        why_score=(Contribution("base severity", 9.3),),
        alternatives=(words,),
        would_change=(words,),
        next_steps=(Step("last -i -- svc-backup", "logins_of_user"), Step(words)),
        techniques=(),
        provenance=replace(Provenance(), **(values | provenance)),  # type: ignore[arg-type] # of the right types, by name
    )


def keep(db: Path, subject_id: str, view: View, record: Explanation, sent: str | None = None) -> None:
    with closing(SecondWriter(str(db))) as store, store.writing() as connection:
        subject = find_subject(connection, subject_id)
        assert subject is not None
        wording = Wording(subject, view, "English", view is View.TECHNICAL_EXPERT, record, sent=sent)
        put_wording(connection, wording, now_us())


def choose(app: AppTest, view: View, kind: str = "anomaly") -> AppTest:
    app.button_group(key=f"{kind}_view").set_value(view)
    return drawn(app.run())


def test_without_a_model_each_view_says_deterministic_and_why(db: Path) -> None:
    app = page(anomaly=WORST)
    for view in View:
        choose(app, view)
        assert "Worded by code: no model is configured" in texts_of(app)
        assert "Deterministic" in markdown_of(app)
    assert "Decision asked for" in markdown_of(app)
    assert "Decide now who leads the response" in texts_of(app)


def test_all_views_can_be_compared(db: Path) -> None:
    app = page(anomaly=WORST)
    app.toggle(key="anomaly_compare").set_value(True)
    drawn(app.run())
    for heading in ("Why this score", "Impact", "Situation", "Indicators", "Decision asked for"):
        assert f"**{heading}**" in markdown_of(app)
    assert texts_of(app).count("Worded by code") == len(View)


def test_a_models_words_come_with_their_provenance_and_what_was_sent(db: Path) -> None:
    said = worded("A password was guessed", View.TECHNICAL_EXPERT, redacted=True)
    keep(db, WORST, View.TECHNICAL_EXPERT, said, sent="system text\n{placeholders}")
    app = page(anomaly=WORST)
    seen = texts_of(app)
    assert "Worded by test-model · technical_expert/1 · 2.3 s · 1,100 tokens · asked with pseudonyms" in seen
    assert "A password was guessed [L1]" in seen
    assert "system text\n{placeholders}" in seen
    assert [expander.label for expander in app.expander if "sent" in expander.label] == ["What was sent to the model"]
    assert "last -i -- svc-backup" in [block.value for block in app.code]
    choose(app, View.EXECUTIVE_BRIEFING)
    assert "Worded by code: a model was not asked for this view" in texts_of(app)


def test_a_model_that_disagrees_gets_a_badge_and_changes_nothing(db: Path) -> None:
    keep(db, WORST, View.TECHNICAL_EXPERT, worded("It is a backup", View.TECHNICAL_EXPERT, disagrees=True))
    app = page(anomaly=WORST)
    assert "Model disagrees" in markdown_of(app)
    assert "9.3 of 10" in markdown_of(app)
    assert "Critical" in markdown_of(app)


def test_hostile_words_of_a_model_stay_text_in_every_view(db: Path) -> None:
    for view in View:
        keep(db, WORST, view, worded(HOSTILE, view, writer=HOSTILE, template=HOSTILE), sent=HOSTILE)
    app = page(anomaly=WORST)
    app.toggle(key="anomaly_compare").set_value(True)
    drawn(app.run())
    assert "![x](http://evil.example/a.png)" in texts_of(app)
    for fragment in ("evil.example", "onerror", ":red[all"):
        assert fragment not in markdown_of(app)
    assert "\x1b" not in texts_of(app)


def test_a_view_can_be_asked_of_the_model(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [button for button in page(anomaly=WORST).button if button.key == "anomaly_request"]
    monkeypatch.setenv("LIVESEC_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    app = page(anomaly=WORST)
    app.button(key="anomaly_request").click()
    drawn(app.run())
    with closing(SecondWriter(str(db))) as store, store.reading() as connection:
        assert waiting_count(connection) == 1


def test_an_incident_has_its_note_and_the_anomalies_it_cites(db: Path) -> None:
    app = page(incident="incident-0")
    seen = texts_of(app)
    assert "7 anomalies · " in seen
    assert "Password guessed, then files taken" in seen
    assert "L1  20" in seen and "bf_success: 203.0.113.9 logged in as mei.tanaka" in seen
    assert "**Evidence: its anomalies, as they are cited**" in markdown_of(app)
    choose(app, View.EXECUTIVE_BRIEFING, "incident")
    assert "**Decision asked for**" in markdown_of(app)


def test_evidence_is_numbered_as_it_is_cited() -> None:
    lines = [
        EvidenceView("/a.log", 10, 3, b"one"),
        EvidenceView("/a.log", 0, 0, b""),
        EvidenceView("/b.log", 5, 2, b"hi"),
    ]
    assert evidence_blocks(lines) == [
        ("/a.log · bytes 10 to 13", f"L1  one\nL2  {NO_LONGER_READABLE}"),
        ("/b.log · bytes 5 to 7", "L3  hi"),
    ]
    assert evidence_blocks([EvidenceView("/a.log", 0, 0, b"")]) == [("/a.log", f"L1  {NO_LONGER_READABLE}")]


@pytest.mark.parametrize("view", list(View))
def test_every_heading_of_a_view_can_be_shown(view: View) -> None:
    record = worded("Something happened", view)
    for severity in SEVERITIES:
        for section in page_of(record, view, severity):
            assert bold(section.heading) == f"**{section.heading}**"
    assert VIEW_LABELS[view]


def test_a_kept_answer_is_said_so() -> None:
    kept = Provenance(writer="test-model", template="risk_assessor/1", cached=True, redacted=True)
    expected = "Worded by test-model · risk_assessor/1 · from a kept answer · asked with pseudonyms or placeholders"
    assert provenance_text(kept, Settings()) == expected
    assert provenance_text(Provenance(reason="budget: 200 calls per day"), Settings()).endswith("200 calls per day")


def test_templates_are_listed_with_how_they_do(db: Path) -> None:
    assert "No template was used so far" in markdown_of(page())
    with closing(SecondWriter(str(db))) as store, store.writing() as connection:
        add_use(connection, "technical_expert/1", characters=900, is_cached=False)
        add_answer(connection, "technical_expert/1", 2_500)
        add_error(connection, "technical_expert/1", "timeout")
    app = page()
    assert table_of(app, "Template") == ["technical_expert/1"]
    frame = next(item.value for item in app.dataframe if "Template" in item.value.columns)
    assert (frame["Seconds"][0], frame["Characters"][0], frame["Which"][0]) == (2.5, 900, "timeout 1")
    assert "Text goes: deterministic: no key" in texts_of(app)
