"""Fields that stand in a posted form several times: all of them are kept, or refused by name."""

import asyncio
import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from core.models.money.ledger import Spender
from core.models.speech import Recording
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_SPEECH_KEY
from core.practice.speech.voice import say
from core.providers.speech.transcription import TranscriptionReply, TranscriptionServer
from core.settings import Secret, Settings, SpeechSettings
from core.wire.audio import wav_header
from tests.web.serving import QUICK, Served, serving

PATH = "/v1/audio/transcriptions"
PCM = say("一二三")
RECORDING = {"file": ("a.wav", wav_header(len(PCM)) + PCM, "audio/wav")}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("forms")
    with PracticeServer(settings=QUICK) as practice:
        speech = SpeechSettings(
            transcribe_url=practice.origin, transcribe_key=Secret(PRACTICE_SPEECH_KEY)
        )
        settings = Settings(data_dir=folder, speech=speech)
        with serving(folder, settings=settings) as running:
            yield running


def test_a_recordings_lists_are_kept_and_its_single_fields_said_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Recording] = []
    write_down = served.studio.speech.forward_recording

    async def noting(spender: Spender, recording: Recording) -> TranscriptionReply:
        sent.append(recording)
        return await write_down(spender, recording)

    monkeypatch.setattr(served.studio.speech, "forward_recording", noting)
    kept = {"timestamp_granularities[]": ["word", "segment"], "include[]": ["logprobs"]}
    reply = served.http.post(PATH, files=RECORDING, data={"model": "whisper-1", **kept})
    assert reply.status_code == 200, reply.text
    assert [one.fields for one in sent] == [{"model": "whisper-1", **kept}]
    for name in ("model", "prompt", "response_format", "timestamp_granularities"):
        reply = served.http.post(PATH, files=RECORDING, data={name: ["json", "text"]})
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, name)
        assert name in reply.json()["error"]["message"]
    for name in ("stream", "stream[]"):
        reply = served.http.post(PATH, files=RECORDING, data={name: "true"})
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, name)
    assert len(sent) == 1


def test_every_value_of_a_list_reaches_the_server_that_writes_down() -> None:
    seen: list[bytes] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, json={"text": "one"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(serve))
    server = TranscriptionServer("https://words.test/v1", client=client)
    fields = {"timestamp_granularities[]": ["word", "segment"]}
    asyncio.run(server.forward(fields, b"RIFF", name="a.wav", media_type="audio/wav"))
    assert seen[0].count(b'name="timestamp_granularities[]"') == 2
    assert b"segment" in seen[0]
    assert b"\r\nword\r\n" in seen[0]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"prompt": ["a hill", "a lake"]}, "prompt"),
        ({"prompt": "a hill", "n": ["1", "2"]}, "n"),
        ({"prompt": "a hill", "n": "1", "n[]": "2"}, "n"),
        ({"prompt": "a hill", "size[]": ["auto", "1024x1024"]}, "size"),
    ],
)
def test_a_field_beside_a_picture_is_said_once(
    served: Served, data: dict[str, str], field: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (320, 320), "teal").save(file, "PNG")
    picture = {"image": ("a.png", file.getvalue())}
    reply = served.http.post("/v1/images/edits", files=picture, data=data)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, field)
    two = [("image[]", ("a.png", file.getvalue()))] * 2
    reply = served.http.post("/v1/images/edits", files=two, data={"prompt": "a hill"})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "image")


@pytest.mark.parametrize("name", ["code", "token"])
def test_two_ways_in_at_once_let_nobody_in(served: Served, name: str) -> None:
    reply = served.http.post("/enter", data={name: ["one", "other"]})
    assert reply.status_code == 400
    assert name in reply.text
    assert "set-cookie" not in reply.headers
