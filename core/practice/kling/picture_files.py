"""The files of finished tasks: drawn when first fetched, in a thread, and kept for a while."""

import asyncio
import re
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.models.generations import TaskStatus
from core.practice.counters import Tally
from core.practice.faults import read_faults, without_commands
from core.practice.hangup import hang_up
from core.practice.kling.tasks import PracticeTask, TaskBook
from core.practice.painting.drawing import draw_picture

_KEPT_PICTURES = 24
_DRAWING_THREADS = 2
_MISSING_FETCHES = 2
_UNREADABLE_FETCHES = 8
# It begins as one does: what does not even do that is taken for a fault on the way.
_NO_PICTURE = b"\x89PNG\r\n\x1a\n" + "练习 practice: no picture\n".encode() * 40
_NAME = re.compile(r"([\w-]{22})-(\d)(-watermark)?\.png")
_PNG = "image/png"


class PictureFiles:
    """Serves each picture without authorization, as Kling's file hosts do."""

    def __init__(self, tasks: TaskBook, tally: Tally) -> None:
        self._tasks = tasks
        self._tally = tally
        self._threads = ThreadPoolExecutor(_DRAWING_THREADS, thread_name_prefix="practice-drawing")
        self._drawn: OrderedDict[tuple[str, int, bool], asyncio.Future[bytes]] = OrderedDict()
        self._fetches: Counter[tuple[str, int]] = Counter()

    def routes(self) -> list[Route]:
        """Return the route of the files."""
        return [Route("/files/{name}", self._file, methods=["GET"])]

    def links(self, task: PracticeTask, origin: str) -> list[dict[str, object]]:
        """Return the `images` of a finished task."""
        links = []
        for index in range(task.n):
            address = f"{origin}/files/{task.task_id}-{index}"
            link: dict[str, object] = {"index": index, "url": f"{address}.png?x-kcdn-pid=practice"}
            if task.watermark:
                link["watermark_url"] = f"{address}-watermark.png?x-kcdn-pid=practice"
            links.append(link)
        return links

    def close(self) -> None:
        """Let the threads go; what is being drawn may finish unseen."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _file(self, request: Request) -> Response:
        self._tally.picture_fetches += 1
        found = _NAME.fullmatch(request.path_params["name"])
        task = self._tasks.find(found[1]) if found else None
        if found is None or task is None or int(found[2]) >= task.n:
            return Response(status_code=404)
        if task.status_at(self._tasks.now()) is not TaskStatus.SUCCEED:
            return Response(status_code=404)
        index, watermark = int(found[2]), bool(found[3])
        if watermark and not task.watermark:
            return Response(status_code=404)
        self._fetches[task.task_id, index] += 1
        fetch = self._fetches[task.task_id, index]
        faults = read_faults(task.prompt)
        if "missing-picture" in faults and index == task.n - 1 and fetch <= _MISSING_FETCHES:
            return Response(status_code=404)
        if index == 0 and "unreadable-picture" in faults:
            times = faults["unreadable-picture"]
            if fetch <= (_UNREADABLE_FETCHES if times is None else times):
                return Response(_NO_PICTURE, media_type=_PNG)
        content = await self._picture(task, index, watermark)
        if "broken-picture" in faults and index == 0 and fetch == 1:
            length = {"content-length": str(len(content))}
            return StreamingResponse(_half(request, content), headers=length, media_type=_PNG)
        return Response(content, media_type=_PNG)

    async def _picture(self, task: PracticeTask, index: int, watermark: bool) -> bytes:
        """Return the PNG; several readers at once share one drawing."""
        key = (task.task_id, index, watermark)
        if key not in self._drawn:
            self._drawn[key] = asyncio.get_running_loop().run_in_executor(
                self._threads,
                lambda: draw_picture(
                    without_commands(task.prompt),
                    width=task.width,
                    height=task.height,
                    seed=task.task_id,
                    index=index,
                    tint=task.tint,
                    watermark=watermark,
                ),
            )
        self._drawn.move_to_end(key)
        while len(self._drawn) > _KEPT_PICTURES:
            self._drawn.popitem(last=False)
        # One reader who leaves must not cancel the drawing for the others.
        return await asyncio.shield(self._drawn[key])


async def _half(request: Request, content: bytes) -> AsyncIterator[bytes]:
    yield content[: len(content) // 2]
    hang_up(request)
    await asyncio.get_running_loop().create_future()  # until the disconnect cancels this
