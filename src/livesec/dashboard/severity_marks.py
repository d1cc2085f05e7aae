"""How a severity looks: a shape and a word first, a colour second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown

ThemeName = Literal["dark", "light"]
ColorName = Literal["red", "orange", "yellow", "blue"]


@dataclass(frozen=True, slots=True)
class Mark:
    """The signs of one severity. `color` is the theme's name for the hex values given (`.streamlit/config.toml`)."""

    severity: Severity
    label: str
    """Shape and word."""
    icon: str
    color: ColorName
    dark: str
    light: str

    def hex_color(self, theme: ThemeName) -> str:
        """The colour in `theme`."""
        return self.dark if theme == "dark" else self.light


MARKS = {
    mark.severity: mark
    for mark in (
        Mark(Severity.CRITICAL, "◆ Critical", ":material/crisis_alert:", "red", "#ff3d7f", "#c9184a"),
        Mark(Severity.HIGH, "▲ High", ":material/warning:", "orange", "#f08a2c", "#a8480a"),
        Mark(Severity.MEDIUM, "● Medium", ":material/error:", "yellow", "#ffe27a", "#b08d00"),
        Mark(Severity.LOW, "○ Low", ":material/info:", "blue", "#4a8dff", "#2456c4"),
    )
}
ACCENT: dict[ThemeName, str] = {"dark": "#38bdf8", "light": "#0369a1"}
INK: dict[ThemeName, str] = {"dark": "#e3e9f1", "light": "#16202e"}
WORST_FIRST = tuple(reversed(SEVERITIES))


def label_of(severity: str) -> str:
    """Shape and word of a severity as stored."""
    return MARKS[Severity(severity)].label if severity in SEVERITIES else shown(severity)


def theme_name() -> ThemeName:
    """The theme of the browser that is being served; dark until it is known."""
    return "light" if st.context.theme.type == "light" else "dark"


def palette(theme: ThemeName) -> list[str]:
    """Colours, worst first."""
    return [MARKS[severity].hex_color(theme) for severity in WORST_FIRST]
