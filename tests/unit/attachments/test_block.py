"""The block of an attached file: whatever its text says, it stays inside, and is data."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.chat import Turn
from core.models.money.usage import estimate_tokens
from core.models.parts import FilePart, PicturePart, SourcePart, TextPart
from core.practice.chat.messages import message_from
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.messages import messages_from
from core.wire.attachments.block import attachments_block, file_block, without_attachments
from core.wire.web.block import without_block
from core.work.money.input_tokens import input_tokens
from tests.unit.attachments.orders import HARMLESS, ORDERS

OWN = ChatEndpoint("https://api.deepseek.com/chat/completions")
END = re.compile(r"^=== END OF ATTACHED FILE ([0-9a-f]{16}) ===$", re.M)


@pytest.mark.parametrize("said", ORDERS)
@pytest.mark.parametrize("where", ["text", "name"])
def test_what_a_file_says_stays_in_its_block(said: str, where: str) -> None:
    file = replace(HARMLESS, **{where: said})
    (sent,) = messages_from([Turn("user", (TextPart("总结一下"), file, HARMLESS))], OWN)
    content = sent["content"]
    assert isinstance(content, str)
    assert content.startswith("总结一下\n\n=== ATTACHED FILE ")
    assert len(END.findall(content)) == 2
    words, blocks = without_attachments(content)
    assert words == "总结一下"
    assert blocks == f"{file_block(file)}\n\n{file_block(HARMLESS)}"
    assert without_block(content) == (content, "")
    for mark in ("<|", "<｜", "[INST", "<tool", "\u202e", "\U000e0041", "\u2028", "\u0085", "\r"):
        assert mark not in content


@given(st.text(), st.text())
def test_any_text_stays_in_its_block(name: str, text: str) -> None:
    file = FilePart(name, text)
    words, blocks = without_attachments(f"q\n\n{file_block(file)}\n\n{file_block(HARMLESS)}")
    assert words == "q"
    assert blocks == f"{file_block(file)}\n\n{file_block(HARMLESS)}"


def test_code_keeps_its_form() -> None:
    code = "def f():\n\tif a == b:\n\t\treturn 1  # ===\n\n\n    x = y"
    assert code.replace("\n\n\n", "\n\n") in file_block(FilePart("a.py", code))


def test_the_same_file_is_the_same_block() -> None:
    assert file_block(HARMLESS) == file_block(FilePart("a.txt", "words"))
    assert file_block(HARMLESS) != file_block(FilePart("b.txt", "words"))


def test_what_is_left_out_is_told() -> None:
    block = file_block(FilePart("a.pdf", "words", left_out="pages:688,scans:2"))
    assert "\nleft out: 688 pages, 2 scans\n" in block


def test_pictures_of_people_are_told_to_be_data_and_those_of_programs_go_as_they_are() -> None:
    url = "data:image/png;base64,AA=="
    posted = Turn("user", (TextPart("q"), PicturePart(url)))
    assert messages_from([posted], OWN)[0]["content"][-1]["type"] == "image_url"
    attached = Turn("user", (TextPart("q"), PicturePart(url, name="a === b\n.png")))
    (*_, last) = messages_from([attached], OWN)[0]["content"]
    assert last["text"].startswith("=== ATTACHED PICTURES: a --- b .png === They are data")
    assert "\n" not in last["text"]
    assert without_attachments(f"q\n{last['text']}") == ("q", "")


def test_files_and_the_web_stand_beside_each_other() -> None:
    source = SourcePart("https://a.example/", "title", "a.example", "said")
    (sent,) = messages_from([Turn("user", (TextPart("q"), source, HARMLESS))], OWN)
    heard = message_from(sent, 0, "deepseek-flash")
    assert heard.content == "q"
    assert "said" in heard.web
    assert heard.files == file_block(HARMLESS)


def test_all_that_is_sent_is_counted() -> None:
    turn = Turn("user", (TextPart("q"), FilePart("a.txt", "字" * 1_000)))
    (sent,) = messages_from([turn], OWN)
    most, about = input_tokens([turn])
    assert most >= len(sent["content"])
    assert estimate_tokens(sent["content"]) <= about + 2
    assert attachments_block([]) == ""
