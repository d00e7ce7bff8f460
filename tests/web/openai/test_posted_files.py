"""Files in posted messages: read as those that people attach, or refused by name."""

import base64
from typing import Any

import openai
import pytest

from core.models.parts import FilePart, PicturePart
from tests.unit.attachments.files import docx, drawn, ole, paragraph, pdf, picture
from tests.web.serving import Served

MODEL = "deepseek-flash"
OFF: Any = {"thinking": {"type": "disabled"}}


def data_of(content: bytes, kind: str = "application/pdf") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def ask(client: openai.OpenAI, *files: dict[str, Any], words: str = "Sum it up") -> Any:
    parts: Any = [{"type": "text", "text": words}] if words else []
    parts += [{"type": "file", "file": file} for file in files]
    return client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": parts}], extra_body=OFF
    )


def test_a_posted_file_is_read_and_kept_as_its_text(client: openai.OpenAI, served: Served) -> None:
    report = {"filename": "../report.pdf", "file_data": data_of(pdf([drawn("It is 4711")]))}
    bare = base64.b64encode(docx(paragraph("第二份"))).decode()
    done = ask(client, report, {"filename": "b.docx", "file_data": bare})
    said = done.choices[0].message.content
    assert "report.pdf" in said
    assert "It is 4711" in said
    assert "第二份" in said
    answer = served.kept(done.id.removeprefix("chatcmpl-"))
    question = served.studio.store.messages.path("local", answer.conversation_id)[0]
    files = [part for part in question.parts if isinstance(part, FilePart)]
    assert [(one.name, one.media_type[:15]) for one in files] == [
        ("report.pdf", "application/pdf"),
        ("b.docx", "application/vnd"),
    ]
    assert question.content == "Sum it up"


def test_a_posted_file_that_is_a_picture_is_looked_at(
    client: openai.OpenAI, served: Served
) -> None:
    done = ask(client, {"filename": "a.webp", "file_data": data_of(picture("WEBP"), "image/webp")})
    assert "400 × 300" in done.choices[0].message.content
    answer = served.kept(done.id.removeprefix("chatcmpl-"))
    question = served.studio.store.messages.path("local", answer.conversation_id)[0]
    (part,) = [part for part in question.parts if isinstance(part, PicturePart)]
    assert served.studio.store.messages.blob("local", part.sha256) is not None


def test_a_file_is_a_question_by_itself(client: openai.OpenAI) -> None:
    done = ask(client, {"file_data": data_of(b"only words", "text/plain")}, words="")
    assert "only words" in done.choices[0].message.content


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ({"file_id": "file-1"}, "file_id"),
        ({"filename": "a.pdf"}, "file_data"),
        ({"file_data": "no base64!", "filename": "a.pdf"}, "file_data"),
        ({"file_data": "data:application/pdf,plain"}, "file_data"),
        ({"file_data": data_of(ole("EncryptedPackage")), "filename": "x.xlsx"}, "x.xlsx is locked"),
        ({"file_data": data_of(b"\0\1\2" * 99), "filename": "x.bin"}, "x.bin holds no text"),
        ({"file_data": 5}, "messages[0].content"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    client: openai.OpenAI, file: dict[str, Any], told: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, file)
    assert told in str(caught.value)


def test_only_what_a_person_said_brings_files(client: openai.OpenAI) -> None:
    part: Any = {"type": "file", "file": {"file_data": data_of(b"words")}}
    for role in ("system", "assistant"):
        messages: Any = [{"role": role, "content": [part]}, {"role": "user", "content": "q"}]
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=MODEL, messages=messages)
        assert caught.value.param == "messages[0].content"


def test_responses_take_files_too(client: openai.OpenAI) -> None:
    file = {"type": "input_file", "filename": "a.txt", "file_data": data_of(b"said in a file")}
    words = {"type": "input_text", "text": "Sum it up"}
    asked: Any = [{"role": "user", "content": [words, file]}]
    done = client.responses.create(model=MODEL, input=asked, reasoning={"effort": "none"})
    assert "said in a file" in done.output_text
    asked[0]["content"][1] = {"type": "input_file", "file_url": "https://example.com/a.pdf"}
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=MODEL, input=asked)
    assert caught.value.param == "input[0].content.file_url"
