"""Pictures that practice is to draw are looked after wherever they come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.access.owners import LOCAL_OWNER, visitor_owner
from core.models.generations import Generation, GenerationStatus, ImageRequest
from core.settings import ChatSettings, KlingSettings, Secret, Settings
from core.work import services
from core.work.studio import Studio
from tests.crash.workshop import QUICK
from tests.waiting import until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PRACTICE_EVERY_S", 0.05)


@pytest.fixture(params=["no key", "a key of Kling's"])
def studio(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Studio]:
    key = Secret("sk-of-kling") if request.param != "no key" else None
    kling = KlingSettings(origin="http://127.0.0.1:9", api_key=key)
    settings = Settings(data_dir=tmp_path, chat=ChatSettings(), kling=kling)
    opened = Studio.open(settings, timings=QUICK)
    yield opened
    opened.close()


def _drawn(studio: Studio, owner: str, generation_id: str) -> GenerationStatus:
    def ended() -> Generation | None:
        found = studio.store.generations.get(owner, generation_id)
        return found if found is not None and found.status.is_final else None

    status: GenerationStatus = until(ended, "the picture").status
    return status


@pytest.mark.parametrize("owner", [LOCAL_OWNER, visitor_owner("of-another-process")])
def test_what_another_process_left_behind_is_drawn(studio: Studio, owner: str) -> None:
    before = studio.services.workers()
    kling = studio.settings.kling
    assert kling is not None
    assert len(before) == kling.has_credentials  # none for practice
    left = studio.store.intents.create(owner, ImageRequest(prompt="山水"), provider="practice")
    assert _drawn(studio, owner, left.id) is GenerationStatus.ARCHIVED
    assert len(studio.services.workers()) == len(before) + 1
