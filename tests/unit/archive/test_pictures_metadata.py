"""Prompt and parameters inside the PNG, written for other tools and read back by us."""

import io
import json
import zlib
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from core.archive.png_chunks import iter_chunks, join_chunks, read_text_chunk, text_chunk
from core.archive.png_metadata import has_metadata, read_metadata, write_metadata
from core.models.generations import Generation, GenerationRequest, GenerationStatus, ImageRequest
from core.models.kinds import KINDS
from core.models.pictures.expand import ExpandRequest
from core.models.pictures.multi import MultiRequest
from core.models.pictures.omni import OmniRequest
from core.models.speech import SpeechRequest

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
REQUEST = ImageRequest(
    prompt="一座山水画,\n😀 café",
    model_name="kling-v2-1",
    negative_prompt="blur, 模糊",
    aspect_ratio="16:9",
    resolution="2k",
    n=3,
    has_image=True,
    image_reference="subject",
    image_fidelity=0.5,
    human_fidelity=0.25,
    element_ids=(7,),
    watermark=True,
)


def generation(request: GenerationRequest = REQUEST) -> Generation:
    return Generation(
        id="g" * 32,
        owner="ada@example.test",
        external_task_id="inkling-x",
        request=request,
        status=GenerationStatus.ARCHIVED,
        provider="kling",
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture(scope="module")
def png() -> bytes:
    target = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "somebody else's")
    info.add_text("Author", "Kling")
    Image.effect_noise((64, 48), 50).save(target, "PNG", pnginfo=info)
    return target.getvalue()


def texts(content: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(content)) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        image.load()
        return {key: str(value) for key, value in image.text.items()}


def test_other_tools_read_prompt_and_parameters(png: bytes) -> None:
    found = texts(write_metadata(png, generation()))
    assert found["prompt"] == REQUEST.prompt
    assert found["parameters"] == (
        "一座山水画,\n😀 café\nNegative prompt: blur, 模糊\n"
        'Model: kling-v2-1, Size: 64x48, Aspect ratio: "16:9", Resolution: 2k'
    )
    assert found["Software"] == "Inkling (Kling)"
    assert found["Author"] == "Kling", "what was there stays"


def test_pixels_pass_through_untouched(png: bytes) -> None:
    written = write_metadata(png, generation())
    pixels = [chunk for chunk in iter_chunks(png) if chunk[0] in (b"IHDR", b"IDAT", b"IEND")]
    assert [c for c in iter_chunks(written) if c[0] in (b"IHDR", b"IDAT", b"IEND")] == pixels


def test_what_is_written_is_read_back(png: bytes) -> None:
    assert read_metadata(write_metadata(png, generation())) == REQUEST


def test_writing_twice_leaves_one_of_each(png: bytes) -> None:
    once = write_metadata(png, generation(ImageRequest("first")))
    twice = write_metadata(once, generation())
    assert read_metadata(twice) == REQUEST
    keywords = [found[0] for chunk in iter_chunks(twice) if (found := read_text_chunk(*chunk))]
    assert len(keywords) == len(set(keywords))


@given(prompt=st.text(max_size=300), negative=st.text(max_size=300))
def test_any_prompt_survives_the_way(prompt: str, negative: str) -> None:
    target = io.BytesIO()
    Image.new("L", (2, 2)).save(target, "PNG")
    request = ImageRequest(prompt=prompt, negative_prompt=negative)
    assert read_metadata(write_metadata(target.getvalue(), generation(request))) == request


def test_nothing_secret_goes_along(png: bytes) -> None:
    request = replace(REQUEST, callback_url="https://example.test/hook?token=s3cret")
    written = write_metadata(png, generation(request))
    for secret in (b"s3cret", b"example.test", b"callback"):
        assert secret not in written
    assert read_metadata(written) == REQUEST


def test_latin_text_is_plain_and_other_text_international() -> None:
    assert text_chunk("prompt", "café")[0] == b"tEXt"
    assert text_chunk("prompt", "墨")[0] == b"iTXt"
    assert text_chunk("prompt", "a\x00b")[0] == b"iTXt", "NUL would end the keyword"


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"iTXt compressed"])
def test_our_chunk_is_read_in_whatever_form_another_tool_saved_it(png: bytes, kind: bytes) -> None:
    text = json.dumps({"request": {"prompt": "ink"}}).encode()
    packed = {
        b"tEXt": b"inkling\x00" + text,
        b"zTXt": b"inkling\x00\x00" + zlib.compress(text),
        b"iTXt": b"inkling\x00\x00\x00en\x00\x00" + text,
        b"iTXt compressed": b"inkling\x00\x01\x00\x00\x00" + zlib.compress(text),
    }[kind]
    header, *rest = iter_chunks(png)
    assert read_metadata(join_chunks([header, (kind[:4], packed), *rest])) == ImageRequest("ink")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"request": null}',
        '{"request": []}',
        '{"request": {"prompt": 5}}',
        "[" * 100_000,
    ],
)
def test_a_strangers_chunk_that_means_nothing_is_ignored(png: bytes, text: str) -> None:
    header, *rest = iter_chunks(png)
    assert read_metadata(join_chunks([header, text_chunk("inkling", text), *rest])) is None


def test_a_strangers_values_are_taken_as_far_as_they_can_be_meant(png: bytes) -> None:
    request = {
        "prompt": "x" * 20_000,
        "model_name": 5,
        "aspect_ratio": "1:99",
        "resolution": ["1k"],
        "n": 10**30,
        "image_reference": {},
        "image_fidelity": float("nan"),
        "human_fidelity": True,
        "element_ids": ["a", 3, None],
        "callback_url": "https://evil.test",
        "unknown": 1,
    }
    header, *rest = iter_chunks(png)
    chunk = text_chunk("inkling", json.dumps({"request": request}))
    read = read_metadata(join_chunks([header, chunk, *rest]))
    assert read == ImageRequest(prompt="x" * 10_000, element_ids=(3,))


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_other_files_tell_nothing(content: bytes) -> None:
    assert read_metadata(content) is None
    assert not has_metadata(content)


def test_a_cut_or_foreign_png_tells_nothing_or_what_is_left(png: bytes) -> None:
    assert read_metadata(png) is None
    written = write_metadata(png, generation())
    for end in range(0, len(written), 97):
        assert read_metadata(written[:end]) in (None, REQUEST)


@pytest.mark.parametrize(
    "request_",
    [
        OmniRequest("@image1", "kling-v3-omni", n=3, image_count=1, is_series=True),
        ExpandRequest(up=0.5, left=0.25),
        MultiRequest(subject_count=2, has_style=True),
    ],
)
def test_another_kind_is_read_back_as_what_it_is(png: bytes, request_: GenerationRequest) -> None:
    assert read_metadata(write_metadata(png, generation(request_))) == request_


@pytest.mark.parametrize(
    "fields",
    [{"kind": "film"}, {"kind": "omni", "n": "many"}, {"kind": []}, {"kind": "expand", "up": 9}],
)
def test_another_kind_that_is_not_as_it_should_be_tells_nothing(
    png: bytes, fields: dict[str, object]
) -> None:
    told = json.dumps({"request": {"prompt": "x"} | fields})
    header, *rest = iter_chunks(png)
    assert read_metadata(join_chunks([header, text_chunk("inkling", told), *rest])) is None


# What JSON can say and no field means: each stands in the place of each field in turn.
ABSURD = (
    "9" * 400,
    "-" + "9" * 400,
    "9" * 5_000,
    "1e400",
    "NaN",
    "-Infinity",
    "true",
    "null",
    r'"\ud800"',
    r'"\u0000"',
    f'"{"x" * 20_000}"',
    "[]",
    "{}",
    "-1",
    f"[{'9' * 400}, -1, 1e400]",
    "[" * 50_000,
)
OF_EACH_KIND: tuple[GenerationRequest, ...] = (
    REQUEST,
    OmniRequest("x", element_ids=(1,)),
    ExpandRequest("x", up=0.5),
    MultiRequest("x", subject_count=2),
    SpeechRequest("x", voice_id="ai_kaiya"),
)


@pytest.mark.parametrize("request_", OF_EACH_KIND, ids=lambda one: one.kind)
def test_whatever_a_record_holds_is_refused_or_can_be_shown(
    png: bytes, request_: GenerationRequest
) -> None:
    assert {one.kind for one in OF_EACH_KIND} == KINDS.keys()
    header, *rest = iter_chunks(png)
    fields = {"kind": request_.kind, **asdict(request_)}
    for name in fields:
        for absurd in ABSURD:
            told = ", ".join(
                f'"{each}": {absurd if each == name else json.dumps(value)}'
                for each, value in fields.items()
            )
            chunk = text_chunk("inkling", f'{{"request": {{{told}}}}}')
            content = join_chunks([header, chunk, *rest])
            assert has_metadata(content)
            if (read := read_metadata(content)) is None:
                continue
            shown = read.prompt + getattr(read, "negative_prompt", "")
            assert len(shown.encode()) <= 60_000, (name, absurd)
            assert 0 <= read.reference_count <= 10, (name, absurd)
            assert read.n in range(10) or read.kind == "speech", (name, absurd)
            assert all(0 < one < 2**63 for one in getattr(read, "element_ids", ())), absurd
