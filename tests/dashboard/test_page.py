"""The whole page in Streamlit's own test runtime, over stores in every condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.dashboard.invented_anomalies import HOUR_US, KINDS, LOGIN, hostile_texts, make_anomaly
from tests.dashboard.invented_store import beat, fill, make_store

from livesec.core.anomaly import BatchResult, Commit
from livesec.core.clock import US_PER_DAY, now_us
from livesec.store.writer import StoreWriter

Open = Callable[..., AppTest]
SCRIPT = "from livesec.dashboard.app import render\nrender()"


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "desk.db"
    monkeypatch.setenv("LIVESEC_DB", str(path))
    return path


def page(**query: str) -> AppTest:
    """The page, run once with `query` in its address; any exception on it fails the test."""
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return drawn(app.run())


def drawn(app: AppTest) -> AppTest:
    assert [error.value for error in app.exception] == []
    return app


def markdown_of(app: AppTest) -> str:
    """Everything on the page that the browser reads as Markdown."""
    parts = [app.markdown, app.title, app.header, app.subheader, app.caption]
    parts += [app.error, app.warning, app.info, app.success]
    texts = [element.value for part in parts for element in part]
    texts += [metric.label + str(metric.value) + str(metric.delta) for metric in app.metric]
    texts += [button.label for button in app.button] + [tab.label for tab in app.tabs]
    return "\n".join(str(text) for text in texts)


def texts_of(app: AppTest) -> str:
    return "\n".join(element.value for part in (app.text, app.code) for element in part)


def table_of(app: AppTest, column: str) -> list[object]:
    """The cells of `column` in the one table that has it first."""
    return next(list(table.value[column]) for table in app.dataframe if column in table.value.columns)


def test_a_week_of_demo_data(db: Path) -> None:
    make_store(db, now_us())
    app = page()
    metrics = {metric.label: metric.value for metric in app.metric}
    assert (metrics["◆ Critical"], metrics["▲ High"], metrics["● Medium"], metrics["○ Low"]) == ("6", "5", "51", "6")
    assert metrics["Behind"] == "319 kB"
    assert metrics["Logins"].endswith("/min")
    assert any("DEMO" in warning.value for warning in app.warning)
    assert [error.value for error in app.error] == []
    assert [tab.label for tab in app.tabs][:3] == ["Logins", "Network", "File transfers"]
    assert table_of(app, "Incident")[0] == "Password guessed, then files taken"
    assert len(table_of(app, "What happened")) == 68
    assert table_of(app, "Anomaly")[:8] == ["● Medium bf_fast"] * 8
    assert table_of(app, "Could judge")[0] == 98.0
    assert "UTC" in texts_of(app)


def test_hostile_text_is_shown_and_never_read_as_markdown(db: Path) -> None:
    make_store(db, now_us())
    app = page()
    for number, text in enumerate(hostile_texts()):
        app.session_state["anomalies:selected"] = f"{61 + number:016x}"
        drawn(app.run())
        assert "Failed password for invalid user" in texts_of(app)
        for fragment in ("203.0.113.66", "<img", "<script", ":material/delete", "7*7", "\x1b", "\u202e"):
            assert fragment not in markdown_of(app)
        everything = texts_of(app) + "".join(str(table.value.to_numpy().tolist()) for table in app.dataframe)
        assert not set(everything) & set("\x1b\x07\u202e\u2066"), text
    assert any("'=HYPERLINK" in str(cell) for cell in table_of(app, "User"))  # a spreadsheet takes it as text


def test_a_selected_anomaly_is_explained(db: Path) -> None:
    make_store(db, now_us())
    app = page(anomaly=f"{17:016x}")
    seen = texts_of(app)
    assert "The address that guessed passwords now holds one that works." in seen
    assert "203.0.113.9 logged in as svc-backup after 22 failures" in seen
    assert "Failed password for invalid user svc-backup from 203.0.113.9" in seen
    assert "/var/log/auth.log · bytes 16,000 to" in seen
    assert "T1110.001 Brute Force (credential-access)" in seen
    assert "T1078 Valid Accounts (initial-access)" in seen
    assert '"attempts": 22' in app.json[0].value
    app.button(key="anomaly:close").click()
    assert "Brute Force" not in texts_of(drawn(app.run()))


def test_an_anomaly_that_is_gone_is_said_so(db: Path) -> None:
    make_store(db, now_us())
    assert "This anomaly is not, or no longer, in the store." in markdown_of(page(anomaly="<b>gone</b>"))


def test_filters_come_from_the_address(db: Path) -> None:
    make_store(db, now_us())
    app = page(severity="◆ Critical", q="mei.tanaka")
    assert table_of(app, "Type") == ["bf_success", "data_exfiltration"]
    assert len(table_of(page(range="1 h"), "What happened")) == 11
    assert len(table_of(page(type="impossible_travel"), "What happened")) == 3
    assert len(table_of(page(severity="<img src=x>"), "What happened")) == 68  # nothing we know: no filter
    assert "No anomaly matches the filters." in markdown_of(page(q="no such text"))


def test_filters_can_be_cleared(db: Path) -> None:
    make_store(db, now_us())
    app = page(severity="◆ Critical", q="mei.tanaka", range="7 d")
    next(button for button in app.button if button.label == "Clear").click()
    assert len(table_of(drawn(app.run()), "What happened")) == 68


def test_an_incident_narrows_the_list(db: Path) -> None:
    make_store(db, now_us())
    app = page(incident="incident-0")
    assert len(table_of(app, "What happened")) == 7
    app.button(key="incidents:clear").click()
    assert len(table_of(drawn(app.run()), "What happened")) == 68


def test_new_anomalies_appear_and_wait_while_one_is_read(db: Path) -> None:
    at = now_us()
    make_store(db, at)
    app = page(anomaly=f"{60:016x}")
    writer = StoreWriter(str(db))
    writer.commit(Commit(result=BatchResult(lines=1, anomalies=[make_anomaly(KINDS["bf_success"], 99, at)])))
    writer.close()
    drawn(app.run())
    waiting = app.button(key="anomalies:release")
    assert waiting.label == "1 new, show"
    assert len(table_of(app, "What happened")) == 68
    waiting.click()
    drawn(app.run())
    assert table_of(app, "Type")[0] == "bf_success"
    assert len(table_of(app, "What happened")) == 69
    assert app.session_state["anomalies:selected"] == f"{60:016x}"


def test_a_silent_daemon_is_said_so_with_the_cure(db: Path) -> None:
    make_store(db, now_us() - 20_000_000, demo=False)
    app = page()
    assert "The daemon is silent." in markdown_of(app)
    assert "Nothing was heard since" in texts_of(app)
    assert f"python3 main.py --db {db}" in texts_of(app)
    assert not any("DEMO" in warning.value for warning in app.warning)


def test_a_stopped_daemon_and_none_are_told_apart(db: Path) -> None:
    at = now_us()
    writer = StoreWriter(str(db))
    assert "no daemon has run on this store" in markdown_of(page())
    beat(writer, at, stopped=True)
    assert "It was stopped" in texts_of(page())
    beat(writer, at)
    assert "daemon is" not in markdown_of(page())
    writer.close()


def test_without_a_store_the_page_says_how_to_get_one(db: Path) -> None:
    app = page()
    assert "There is nothing to show yet." in markdown_of(app)
    assert "python3 run_livesec.py" in texts_of(app)
    make_store(db, now_us())
    assert "There is nothing to show yet." not in markdown_of(drawn(app.run()))
    assert len(table_of(app, "What happened")) == 68


def test_a_broken_store_is_said_so(db: Path) -> None:
    db.write_bytes(b"no database " * 100)
    app = page()
    assert "The store cannot be opened." in markdown_of(app)
    assert "move it away or restore a copy" in texts_of(app)


def test_an_empty_store_has_a_text_for_every_part(db: Path) -> None:
    StoreWriter(str(db)).close()
    said = markdown_of(page())
    for text in ("No log line was read so far.", "No incident so far", "Nothing to draw", "Nothing is watched yet."):
        assert text in said
    assert said.count("No line of this kind was read so far.") == 3


def test_events_without_anomalies_are_good_news(db: Path) -> None:
    writer = StoreWriter(str(db))
    writer.commit(Commit(result=BatchResult(lines=9, events=9, minute_counts={(LOGIN, now_us()): 9})))
    writer.close()
    assert "No anomaly so far." in markdown_of(page())


def test_an_old_log_is_counted_from_its_own_end(db: Path) -> None:
    long_ago = now_us() - 400 * US_PER_DAY
    writer = StoreWriter(str(db))
    fill(writer, long_ago)
    writer.close()
    app = page(range="1 h")
    assert "the last hour, day and week on this page end there" in texts_of(app)
    assert len(table_of(app, "What happened")) in (11, 12)  # the end of the last minute is up to a minute later


def test_a_store_made_anew_is_shown_at_once(db: Path) -> None:
    make_store(db, now_us())
    app = page()
    db.unlink()
    writer = StoreWriter(str(db), demo=False)
    writer.commit(Commit(result=BatchResult(lines=1, anomalies=[make_anomaly(KINDS["bf_fast"], 1, now_us())])))
    writer.close()
    assert len(table_of(drawn(app.run()), "What happened")) == 1


def test_a_wrong_setting_is_named(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEC_DASHBOARD_REFRESH_S", "soon")
    app = page()
    assert "A setting is wrong." in markdown_of(app)
    assert "dashboard_refresh_s" in texts_of(app)


def test_times_are_utc_whatever_the_machine_says(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Lima")
    time.tzset()
    try:
        at = 1_772_452_800_000_000  # 2026-03-02 12:00:00 UTC
        make_store(db, at)
        assert table_of(page(), "Time (UTC)")[0] == "2026-03-02 11:49:00"
        assert at % HOUR_US == 0
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_saved_state_that_was_lost_is_said_as_text(db: Path) -> None:
    writer = StoreWriter(str(db))
    beat(writer, now_us())
    reason = "a part is **damaged** <b>here</b>"
    writer.put_health({"learned_anew:detector:bf_fast": {"reason": reason, "since_us": now_us()}})
    writer.close()
    app = page()
    assert f"detector:bf_fast: its saved state could not be used ({reason})" in texts_of(app)
    assert "<b>here" not in markdown_of(app)
