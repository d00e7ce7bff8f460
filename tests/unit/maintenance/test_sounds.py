"""Sounds that were read aloud have no picture's row, and are nobody's waste all the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from core.archive.archive import Archive, sound_name
from core.models.generations import GenerationStatus
from core.models.speech import SpeechRequest
from core.practice.speech.voice import tones
from core.storage.db.schema import generations
from core.storage.store import Store
from core.wire.audio import mp3_from
from core.work.maintenance.pruning import prune


def test_an_archived_sound_outlives_pruning(tmp_path: Path) -> None:
    store, archive = Store.open(tmp_path / "a.sqlite3"), Archive.open(tmp_path / "pictures")
    try:
        said = store.generations.create_intent(
            "local", SpeechRequest("你好。", voice_id="ai_kaiya"), provider="kling"
        )
        long_ago = datetime.now(UTC) - timedelta(days=20)
        ended = {"status": GenerationStatus.ARCHIVED.value, "created_at": long_ago}
        with store._database.write() as connection:
            connection.execute(update(generations).values(**ended))
        row = store.generations.load(said.id)
        assert row is not None
        part = archive.new_part()
        part.write_bytes(mp3_from(tones("你好")))
        archive.adopt_sound(part, sound_name(row))
        prune(store, archive, older_than=timedelta(days=1))
        assert archive.exists(sound_name(row))
    finally:
        store.close()
