"""Every error LiveSec raises on purpose, on one page. `exit_code` is what a command ends with."""

from __future__ import annotations


class LiveSecError(Exception):
    """Base of all. Its text says what happened, where, and what to do next."""

    exit_code = 1


class UsageError(LiveSecError):
    """The command's words do not fit together."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting has a wrong name, type or range; the text names the setting and where it came from."""


class MappingError(SettingsError):
    """A mapping file (*.format.toml) cannot be used; the text names file, line and field."""


class InputUnreadableError(LiveSecError):
    """Some of the named inputs could not be read; the others were."""

    exit_code = 3


class StoreHeldError(LiveSecError):
    """Another process writes this store; the text says which."""

    exit_code = 4


class StoreVersionError(LiveSecError):
    """The store was written by a version of LiveSec that this one cannot read."""


class StoreDamagedError(LiveSecError):
    """The store's file cannot be read as a database."""


class StateVersionError(LiveSecError):
    """A saved state has another layout than this code's; it is rebuilt from the journal or from history."""


class ContractError(LiveSecError):
    """A format, lookup, detector or correlator breaks its contract; a bug in it, found on load."""


class DemoError(LiveSecError):
    """The demo refuses to write, for example over a file that it did not make."""
