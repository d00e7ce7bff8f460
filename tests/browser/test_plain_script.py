"""A host that runs app.py as a plain script: the pages work, and say that there are no routes."""

import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.journeys import PATIENCE_MS
from tests.modules import ROOT
from tests.running_app import running_app

pytestmark = pytest.mark.browser


def test_the_pages_work_without_the_http_layer_and_say_so(tmp_path: Path, browser: Browser) -> None:
    script = tmp_path / "host.py"
    # Streamlit finds an ASGI app by reading the file: here there is none to be found.
    script.write_text(
        "import runpy, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        f"runpy.run_path({str(ROOT / 'app.py')!r}, run_name='__main__')\n"
    )
    with running_app(tmp_path / "data", script=script) as app:
        with urllib.request.urlopen(f"{app.url}/healthz") as reply:
            assert "application/json" not in reply.headers["content-type"]
        page = browser.new_page(locale="en-US")
        page.goto(app.url)
        box = page.get_by_test_id("stChatInputTextArea")
        expect(box).to_be_visible(timeout=PATIENCE_MS)
        # Who is connected nobody has looked at: nobody is taken for the owner.
        expect(page.get_by_text("does not let the studio see who is connected")).to_be_visible()
        box.fill("hello")
        box.press("Enter")
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("link", name="Status").click()
        expect(page.get_by_text("there is no HTTP interface")).to_be_visible(timeout=PATIENCE_MS)
        page.close()
