"""What the ends of tests count."""

import hashlib

from core.models.generations import Generation, GenerationStatus
from tests.crash.fake_kling import FakeKling
from tests.crash.workshop import Workshop

S = GenerationStatus


def assert_archived(workshop: Workshop, fake: FakeKling, *rows: Generation) -> None:
    for row in rows:
        assert row.status is S.ARCHIVED
        assert fake.seen.accepted[row.external_task_id] == 1
        assert [picture.index for picture in row.pictures] == list(range(row.request.n))
        for picture in row.pictures:
            sent = fake.picture(str(row.task_id), picture.index)
            assert workshop.archive.original_bytes(picture.name) == sent
            assert picture.sha256 == hashlib.sha256(sent).hexdigest()
