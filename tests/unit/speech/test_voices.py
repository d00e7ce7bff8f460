"""Voices beside Kling: OpenAI's shape and Qwen's WebSocket, against the practice server."""

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from core.errors import (
    AppError,
    AuthenticationError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.models.speech import KLING_VOICES, OPENAI_VOICES, SpeechAsk, kling_voice
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_SPEECH_KEY, PracticeSettings
from core.practice.speech.realtime import PATH as REALTIME_PATH
from core.practice.speech.server import heard
from core.practice.speech.voice import say, tones
from core.providers.speech.qwen import QwenVoice
from core.providers.speech.server import SpeechServer, speech_address
from core.providers.speech.sound import SoundError, SoundReader
from core.providers.speech.transcription import TranscriptionServer, transcript_in
from core.settings.outside.network import Network
from core.settings.outside.proxy import parse_proxy
from core.wire.audio import RATE, mp3_from, pcm_from_mp3, wav_header
from tests.sounds import louder_than_silence

TEXT = "你好，世界。Hello there."
Voice = SpeechServer | QwenVoice


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=PracticeSettings(voice_pace=200)) as server:
        yield server


def voice_of(practice: PracticeServer, shape: str, key: str | None = PRACTICE_SPEECH_KEY) -> Voice:
    if shape == "qwen":
        return QwenVoice(practice.origin.replace("http", "ws", 1) + REALTIME_PATH, api_key=key)
    return SpeechServer(practice.origin, api_key=key)


def run(voice: Voice, use: Callable[[Any], Any]) -> Any:
    async def go() -> Any:
        try:
            return await use(voice)
        finally:
            await voice.aclose()

    return asyncio.run(go())


def spoken_by(voice: Voice, text: str) -> list[bytes]:
    async def speak(voice: Voice) -> list[bytes]:
        return [pcm async for pcm in voice.speak(SpeechAsk(text, "alloy"))]

    pieces: list[bytes] = run(voice, speak)
    return pieces


@pytest.mark.parametrize("shape", ["openai", "qwen"])
def test_a_text_is_heard_in_pieces_and_sample_by_sample(
    practice: PracticeServer, shape: str
) -> None:
    pieces = spoken_by(voice_of(practice, shape), TEXT)
    assert len(pieces) > 3
    assert b"".join(pieces) == say(TEXT, "alloy")
    assert louder_than_silence(b"".join(pieces))


@pytest.mark.parametrize("shape", ["openai", "qwen"])
def test_a_voice_that_breaks_off_is_told_with_what_came(
    practice: PracticeServer, shape: str
) -> None:
    heard: list[bytes] = []

    async def speak(voice: Voice) -> None:
        async for pcm in voice.speak(SpeechAsk(f"/practice cut {TEXT}", "alloy")):
            heard.append(pcm)

    with pytest.raises(UnavailableError) as told:
        run(voice_of(practice, shape), speak)
    assert told.value.text_id == "error.speech_broken_off"
    assert louder_than_silence(b"".join(heard))


@pytest.mark.parametrize("shape", ["openai", "qwen"])
def test_who_stops_listening_closes_the_upstream(practice: PracticeServer, shape: str) -> None:
    before = practice.counters.voices_closed_early

    async def listen(voice: Voice) -> None:
        pieces = voice.speak(SpeechAsk(TEXT * 200, "alloy"))
        await anext(pieces)
        await pieces.aclose()
        while practice.counters.voices_closed_early == before:
            await asyncio.sleep(0.01)

    run(voice_of(practice, shape), listen)
    assert practice.counters.voices_closed_early == before + 1


@pytest.mark.parametrize("shape", ["openai", "qwen"])
def test_a_wrong_key_is_told_and_not_shown(practice: PracticeServer, shape: str) -> None:
    key = "wrong-key-0123456789"
    with pytest.raises(AuthenticationError) as told:
        spoken_by(voice_of(practice, shape, key), TEXT)
    assert key not in f"{told.value} {told.value.detail}"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("400", RejectedError),
        ("402", QuotaExceededError),
        ("429", RateLimitError),
        ("500", UnavailableError),
        ("html", ProtocolError),
    ],
)
def test_each_refusal_is_what_it_is(
    practice: PracticeServer, fault: str, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind):
        spoken_by(voice_of(practice, "openai"), f"/practice {fault} {TEXT}")


def test_what_qwen_says_of_an_error_is_told(practice: PracticeServer) -> None:
    with pytest.raises(RejectedError) as told:
        spoken_by(voice_of(practice, "qwen"), "/practice 400 hello")
    assert told.value.detail == "the text cannot be said"


@pytest.mark.parametrize("make", [SpeechServer, QwenVoice])
def test_nobody_there_is_told_as_never_sent(make: Any) -> None:
    url = "ws://127.0.0.1:9" if make is QwenVoice else "http://127.0.0.1:9"
    with pytest.raises(UnavailableError) as told:
        spoken_by(make(url), TEXT)
    assert told.value.is_unsent


def test_qwens_socket_goes_through_the_proxy_of_the_settings() -> None:
    seen: list[bytes] = []

    async def speak() -> None:
        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        way = parse_proxy("HTTPS_PROXY", f"http://me:pass%20word@127.0.0.1:{port}")
        voice = QwenVoice("wss://voice.example/rt", network=Network(proxies={"https": way}))
        with pytest.raises(ProviderError):
            async for _ in voice.speak(SpeechAsk("hi", "")):
                pass
        server.close()

    asyncio.run(speak())
    assert seen[0].startswith(b"CONNECT voice.example:443 ")
    assert b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in seen[0]


# -- what a server may answer with -----------------------------------------------------------------

PCM = tones("一二三四五六")


@pytest.mark.parametrize(
    ("media_type", "data", "is_exact"),
    [
        ("audio/pcm", PCM, True),
        ("audio/wav", wav_header(None) + PCM, True),
        ("application/octet-stream", wav_header(len(PCM)) + PCM, True),
        ("audio/mpeg", mp3_from(PCM), False),
        ("", mp3_from(PCM), False),
    ],
)
@pytest.mark.parametrize("size", [1, 777, 1 << 20])
def test_any_form_of_sound_is_read_however_it_is_cut(
    media_type: str, data: bytes, is_exact: bool, size: int
) -> None:
    if size == 1:
        data, whole = data[:4_001], data[:4_001]
    else:
        whole = data
    reader = SoundReader(media_type)
    pcm = b"".join(reader.feed(whole[i : i + size]) for i in range(0, len(whole), size))
    pcm += reader.finish()
    assert len(pcm) % 2 == 0
    assert louder_than_silence(pcm)
    if is_exact and size > 1:
        assert pcm == PCM


@pytest.mark.parametrize("data", [b"OggS" + bytes(40), b"ID3" + bytes(400)])
def test_other_sound_is_refused_and_not_played(data: bytes) -> None:
    reader = SoundReader("audio/ogg")
    with pytest.raises(SoundError):
        reader.feed(data), reader.finish()


def test_a_server_without_bare_samples_is_asked_for_a_wav() -> None:
    forms: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        forms.append(json.loads(request.content)["response_format"])
        if forms[-1] == "pcm":
            return httpx.Response(400, json={"error": {"message": "wav only"}})
        body = wav_header(None, rate=48_000, channels=2) + struct.pack("<8h", *[900] * 8)
        return httpx.Response(200, content=body, headers={"content-type": "audio/wav"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    voice = SpeechServer("http://a.example/v1", client=client)

    async def twice(voice: SpeechServer) -> list[bytes]:
        return [pcm for _ in range(2) async for pcm in voice.speak(SpeechAsk("hi", ""))]

    assert b"".join(run(voice, twice)) == struct.pack("<4h", *[900] * 4)
    assert forms == ["pcm", "wav", "wav"]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://a", "http://a/v1/audio/speech"),
        ("http://a/v1", "http://a/v1/audio/speech"),
        ("http://a/api/v3", "http://a/api/v3/audio/speech"),
        ("http://a/v1/audio/speech", "http://a/v1/audio/speech"),
    ],
)
def test_the_address_may_be_given_short(given: str, address: str) -> None:
    assert speech_address(given, "/audio/speech") == address


def test_mp3_made_here_is_read_again_as_long_as_it_was() -> None:
    again = pcm_from_mp3(mp3_from(PCM))
    # An encoder adds up to two frames at either end.
    assert 0 <= len(again) - len(PCM) < 4 * 1152 * 2
    assert RATE == 24_000


# -- writing down ----------------------------------------------------------------------------------


def test_a_recording_is_written_down(practice: PracticeServer) -> None:
    server = TranscriptionServer(practice.origin, api_key=PRACTICE_SPEECH_KEY)
    recording = wav_header(2 * RATE) + bytes(2 * RATE)

    async def ask(server: TranscriptionServer) -> str:
        reply = await server.forward({}, recording, name="a.wav", media_type="audio/wav")
        return transcript_in(reply, server.host)

    assert run(server, ask) == heard(recording)  # type: ignore[arg-type]
    assert "1.0" in heard(recording)


def test_no_transcript_is_told() -> None:
    reply = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    server = TranscriptionServer("http://a.example", client=httpx.AsyncClient(transport=reply))

    async def ask(server: TranscriptionServer) -> str:
        reply = await server.forward({}, b"RIFF", name="a.wav", media_type="audio/wav")
        return transcript_in(reply, server.host)

    with pytest.raises(AppError) as told:
        run(server, ask)  # type: ignore[arg-type]
    assert told.value.text_id == "error.speech_no_text"


# -- voices of Kling's -----------------------------------------------------------------------------


def test_openais_voices_are_voices_of_kling_in_the_texts_language() -> None:
    for name in OPENAI_VOICES:
        for text, language in (("今天天气很好", "zh"), ("A fine day", "en")):
            voice = kling_voice(name, text)
            assert voice is not None
            assert voice.language == language
    assert kling_voice("nobody", "text") is None
    assert kling_voice(KLING_VOICES[0].id, "any") is KLING_VOICES[0]
