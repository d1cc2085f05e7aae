import re
from pathlib import Path

import pytest

from livesec.core.errors import SettingsError
from livesec.core.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_shipped_file_says_just_the_defaults_and_names_every_setting() -> None:
    assert load_settings(ROOT / "config.py", environ={"": ""}) == load_settings(environ={"": ""})
    named = {name.lower() for name in re.findall(r"^([A-Z_0-9]+) = ", (ROOT / "config.py").read_text(), re.M)}
    assert named == set(Settings.model_fields) - {"openai_api_key", "openai_base_url"}  # those belong into .env


def test_layers_override_one_another_in_order(tmp_path: Path) -> None:
    config = write(tmp_path / "config.py", "LARGE_FILE_BYTES = 1\nEXFILTRATION_BYTES = 2\nDATA_VOLUME_BYTES = 3\n")
    tuned = write(tmp_path / "tuned.toml", "exfiltration_bytes = 20\n")
    dotenv = write(tmp_path / ".env", "LIVESEC_DATA_VOLUME_BYTES=30\nLIVESEC_UNUSUAL_HOURS_END=5\n")
    settings = load_settings(
        config, [tuned], dotenv, ["connection_count_threshold=7"], {"LIVESEC_UNUSUAL_HOURS_END": "4"}
    )
    assert (settings.large_file_bytes, settings.exfiltration_bytes, settings.data_volume_bytes) == (1, 20, 30)
    assert (settings.unusual_hours_end, settings.connection_count_threshold) == (4, 7)


def test_a_detector_parameter_is_set_by_a_dotted_name() -> None:
    settings = load_settings(assignments=["bf_fast.capacity=7", "bf_fast.leak_s=2.5"], environ={"": ""})
    assert settings.detectors == {"bf_fast": {"capacity": 7, "leak_s": 2.5}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("UNUSUAL_HOURS_START = 25", ["unusual_hours_start", "config.py", "23", "25"]),
        ("NO_SUCH_SETTING = 1", ["no_such_setting", "no such setting"]),
        ("LARGE_FILE_BYTES = 'many'", ["large_file_bytes", "'many'"]),
        ("HISTORY = 'yesterday'", ["history"]),
        ("TIME_ZONE = 'Mars/Olympus'", ["time_zone", "Mars/Olympus", "Europe/Paris"]),
        ("LOGS = [", ["config.py:1", "not valid Python"]),
        ("raise RuntimeError('boom')", ["config.py", "RuntimeError", "boom"]),
    ],
)
def test_a_broken_setting_is_named_with_its_file(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path / "config.py", text), environ={"": ""})
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_and_a_malformed_assignment_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.py: cannot be read"):
        load_settings(tmp_path / "nowhere.py")
    with pytest.raises(SettingsError, match="expected name=value"):
        load_settings(assignments=["seed_mode"])
    assert SettingsError.exit_code == 2


def test_a_model_key_in_the_shell_alone_is_not_used(tmp_path: Path) -> None:
    assert load_settings(environ={"OPENAI_API_KEY": "sk-shell"}).openai_api_key is None
    dotenv = write(tmp_path / ".env", "OPENAI_API_KEY=sk-file\n")
    assert load_settings(dotenv=dotenv, environ={"": ""}).openai_api_key == "sk-file"
    assert "sk-file" not in repr(load_settings(dotenv=dotenv, environ={"": ""}))
