"""Practice in the shapes of other servers: what it sends comes out as what it means."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.chat import AnswerStatus, ChatParameters, Message
from core.models.notices import notices_of, wanted_tools
from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from tests.web.chat.answering import Asker, answering

QUESTION = "写一首诗"
THINKING = ChatParameters(thinking=True)
BOTH = [ChatParameters(), ChatParameters(stream=False)]


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    quick = PracticeSettings(first_delta_s=0, delta_interval_s=0)
    with PracticeServer(settings=quick) as server:
        yield server


@pytest.fixture
def asker(tmp_path: Path, practice: PracticeServer) -> Iterator[Asker]:
    with answering(tmp_path, practice.chat_url) as opened:
        yield opened


def ids(message: Message) -> list[str]:
    return [notice.text_id for notice in notices_of(message)]


@pytest.mark.parametrize("parameters", BOTH)
@pytest.mark.parametrize("case", ["think-tags", "late-close"])
def test_thinking_in_the_text_is_told_apart(
    asker: Asker, case: str, parameters: ChatParameters
) -> None:
    usual = asker.answered(QUESTION, parameters=parameters)
    odd = asker.answered(f"{QUESTION} /practice {case}", parameters=parameters)
    assert odd.content == usual.content
    assert odd.reasoning_content
    assert "think>" not in odd.reasoning_content + odd.content


@pytest.mark.parametrize("parameters", BOTH)
def test_a_leaked_call_is_told_and_not_shown(asker: Asker, parameters: ChatParameters) -> None:
    odd = asker.answered(f"{QUESTION} /practice leaked-call", parameters=parameters)
    assert odd.content == asker.answered(QUESTION).content
    assert (wanted_tools(odd), ids(odd)) == (("search",), ["notice.tool_wanted"])


@pytest.mark.parametrize("case", ["versions", "told-again"])
def test_what_is_told_more_than_once_is_shown_once(asker: Asker, case: str) -> None:
    usual = asker.answered(QUESTION, parameters=THINKING)
    odd = asker.answered(f"{QUESTION} /practice {case}", parameters=THINKING)
    assert (odd.content, odd.reasoning_content) == (usual.content, usual.reasoning_content)
    assert ids(odd) == []


def test_parts_are_read(asker: Asker) -> None:
    usual = asker.answered(QUESTION, parameters=THINKING)
    odd = asker.answered(f"{QUESTION} /practice content-parts", parameters=THINKING)
    assert (odd.content, odd.reasoning_content) == (usual.content, usual.reasoning_content)
    assert ids(odd) == []


def test_halves_are_joined(asker: Asker) -> None:
    odd = asker.answered(f"{QUESTION} /practice half-pairs")
    assert odd.content == "😀 " + asker.answered(QUESTION).content


def test_a_line_that_cannot_be_read_is_told(asker: Asker) -> None:
    odd = asker.answered(f"{QUESTION} /practice garbage-line")
    assert (odd.content, ids(odd)) == (asker.answered(QUESTION).content, ["notice.may_lack"])


@pytest.mark.parametrize("parameters", BOTH)
def test_a_flat_error_is_told_in_its_words(asker: Asker, parameters: ChatParameters) -> None:
    odd = asker.answered(f"{QUESTION} /practice flat-error", parameters=parameters)
    assert odd.status in (AnswerStatus.CUT_OFF, AnswerStatus.FAILED)
    assert odd.error_detail.startswith("Model service overloaded")


def test_blanks_are_kept_as_they_are(asker: Asker) -> None:
    odd = asker.answered(f"{QUESTION} /practice blanks")
    assert (odd.status, odd.content) == (AnswerStatus.COMPLETE, " \n\n ")
