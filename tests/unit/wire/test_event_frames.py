"""Streams as they came, for people: blocks, their times, cuts and pauses."""

import random

import pytest

from core.wire.event_frames import EventFrame, chunk_cuts, event_frames, pauses
from core.wire.sse import SSEDecoder


def test_events_comments_and_fields_are_told_apart() -> None:
    body = ': keep-alive\n\nid: 7\nretry: 10\n\nevent: end\ndata: {"a":1}\ndata:  b\n\ndata: cut'
    kept, fields, event, unfinished = event_frames(body, [(0.5, 14), (1.5, len(body) - 14)])
    assert kept == EventFrame(0.5, 14, "", "", "keep-alive", "")
    assert kept.is_keep_alive
    assert fields == EventFrame(1.5, 17, "", "", "", "id: 7\nretry: 10")
    assert (event.event, event.data) == ("end", '{"a":1}\n b')
    assert unfinished.data == "cut"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_whatever_ends_its_lines_the_events_are_those_of_the_decoder(end: str) -> None:
    chance = random.Random(end)
    for _ in range(300):
        lines = chance.choices(
            ["", "", "data: 墨", "data:x", "event: e", ": c", ":", "id: 1", "data", "other: y"],
            k=12,
        )
        body = "".join(line + end for line in [*lines, ""])
        decoded = SSEDecoder().feed(body.encode())
        shown = [frame for frame in event_frames(body, []) if frame.data]
        assert [one.data for one in decoded if one.data] == [one.data for one in shown]
        assert [one.event for one in decoded if one.data] == [
            one.event or "message" for one in shown
        ]


def test_a_block_came_when_its_last_byte_did() -> None:
    body = "data: 墨\n\ndata: 灵\n\n"
    size = len(b"data: \n\n") + 3
    chunks = [(1.0, size - 1), (2.0, 1), (3.0, 4), (9.0, size - 4)]
    assert [frame.at_s for frame in event_frames(body, chunks)] == [2.0, 9.0]
    assert chunk_cuts(chunks) == [size - 1, size, size + 4]
    assert pauses(chunks, longer_than_s=1.5) == [(3.0, 9.0)]
    assert [frame.at_s for frame in event_frames(body, [])] == [None, None]
