"""Puts the engine's parts together from what discovery finds and what the settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from glob import glob
from pathlib import Path
from typing import Any, cast

from livesec.core.discovery import exported
from livesec.core.errors import MappingError, SettingsError
from livesec.core.protocols import Correlator, Detector, Format, ParamInfo, param_infos
from livesec.core.schema import COLUMNS
from livesec.core.settings import Settings, home
from livesec.formats.mapped_format import mapped_format

SEED_TYPES = frozenset(
    {
        "unusual_login_time",
        "suspicious_geo_location",
        "failed_login",
        "geo_inconsistency",
        "traffic_spike_sent",
        "traffic_spike_received",
        "suspicious_port",
        "high_connection_count",
        "large_file_transfer",
        "sensitive_file_access",
        "unusual_time_file_transfer",
        "potential_data_exfiltration",
    }
)
"""The twelve anomaly types of the livesec seed: all that runs in `seed_mode`."""


Judge = Detector[Any] | Correlator[Any, Any]
"""What gives findings."""


@dataclass(frozen=True)
class Parts:
    """What an engine runs, each in its fixed order."""

    formats: tuple[Format[Any], ...]
    detectors: tuple[Detector[Any], ...]
    correlators: tuple[Correlator[Any, Any], ...]
    off: Mapping[str, str] = field(default_factory=dict)
    """Detectors that cannot run as they are set, and why."""

    @property
    def judges(self) -> tuple[Judge, ...]:
        """The detectors, then the correlators."""
        return (*self.detectors, *self.correlators)


def detector_classes() -> dict[str, type[Detector[Any]]]:
    """Every detector found, by name."""
    return cast(dict[str, type[Detector[Any]]], exported("livesec.detectors", "DETECTOR"))


def correlator_classes() -> dict[str, type[Correlator[Any, Any]]]:
    """Every correlator found, by name."""
    return cast(dict[str, type[Correlator[Any, Any]]], exported("livesec.correlate", "CORRELATOR"))


def all_formats(format_files: Sequence[str] = ()) -> tuple[Format[Any], ...]:
    """Every format found, and those of mapping files (paths or globs), in the order in which they are asked.

    Raises SettingsError for a name without a file, MappingError for a file that cannot be used.
    """
    found = cast(dict[str, Format[Any]], exported("livesec.formats", "FORMAT"))
    formats = dict(found)
    for path in _named_files(format_files):
        form = mapped_format(path)
        if form.name in formats:
            raise MappingError(f"{path}: there is a format {form.name} already; give the file another name")
        formats[form.name] = form
    return tuple(sorted(formats.values(), key=lambda item: (item.order, item.name)))


def _named_files(patterns: Sequence[str]) -> list[str]:
    """The files that `patterns` name, each once; relative ones are meant as in the settings."""
    paths: list[str] = []
    for pattern in patterns:
        full = str(home() / Path(pattern).expanduser())
        some = sorted(glob(full))
        if not some:
            raise SettingsError(f"format_files: {pattern}: no such file; it was looked for as {full}")
        paths += some
    return list(dict.fromkeys(paths))


def _params(name: str, params: type[Any], settings: Settings) -> Any:
    """An instance of a `Params` dataclass from the settings. Raises SettingsError that names the parameter."""
    given: Mapping[str, Any] = settings.detectors.get(name, {})
    infos = {info.name: info for info in param_infos(params)}
    unknown = sorted(set(given) - set(infos))
    if unknown:
        raise SettingsError(
            f"detectors.{name}.{unknown[0]}: no such parameter; {name} has: {', '.join(infos) or 'none'}"
        )
    values: dict[str, Any] = {}
    for info in infos.values():
        if info.name in given:
            value = _typed(f"detectors.{name}.{info.name}", given[info.name], info.default)
            _check_limits(f"detectors.{name}.{info.name}", value, info)
            values[info.name] = value
        elif info.setting is not None:
            values[info.name] = getattr(settings, info.setting)
    return params(**values)


def _check_limits(where: str, value: Any, info: ParamInfo) -> None:
    if info.minimum is not None and value < info.minimum:
        raise SettingsError(f"{where}: {value} is less than {info.minimum} {info.unit}")
    if info.maximum is not None and value > info.maximum:
        raise SettingsError(f"{where}: {value} is more than {info.maximum} {info.unit}")


def _typed(where: str, value: Any, default: Any) -> Any:
    """`value` in the type of `default`; whole numbers pass for real ones and lists for tuples."""
    if isinstance(default, bool) or isinstance(value, bool):
        if type(value) is type(default):
            return value
    elif isinstance(default, float) and isinstance(value, int | float):
        return float(value)
    elif isinstance(default, int) and isinstance(value, int | float) and float(value).is_integer():
        return int(value)
    elif isinstance(default, tuple) and isinstance(value, list | tuple):
        return tuple(value)
    elif isinstance(default, str) and isinstance(value, str):
        return value
    raise SettingsError(f"{where}: {value!r} is not of type {type(default).__name__}")


def assemble(settings: Settings) -> Parts:
    """Formats, detectors and correlators as the settings want them.

    Raises SettingsError for unknown names or values, ContractError for a part that breaks its contract.
    """
    detectors, correlators = detector_classes(), correlator_classes()
    known = {*detectors, *correlators}
    for name in (*settings.detectors, *settings.disabled_detectors):
        if name not in known:
            raise SettingsError(f"detectors: there is no detector {name!r}; `livesec detectors` lists them")
    wanted = known - set(settings.disabled_detectors)
    if settings.seed_mode:
        wanted &= SEED_TYPES
    for name, detector in detectors.items():
        missing = [column for column in (*detector.key, *detector.needs) if column not in COLUMNS[detector.log_type]]
        if missing:
            raise SettingsError(f"detector {name} names columns that are not in the schema: {missing}")
    made = [
        detectors[name](_params(name, detectors[name].params, settings), seed_mode=settings.seed_mode)
        for name in sorted(wanted & set(detectors))
    ]
    return Parts(
        formats=all_formats(settings.format_files),
        detectors=tuple(detector for detector in made if detector.why_off is None),
        correlators=tuple(
            correlators[name](_params(name, correlators[name].params, settings), seed_mode=settings.seed_mode)
            for name in sorted(wanted & set(correlators))
        ),
        off={detector.name: detector.why_off for detector in made if detector.why_off is not None},
    )


def param_values(part: Judge) -> dict[str, Any]:
    """The parameters that `part` runs with, by name."""
    return {item.name: getattr(part.p, item.name) for item in fields(part.p)}
