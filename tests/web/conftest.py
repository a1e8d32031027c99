"""A browser with the modules of the page, for the tests of its rules."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

import web.app
import web.settings
from tests.support.chromium import running_chromium
from tests.support.servers import serving


@pytest.fixture(scope="module")
def modules() -> Iterator[Page]:
    """A page whose scripts can import the page's modules: `import("/site/static/any/letters.js")`."""
    app = web.app.create_app(web.settings.Settings(_env_file=None, instance="web.1"))
    with serving(app) as url, running_chromium() as browser:
        page = browser.new_page()
        page.goto(f"{url}/site/nowhere")
        yield page
