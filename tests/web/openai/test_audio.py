"""The official openai client speaks and is written down; each call is in the ledger, said once."""

import asyncio
import base64
import io
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import miniaudio
import openai
import pytest

from core.errors import AppError, PictureError, StoreError
from core.models.generations import GenerationStatus
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_SPEECH_KEY
from core.practice.speech.voice import say
from core.providers.kling.downloads import PictureFetcher
from core.settings import KlingSettings, Secret, Settings, SpeechSettings
from core.storage.money.filters import LedgerFilter
from core.wire.audio import RATE, pcm_from_mp3, wav_header
from core.work.generations.sending.submission import FATE_UNKNOWN
from tests.sounds import louder_than_silence
from tests.waiting import until
from tests.web.chat.test_openai import client_of
from tests.web.openai.test_images import soon
from tests.web.serving import KLING_KEY, QUICK, Served, serving

SENTENCES = "你好，这是第一句话。Here is a second sentence. 这里是最后的一句话！"


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=replace(QUICK, voice_pace=100.0)) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("speech")
    key = Secret(PRACTICE_SPEECH_KEY)
    settings = Settings(
        data_dir=folder,
        kling=KlingSettings(origin=practice.origin, api_key=Secret(KLING_KEY)),
        speech=SpeechSettings(
            url=practice.origin, api_key=key, transcribe_url=practice.origin, transcribe_key=key
        ),
    )
    with serving(folder, settings=settings, build=soon) as running:
        yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with client_of(served) as running:
        yield running


def lines_of(served: Served, kind: Any = "speech") -> list[Any]:
    return list(served.studio.store.ledger.every(LedgerFilter(kinds=[kind])))


def seconds_by_another_reader(path: Path) -> float:
    """Return how long a file lasts, by ffprobe where it is installed, else by miniaudio."""
    probe = shutil.which("ffprobe")
    if probe is None:
        return float(miniaudio.get_file_info(str(path)).duration)
    command = [probe, "-v", "error", "-show_entries", "stream=codec_type,sample_rate:packet=size"]
    done = subprocess.run(
        [*command, "-show_entries", "packet=duration_time", "-of", "json", str(path)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    told = json.loads(done.stdout)
    assert [one["codec_type"] for one in told["streams"]] == ["audio"]
    return sum(float(packet["duration_time"]) for packet in told["packets"])


@pytest.mark.parametrize("model", ["kling-tts", "tts-1"])
@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
def test_the_official_client_gets_a_file_that_others_read(
    client: openai.OpenAI, tmp_path: Path, model: str, form: Any
) -> None:
    path = tmp_path / f"said.{form}"
    with client.audio.speech.with_streaming_response.create(
        model=model, voice="alloy", input=SENTENCES, response_format=form
    ) as reply:
        reply.stream_to_file(path)
    expected_s = len(say(SENTENCES)) / 2 / RATE
    if form == "pcm":
        pcm = path.read_bytes()
        assert len(pcm) % 2 == 0
        assert louder_than_silence(pcm)
        path.with_suffix(".wav").write_bytes(wav_header(len(pcm)) + pcm)
        path = path.with_suffix(".wav")
    assert seconds_by_another_reader(path) == pytest.approx(expected_s, rel=0.4)


def test_events_hold_the_same_sound(client: openai.OpenAI, served: Served) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": "一句话，说给你听。"}
    plain = served.http.post("/v1/audio/speech", json={**asked, "response_format": "pcm"}).content
    body = {**asked, "response_format": "pcm", "stream_format": "sse"}
    with served.http.stream("POST", "/v1/audio/speech", json=body) as reply:
        events = [json.loads(line[6:]) for line in reply.iter_lines() if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    assert b"".join(base64.b64decode(event["audio"]) for event in events[:-1]) == plain


def test_a_text_is_bought_once_from_kling_however_often_it_is_heard(
    client: openai.OpenAI, served: Served, practice: PracticeServer
) -> None:
    before = len(practice.speech_book)
    for form in ("wav", "mp3", "wav"):
        client.audio.speech.create(
            model="kling-tts", voice="onyx", input="只买一次的话。", response_format=form
        )
    said = practice.speech_book[before:]
    assert [(one.by, one.characters) for one in said] == [("kling", 7)]
    (line,) = (one for one in lines_of(served) if one.task_id == said[0].task_id)
    assert (line.amount, line.currency, line.provider) == (Decimal("0.05"), "CNY", "kling")


def test_the_ledger_agrees_with_practices_book(
    client: openai.OpenAI, served: Served, practice: PracticeServer
) -> None:
    client.audio.speech.create(model="kling-tts", voice="nova", input="好。" * 700)
    told = served.studio.accounts.reconcile()
    assert [one for one in told.differences if one.reason != "delay"] == []
    charged = sum((one.price or Decimal(0) for one in practice.speech_book), Decimal(0))
    ours = [one for one in lines_of(served) if one.provider == "kling"]
    assert sum(one.amount for one in ours) == charged > 0
    # A server of one's own has no price that anyone knows: that is unknown, and not nothing.
    theirs = [one for one in lines_of(served) if one.provider != "kling"]
    assert {(one.amount, str(one.state)) for one in theirs} <= {(None, "unknown")}


@pytest.mark.parametrize("fault", ["lost", "html", "5000", "dropped"])
def test_what_nobody_can_tell_is_not_sent_again(
    served: Served, practice: PracticeServer, fault: str
) -> None:
    asked = {"model": "kling-tts", "voice": "alloy", "input": f"/practice {fault} 说不准的话。"}
    before = len(practice.speech_book)
    for _ in range(2):  # neither by itself nor for a client that repeats
        reply = served.http.post("/v1/audio/speech", json=asked)
        assert reply.status_code == 409
        assert reply.headers["x-should-retry"] == "false"
    assert len(practice.speech_book) - before == (fault == "lost")
    rows = served.studio.store.generation_lists.counts("kling")
    assert rows.keys() <= {GenerationStatus.ARCHIVED, GenerationStatus.FAILED}
    assert reply.json()["error"]["message"] == AppError(FATE_UNKNOWN).sentence("en")


# Both ways to Kling's voice: OpenAI's shape, and Kling's own.
WAYS = {
    "/v1/audio/speech": {"model": "kling-tts", "voice": "ai_kaiya", "response_format": "wav"},
    "/kling/v1/audio/tts": {"voice_id": "ai_kaiya", "voice_language": "zh"},
}


def asked_of(path: str, text: str) -> dict[str, str]:
    return {**WAYS[path], ("input" if path.startswith("/v1") else "text"): f"{path} {text}"}


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    # It has to be bought by then, also on a busy machine: else it is taken back.
    monkeypatch.setattr("core.work.speech.kling.PATIENCE_S", 2.0)
    monkeypatch.setattr("core.web.kling.speech._FILE_TIMEOUT_S", 2.0)


@pytest.mark.parametrize("path", WAYS)
def test_a_sound_that_is_late_is_told_so_and_comes_without_being_bought_again(
    served: Served, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    impatient(monkeypatch)
    asked, before = asked_of(path, "迟到的一句话。"), len(practice.speech_book)
    may_come = threading.Event()
    fetch = PictureFetcher.fetch

    async def late(*how: Any, **more: Any) -> Any:
        while not may_come.is_set():  # a file host that does not answer
            await asyncio.sleep(0.02)
        return await fetch(*how, **more)

    monkeypatch.setattr(PictureFetcher, "fetch", late)
    key = {"Idempotency-Key": f"late{path}"}
    keyed = served.http.post(path, json=asked, headers=key)
    if path.startswith("/v1"):
        assert (keyed.status_code, keyed.headers["x-should-retry"]) == (504, "false")
        assert "not bought a second time" in keyed.json()["error"]["message"]
    else:  # the key finds it again: nothing is bought by a repeat
        assert (keyed.status_code, "retry-after" in keyed.headers) == (503, True)
        plain = served.http.post(path, json=asked)
        assert (plain.status_code, plain.headers["x-should-retry"]) == (503, "false")
        before += 1
    may_come.set()
    monkeypatch.undo()
    heard = served.http.post(path, json=asked, headers=key)
    assert heard.status_code == 200
    assert len(practice.speech_book) == before + 1


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("how", ["no sound", "unreadable", "unread"])
def test_a_sound_that_was_paid_for_and_cannot_be_given_is_not_bought_by_a_retry(
    served: Served,
    practice: PracticeServer,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    how: str,
) -> None:
    def no_sound(*_: object) -> None:
        raise PictureError("error.sound_not_sound")

    def unread(_name: object) -> bytes:
        raise StoreError("error.archive_write")

    archive, before = served.studio.archive, len(practice.speech_book)
    if how == "no sound":
        monkeypatch.setattr(archive, "adopt_sound", no_sound)
    else:
        answer = unread if how == "unread" else lambda _name: b"<html>"
        monkeypatch.setattr(archive, "original_bytes", answer)
    reply = served.http.post(path, json=asked_of(path, f"{how} 换不来的声音。"))
    assert reply.status_code >= 500
    assert reply.headers["x-should-retry"] == "false"
    assert reply.headers["content-type"].startswith("application/json")
    assert len(practice.speech_book) == before + 1


def test_what_was_not_sent_in_time_is_taken_back(
    served: Served, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    lists = served.studio.store.generation_lists
    said = len(practice.speech_book)
    monkeypatch.setattr(served.studio.generations, "request", only_written(served))
    asked = asked_of("/v1/audio/speech", "排不上队的话。")
    reply = served.http.post("/v1/audio/speech", json=asked)
    assert reply.status_code == 500
    assert "x-should-retry" not in reply.headers
    assert reply.json()["error"]["message"] == AppError("error.speech_given_up").sentence("en")
    assert len(practice.speech_book) == said
    assert lists.counts(NOBODY) == {GenerationStatus.CANCELLED: 1}


NOBODY: Any = "nobody"  # a provider whose rows no worker takes up


def only_written(served: Served) -> Any:
    def request(owner: str, asked: Any, **more: Any) -> Any:
        how = {name: more[name] for name in ("origin", "idempotency_key")}
        return served.studio.store.intents.create(owner, asked, provider=NOBODY, **how)

    return request


def test_what_is_refused_costs_nothing_and_says_why(served: Served) -> None:
    before = len(lines_of(served))
    asked = {"model": "kling-tts", "voice": "alloy", "input": "/practice 1301 不行。"}
    reply = served.http.post("/v1/audio/speech", json=asked)
    assert reply.status_code >= 400
    assert "content" in reply.json()["error"]["message"]
    assert len(lines_of(served)) == before


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"voice": "nobody"}, "voice"),
        ({"response_format": "opus"}, "response_format"),
        ({"speed": 3.0}, "speed"),
        ({"input": " "}, "input"),
        ({"model": None}, "model"),
        ({"stream_format": "other"}, "stream_format"),
    ],
)
def test_what_is_wrong_is_refused_by_name(served: Served, change: Any, param: str) -> None:
    asked = {"model": "kling-tts", "voice": "alloy", "input": "hello", **change}
    reply = served.http.post("/v1/audio/speech", json=asked)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


def test_a_voice_that_breaks_off_does_not_look_whole(served: Served) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": f"/practice cut {SENTENCES}"}
    body = {**asked, "response_format": "pcm"}
    with served.http.stream("POST", "/v1/audio/speech", json=body) as reply:
        assert reply.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            reply.read()


@pytest.mark.parametrize("how", ["cut", "left"])
def test_what_was_heard_stands_in_the_ledger_however_it_ended(
    served: Served, practice: PracticeServer, how: str
) -> None:
    before, said = lines_of(served), len(practice.speech_book)
    text = f"/practice {how} " + "说到一半就断的话，" * (90 if how == "left" else 9)
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}
    with served.http.stream("POST", "/v1/audio/speech", json=body) as reply:
        sound = reply.iter_bytes()
        assert next(sound)
        if how == "cut":
            with pytest.raises(httpx.RemoteProtocolError):
                list(sound)
        else:
            until(lambda: len(practice.speech_book) == said + 2, "the portion ahead is asked for")
    until(lambda: practice.counters.voices_open == 0, "the voice is closed")

    def new_lines() -> list[Any]:
        known = {one.id for one in before}
        return [one for one in lines_of(served) if one.id not in known]

    until(lambda: all(one.state != "reserved" for one in new_lines()), "its line is settled")
    assert len(new_lines()) == len(practice.speech_book) - said >= 1
    assert {(str(one.state), one.amount) for one in new_lines()} == {("unknown", None)}


def test_a_store_that_fails_at_the_end_keeps_nothing_that_was_bought(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(_settling: object) -> int:
        raise StoreError("error.archive_write")

    monkeypatch.setattr(served.studio.store.ledger, "settle", settle)
    body = {"model": "tts-1", "voice": "alloy", "input": SENTENCES, "response_format": "pcm"}
    reply = served.http.post("/v1/audio/speech", json=body)
    assert reply.status_code == 200
    assert len(reply.content) > RATE
    file = {"file": ("a.wav", wav_header(RATE) + bytes(RATE))}
    written = served.http.post("/v1/audio/transcriptions", files=file)
    assert (written.status_code, "练习" in written.json()["text"]) == (200, True)


def test_who_hangs_up_closes_the_voice(served: Served, practice: PracticeServer) -> None:
    before = practice.counters.voices_closed_early
    asked = {"model": "tts-1", "voice": "alloy", "input": "很长的一句话，" * 120}
    with served.http.stream(
        "POST", "/v1/audio/speech", json={**asked, "response_format": "pcm"}
    ) as reply:
        assert next(reply.iter_bytes())
    until(lambda: practice.counters.voices_closed_early > before, "the voice was closed")
    until(lambda: practice.counters.voices_open == 0, "the portion being fetched was closed too")


def test_a_recording_is_written_down(client: openai.OpenAI) -> None:
    pcm = say("一二三")
    file = ("a.wav", io.BytesIO(wav_header(len(pcm)) + pcm))
    done = client.audio.transcriptions.create(model="whisper-1", file=file)
    assert f"{len(pcm) / 2 / RATE:.1f}" in done.text
    file[1].seek(0)
    plain = client.audio.transcriptions.create(model="whisper-1", file=file, response_format="text")
    assert "练习" in str(plain)


def test_klings_own_path_is_a_generation_too_answered_with_a_link_of_ours(
    served: Served, practice: PracticeServer
) -> None:
    before = len(practice.speech_book)
    asked = {"text": "经可灵的路径说。", "voice_id": "ai_kaiya", "voice_language": "zh"}
    key = {"Idempotency-Key": "tts-1"}
    for _ in range(2):
        reply = served.http.post("/kling/v1/audio/tts", json=asked, headers=key).json()
        assert (reply["code"], reply["data"]["task_status"]) == (0, "succeed")
        (audio,) = reply["data"]["task_result"]["audios"]
        file = httpx.get(audio["url"], trust_env=False)
        assert file.headers["content-type"] == "audio/mpeg"
        assert louder_than_silence(pcm_from_mp3(file.content))
    assert len(practice.speech_book) == before + 1
    assert served.http.get("/speech/file?ticket=none&id=1").status_code == 403
    wrong = served.http.post("/kling/v1/audio/tts", json=asked | {"voice_speed": 5})
    assert (wrong.status_code, wrong.json()["code"]) == (400, 1201)
    lost = served.http.post("/kling/v1/audio/tts", json=asked | {"text": "/practice lost 丢了。"})
    assert (lost.status_code, lost.headers["x-should-retry"]) == (504, "false")


# Last of all: there is one studio in a process, and this opens another.
@pytest.mark.parametrize("path", ["/v1/audio/speech", "/v1/audio/transcriptions"])
def test_without_a_server_that_is_said(tmp_path: Path, path: str) -> None:
    with serving(tmp_path, build=soon) as running:
        if path.endswith("speech"):
            asked = {"model": "my-own", "voice": "alloy", "input": "hello"}
            reply = running.http.post(path, json=asked)
            assert (reply.status_code, reply.json()["error"]["param"]) == (400, "model")
        else:
            reply = running.http.post(path, files={"file": ("a.wav", b"RIFF")})
            assert reply.status_code == 503
            assert "TRANSCRIBE_API_URL" in reply.json()["error"]["message"]
