"""The options of the web server that keep the desk to this machine and quiet."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from livesec.cli import dashboard
from livesec.core.errors import UsageError

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


def options(address: str, names: tuple[str, ...] = (), *, browser: bool = False) -> list[str]:
    command = dashboard.server_command(ROOT, 8555, address, names, browser=browser)
    script = command.index("run") + 1
    assert command[script] == str(ROOT / "dashboard.py")
    return command[script + 1 :]


def test_the_file_keeps_the_desk_to_this_machine() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert set(CONFIG["server"]["allowedHosts"]) == set(dashboard.LOOPBACK_HOSTS)
    assert CONFIG["server"]["enableCORS"]
    assert CONFIG["server"]["enableXsrfProtection"]
    assert "enableAgentApi" not in CONFIG["server"]
    assert "enableStaticServing" not in CONFIG["server"]


def test_nothing_is_told_to_anyone() -> None:
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["client"]["showErrorLinks"] is False
    assert not any("font" in name.lower() and "://" in str(value) for name, value in CONFIG["theme"].items())


def test_the_command_carries_every_option_and_none_twice() -> None:
    given = options("127.0.0.1")
    assert "--server.address=127.0.0.1" in given
    assert "--server.port=8555" in given
    assert "--server.headless=true" in given
    assert "--browser.gatherUsageStats=false" in given
    single = [option for option in given if not option.startswith("--server.allowedHosts=")]
    assert len({option.partition("=")[0] for option in single}) == len(single)
    assert sorted(set(given) - set(single)) == [
        "--server.allowedHosts=127.0.0.1",
        "--server.allowedHosts=::1",
        "--server.allowedHosts=localhost",
    ]


def test_a_remote_address_is_answered_under_known_names_only() -> None:
    given = options("0.0.0.0", ("desk.example.org",), browser=True)
    assert "--server.address=0.0.0.0" in given
    assert "--server.headless=false" in given
    assert "--server.allowedHosts=desk.example.org" in given
    assert "--server.allowedHosts=*" not in given
    assert "--server.allowedHosts=0.0.0.0" not in given
    assert "--server.allowedHosts=192.0.2.4" in options("192.0.2.4")


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.4", "::", "2001:db8::4"])
def test_a_remote_address_is_refused_unless_allowed_by_name(address: str) -> None:
    with pytest.raises(UsageError, match=r"no login.*--allow-remote"):
        dashboard.dashboard(address=address, port=8555, host_name=None, settings=None)


def test_what_is_no_address_is_said_so() -> None:
    with pytest.raises(UsageError, match="expected an IP address"):
        dashboard.parsed_address("example.org")
    assert dashboard.parsed_address("localhost").is_loopback
    assert dashboard.parsed_address("::1").is_loopback


def test_the_server_gets_the_store_and_takes_the_place_of_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr("os.execve", lambda *arguments: seen.append(arguments))
    monkeypatch.setattr("livesec.runners.dashboard_server.require_free_port", lambda port: None)
    monkeypatch.chdir(tmp_path)
    dashboard.dashboard(db="desk.db", port=8555, host_name=None, no_browser=True, settings=None)
    (program, command, environment) = seen[0]
    assert program == command[0]
    assert environment["LIVESEC_DB"] == str(tmp_path / "desk.db")
