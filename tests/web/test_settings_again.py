"""A key that changes while work runs: read again without a restart, and nothing breaks off."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import ConfigurationError
from core.models.generations import GenerationStatus
from core.practice.server import PracticeServer
from core.settings import KlingSettings, Secret, Settings, read_settings
from core.work.process_studio import reread_settings
from tests.running_app import RunningApp, running_app
from tests.upstream import DONE, KEEP_ALIVE, STREAM_HEAD, Plan, Step, Upstream
from tests.waiting import until
from tests.web.events import opened
from tests.web.serving import QUICK, serving, serving_practice

OTHER_KLING_KEY = "kling-other-0123456789abcdef"
OLD, NEW = "sk-old-0123456789abcdef", "sk-new-0123456789abcdef"


def piece(text: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return b"data: %b\n\n" % json.dumps({"id": "1", "model": "m", "choices": [choice]}).encode()


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def upstream(gate: threading.Event) -> Iterator[Upstream]:
    """Answers "slow" only when the gate opens, everything else at once."""

    def plan(body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + piece("begun "))
        if "slow" in body["messages"][-1]["content"]:
            while not gate.is_set():
                yield Step(0.05, KEEP_ALIVE)
        yield Step(data=piece("and ended", "stop") + DONE)

    with Upstream(plan) as server:
        yield server


def write(secrets: Path, upstream: Upstream, key: str, more: str = "") -> None:
    secrets.write_text(f'DEEPSEEK_API_KEY = "{key}"\nDEEPSEEK_API_URL = "{upstream.url}"\n{more}')


def keys(upstream: Upstream) -> list[str]:
    return [one.headers["authorization"].partition(" ")[2] for one in upstream.answers]


def ask(app: RunningApp, question: str) -> httpx.Response:
    return httpx.get(f"{app.url}/stream", params={"question": question}, trust_env=False)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this platform has no SIGHUP")
def test_sighup_reads_a_new_key_and_what_runs_ends_under_the_old_one(
    tmp_path: Path, upstream: Upstream, gate: threading.Event
) -> None:
    secrets = tmp_path / "secrets.toml"
    write(secrets, upstream, OLD)
    with (
        running_app(tmp_path / "data", secrets=secrets) as app,
        httpx.Client(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        with opened(http, "/stream", params={"question": "slow"}) as (_, reading):
            heard = next(one for one in reading if "begun" in one.text)
            write(secrets, upstream, NEW)
            os.kill(app.process.pid, signal.SIGHUP)
            until(lambda: b"read again" in app.log.read_bytes(), "the settings were read again")
            assert "and ended" in ask(app, "?").text
            assert keys(upstream) == [OLD, NEW]
            gate.set()
            for _ in reading:
                pass
        assert heard.has_ended
        assert heard.text == "begun and ended"
        assert not heard.errors
        # A file that cannot be read changes nothing.
        secrets.write_text("DEEPSEEK_API_KEY = sk-broken\n")
        os.kill(app.process.pid, signal.SIGHUP)
        until(lambda: b"not read again" in app.log.read_bytes(), "the broken file is told")
        assert "and ended" in ask(app, "??").text
        assert keys(upstream)[-1] == NEW
        assert b"sk-" not in app.log.read_bytes()


def test_tasks_under_way_end_with_the_old_account_and_new_ones_go_to_the_new(
    tmp_path: Path,
) -> None:
    slow = replace(QUICK, processing_s=1.5)
    other = replace(QUICK, kling_api_key=OTHER_KLING_KEY)
    with (
        PracticeServer(settings=slow) as first,
        PracticeServer(settings=other) as second,
        serving_practice(tmp_path, first) as served,
    ):
        path = "/kling/v1/images/generations"
        before = [
            served.http.post(path, json={"prompt": f"before {n}"}).json()["data"]["task_id"]
            for n in range(3)
        ]
        settings = served.studio.settings
        assert settings.kling is not None
        kling = KlingSettings(origin=second.origin, api_key=Secret(OTHER_KLING_KEY))
        served.studio.apply(replace(settings, kling=kling))
        after = served.http.post(path, json={"prompt": "after"}).json()["data"]["task_id"]
        rows = served.studio.store.generation_lists
        until(
            lambda: (
                all(
                    one.status is GenerationStatus.ARCHIVED
                    for one in rows.list("local", limit=10).items
                )
                and len(rows.list("local", limit=10).items) == 4
            ),
            "all four are archived",
        )
        assert first.counters.tasks_accepted == 3
        assert second.counters.tasks_accepted == 1
        assert len({*before, after}) == 4
        until(lambda: len(served.studio.services.workers()) == 1, "the old worker has nothing left")


def test_what_only_a_new_start_changes_is_named(tmp_path: Path) -> None:
    with PracticeServer(settings=QUICK) as practice, serving_practice(tmp_path, practice) as served:
        settings = served.studio.settings
        moved: Settings = replace(
            settings,
            data_dir=tmp_path / "else",
            archive_url="s3://bucket/else",
            sign_in=Secret("{'cookie_secret': 'c1'}"),
        )
        names = ("INKLING_DATA_DIR", "INKLING_ARCHIVE_URL", "[auth]")
        assert served.studio.apply(moved) == names
        assert served.studio.settings.data_dir == settings.data_dir


def test_access_changes_at_once(tmp_path: Path) -> None:
    with PracticeServer(settings=QUICK) as practice, serving_practice(tmp_path, practice) as served:
        token = "phone-0123456789abcdef"
        settings = served.studio.settings
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.9"}

        def status() -> int:
            params = {"question": "hello"}
            return served.http.get("/complete", params=params, headers=headers).status_code

        assert status() in (401, 403)
        tokens = replace(settings.access, tokens={"phone": Secret(token)})
        served.studio.apply(replace(settings, access=tokens))
        assert status() == 200
        served.studio.apply(settings)
        assert status() in (401, 403)


def test_twenty_readings_leave_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.work.services.CLOSE_UNUSED_S", 0.05)
    opened_clients: list[httpx.AsyncClient] = []
    begin = httpx.AsyncClient.__init__

    def noting(self: httpx.AsyncClient, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        opened_clients.append(self)

    monkeypatch.setattr(httpx.AsyncClient, "__init__", noting)
    with PracticeServer(settings=QUICK) as practice, serving_practice(tmp_path, practice) as served:
        settings = served.studio.settings
        assert settings.chat is not None
        assert settings.kling is not None

        def still_open() -> int:
            return sum(not client.is_closed for client in opened_clients)

        def threads() -> set[threading.Thread]:
            # Those of the loops' own pools come and stay as there is work.
            pools = ("asyncio", "uvloop")
            return {each for each in threading.enumerate() if not each.name.startswith(pools)}

        before, threads_before = still_open(), threads()
        for n in range(20):
            served.studio.apply(
                replace(
                    settings,
                    chat=replace(settings.chat, model=f"model-{n}"),
                    kling=replace(settings.kling, api_key=Secret(f"kling-{n}-0123456789")),
                )
            )
        served.studio.apply(settings)
        until(lambda: still_open() <= before, "the clients of earlier settings are closed")
        assert len(opened_clients) > before + 20
        assert len(served.studio.services.workers()) == 1
        until(lambda: threads() <= threads_before, "their threads have ended")
        params = {"question": "hello"}
        assert served.http.get("/complete", params=params).status_code == 200


def test_a_file_that_was_broken_before_keeps_nobody_from_changing_another(
    tmp_path: Path,
) -> None:
    def read() -> Settings:
        return read_settings(root=tmp_path, environment={})

    (tmp_path / ".env").mkdir()
    (tmp_path / ".env.local").write_text(f"DEEPSEEK_API_KEY={OLD}\n")
    with serving(tmp_path / "data", settings=read()) as served:
        (tmp_path / ".env.local").write_text(f"DEEPSEEK_API_KEY={NEW}\n")
        reread_settings(read)
        chat = served.studio.settings.chat
        assert chat is not None
        assert chat.api_key == Secret(NEW)
        (tmp_path / ".env.local").write_text(f'DEEPSEEK_API_KEY="{OLD}\n')
        with pytest.raises(ConfigurationError) as told:
            reread_settings(read)
        assert told.value.source == ".env.local"
        assert served.studio.settings.chat == chat
