"""The app as AppTest runs it: app.py, a real studio, practice providers, its own data folder."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from core.settings.table import NAMES
from core.work.process_studio import close_studio, open_studio
from core.work.studio import Studio

ROOT = Path(__file__).parents[2]
RUN_TIMEOUT_S = 90
PATIENCE_S = 60.0

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

    def wait(is_so: Callable[[], bool]) -> None:
        deadline = monotonic() + PATIENCE_S
        while not is_so():
            assert monotonic() < deadline, "what was waited for did not happen"
            sleep(0.02)

    return wait
