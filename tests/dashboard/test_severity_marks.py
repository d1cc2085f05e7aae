"""Severities are told apart without colour, and their colours by people with any colour vision."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from livesec.core.severity import SEVERITIES
from livesec.dashboard.severity_marks import ACCENT, INK, MARKS, ThemeName, label_of

Vector = NDArray[np.float64]

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
VISIONS = {
    "full": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
THEMES: tuple[ThemeName, ...] = ("dark", "light")
JUST_NOTICEABLE = 2.3  # CIE76 difference that half of all people see in two patches side by side


def linear(color: str) -> Vector:
    channels = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def cie_lab(rgb: Vector) -> Vector:
    xyz = XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def contrast(first: str, second: str) -> float:
    low, high = sorted(float((XYZ @ linear(color))[1]) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


def test_every_severity_has_a_shape_and_a_word_of_its_own() -> None:
    labels = [MARKS[severity].label for severity in SEVERITIES]
    assert labels == ["○ Low", "● Medium", "▲ High", "◆ Critical"]
    assert label_of("critical") == "◆ Critical"
    assert label_of("\x1b[31mnew\u202e") == "\\x1b[31mnew\\x202e"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_differ_in_any_vision(theme: ThemeName, vision: str) -> None:
    seen = [cie_lab(VISIONS[vision] @ linear(MARKS[severity].hex_color(theme))) for severity in SEVERITIES]
    nearest = min(float(np.linalg.norm(first - second)) for first, second in itertools.combinations(seen, 2))
    assert nearest > 7 * JUST_NOTICEABLE


@pytest.mark.parametrize("theme", THEMES)
def test_colours_stand_out_from_the_page(theme: ThemeName) -> None:
    page = CONFIG["theme"][theme]["backgroundColor"]
    for severity in SEVERITIES:
        assert contrast(MARKS[severity].hex_color(theme), page) >= 3.0  # WCAG 2.2, 1.4.11, graphics
    assert contrast(INK[theme], page) >= 7.0  # 1.4.6, text


@pytest.mark.parametrize("theme", THEMES)
def test_charts_and_page_use_the_same_colours(theme: ThemeName) -> None:
    colours = CONFIG["theme"][theme]
    for mark in MARKS.values():
        assert colours[f"{mark.color}Color"] == mark.hex_color(theme)
    assert colours["primaryColor"] == ACCENT[theme]
    assert colours["textColor"] == INK[theme]
