"""What a conversation is called, once the model has named it."""

import pytest

from core.work.chat.titles import LONGEST_CHARACTERS, better_title


@pytest.mark.parametrize(
    ("said", "question", "title"),
    [
        ("《墨的历史》", "写 2000 字，关于砚台与墨的历史", "墨的历史"),
        ("写 2000 字", "写 2000 字，关于砚台与墨的历史", "写 2000 字，关于砚台与墨的历史"),
        ("tell me", "Tell me\n  about this app", "Tell me about this app"),
        ("", "Hello", "Hello"),
        ("x" * 500, "Hello", "x" * (LONGEST_CHARACTERS - 1) + "…"),
    ],
)
def test_no_title_is_worse_than_the_question(said: str, question: str, title: str) -> None:
    assert better_title(said, question) == title
