"""Contrast by WCAG 2.2, computed from the variables of the style sheet: 4.5 for text, 3 for borders and focus."""

import re

import pytest
from playwright.sync_api import Page, expect

from web.site import FOLDER

SHEET = (FOLDER / "static" / "page.css").read_text(encoding="utf-8")
COLOUR = "(#[0-9a-f]{6})"
VARIABLE = re.compile(rf"--([\w-]+): (?:{COLOUR}|light-dark\({COLOUR}, {COLOUR}\));")
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


def read_colours(selector: str, *, dark: bool) -> dict[str, str]:
    """The colours that a rule sets, in one theme."""
    block = re.search(rf"^{re.escape(selector)} {{\n(.+?)\n}}", SHEET, re.MULTILINE | re.DOTALL)
    assert block is not None
    found = VARIABLE.findall(block[1])
    return {name: both or (in_dark if dark else in_light) for name, both, in_light, in_dark in found}


LIGHT, DARK = (read_colours(":root", dark=dark) for dark in (False, True))
HIGH = read_colours(':root[data-contrast="high"]', dark=False)
THEMES = {"light": LIGHT, "dark": DARK, "light, high": LIGHT | HIGH, "dark, high": DARK | HIGH}


def read_channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def luminance(colour: str) -> float:
    channels = [channel / 255 for channel in read_channels(colour)]
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


def test_every_colour_is_known_in_both_themes() -> None:
    assert LIGHT.keys() == DARK.keys() >= {name for pair in (*TEXTS, *SHAPES) for name in pair}
    assert LIGHT != DARK
    assert HIGH.keys() <= LIGHT.keys()


@pytest.mark.slow
@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("chosen", [None, "light", "dark"])
def test_chosen_theme_prevails_over_the_systems(modules: Page, system: str, chosen: str | None) -> None:
    modules.emulate_media(color_scheme="dark" if system == "dark" else "light")
    modules.set_content(f"<style>{SHEET}</style>")
    modules.evaluate("theme => theme && (document.documentElement.dataset.theme = theme)", chosen)
    colours = DARK if (chosen or system) == "dark" else LIGHT
    expect(modules.locator("body")).to_have_css("background-color", f"rgb{read_channels(colours['background'])}")
