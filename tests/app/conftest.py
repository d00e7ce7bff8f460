"""The app as AppTest runs it: app.py, a real studio, practice providers, its own data folder."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from core.settings.table import NAMES
from core.work.process_studio import close_studio, open_studio
from core.work.studio import Studio
from tests import waiting

# Streamlit reads what every installed package says of itself, in search of components, for each
# AppTest anew: 0.2 s of processor, and what is installed does not change while tests run.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).parents[2]
RUN_TIMEOUT_S = 90

# The practice server at its own paces is for people.
QUICK = PracticeSettings(
    first_delta_s=0.02,
    delta_interval_s=0.001,
    submitted_s=0.1,
    processing_s=0.2,
    picture_pixels=256,
)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of this test's own, and no keys; the studio is closed at the end."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        "core.practice.server.PracticeServer", partial(PracticeServer, settings=QUICK)
    )
    folder = tmp_path / "data"
    monkeypatch.setenv("INKLING_DATA_DIR", str(folder))
    close_studio()
    yield folder
    close_studio()


@pytest.fixture
def app(data_dir: Path) -> AppTest:
    """The app, not run yet."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=RUN_TIMEOUT_S)


@pytest.fixture
def studio() -> Callable[[], Studio]:
    """The studio that the app opened."""

    def opened() -> Studio:
        def never() -> None:
            raise AssertionError("the app has not opened the studio")

        return open_studio(never)  # type: ignore[arg-type]

    return opened


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait for a fact, not for time."""
    return partial(waiting.until, what="what is done behind the page")
