"""What axe finds on a page, in every theme."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def set_contrast(page: Page, contrast: str) -> None:
    """As the settings do: `high`, or none."""
    page.evaluate("contrast => { document.documentElement.dataset.contrast = contrast; }", contrast)


def find_violations(page: Page) -> list[str]:
    """With the elements; and whether the page is wider than the window. Themes differ in colours only, so the other
    three are checked for contrast. The page is left in the light theme."""
    sentences = run_axe(page)
    for is_dark, is_high in ((True, False), (True, True), (False, True), (False, False)):
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        set_contrast(page, "high" if is_high else "")
        if is_dark or is_high:
            name = f"{'dark' if is_dark else 'light'}{', high contrast' if is_high else ''}"
            sentences += [f"{name}: {sentence}" for sentence in run_axe(page, runOnly=["color-contrast"])]
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return sentences if width <= window else [*sentences, f"the page is {width} wide in a window of {window}"]


def run_axe(page: Page, **options: list[str]) -> list[str]:
    violations = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [f"{violation['id']}: {[node['target'] for node in violation['nodes']]}" for violation in violations]
