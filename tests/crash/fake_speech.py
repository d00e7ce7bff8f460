"""A Kling that also speaks: `/v1/audio/tts`, which has no own id, no query and no list."""

import asyncio
import json

from core.practice.speech.voice import tones
from core.wire.audio import mp3_from
from tests.crash.fake_kling import FakeKling, HangUp

TTS_PATH = "/v1/audio/tts"
_VOWELS = "一二三四五六七八九十"


def sound_of(number: int) -> bytes:
    """Return the file of the call with that number; no two are alike."""
    return mp3_from(tones(_VOWELS[number % 10] * (1 + number // 10)))


class FakeSpeech(FakeKling):
    """Counts by the text what was posted and what was said, and so charged."""

    async def _answer(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        writer: asyncio.StreamWriter,
    ) -> None:
        path = target.partition("?")[0]
        if method == "POST" and path == TTS_PATH:
            await self._say(json.loads(body)["text"], writer)
        elif path.startswith("/files/said/"):
            await self._sound(int(path.rpartition("/")[2].removesuffix(".mp3")), writer)
        else:
            await super()._answer(method, target, headers, body, writer)

    async def _say(self, text: str, writer: asyncio.StreamWriter) -> None:
        self.seen.posts[text] += 1
        self.hook("post-received")
        strikes = self.seen.posts[text] <= self.plan.post_times
        fault, _, when = self.plan.post.partition("/") if strikes else ("", "", "")
        if when == "before":
            await self._go_wrong(fault, writer)
        if fault.isdigit() and not when:
            await self._refuse(int(fault), writer)
            return
        number = self.seen.accepted.total()
        self.seen.accepted[text] += 1
        self.hook("post-accepted")
        if when == "after":
            await self._go_wrong(fault, writer)
        audio = {"id": f"a{number}", "url": f"{self.origin}/files/said/{number}.mp3"}
        data = {
            "task_id": f"said-{number:05d}",
            "task_status": "succeed",
            "task_result": {"audios": [audio | {"duration": "1.0"}]},
            "final_unit_deduction": "0.05",
        }
        await self._reply(data, writer)
        self.hook("post-answered")

    async def _sound(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.hook("picture-asked")
        content = sound_of(number)
        self.fetched[str(number)] += 1
        if self.fetched[str(number)] == 1 and self.plan.pictures == "404":
            await self._raw(b"gone", writer, 404, "text/plain")
            return
        if self.fetched[str(number)] == 1 and self.plan.pictures == "cut":
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(content)}\r\n\r\n".encode()
            writer.write(head + content[: len(content) // 2])
            await writer.drain()
            raise HangUp
        self.hook("picture-half")
        await self._raw(content, writer, 200, "audio/mpeg")
