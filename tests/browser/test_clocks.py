"""The reader's clock: each time, day and file's name on each page, in zones unlike the server's."""

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Browser, Download, Locator, Page, TimeoutError, expect

from core.access.owners import LOCAL_OWNER
from core.access.passes import Passes
from core.archive.archive import Archive
from core.models.generations import GenerationStatus, ImageRequest
from core.storage.store import Store
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app

# Shortly before midnight in UTC: another day in Shanghai, the same afternoon in Los Angeles.
WHEN = (datetime.now(UTC) - timedelta(days=1)).replace(hour=23, minute=50, second=7, microsecond=0)
QUESTION = "Where do the cranes fly?"
PROMPT = "Cranes over a lake"
MINUTES = "%Y-%m-%d %H:%M"

pytestmark = pytest.mark.browser


def seed(data_dir: Path) -> None:
    """Write down one conversation, one picture and one pass, all of the same moment."""
    data_dir.mkdir()
    store = Store.open(data_dir / "inkling.sqlite3", clock=lambda: WHEN)
    conversation = store.conversations.create(LOCAL_OWNER, title=QUESTION)
    store.messages.add(LOCAL_OWNER, conversation.id, parent_id=None, role="user", content=QUESTION)
    _draw(store, Archive.open(data_dir / "pictures"))
    Passes(store.key_values, dict, clock=WHEN.timestamp).issue("an old phone")
    store.close()


def _draw(store: Store, archive: Archive) -> None:
    generations = store.generations
    request = ImageRequest(prompt=PROMPT)
    # Of the provider that is not at work here: nobody sends it on.
    generation = store.intents.create(LOCAL_OWNER, request, provider="kling")
    everything = set(GenerationStatus)
    generations.move(generation.id, to=GenerationStatus.SUCCEEDED, expect=everything)
    store.expected_pictures.expect(generation.id, 1)
    drawn = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(drawn, "PNG")
    part = archive.new_part()
    part.write_bytes(drawn.getvalue())
    file = archive.adopt(part, created_at=WHEN, generation_id=generation.id, index=0)
    store.expected_pictures.add(
        generation.id,
        0,
        name=file.name,
        media_type=file.media_type,
        width=file.width,
        height=file.height,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )
    generations.move(generation.id, to=GenerationStatus.ARCHIVED, expect=everything)


@dataclass
class Reader:
    """A person before a browser, and what their clock showed."""

    page: Page
    app: RunningApp
    zone: ZoneInfo

    def at(self, form: str) -> str:
        return WHEN.astimezone(self.zone).strftime(form)

    @property
    def stamp(self) -> str:
        return self.at("%Y%m%d-%H%M%S")

    @property
    def today(self) -> str:
        return datetime.now(self.zone).strftime("%Y%m%d")

    def open(self, name: str) -> None:
        self.page.goto(f"{self.app.url}/{name}")
        expect(self.page.get_by_test_id("stSidebar")).to_be_attached(timeout=PATIENCE_MS)

    def sees(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)

    def downloads(self, button: Locator) -> Download:
        """Press it, and once more where the page was drawn anew at that very moment.

        Streamlit makes the file of a press when it is pressed; a run that begins just then forgets
        whose it was, and says nothing.
        """
        for patience_ms in (PATIENCE_MS / 4, PATIENCE_MS):
            self.is_settled()
            with contextlib.suppress(TimeoutError):
                with self.page.expect_download(timeout=patience_ms) as coming:
                    button.click(timeout=PATIENCE_MS)
                return coming.value
        raise AssertionError("pressed twice, and nothing came")

    def is_settled(self) -> None:
        """The script has run: what is clicked stays where it is."""
        expect(self.page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=PATIENCE_MS
        )

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def sees_nothing_else(self) -> None:
        """No other moment of those days stands anywhere on the page, once it is drawn."""
        self.page.wait_for_function(
            r"""moment => {
                const shown = document.body.innerText.match(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}/g) ?? [];
                return shown.length && shown.every((one) => one === moment);
            }""",
            arg=self.at(MINUTES),
            timeout=PATIENCE_MS,
        )


@contextmanager
def reading(tmp_path: Path, browser: Browser, server: str, zone: str) -> Iterator[Reader]:
    seed(tmp_path / "data")
    with running_app(tmp_path / "data", {"TZ": server}, address="0.0.0.0") as app:
        context = browser.new_context(
            timezone_id=zone,
            locale="en-US",
            accept_downloads=True,
            viewport={"width": 1280, "height": 1400},
        )
        try:
            yield Reader(context.new_page(), app, ZoneInfo(zone))
        finally:
            context.close()


@pytest.mark.parametrize(
    ("server", "zone"),
    [
        ("UTC", "Asia/Shanghai"),
        ("Asia/Shanghai", "UTC"),
        ("Asia/Shanghai", "America/Los_Angeles"),
    ],
)
def test_every_time_and_name_is_by_the_readers_clock(
    tmp_path: Path, browser: Browser, server: str, zone: str
) -> None:
    with reading(tmp_path, browser, server, zone) as reader:
        look_at_history(reader)
        look_at_images(reader)
        look_at_gallery(reader)
        look_at_status(reader)


def look_at_history(reader: Reader) -> None:
    page = reader.page
    reader.open("history")
    reader.sees(reader.at(MINUTES))
    reader.sees_nothing_else()
    reader.button("Export and import").click()
    named = reader.downloads(page.locator("a.download")).suggested_filename
    assert named == f"inkling-{reader.today}.json"
    every = reader.downloads(page.get_by_test_id("stDownloadButton").get_by_role("button").last)
    assert every.suggested_filename == f"inkling-{reader.today}-markdown.zip"
    with zipfile.ZipFile(every.path()) as files:
        (name,) = files.namelist()
        assert name.startswith(f"{reader.stamp}-Where-do")
        assert set(re.findall(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", files.read(name).decode())) == {
            reader.at(MINUTES)
        }
    page.keyboard.press("Escape")
    page.get_by_test_id("stTextInput").locator("input").first.fill("cranes")
    expect(page.locator("[class*=st-key-hit-]").last).to_contain_text(
        reader.at(MINUTES), timeout=PATIENCE_MS
    )
    reader.sees_nothing_else()


def look_at_images(reader: Reader) -> None:
    reader.open("images")
    reader.button(f"Open large: Picture 1: {PROMPT}").click(timeout=PATIENCE_MS)
    reader.sees(reader.at(MINUTES))
    reader.sees_nothing_else()
    reader.page.keyboard.press("Escape")
    expect(reader.page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    expect(reader.page).not_to_have_url(re.compile("p="), timeout=PATIENCE_MS)
    named = reader.downloads(reader.button(f"Download: Picture 1: {PROMPT}"))
    assert named.suggested_filename == f"{reader.stamp}-Cranes-over-a-lake-1.png"


def look_at_gallery(reader: Reader) -> None:
    page = reader.page
    reader.open("gallery")
    tile = reader.button(f"Open large: Picture 1: {PROMPT}")
    expect(tile).to_be_visible(timeout=PATIENCE_MS)
    day = WHEN.astimezone(reader.zone).date()
    for other, is_shown in ((-1, False), (1, False), (0, True)):
        choose_day(reader, day + timedelta(days=other))
        expect(tile).to_have_count(int(is_shown), timeout=PATIENCE_MS)
    page.get_by_text("Select", exact=True).click()
    page.get_by_test_id("stMain").get_by_role("button", name="Select page").click()
    zipped = reader.downloads(page.get_by_role("button", name="Download zip"))
    assert re.fullmatch(rf"inkling-{reader.today}-\d{{6}}\.zip", zipped.suggested_filename)
    with zipfile.ZipFile(zipped.path()) as files:
        (picture,) = [one for one in files.infolist() if one.filename.endswith(".png")]
        assert picture.filename.startswith(f"{reader.stamp}-Cranes")
        local = WHEN.astimezone(reader.zone)
        assert picture.date_time[:5] == local.timetuple()[:5]
        manifest = json.loads(files.read("manifest.json"))["pictures"][0]
        assert datetime.fromisoformat(manifest["created_at"]) == WHEN
        assert manifest["created_at"].endswith("+00:00")
    page.get_by_text("Select", exact=True).click()
    tile.click()
    reader.sees(reader.at(MINUTES))
    for name in ("Download original", "Download with prompt"):
        file = reader.downloads(page.get_by_role("button", name=name, exact=True))
        assert file.suggested_filename.startswith(f"{reader.stamp}-Cranes")
    page.get_by_text("History of the task").click()
    reader.sees(reader.at(f"{MINUTES}:%S"))
    reader.sees_nothing_else()


def choose_day(reader: Reader, day: date) -> None:
    page = reader.page
    page.get_by_test_id("stPopoverButton").first.click()
    for end in ("start", "end"):
        for part, digits in (("year", f"{day:%Y}"), ("month", f"{day:%m}"), ("day", f"{day:%d}")):
            page.get_by_role("spinbutton", name=f"{part}, Days {end} date").press_sequentially(
                digits
            )
    # Beside the calendar: it is closed, and the choice is taken.
    page.get_by_text("Aspect ratio", exact=True).last.click()
    expect(page.get_by_test_id("stDateInputCalendar")).to_have_count(0)
    page.keyboard.press("Escape")


def look_at_status(reader: Reader) -> None:
    reader.open("status")
    reader.sees("an old phone")
    reader.sees(f"since {reader.at(MINUTES)} · last seen {reader.at(MINUTES)}")
    reader.sees_nothing_else()
    reader.button("Make a link").click()
    reader.sees("Scan it or open it on the device")
    told = reader.page.get_by_text("Scan it or open it on the device").inner_text()
    until = datetime.strptime(told.rpartition("until ")[2], f"{MINUTES}.").replace(
        tzinfo=reader.zone
    )
    assert timedelta(0) < until - datetime.now(UTC) < timedelta(hours=1)
