"""A Kling over real sockets that counts what it accepts, and goes wrong exactly as told.

Raw asyncio, because a proper HTTP server would not drop a line in the middle of an answer. It runs
on a thread of its own; `hook` is told of each moment of the protocol while it happens.
"""

import asyncio
import json
import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.crash.fake_pictures import make_png
from tests.crash.kinds import PATHS
from tests.raw_server import close_server

PATH = "/v1/images/generations"
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
STATUS_OF = {1201: 400, 1301: 400, 1101: 429, 1102: 429, 1302: 429, 1303: 429, 1103: 403, 1203: 404}


class HangUp(Exception):
    """Close the connection now."""


@dataclass
class Task:
    """One accepted task."""

    task_id: str
    external_task_id: str | None
    n: int
    accepted_at: float
    runs_s: float
    hidden_until: float = 0.0
    ended: float = 0.0
    is_failed: bool = False
    links: int = 0  # how often links were given out
    images: int = 0
    path: str = PATH
    slots: int = 1
    is_series: bool = False


@dataclass
class Plan:
    """How the fake behaves. `post` names what goes wrong with the first POSTs of each id."""

    post: str = ""
    post_times: int = 1
    post_times_in_all: int | None = None  # of all ids together, in place of `post_times` of each
    polls: str = ""  # lost, html, 500: half of all lookups; unknown-status
    pictures: str = ""  # cut, stale, 404, 500, html: the first fetch of each picture
    bad_picture: int | None = None  # this one never works
    unreadable: int | None = None  # this one comes whole, and is no picture: half of one
    unreadable_is_html: bool = False  # or nothing like one
    cap: int | None = None  # of slots at each path
    is_unique: bool = False  # whether a second POST under one id is refused, as Kling's docs say
    runs_s: Callable[[int], float] = lambda number: 0.25  # number of the task -> seconds
    late_s: float = 0.5
    hides_s: float = 0.3
    fails: bool = False
    images_short: int = 0
    oldest_first: bool = False
    foreign: int = 0  # tasks of other programs in the list


@dataclass
class Seen:
    """What came in, by the fake's own count."""

    posts: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    polls: list[tuple[float, str, str]] = field(default_factory=list)  # when, whose key, task
    lists: int = 0
    fetches: int = 0
    most_at_once: int = 0
    overlapping_polls: int = 0


class FakeKling:
    """Start it with `with`; `origin` is its address."""

    def __init__(
        self,
        plan: Plan | None = None,
        hook: Callable[[str], None] = lambda moment: None,
        more_paths: Mapping[str, str] | None = None,
    ) -> None:
        self.plan = plan or Plan()
        # By path, where a task's files stand in its result. A picture takes a slot each; what is
        # made at other paths takes one a task.
        self.results = dict.fromkeys(PATHS, "images") | dict(more_paths or {})
        self.hook = hook
        self.seen = Seen()
        self.tasks: dict[str, Task] = {}
        self.origin = ""
        self.fetched: Counter[str] = Counter()  # files, by their path
        self._by_external: dict[str, Task] = {}
        self._polling: Counter[str] = Counter()
        self._dice = random.Random(1)
        self._is_held = False
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_up.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    # -- what tests ask ----------------------------------------------------------------------------

    def picture(self, task_id: str, index: int) -> bytes:
        """Return the bytes of one picture; no two are alike."""
        return make_png(f"{task_id}/{index}")

    def add_task(
        self, external_task_id: str | None, *, n: int = 1, age_s: float = 60.0, path: str = PATH
    ) -> Task:
        """Put a task there as if it had been made before."""
        accepted_at = time.time() - age_s
        return self._accept(external_task_id, n, accepted_at=accepted_at, path=path, slots=n)

    def hold(self) -> None:
        """Let no task end before `let_go`, however long the machine takes to get somewhere."""
        self._is_held = True

    def let_go(self) -> None:
        """End what has run for as long as planned, and the rest when it has."""
        for task in self.tasks.values():
            task.ended = max(task.ended, time.time())
        self._is_held = False

    # -- server ------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def start() -> None:
            server = await asyncio.start_server(
                self._serve, "127.0.0.1", 0, limit=32 * 1024 * 1024, backlog=1024
            )
            self._server = server
            self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._is_up.set()

        self._loop.run_until_complete(start())
        try:
            self._loop.run_forever()
        finally:
            assert self._server is not None
            close_server(self._loop, self._server, self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                await self._answer(method, target, headers, body, writer)
        except (HangUp, asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        writer: asyncio.StreamWriter,
    ) -> None:
        url = urlsplit(target)
        if url.path.startswith("/files/"):
            await self._file(url.path, url.query, writer)
            return
        if method == "POST":
            await self._post(url.path, json.loads(body), writer)
            return
        key = headers.get("authorization", "").removeprefix("bearer ")
        if url.path in self.results:
            await self._list(url.path, url.query, writer)
            return
        path, _, any_id = url.path.rpartition("/")
        await self._query(path, unquote(any_id), key, writer)

    # -- create ------------------------------------------------------------------------------------

    async def _post(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        own_id, is_series = str(body["external_task_id"]), body.get("result_type") == "series"
        n = int(body["series_amount" if is_series else "n"])
        slots = n if path in PATHS else 1
        self.seen.posts[own_id] += 1
        self.hook("post-received")
        strikes = self.seen.posts[own_id] <= self.plan.post_times
        if self.plan.post_times_in_all is not None:
            strikes = self.seen.posts.total() <= self.plan.post_times_in_all
        fault, _, when = self.plan.post.partition("/") if strikes else ("", "", "")
        if when == "before":
            await self._go_wrong(fault, writer)
        if fault == "accept-late":
            await asyncio.sleep(self.plan.late_s)
        if fault.isdigit() and not when:
            await self._refuse(int(fault), writer)
            return
        if self.plan.is_unique and own_id in self._by_external:
            await self._refuse(1201, writer)
            return
        here = [task for task in self.tasks.values() if task.path == path]
        running = sum(task.slots for task in here if not self._has_ended(task))
        if self.plan.cap is not None and running + slots > self.plan.cap:
            await self._refuse(1303, writer)
            return
        self.seen.most_at_once = max(self.seen.most_at_once, running + slots)
        task = self._accept(own_id, n, accepted_at=time.time(), path=path, slots=slots)
        task.is_series = is_series
        self.seen.accepted[own_id] += 1
        if fault.startswith("hidden"):
            task.hidden_until = time.time() + self.plan.hides_s
        self.hook("post-accepted")
        if when == "after":
            await self._go_wrong(fault, writer)
        if fault == "late":
            await asyncio.sleep(self.plan.late_s)
        await self._reply(self._described(task, with_result=False), writer)
        self.hook("post-answered")

    def _accept(
        self, own_id: str | None, n: int, *, accepted_at: float, path: str, slots: int
    ) -> Task:
        number = len(self.tasks)
        task = Task(
            task_id=f"task-{number:05d}-{zlib.crc32((own_id or str(number)).encode()):08x}",
            external_task_id=own_id,
            n=n,
            accepted_at=accepted_at,
            runs_s=self.plan.runs_s(number),
            is_failed=self.plan.fails,
            images=max(0, n - self.plan.images_short),
            path=path,
            slots=slots,
        )
        task.ended = accepted_at + task.runs_s
        self.tasks[task.task_id] = task
        if own_id is not None:
            self._by_external[own_id] = task
        return task

    async def _go_wrong(self, fault: str, writer: asyncio.StreamWriter) -> None:
        if fault in ("drop", "hidden", "hidden-id"):
            raise HangUp
        if fault == "cut":
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"code":0,"dat')
            await writer.drain()
            raise HangUp
        if fault in ("500", "5001", "5002"):
            code = 5000 if fault == "500" else int(fault)
            await self._write({"code": code, "message": "internal"}, writer, 503)
        elif fault == "html":
            await self._raw(HTML, writer, 502, "text/html")
        elif fault == "html200":
            await self._raw(HTML, writer, 200, "text/html")
        elif fault == "shape":
            await self._write({"code": 0, "message": "SUCCEED"}, writer)
        raise HangUp

    async def _refuse(self, code: int, writer: asyncio.StreamWriter) -> None:
        self.seen.refused[code] += 1
        message = {"code": code, "message": f"refused with {code}", "request_id": "fake"}
        await self._write(message, writer, STATUS_OF.get(code, 400))

    # -- query and list ----------------------------------------------------------------------------

    async def _query(self, path: str, any_id: str, key: str, writer: asyncio.StreamWriter) -> None:
        self.seen.polls.append((time.monotonic(), key, any_id))
        self._polling[any_id] += 1
        if self._polling[any_id] > 1:
            self.seen.overlapping_polls += 1
        try:
            self.hook("poll")
            await self._go_wrong_in_lookup(writer)
            task = self.tasks.get(any_id)
            if task is None and self.plan.post.partition("/")[0] != "hidden-id":
                task = self._by_external.get(any_id)
            if task is None or task.path != path or time.time() < task.hidden_until:
                await self._write({"code": 1203, "message": "not found"}, writer, 404)
            else:
                await self._reply(self._described(task), writer)
        finally:
            self._polling[any_id] -= 1

    async def _list(self, path: str, query: str, writer: asyncio.StreamWriter) -> None:
        self.seen.lists += 1
        self.hook("list")
        await self._go_wrong_in_lookup(writer)
        asked = {name: int(values[0]) for name, values in parse_qs(query).items()}
        page, size = asked.get("pageNum", 1), asked.get("pageSize", 30)
        now = time.time()
        here = [task for task in self.tasks.values() if task.path == path]
        tasks = [task for task in here if now >= task.hidden_until]
        tasks.sort(key=lambda task: task.accepted_at, reverse=not self.plan.oldest_first)
        shown = tasks[(page - 1) * size : page * size]
        await self._reply([self._described(task) for task in shown], writer)

    async def _go_wrong_in_lookup(self, writer: asyncio.StreamWriter) -> None:
        if self.plan.polls in ("lost", "html", "500") and self._dice.random() < 0.5:
            await self._go_wrong({"lost": "drop"}.get(self.plan.polls, self.plan.polls), writer)

    def _has_ended(self, task: Task) -> bool:
        return not self._is_held and time.time() >= task.ended

    def _described(self, task: Task, *, with_result: bool = True) -> dict[str, Any]:
        now = time.time()
        status = "submitted" if now < task.accepted_at + task.runs_s * 0.3 else "processing"
        if self.plan.polls == "unknown-status" and status == "processing":
            status = "taking_a_nap"
        updated = task.accepted_at
        if self._has_ended(task):
            status, updated = ("failed" if task.is_failed else "succeed"), task.ended
        info = {} if task.external_task_id is None else {"external_task_id": task.external_task_id}
        described: dict[str, Any] = {
            "task_id": task.task_id,
            "task_status": status,
            "task_info": info,
            "created_at": int(task.accepted_at * 1000),
            "updated_at": int(updated * 1000),
        }
        if status == "failed":
            described["task_status_msg"] = "Failure to pass the risk control system"
        if status == "succeed" and with_result:
            task.links += 1
            described["final_unit_deduction"] = "8"
            described["task_result"] = {
                "series_images" if task.is_series else self.results[task.path]: [
                    {
                        "index": index,
                        "url": f"{self.origin}/files/{task.task_id}/{index}?given={task.links}",
                    }
                    for index in range(task.images)
                ]
            }
        return described

    # -- pictures ----------------------------------------------------------------------------------

    async def _file(self, path: str, query: str, writer: asyncio.StreamWriter) -> None:
        _, _, task_id, index = path.split("/")
        content = self.picture(task_id, int(index))
        if self.plan.unreadable == int(index):
            content = HTML if self.plan.unreadable_is_html else content[: len(content) // 2]
        self.seen.fetches += 1
        self.fetched[path] += 1
        self.hook("picture-asked")
        fault = self.plan.pictures if self.fetched[path] == 1 else ""
        if self.plan.pictures == "stale":
            # Only links given out after the first fetch was refused are good.
            fault = "stale" if parse_qs(query)["given"] == ["1"] else ""
        if self.plan.bad_picture == int(index):
            fault = "500"
        if fault in ("stale", "404", "500"):
            status = {"stale": 403, "404": 404, "500": 500}[fault]
            await self._raw(b"no", writer, status, "text/plain")
            return
        if fault == "html":
            await self._raw(HTML, writer, 200, "text/html")
            return
        head = f"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {len(content)}\r\n"
        half = len(content) // 2
        writer.write(head.encode() + b"\r\n" + content[:half])
        await writer.drain()
        self.hook("picture-half")
        if fault == "cut":
            raise HangUp
        writer.write(content[half:])
        await writer.drain()
        self.hook("picture-sent")

    # -- replies -----------------------------------------------------------------------------------

    async def _reply(self, data: Any, writer: asyncio.StreamWriter) -> None:
        envelope = {"code": 0, "message": "SUCCEED", "request_id": "fake", "data": data}
        await self._write(envelope, writer)

    async def _write(self, body: object, writer: asyncio.StreamWriter, status: int = 200) -> None:
        await self._raw(json.dumps(body).encode(), writer, status, "application/json")

    async def _raw(
        self, body: bytes, writer: asyncio.StreamWriter, status: int, media_type: str
    ) -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}"
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await writer.drain()
