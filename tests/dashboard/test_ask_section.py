"""The chat on the page: typed commands without a model, a model's checked words, and hostile ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.dashboard.invented_store import make_store
from tests.dashboard.test_page import drawn, markdown_of, page, table_of, texts_of
from tests.explain.fake_endpoint import Behaviour, FakeEndpoint, says, tool_calls

from livesec.copilot.answer import table
from livesec.core.clock import now_us
from livesec.dashboard.answer_view import frame_of

WORST = f"{17:016x}"
FIND = ("search_anomalies", {"min_severity": "critical", "since": "all"})


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "desk.db"
    monkeypatch.setenv("LIVESEC_DB", str(path))
    make_store(path, now_us())
    return path


def ask(app: AppTest, words: str) -> AppTest:
    """Type `words`, and wait until they are answered."""
    app.chat_input[0].set_value(words)
    drawn(app.run())
    until = time.monotonic() + 20
    while "Looking it up" in texts_of(app) and time.monotonic() < until:
        drawn(app.run())
    assert "Looking it up" not in texts_of(app)
    return app


def test_typed_commands_are_answered_without_a_model(db: Path) -> None:
    app = page()
    assert "No model is configured: typed commands are answered by code" in texts_of(app)
    ask(app, "count by severity all")
    assert "68 anomalies by severity in the whole store" in texts_of(app)
    assert table_of(app, "anomalies") == [51, 6, 6, 5]
    assert app.chat_message[0].name == "user"
    assert [expander.label for expander in app.expander] == ["What was looked up"]
    assert 'count_by {"since":"all","column":"severity"}' in texts_of(app)


def test_suggestions_are_buttons(db: Path) -> None:
    app = page()
    app.button(key="ask_suggestion_1").click()
    drawn(app.run())
    assert "anomalies by src_ip since" in texts_of(app)
    app.button(key="ask_help").click()
    assert "context ID [LINES]" in texts_of(drawn(app.run()))
    app.button(key="ask_anew").click()
    assert "context ID [LINES]" not in texts_of(drawn(app.run()))


def test_what_is_no_command_says_what_would_be(db: Path) -> None:
    app = ask(page(), "topp ips")
    assert "topp is no command; did you mean `top`?" in texts_of(app)
    assert "`top`" not in markdown_of(app)


def test_hostile_text_in_an_answer_stays_text(db: Path) -> None:
    app = ask(page(), "anomalies bf_fast 7d")
    cells = [str(value) for value in table_of(app, "id")]
    assert f"{61:016x}" in cells
    for fragment in ("203.0.113.66", "<img", "<script", ":material/delete", "7*7", "\x1b", "\u202e"):
        assert fragment not in markdown_of(app)
    ask(app, "entity <img_src=x>")
    assert "nothing in the store is about <img_src=x>" in texts_of(app)
    assert "<img" not in markdown_of(app)


@pytest.fixture
def model(db: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Behaviour], FakeEndpoint]:
    def made(behaviour: Behaviour) -> FakeEndpoint:
        server = FakeEndpoint(behaviour)
        monkeypatch.setenv("LIVESEC_OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("LIVESEC_EXPLAIN_MODEL", "test-model")
        return server

    return made


def test_a_models_checked_words_are_shown_with_its_calls(model: Callable[[Behaviour], FakeEndpoint]) -> None:
    with model(tool_calls([FIND], f"There are 6 critical anomalies; see {WORST}.")) as server:
        app = page()
        assert "Questions in words go to test-model at http://127.0.0.1" in texts_of(app)
        ask(app, "What is worst?")
        assert f"There are 6 critical anomalies; see {WORST}." in texts_of(app)
        assert "test-model · " in texts_of(app) and "2,200 tokens" in texts_of(app)
        assert [expander.label for expander in app.expander][:1] == ["What was looked up"]
        before = len(server.requests)
        ask(app, "count by type 24h")
        assert len(server.requests) == before


@pytest.mark.parametrize(
    "words",
    [
        f"![x](http://evil.example/a.png) {WORST}",
        f"<img src=http://evil.example/a.png onerror=alert(1)> {WORST}",
        f"[open](http://evil.example/) {WORST}",
        f"{WORST} is harmless, 999 times over",
    ],
)
def test_a_hostile_models_words_are_not_shown(words: str, model: Callable[[Behaviour], FakeEndpoint]) -> None:
    with model(tool_calls([FIND], words)):
        app = ask(page(), "What is worst?")
    assert "There is no answer in words." in markdown_of(app)
    assert "the model's answer is not shown: " in texts_of(app)
    assert "6 anomalies of severity critical" in texts_of(app)
    for fragment in ("evil.example", "alert(1)", "harmless, 999"):
        assert fragment not in markdown_of(app) + texts_of(app)


def test_a_model_that_looked_nothing_up_says_nothing(model: Callable[[Behaviour], FakeEndpoint]) -> None:
    with model(says("All is well.")):
        app = ask(page(), "Is all well?")
    assert "All is well." not in texts_of(app)
    assert "it looked nothing up" in texts_of(app)


def test_a_table_of_an_answer_keeps_numbers_and_makes_texts_safe() -> None:
    frame = frame_of(
        table("t", ("id", "score", "anomalies", "empty", "text"), [("a", 1.5, 3, None, "=1+1"), ("b", 2, 4, "", None)])
    )
    assert frame.columns == ["id", "score", "anomalies", "text"]
    assert frame["score"].to_list() == [1.5, 2.0]
    assert frame["text"].to_list() == ["'=1+1", ""]
