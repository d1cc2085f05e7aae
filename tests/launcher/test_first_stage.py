"""`run_livesec.py` before there is an environment, the root scripts outside it, and the run of all checks."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from livesec.bootstrap import reentry
from livesec.bootstrap.checks import Check, run_checks
from livesec.bootstrap.command_line import parser
from livesec.bootstrap.packages import explain_failure, read_lock
from livesec.bootstrap.reentry import enter_environment

ROOT = Path(__file__).resolve().parents[2]


def _refusal() -> Callable[[tuple[int, int], str], str]:
    spec = importlib.util.spec_from_file_location("run_livesec", ROOT / "run_livesec.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    refusal: Callable[[tuple[int, int], str], str] = module.refusal
    return refusal


def test_a_python_too_old_or_too_new_gets_one_line() -> None:
    refusal = _refusal()
    assert refusal((3, 11), "linux") == refusal((3, 14), "darwin") == ""
    old = "LiveSec needs Python 3.11 to 3.14, this is 3.8: install one and start run_livesec.py with it"
    assert refusal((3, 8), "linux") == old
    assert "this is 3.15" in refusal((3, 15), "linux")
    assert "WSL" in refusal((3, 12), "win32")


def test_an_old_python_can_read_far_enough_to_say_so() -> None:
    ast.parse((ROOT / "run_livesec.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_set_up_needs_no_package() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r});"
        "import livesec.bootstrap.command_line, livesec.bootstrap.reentry"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_shows_examples_and_makes_nothing() -> None:
    before = (ROOT / ".venv").exists()
    command = [sys.executable, "-I", str(ROOT / "run_livesec.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "python3 run_livesec.py --logs /var/log/auth.log" in done.stdout
    assert "python3 run_livesec.py test" in done.stdout
    assert (ROOT / ".venv").exists() == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--port", "70000"], "'70000' is not a port"),
        (["--minutes", "-1"], "'-1' is not a number of minutes"),
        (["--minutes", "nan"], "'nan' is not a number of minutes"),
        (["--logs"], "expected at least one argument"),
        (["--prot", "8600"], "unrecognized arguments"),
    ],
)
def test_a_wrong_word_is_refused_before_any_set_up(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: (from versions: none)", "registry"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one that was locked"),
        ("ERROR: something new", "(something new)"),
        ("", "it gave no reason"),
    ],
)
def test_a_failed_install_is_told_in_one_line_with_what_to_do(output: str, words: str) -> None:
    reason = explain_failure(output, Path("pip-1.log"))
    assert words in reason
    assert "\n" not in reason


def test_root_scripts_enter_the_environment_or_say_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").touch()
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)  # as if started by the system's Python
    monkeypatch.setattr(reentry, "TELLING_PACKAGES", ("not_installed_anywhere",))
    monkeypatch.setattr(sys, "argv", ["main.py", "--demo"])
    with pytest.raises(SystemExit, match=r"main\.py: LiveSec is not set up yet: run 'python3 run_livesec\.py' first"):
        enter_environment(str(tmp_path / "main.py"))
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / ".venv" / "livesec-setup.json").write_text('{"ready": true}')
    became: list[list[str]] = []
    enter_environment(str(tmp_path / "main.py"), lambda _python, command: became.append(command))
    assert became == [[str(python), str(tmp_path / "main.py"), "--demo"]]


def test_packages_installed_by_hand_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(reentry, "TELLING_PACKAGES", ("json",))
    became: list[list[str]] = []
    enter_environment(str(tmp_path / "main.py"), lambda _python, command: became.append(command))
    assert became == []


def test_all_checks_run_and_the_last_line_is_pytests(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
    checks = [Check("first", ("-c", "raise SystemExit(3)")), Check("second", ("-c", "print('second ran')"))]
    words = ["-p", "no:cacheprovider", "--no-cov"]
    assert run_checks(Path(sys.executable), tmp_path, words, checks) == 1
    lines = capfd.readouterr().out.splitlines()
    assert "second ran" in lines
    assert "== failed: first" in lines
    assert lines[-1].startswith("====") and " 1 passed in " in lines[-1]
    assert run_checks(Path(sys.executable), tmp_path, words, checks[1:]) == 0


def test_a_failing_test_fails_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 3\n")
    assert run_checks(Path(sys.executable), tmp_path, ["-p", "no:cacheprovider", "--no-cov"], []) == 1
    lines = capfd.readouterr().out.splitlines()
    assert "== failed: pytest" in lines
    assert " 1 failed in " in lines[-1]


def test_a_lock_is_split_into_packages_with_their_hashes() -> None:
    pins = read_lock((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert len(pins) > 50
    assert all("--hash=sha256:" in pin.text for pin in pins)
