"""What the practice model says, without a server."""

import re
from pathlib import Path

import pytest

import core.practice as practice
from core.practice.chat.answers import answer, continuation, is_go_on, reasoning
from core.practice.chat.long_text import asked_length, long_text
from core.practice.chat.texts import language_of, text
from core.practice.chat.titles import title
from core.practice.chat.tokens import PromptCache, clip_to_tokens, estimate_tokens
from core.practice.faults import (
    CHAT_FAULTS,
    PICTURE_FAULTS,
    Repetitions,
    read_faults,
    without_commands,
)

TOPICS = ("about", "keys", "pictures", "streaming", "markdown", "code", "maths", "prices")
TEXTS = Path(practice.__file__).parent / "chat" / "texts"


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("这个应用是什么？", "about"),
        ("What is this app?", "about"),
        ("怎么填密钥？", "keys"),
        ("Where do I put the keys?", "keys"),
        ("图片怎么画？", "pictures"),
        ("How are pictures made?", "pictures"),
        ("流式输出是怎么回事？", "streaming"),
        ("How does streaming work?", "streaming"),
        ("给我看看 Markdown", "markdown"),
        ("Show me Markdown", "markdown"),
        ("写一段代码", "code"),
        ("Show me some code", "code"),
        ("来一道数学题", "maths"),
        ("Show me some maths", "maths"),
        ("要多少钱？", "prices"),
        ("What are the prices?", "prices"),
        ("你好", "greeting"),
        ("Hello!", "greeting"),
    ],
)
def test_a_question_meets_its_topic_in_its_language(question: str, topic: str) -> None:
    assert answer(question, raw_question=question) == text(language_of(question), topic)


@pytest.mark.parametrize("question", ["天空为什么是蓝色的？", "Why is the sky blue?"])
def test_any_other_question_is_quoted_back(question: str) -> None:
    said = answer(question, raw_question=question)

    assert question in said
    assert 500 <= len(said) <= 2000


def test_the_same_question_gets_the_same_answer() -> None:
    first, second = (answer("为什么？", raw_question="为什么？") for _ in range(2))

    assert first == second


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("topic", [*TOPICS, "greeting"])
def test_each_topic_has_headings_lists_code_and_a_table(language: str, topic: str) -> None:
    said = (TEXTS / language / f"{topic}.md").read_text(encoding="utf-8")

    assert 500 <= len(said) <= 2200
    assert re.search(r"^#{1,3} ", said, re.MULTILINE)
    assert re.search(r"^\s*(?:- |1\. )", said, re.MULTILINE)
    assert "```" in said
    assert "| --- |" in said or "| :--- |" in said


def test_both_languages_have_the_same_texts() -> None:
    names = [sorted(path.name for path in (TEXTS / lang).iterdir()) for lang in ("zh", "en")]

    assert names[0] == names[1]


def test_later_questions_and_system_prompts_are_acknowledged() -> None:
    said = answer("Why?", raw_question="Why?", earlier=["First one"], system="Be kind")

    assert "question 2" in said
    assert "First one" in said
    assert "Be kind" in said


@pytest.mark.parametrize(
    ("question", "characters"),
    [
        ("写 28000 字", 28_000),
        ("写一篇 3千字 的文章", 3_000),
        ("2.8万字的小说", 28_000),
        ("write 5,000 characters", 5_000),
        ("an essay of 500 words", 3_000),
        ("写 900000 字", 100_000),
        ("为什么天是蓝的", None),
    ],
)
def test_a_length_is_read_from_the_question(question: str, characters: int | None) -> None:
    assert asked_length(question) == characters


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("characters", [50, 800, 28_000, 100_000])
def test_a_long_text_has_about_the_length_asked_for(language: str, characters: int) -> None:
    said = long_text("question", characters, "zh" if language == "zh" else "en")

    assert characters * 0.9 - 150 <= len(said) <= characters


def test_a_long_text_holds_all_kinds_of_markdown() -> None:
    said = long_text("文章", 28_000, "zh")

    for mark in ("## ", "\n- ", "\n1. ", "\n> ", "```python", "| --- |", "$$"):
        assert mark in said


def test_a_continuation_goes_on_where_the_answer_stopped() -> None:
    whole = text("en", "about")

    assert whole[:300] + continuation(whole, whole[:300], "en") == whole
    assert continuation(whole, whole, "en").strip() == text("en", "end")
    assert continuation(whole, "Edited by hand. " + whole[100:300], "en") == whole[300:]
    assert continuation(whole, "Something else", "en") == "\n\n" + whole


@pytest.mark.parametrize("question", ["继续", "请继续写下去。", "continue", "Please go on."])
def test_going_on_is_recognised(question: str) -> None:
    assert is_go_on(question)


def test_a_question_that_says_more_is_not_going_on() -> None:
    assert not is_go_on("继续教育是什么")
    assert not is_go_on("How do I continue a loop?")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("你好，请问怎么用 Python 写一个快速排序？", "怎么用 Python 写一个快速排序"),
        ("请帮我写一封道歉信，语气要诚恳", "写一封道歉信"),
        ("Can you tell me why the sky is blue?", "Why the sky is blue"),
        ("User: # What is *SSE*?\nAssistant: …", "What is SSE"),
        ("", "New conversation"),
    ],
)
def test_a_title_names_the_question(question: str, expected: str) -> None:
    assert title(question) == expected


def test_more_effort_means_longer_reasoning() -> None:
    lengths = [len(reasoning("为什么", effort)) for effort in ("low", "high", "max")]

    assert lengths == sorted(set(lengths))
    assert "为什么" in reasoning("为什么", "low")


def test_faults_are_read_from_anywhere_in_a_text() -> None:
    asked = "Hello /practice slow 50 and /practice CUT please"

    assert read_faults(asked) == {"slow": 50, "cut": None}
    assert without_commands("/practice cut 介绍一下") == "介绍一下"
    assert read_faults("no command") == {}


def test_a_fault_with_a_number_of_times_stops_striking() -> None:
    repetitions = Repetitions()

    assert [repetitions.strikes("503", 2, "q") for _ in range(3)] == [True, True, False]
    assert repetitions.strikes("503", None, "q")


def test_every_fault_stands_in_the_package_docstring_and_in_the_answer() -> None:
    documented = practice.__doc__ or ""
    for question in ("练习错误有哪些", "/practice nonsense"):
        said = answer(without_commands(question), raw_question=question)
        assert all(f"`/practice {name}" in said for name in CHAT_FAULTS | PICTURE_FAULTS)

    for name in CHAT_FAULTS | PICTURE_FAULTS:
        if not re.fullmatch(r"\d{4}", name):
            assert re.search(rf"(?<![\w-]){name}(?![\w-])", documented), name


def test_tokens_follow_the_published_estimate() -> None:
    assert estimate_tokens("a" * 10) == 3
    assert estimate_tokens("墨" * 10) == 6
    assert estimate_tokens("") == 0
    assert clip_to_tokens("墨" * 10, 3) == "墨" * 5


def test_the_cache_serves_the_common_beginning_of_the_same_user_and_model() -> None:
    cache = PromptCache()
    cache.remember("deepseek-flash", "ann", "x" * 1000 + "old")

    assert cache.hit_tokens("deepseek-flash", "ann", "x" * 1000 + "new") == 256
    assert cache.hit_tokens("deepseek-flash", "bob", "x" * 1000) == 0
    assert cache.hit_tokens("deepseek-v4-pro", "ann", "x" * 1000) == 0
