"""The lock files, the declared versions and the server options agree with each other and leak nothing."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
import streamlit.config

from livesec import __version__
from livesec.bootstrap.packages import SOURCE_ONLY, read_lock
from livesec.core.errors import SettingsError
from livesec.runners.dashboard_server import dashboard_command, server_flags
from livesec.runners.launch_plan import DEMO_FILES, LaunchOptions, children

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {pin.name: pin.text.split()[0] for pin in read_lock(text)}


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_names_no_index_and_no_path(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|--index|--extra|--find|-i |\s/|file:", text)


def test_the_locks_hold_all_that_is_declared_and_agree() -> None:
    runtime, dev = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert _names(PROJECT["project"]["dependencies"]) | SOURCE_ONLY | {"setuptools"} <= set(runtime)
    assert _names(PROJECT["project"]["optional-dependencies"]["dev"]) <= set(dev)
    assert runtime.items() <= dev.items()


def test_versions_are_the_same_wherever_they_are_written() -> None:
    assert PROJECT["project"]["version"] == __version__
    script = (ROOT / "run_livesec.py").read_text(encoding="utf-8")
    oldest = re.search(r"^OLDEST = \(3, (\d+)\)", script, flags=re.MULTILINE)
    newest = re.search(r"^NEWEST = \(3, (\d+)\)", script, flags=re.MULTILINE)
    assert oldest and newest
    assert PROJECT["project"]["requires-python"] == f">=3.{oldest[1]},<3.{int(newest[1]) + 1}"


def test_the_dashboard_is_served_to_this_machine_alone() -> None:
    flags = server_flags(ROOT / ".streamlit" / "config.toml")
    assert "--server.address=127.0.0.1" in flags
    hosts = {flag.split("=")[1] for flag in flags if flag.startswith("--server.allowedHosts=")}
    assert {"localhost", "127.0.0.1"} <= hosts <= {"localhost", "127.0.0.1", "::1"}
    assert "--server.headless=true" in flags  # the launcher opens the browser, where there is a display
    assert "--server.enableXsrfProtection=true" in flags
    assert "--browser.gatherUsageStats=false" in flags
    assert "--client.showErrorDetails=none" in flags
    for flag in flags:
        streamlit.config.get_option(flag[2:].split("=")[0])  # raises for a name this Streamlit does not know


def test_a_broken_server_configuration_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[server\n")
    with pytest.raises(SettingsError, match=re.escape(str(tmp_path / "config.toml"))):
        server_flags(tmp_path / "config.toml")


def test_the_demo_is_history_daemon_feed_and_dashboard(checkout: Path) -> None:
    first = {plan.name: plan for plan in children(LaunchOptions(root=checkout, port=8600))}
    assert list(first) == ["dashboard", "history", "daemon", "feed"]
    assert first["dashboard"].command == dashboard_command(checkout, 8600)
    assert first["dashboard"].environment == {"LIVESEC_DB": str(checkout / "data" / "demo.db")}
    assert first["daemon"].after == first["feed"].after == "history"
    assert first["daemon"].command[1:] == [
        str(checkout / "main.py"),
        *("--demo", "--db", str(checkout / "data" / "demo.db")),
    ]
    (checkout / "data").mkdir()
    for name in DEMO_FILES:
        (checkout / "data" / name).touch()
    later = children(LaunchOptions(root=checkout))
    assert [(plan.name, plan.after) for plan in later] == [("dashboard", ""), ("daemon", ""), ("feed", "")]


def test_real_logs_have_a_store_of_their_own_and_no_feed(checkout: Path) -> None:
    dashboard, daemon = children(LaunchOptions(root=checkout, logs=("/var/log/auth.log",)))
    store = str(checkout / "data" / "livesec.db")
    assert dashboard.environment == {"LIVESEC_DB": store}
    assert daemon.command == [sys.executable, str(checkout / "main.py"), "--db", store, "--logs", "/var/log/auth.log"]


def test_a_broken_setting_is_found_before_anything_starts(checkout: Path) -> None:
    (checkout / "config.py").write_text("FAILED_LOGIN_THRESHOLD = 'many'\n")
    with pytest.raises(SettingsError, match="failed_login_threshold"):
        children(LaunchOptions(root=checkout))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root folder with the server's configuration and no settings of the tester's."""
    for name in ("LIVESEC_DB", "LIVESEC_DEMO_DB", "LIVESEC_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_bytes((ROOT / ".streamlit" / "config.toml").read_bytes())
    return tmp_path
