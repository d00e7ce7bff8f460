"""The practice server's own life: starting, stopping, counting, keeping quiet."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from core.errors import ConfigurationError
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PRACTICE_KLING_API_KEY, PracticeSettings

CHAT = {"authorization": f"Bearer {PRACTICE_CHAT_KEY}"}
KLING = {"authorization": f"Bearer {PRACTICE_KLING_API_KEY}"}
SETTINGS = PracticeSettings(
    first_delta_s=0, delta_interval_s=0, submitted_s=0, processing_s=0, picture_pixels=96
)
ROOT = Path(__file__).parents[2]


def question(content: str) -> dict[str, object]:
    messages = [{"role": "user", "content": content}]
    return {"model": "deepseek-flash", "stream": True, "messages": messages}


def test_stopping_closes_open_streams_and_ends_the_thread() -> None:
    with httpx.Client(headers=CHAT, timeout=60) as client:
        server = PracticeServer(settings=SETTINGS)
        server.start()
        body = question("/practice silent 600")
        with client.stream("POST", server.chat_url, json=body) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            server.stop()
            with pytest.raises(httpx.TransportError):
                for _ in pieces:
                    pass

    assert "practice-server" not in [thread.name for thread in threading.enumerate()]
    assert server.counters.streams_open == 0
    assert server.counters.streams_closed_early == 0


def test_a_stopped_server_takes_no_more_connections() -> None:
    server = PracticeServer(settings=SETTINGS)
    server.start()
    server.stop()
    server.stop()

    with pytest.raises(httpx.ConnectError):
        httpx.get(server.origin)


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError, match=f"Port {port} is taken"):
            PracticeServer(port=port).start()


def test_a_journal_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="record of the practice service"):
        PracticeServer(journal=tmp_path).start()


def test_two_servers_live_side_by_side() -> None:
    with PracticeServer(settings=SETTINGS) as one, PracticeServer(settings=SETTINGS) as other:
        assert one.origin != other.origin
        for server in (one, other):
            assert httpx.get(f"{server.origin}/models", headers=CHAT).status_code == 200


def test_counters_count_without_telling_anything_secret() -> None:
    with PracticeServer(settings=SETTINGS) as server:
        path = f"{server.origin}/v1/images/generations"
        httpx.post(server.chat_url, json=question("你好"), headers=CHAT)
        body = {"prompt": "secret wish", "external_task_id": "mine-1"}
        task = httpx.post(path, json=body, headers=KLING).json()["data"]
        httpx.post(path, json={"prompt": "gore"}, headers=KLING)
        httpx.get(path, headers=KLING)
        found = httpx.get(f"{path}/{task['task_id']}", headers=KLING).json()["data"]
        httpx.get(found["task_result"]["images"][0]["url"])
        counters = httpx.get(f"{server.origin}/practice/counters")

        assert counters.json() == {
            "chat_requests": 1,
            "streams_open": 0,
            "streams_closed_early": 0,
            "tasks_accepted": 1,
            "voices_open": 0,
            "voices_closed_early": 0,
            "submits_refused": {"1301": 1},
            "polls": 1,
            "list_calls": 1,
            "picture_fetches": 1,
            "accepted_by_external_task_id": {"mine-1": 1},
        }
        assert server.counters.as_json() == counters.json()
        assert "secret wish" not in counters.text
        assert PRACTICE_CHAT_KEY not in counters.text


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(logger.level, list(logger.handlers), logger.propagate) for logger in loggers]
    with caplog.at_level(logging.WARNING), PracticeServer(settings=SETTINGS) as server:
        httpx.post(server.chat_url, json=question("你好"), headers=CHAT)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(server.chat_url, json=question("/practice cut"), headers=CHAT)
        with (
            httpx.Client(headers=CHAT) as client,
            client.stream("POST", server.chat_url, json=question("/practice silent 600")) as answer,
        ):
            next(answer.iter_raw())
        httpx.get(f"{server.origin}/nothing")

    assert caplog.records == []
    after = [(logger.level, list(logger.handlers), logger.propagate) for logger in loggers]
    assert after == before


def test_keys_do_not_show_in_the_settings() -> None:
    assert PRACTICE_CHAT_KEY not in repr(PracticeSettings())
    assert PRACTICE_KLING_API_KEY not in repr(PracticeSettings())


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_by_itself_until_interrupted(name: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "core.practice", "--port", "0"]
    command += ["--chat-key", "sk-mine", "--delta-interval-ms", "0"]
    command += ["--journal", str(tmp_path / "journal.jsonl"), "--clock", "2026-11-27T09:30"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        origin = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert origin is not None, first
        models = httpx.get(f"{origin[0]}/models", headers={"authorization": "Bearer sk-mine"})
        body = question("你好") | {"stream": False}
        answer = httpx.post(
            f"{origin[0]}/chat/completions", json=body, headers={"authorization": "Bearer sk-mine"}
        )
        (line,) = httpx.get(f"{origin[0]}/practice/book").json()["chat"]
        process.send_signal(name)
        assert process.stderr is not None
        printed, complaints = process.stdout.read(), process.stderr.read()

    assert models.status_code == 200
    assert datetime.fromtimestamp(answer.json()["created"], UTC).hour == 1  # half past nine there
    assert (line["request_id"], line["hour"]) == (answer.json()["id"], "peak")
    assert process.returncode == 0
    assert "curl" in printed
    assert complaints == ""


def test_by_itself_it_says_when_its_clock_is_none() -> None:
    command = [sys.executable, "-m", "core.practice", "--clock", "soon"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60)

    assert ended.returncode == 2
    assert "'soon' is not an ISO moment" in ended.stderr


def test_by_itself_it_says_when_the_port_is_taken() -> None:
    with PracticeServer(settings=SETTINGS) as server:
        port = server.origin.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "core.practice", "--port", port]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60)

    assert ended.returncode == 1
    assert f"{port} is taken" in ended.stderr
    assert "Traceback" not in ended.stderr
