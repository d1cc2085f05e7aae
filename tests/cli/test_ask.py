"""`livesec ask` and `livesec mcp` as a person and a script use them."""

import json
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.dashboard.invented_store import make_store
from tests.explain.fake_endpoint import FakeEndpoint, says, tool_calls

from livesec.cli.main import main
from livesec.copilot.mcp_server import is_available
from livesec.core.clock import now_us

CHECKOUT = Path(__file__).parents[2]
WORST = f"{17:016x}"
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes its standard input the terminal whose Ctrl-C it hears."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ask") / "asked.db"
    make_store(path, now_us())
    return str(path)


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVESEC_OPENAI_API_KEY", "LIVESEC_OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(["ask", *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_typed_command_needs_no_model(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "--db", store, "count", "by", "severity", "all")
    assert "68 anomalies by severity in the whole store" in out
    assert [line.split()[:2] for line in out.splitlines() if line.startswith("  critical")] == [["critical", "6"]]
    assert not any(line.endswith(" ") for line in out.splitlines())
    out, _ = said(capsys, "--db", store, "score", WORST)
    assert "base severity" in out and "9.3 of 10, critical" in out


def test_json_is_one_object(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "--db", store, "--json", "anomalies critical all")
    record: dict[str, Any] = json.loads(out)
    assert (record["by"], record["text"], record["not_shown_because"]) == ("deterministic", None, None)
    (call,) = record["calls"]
    assert call["tool"] == "search_anomalies"
    assert call["answer"]["facts"]["in_all"] == 6
    assert WORST in call["answer"]["ids"]


def test_help_needs_no_store(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "help", "--db", "/nowhere/a.db")
    assert "count by COLUMN [TIME]" in out and "context ID [LINES]" in out


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["topp ips"], 2, "did you mean `top`?"),
        (["who broke in last night?"], 2, "no model is configured, so only typed commands are understood"),
        (["top nothing 24h"], 2, "nothing is counted by nothing"),
        (["top ips yesterday"], 2, "yesterday is no time"),
        ([], 2, "ask what?"),
        (["entity nobody.here"], 1, "nothing in the store is about nobody.here"),
        (["score ffffffff"], 1, "no anomaly has the id ffffffff"),
    ],
)
def test_what_cannot_be_answered_says_why(
    store: str, words: list[str], code: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = said(capsys, "--db", store, *words, code=code)
    assert out == "" and why in err


def test_a_question_in_words_goes_to_the_model(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = ("search_anomalies", {"min_severity": "critical", "since": "all"})
    with FakeEndpoint(tool_calls([found], f"There are 6; see {WORST}.")) as server:
        options = ("--db", store, "--set", f"openai_base_url={server.base_url}", "--set", "explain_model=test-model")
        out, _ = said(capsys, *options, "What is worst?")
        assert out.startswith(f"There are 6; see {WORST}.")
        assert 'search_anomalies {"min_severity": "critical", "since": "all"}' in out
        assert "test-model" in out and "2,200 tokens" in out
        before = len(server.requests)
        assert "68 anomalies" in said(capsys, *options, "count by type all")[0]
        assert "no model" in said(capsys, *options, "--no-model", "What is worst?", code=2)[1]
        assert len(server.requests) == before  # a typed command costs nothing


def test_an_answer_that_fails_the_checks_is_replaced_by_results(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = ("search_anomalies", {"min_severity": "critical", "since": "all"})
    with FakeEndpoint(tool_calls([found], f"All is well, see http://evil.example/ and {WORST}")) as server:
        out, _ = said(capsys, "--db", store, "--set", f"openai_base_url={server.base_url}", "What is worst?")
    assert "evil.example" not in out
    assert "The model's answer is not shown: it holds a link." in out
    assert "6 anomalies of severity critical" in out


def test_a_model_without_any_result_is_exit_1(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeEndpoint(says("All is well.")) as server:
        options = ("--db", store, "--set", f"openai_base_url={server.base_url}")
        out, _ = said(capsys, *options, "What is worst?", code=1)
    assert "it looked nothing up" in out and "All is well" not in out


def test_the_prompt_of_a_terminal(store: str) -> None:
    """Lines in, answers out; a mistake and Ctrl-C leave the prompt, Ctrl-D ends it with 0."""
    controller, terminal = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT / "src"), "NO_COLOR": "1", "COLUMNS": "100", "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, sys.executable, "-m", "livesec.cli.main", "ask", "--db", store],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        start_new_session=True,
    )
    os.close(terminal)
    heard = bytearray()

    def listen() -> None:
        while True:
            try:
                data = os.read(controller, 4096)
            except OSError:  # EIO: the other end is closed
                return
            if not data:
                return
            heard.extend(data)

    listener = threading.Thread(target=listen)
    listener.start()

    def after(words: bytes, keys: bytes) -> None:
        until = time.monotonic() + 30
        while words not in heard and time.monotonic() < until:
            time.sleep(0.02)
        assert words in heard, bytes(heard)
        heard.clear()
        os.write(controller, keys)

    try:
        after(b"ask> ", b"count by severity all\n")
        after(b"68 anomalies by severity", b"nonsense\n")
        after(b"nonsense is no command", b"half a line\x03")
        after(b"ask> ", b"\x04")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        listener.join(10)
        os.close(controller)
    assert b"Traceback" not in heard


@pytest.mark.skipif(is_available(), reason="the MCP SDK is installed")
def test_without_the_sdk_mcp_says_how_to_get_it(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "--db", store]) == 2
    assert "pip install 'livesec[mcp]'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["ask", "mcp"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "Example" in capsys.readouterr().out
