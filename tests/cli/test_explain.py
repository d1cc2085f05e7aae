"""`livesec explain ID`: without a model, with one, and with one that fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.explain.fake_endpoint import FakeEndpoint, failing
from tests.explaining.made_store import good_endpoint, made_anomaly, made_incident, rows, write

from livesec.cli.main import main
from livesec.explain.model_call import View

FIRST = f"{1:016x}"
NAME = "0123456789ab"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    members = [made_anomaly(number, incident_id=NAME) for number in (1, 2)]
    return write(tmp_path / "a.db", *members, incidents=[made_incident([FIRST], in_all=2)])


@pytest.fixture
def run(db: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with words and perhaps an endpoint; (exit code, standard output, standard error)."""

    def explain(*words: str, server: FakeEndpoint | None = None) -> tuple[int, str, str]:
        url = "" if server is None else server.base_url
        given = ["--set", f"openai_base_url={url}", "--set", "openai_api_key=", "--set", "explain_model=test-model"]
        code = main(["explain", *words, "--db", str(db), *given])
        printed = capsys.readouterr()
        return code, printed.out, " ".join(printed.err.split())

    return explain


@pytest.mark.parametrize("view", View)
def test_without_a_model_each_view_is_the_deterministic_record(run: Run, view: View) -> None:
    code, out, err = run(FIRST, "--view", view)
    assert (code, err) == (0, "")
    assert f"Anomaly {FIRST}, high" in out
    assert ": deterministic\n" in out
    assert "203.0.113.2" in out


def test_an_incident_has_its_note(run: Run) -> None:
    code, out, _ = run(NAME)
    assert code == 0
    assert "Password guessing from 203.0.113.1 (2 anomalies" in out


@pytest.mark.parametrize("words", [("ffff",), ("",), ("000000000",), (FIRST, "--view", "poet"), ()])
def test_what_is_unknown_or_meant_for_several_ends_with_two(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("livesec: ")


def test_a_view_that_is_not_there_is_asked_for_once_and_stays(run: Run, db: Path) -> None:
    with good_endpoint() as server:
        for _ in range(2):
            code, out, _ = run(FIRST, server=server)
            assert code == 0
            assert "worded by test-model, checked by code (technical_expert/" in out
        assert len(server.requests) == 1
        run(FIRST, "--refresh", server=server)
        assert len(server.requests) == 2
    assert rows(db, "SELECT view, is_default FROM explanations") == [("technical_expert", 1)]


def test_an_incident_is_worded_too(run: Run) -> None:
    with good_endpoint() as server:
        _, out, _ = run("0123", "--view", "executive_briefing", server=server)
    assert "worded by test-model" in out


def test_what_was_sent_is_what_the_server_got(run: Run) -> None:
    with good_endpoint() as server:
        _, before, note = run(FIRST, "--show-sent", server=server)
        assert "nothing was sent" in note
        assert "203.0.113.2" in before  # an endpoint on this machine is told names and addresses
        assert server.requests == []
        run(FIRST, server=server)
        _, after, note = run(FIRST, "--show-sent", server=server)
        assert note.endswith("this was sent:")
        for message in server.requests[0]["messages"]:
            assert message["content"].strip() in after


def test_beyond_this_machine_names_and_addresses_would_be_pseudonyms(run: Run) -> None:
    _, out, _ = run(FIRST, "--show-sent")
    assert "IP_EXT_1" in out
    assert "203.0.113" not in out


def test_a_model_that_fails_leaves_the_text_and_says_why(run: Run) -> None:
    with FakeEndpoint(failing(500)) as server:
        code, out, err = run(FIRST, server=server)
    assert code == 0
    assert "deterministic (server: " in out
    assert "the text that is there stands: server: " in err


def test_refreshing_without_a_model_says_that_there_is_none(run: Run) -> None:
    code, out, err = run(FIRST, "--refresh")
    assert (code, "7 failed logins from 203.0.113.2" in out) == (0, True)
    assert "no model is set" in err


def test_all_views_side_by_side_with_how_the_templates_do(run: Run) -> None:
    with good_endpoint() as server:
        code, out, _ = run(FIRST, "--compare", "--json", server=server)
        assert code == 0
        record = json.loads(out)
        assert [item["view"] for item in record["views"]] == list(View)
        assert {item["explanation"]["provenance"]["writer"] for item in record["views"]} == {"test-model"}
        assert [use["uses"] for use in record["templates"]] == [1] * 5
        _, text, _ = run(FIRST, "--compare", server=server)
        assert len(server.requests) == 5
    assert "How the templates have done" in text
    assert "Executive briefing: worded by test-model" in text
