"""Contrast by WCAG 2.2, computed from the variables of the style sheet: 4.5 for text, 3 for borders and focus."""

import re

import pytest

from web.site import FOLDER

SHEET = (FOLDER / "static" / "page.css").read_text(encoding="utf-8")
VARIABLE = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
TEXTS = [
    *(("text", ground) for ground in ("background", "surface")),
    *(("muted", ground) for ground in ("background", "surface")),
    *(("error", ground) for ground in ("background", "surface")),
    ("key-text", "key"), ("primary-text", "primary"),
    ("correct-text", "correct"), ("present-text", "present"), ("absent-text", "absent"),
]  # fmt: skip
SHAPES = [
    *((shape, ground) for shape in ("border", "focus", "primary") for ground in ("background", "surface")),
    ("correct", "background"), ("present", "background"),
]  # fmt: skip


def read_block(selector: str) -> dict[str, str]:
    """The colours that a rule sets."""
    block = re.search(rf"^ *{re.escape(selector)} {{\n(.+?)\n *}}", SHEET, re.MULTILINE | re.DOTALL)
    assert block is not None
    return dict(VARIABLE.findall(block[1]))


LIGHT, DARK, HIGH = (
    read_block(":root"),
    read_block(':root[data-theme="dark"]'),
    read_block(':root[data-contrast="high"]'),
)
THEMES = {"light": LIGHT, "dark": LIGHT | DARK, "light, high": LIGHT | HIGH, "dark, high": LIGHT | DARK | HIGH}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("colour", "ground"), TEXTS)
def test_text_can_be_read(theme: str, colour: str, ground: str) -> None:
    assert contrast(THEMES[theme][colour], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light, high", "dark, high"])
@pytest.mark.parametrize("state", ["correct", "present"])
def test_tiles_can_be_seen_in_high_contrast(theme: str, state: str) -> None:
    """By their colour, or by their border, which there has the colour of the letter."""
    colours = THEMES[theme]
    assert max(contrast(colours[name], colours["background"]) for name in (state, f"{state}-text")) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("colour", "ground"), SHAPES)
def test_borders_focus_and_tiles_can_be_seen(theme: str, colour: str, ground: str) -> None:
    assert contrast(THEMES[theme][colour], THEMES[theme][ground]) >= 3


def test_system_and_chosen_dark_theme_are_the_same() -> None:
    assert read_block(':root:not([data-theme="light"])') == DARK
