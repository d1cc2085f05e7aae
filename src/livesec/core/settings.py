"""Every setting: its type, unit, default and range.

Values come from layers, the later one wins: the defaults here, `config.py`, `data/tuned.toml`, `.env`, environment
variables LIVESEC_<NAME>, `--set name=value`. What analysts decided (`data/verdicts.toml`) is added to.
"""

from __future__ import annotations

import os
import runpy
import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from livesec.core.errors import SettingsError
from livesec.core.verdicts import Feedback, Suppression

ENV_PREFIX = "LIVESEC_"
_SECRET = ("openai_api_key", "openai_base_url")
"""Settings whose value no message shows: a base URL may hold a password."""
TUNED, VERDICTS = "data/tuned.toml", "data/verdicts.toml"
"""Layers that `livesec tune`, and `suppress` and `feedback`, write."""


def _setting(default: Any, about: str, unit: str = "", **limits: Any) -> Any:
    return Field(default=default, description=about, json_schema_extra={"unit": unit}, **limits)


class Settings(BaseModel):
    """All settings, validated; names are those of `config.py` in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    # Where things are
    logs: tuple[str, ...] = _setting(
        (), "paths, folders or globs to watch; empty: the demo logs, else the usual places"
    )
    db: str = _setting("data/livesec.db", "store: a SQLite file or a database URL")
    demo_db: str = _setting("data/demo.db", "store of demo data; never mixed with real logs")
    data_dir: str = _setting("data", "folder of the demo logs and what the program writes")
    time_zone: str = _setting("UTC", "zone of log times that state none", "IANA name")
    time_zones: dict[str, str] = _setting(
        {}, "zone by source, the first glob that matches the path: {'/srv/eu/*': 'Europe/Paris'}", "IANA name"
    )
    format_files: tuple[str, ...] = _setting(
        (), "mapping files or globs of them (*.format.toml), formats of your own that come before the built-in ones"
    )
    journal: bool | None = _setting(None, "follow the systemd journal; None: where no auth.log exists")

    # The seed's thresholds; each feeds the detector parameter that names it
    unusual_hours_start: int = _setting(22, "unusual hours begin", "hour of day", ge=0, le=23)
    unusual_hours_end: int = _setting(6, "unusual hours end", "hour of day", ge=0, le=23)
    failed_login_threshold: int = _setting(5, "failures that make a brute force", "attempts", ge=2)
    geo_distance_km: float = _setting(1000.0, "distance from the usual places that counts as far", "km", gt=0)
    traffic_spike_factor: float = _setting(3.0, "times the usual volume that make a spike", "ratio", gt=1)
    connection_count_threshold: int = _setting(100, "connections below this are never many", "connections", ge=1)
    data_volume_bytes: int = _setting(1_000_000, "volumes below this are never a spike", "bytes", ge=0)
    large_file_bytes: int = _setting(
        100_000_000, "a file this large is large for anyone without history", "bytes", ge=1
    )
    exfiltration_bytes: int = _setting(
        10_000_000, "this much to an external destination may be exfiltration", "bytes", ge=1
    )
    external_destinations: tuple[str, ...] = _setting(
        ("external_drive", "cloud_storage", "email", "ftp_server"), "destinations outside the organisation"
    )
    access_frequency_threshold: int = _setting(10, "sensitive files in an hour that are many for anyone", "files", ge=1)
    sensitive_words: tuple[str, ...] = _setting(
        ("password", "key", "secret", "confidential", "customer", "financial", "security"),
        "words in a path that mark it as sensitive",
    )
    suspicious_ports: tuple[int, ...] = _setting((1337, 4444, 6666, 31337, 1234, 12345), "destination ports to report")
    suspicious_countries: tuple[str, ...] = _setting(
        (), "ISO codes or English names of countries to report logins from"
    )
    country_centroids: dict[str, tuple[float, float, float]] = _setting(
        {},
        "overrides of a country's latitude, longitude and error radius by ISO code",
        "degrees, degrees, km",
    )
    relay_networks: tuple[str, ...] = _setting(
        (), "VPN, relay and hosting networks, excluded from travel speed", "CIDR"
    )
    geo_city_file: str | None = _setting(
        None, "city file in MaxMind's format; None: country centres of the built-in data"
    )
    geo_asn_file: str | None = _setting(
        None, "file of autonomous systems in MaxMind's format; None: networks by name, without their numbers"
    )
    packet_forest: str | None = _setting(
        "data/packet_forest.npz", "model of behavioural_anomaly, which is off without one: `livesec lab train` makes it"
    )
    seed_mode: bool = _setting(False, "the seed's own behaviour: fixed thresholds, one alert per event")
    detectors: dict[str, dict[str, Any]] = _setting({}, "parameters per detector: {'bf_fast': {'capacity': 6}}")
    disabled_detectors: tuple[str, ...] = _setting((), "detectors that are switched off")

    # Scoring
    severity_medium: float = _setting(4.0, "medium from this score on", "0-10", ge=0, le=10)
    severity_high: float = _setting(7.0, "high from this score on", "0-10", ge=0, le=10)
    severity_critical: float = _setting(9.0, "critical from this score on", "0-10", ge=0, le=10)
    asset_weights: dict[str, float] = _setting({}, "weight of a user, address or host in its scores, 0.8 to 1.3")
    alerts_per_day: float = _setting(5.0, "anomalies of medium or higher wanted on a quiet day", "per day", gt=0)
    suppressions: tuple[Suppression, ...] = _setting(
        (), "findings to keep silent: {'detector': ..., 'entity': ..., 'until': date or None, 'reason': ...}"
    )
    feedback: tuple[Feedback, ...] = _setting(
        (), "findings judged benign before: {'detector': ..., 'entity': ..., 'weight': 0 to 1, 'reason': ...}"
    )

    # Timing
    rescan_interval_s: float = _setting(1.0, "look at every watched file this often", "s", gt=0)
    idle_rescan_interval_s: float = _setting(5.0, "the same while nothing happens", "s", gt=0)
    batch_interval_s: float = _setting(0.05, "wait this long for more lines before a batch", "s", ge=0)
    snapshot_interval_s: float = _setting(30.0, "save detector state this often", "s", gt=0)
    dashboard_refresh_s: float = _setting(2.0, "the desk looks for news this often", "s", ge=0.5)
    dashboard_port: int = _setting(8501, "port of the desk on 127.0.0.1", ge=1, le=65535)
    history: str = _setting(
        "7d", "how far back a first look at a file goes: start, end or days", pattern=r"^(start|end|\d+d)$"
    )

    # Bounds
    recent_events: int = _setting(500, "recent events kept per log type for the desk", "rows", ge=10)
    reject_samples: int = _setting(1000, "rejected lines kept to look at", "lines", ge=0)
    console_alerts_from: str = _setting(
        "medium", "lowest severity shown on the console", pattern="^(low|medium|high|critical)$"
    )

    # Co-pilot
    openai_api_key: str | None = Field(default=None, repr=False, description="key of the model endpoint")
    openai_base_url: str | None = Field(default=None, repr=False, description="base URL of the model endpoint")
    explain_model: str = _setting("gpt-5-mini", "model that words explanations", min_length=1)
    explain_from: str = _setting(
        "medium", "lowest severity worded by the model", pattern="^(low|medium|high|critical)$"
    )
    explain_view: str = _setting(
        "technical_expert",
        "view that is worded first; the others on request",
        pattern="^(technical_expert|risk_assessor|incident_responder|threat_intelligence|executive_briefing)$",
    )
    explain_language: str = _setting("English", "language of the model's prose", pattern=r"^[\w ()-]{2,40}$")
    explain_api: str = _setting(
        "chat", "chat: chat.completions, responses: the newer API", pattern="^(chat|responses)$"
    )
    explain_timeout_s: float | None = _setting(
        None, "longest wait for an answer; None: 20, and 180 for an endpoint on this machine", "s", gt=0
    )
    explain_max_tokens: int = _setting(1200, "longest answer", "tokens", ge=100)
    explain_temperature: float = _setting(0.2, "0: always the likeliest word", "0-2", ge=0, le=2)
    explain_kinds_per_call: int | None = _setting(
        None, "kinds of finding worded in one call; None: 6, and 1 for an endpoint on this machine", ge=1, le=20
    )
    explain_calls_per_minute: int = _setting(10, "model calls at most", "per minute", ge=1)
    explain_calls_per_day: int = _setting(200, "model calls at most, a fifth kept for critical", "per day", ge=0)
    explain_tokens_per_day: int = _setting(200_000, "tokens at most, asked and answered", "per day", ge=0)
    explain_queue: int = _setting(10_000, "explanations that may wait for the model", "anomalies", ge=1)
    explain_redact: bool | None = _setting(
        None, "pseudonyms in what is sent; None: wherever the endpoint is not on this machine"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return _zone(value)

    @field_validator("time_zones")
    @classmethod
    def _known_zones(cls, value: dict[str, str]) -> dict[str, str]:
        return {pattern: _zone(zone) for pattern, zone in value.items()}

    @field_validator("openai_api_key")
    @classmethod
    def _usable_key(cls, value: str | None) -> str | None:
        text = (value or "").strip()
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("a key has no blanks, line breaks or letters beyond ASCII")
        return text or None

    @field_validator("openai_base_url")
    @classmethod
    def _usable_url(cls, value: str | None) -> str | None:
        text = (value or "").strip()
        if not text:
            return None
        try:
            parts = urlsplit(text)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # of a port or an IPv6 address
            usable = False
        if not usable or not text.isprintable() or " " in text:
            raise ValueError("no base URL; expected one such as http://127.0.0.1:11434/v1")
        return text

    def zone_of(self, path: str) -> str:
        """The zone of times that the source at `path` states without one.

        >>> Settings(time_zones={"/srv/eu/*": "Europe/Paris"}).zone_of("/srv/eu/auth.log")
        'Europe/Paris'
        >>> Settings(time_zones={"/srv/eu/*": "Europe/Paris"}).zone_of("/var/log/auth.log")
        'UTC'
        """
        return next((zone for glob, zone in self.time_zones.items() if fnmatchcase(path, glob)), self.time_zone)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Paris") from None
    return name


def _name_of(error: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in error["loc"])


def _read_config(path: Path) -> dict[str, Any]:
    try:
        module = runpy.run_path(str(path))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); give another file with --settings") from error
    except SyntaxError as error:
        raise SettingsError(f"{path}:{error.lineno}: not valid Python: {error.msg}") from error
    except Exception as error:  # whatever a user's own file may raise
        raise SettingsError(f"{path}: stopped with {type(error).__name__}: {error}") from error
    return {name.lower(): value for name, value in module.items() if name.isupper() and not name.startswith("_")}


def _read_written(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}; mend or delete it") from error


def written_layers(root: Path) -> tuple[Path, ...]:
    """The files below `root` that commands write and that are layers of the settings."""
    return (root / TUNED, root / VERDICTS)


def _parse_text(text: str) -> Any:
    """The value a text stands for: TOML's, else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _env_layer(variables: Mapping[str, str | None]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for name, text in variables.items():
        if text is None:
            continue
        setting = name.removeprefix(ENV_PREFIX).lower()
        if setting in _SECRET:  # a text whatever it looks like: a key of digits is no number
            layer[setting] = text or None
        elif name.startswith(ENV_PREFIX) and setting in Settings.model_fields:
            layer[setting] = _parse_text(text)
    return layer


def _apply(values: dict[str, Any], origin: dict[str, str], layer: Mapping[str, Any], source: str) -> None:
    for name, value in layer.items():
        if name == "detectors" and isinstance(value, Mapping) and isinstance(values.get(name), dict):
            values[name] = values[name] | dict(value)
        elif name in ("suppressions", "feedback") and isinstance(value, list | tuple) and values.get(name):
            values[name] = (*values[name], *value)
        else:
            values[name] = value
        origin[name] = source


def _assignment(text: str, values: Mapping[str, Any]) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    name = name.strip().lower()
    if not separator or not name:
        shown = "..." if any(secret in text.lower() for secret in _SECRET) else text
        raise SettingsError(f"--set {shown}: expected name=value, such as --set failed_login_threshold=6")
    detector, dot, parameter = name.partition(".")
    if not dot:
        return name, value.strip() if name in _SECRET else _parse_text(value.strip())
    detectors = dict(values.get("detectors", {}))
    detectors[detector] = dict(detectors.get(detector, {})) | {parameter: _parse_text(value.strip())}
    return "detectors", detectors


def home() -> Path:
    """The folder that relative paths in the settings mean: this package's checkout, else the current folder."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "run_livesec.py").is_file() else Path.cwd()


def load_settings(
    config: Path | None = None,
    written: Sequence[Path] = (),
    dotenv: Path | None = None,
    assignments: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from all layers. Files that are None or (written, dotenv) absent are passed over.

    `environ` defaults to the process's. Raises SettingsError that names the setting and the layer it came from. A model
    key in the environment is not taken over unless `.env` or `config.py` names it too: where text goes is a decision.
    """
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    if config is not None:
        _apply(values, origin, _read_config(config), str(config))
    for path in written:
        if path.is_file():
            _apply(values, origin, _read_written(path), str(path))
    if dotenv is not None and dotenv.is_file():
        _apply(values, origin, _env_layer(dotenv_values(dotenv)), str(dotenv))
    variables = {name: text for name, text in (environ or os.environ).items() if name.startswith(ENV_PREFIX)}
    _apply(values, origin, _env_layer(variables), "environment")
    for text in assignments:
        name, assigned = _assignment(text, values)
        values[name], origin[name] = assigned, "--set"
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            name = _name_of(item)
            where = origin.get(name.partition(".")[0], "default")
            if item["type"] == "extra_forbidden":
                problems.append(f"{name} ({where}): no such setting; config.py lists them all")
            elif name in _SECRET:
                problems.append(f"{name} ({where}): {item['msg']}")
            else:
                problems.append(f"{name} ({where}): {item['msg']}, not {item['input']!r}")
        raise SettingsError("settings: " + "; ".join(problems)) from None  # pydantic's text holds what was put in
