"""core/wire/model_words: what in a model's words is said, thought, or a tool's to read."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.words.code_spans import CodeScanner
from core.wire.words.leaked_calls import LeakedCall, leaked_calls
from core.wire.words.model_words import WordSorter
from core.wire.words.sorted_words import sort_words
from core.wire.words.word_marks import without_closing

DSML = (
    '<｜DSML｜function_calls>\n<｜DSML｜invoke name="search">\n'
    '<｜DSML｜parameter name="q" string="true">cats</｜DSML｜parameter>\n'
    '<｜DSML｜parameter name="most" string="false">3</｜DSML｜parameter>\n'
    "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
)
TEMPLATE = (
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n"
    '```json\n{"city": "杭州"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
)
CALL = "<｜tool▁call▁begin｜>look<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
SHORT = f"<｜tool▁calls▁begin｜>{CALL}<｜tool▁calls▁end｜>"


def sorted_in(pieces: list[str], begun: str = "") -> tuple[str, str, str]:
    """Return content, reasoning and calls of a text that comes in these pieces."""
    sorter = WordSorter(begun)
    found, doubt, mark = {"content": "", "reasoning": "", "call": ""}, "", 0
    words = [word for piece in pieces for word in sorter.feed(piece)]
    for kind, text in (*words, *sorter.end()):
        if kind == "close":
            found = {**found, "reasoning": found["content"].strip(), "content": ""}
        elif kind == "mark":
            mark = len(found["content"])
        elif kind == "settle":
            thought = without_closing(found["content"][:mark]).strip()
            found = {**found, "reasoning": thought, "content": found["content"][mark:].lstrip()}
        elif kind == "doubt":
            doubt = found["reasoning"].rstrip()
        elif kind == "reopen":
            found = {**found, "reasoning": doubt, "content": text}
        else:
            found[kind] += text
    return found["content"], found["reasoning"], found["call"]


THOUGHT = [
    ("<think>Weigh both.</think>The answer is 42.", "The answer is 42.", "Weigh both."),
    ("\n <thinking>\n想想。\n</thinking>\n\n答案。", "答案。", "想想。"),
    ("<THINK>a</Think>b", "b", "a"),
    ("<think>\n\n</think>\n\nAt once.", "At once.", ""),
    ("</think>\n\nAt once.", "At once.", ""),
    ("<think>never closed, 没有完", "", "never closed, 没有完"),
    ("<think>use `</think>` here</think>Done.", "Done.", "use `</think>` here"),
    ("<think>a\n```\n</think>\n```\nb</think>c", "c", "a\n```\n</think>\n```\nb"),
    (
        "<think>I need the ` sign.</think>The answer is 42.",
        "The answer is 42.",
        "I need the ` sign.",
    ),
    ("<think>The ` sign.</think>Use `x` and\n\n`y`.", "Use `x` and\n\n`y`.", "The ` sign."),
    ("<think>So:\n```python\nprint(1)\n</think>\n\n42.", "42.", "So:\n```python\nprint(1)"),
    ("<think>a `</think>` b, cut off", "", "a `</think>` b, cut off"),
    ("<think>```\n</think>\n```\ncut off", "", "```\n</think>\n```\ncut off"),
    ("First weigh.\n</think>\n\nIt is 42.", "It is 42.", "First weigh."),
    ("想想。</think>答。</think>尾", "答。</think>尾", "想想。"),
    ("<think>a</think>b <think>c</think> d", "b <think>c</think> d", "a"),
    ("<think>a <think> b</think>c", "c", "a <think> b"),
]
# Tags in what looked like code: one odd backtick, or a fence that nothing closed.
ODD = [
    ("I need the ` sign.</think>The answer is 42.", "The answer is 42.", "I need the ` sign."),
    ("One ` here.\n</think>\n\nDone.", "Done.", "One ` here."),
    ("It`s so</think>Done.\nUse `x`.", "Done.\nUse `x`.", "It`s so"),
    ("A ` sign.</think>Use `x` and\n\n`y`.", "Use `x` and\n\n`y`.", "A ` sign."),
    ("So:\n```python\nprint(1)\n</think>\n\n42.", "42.", "So:\n```python\nprint(1)"),
    (
        "So:\n```py\nprint(1)\n</think>\n\n```sh\nls\n```\nEnd.",
        "```sh\nls\n```\nEnd.",
        "So:\n```py\nprint(1)",
    ),
    ("a ``` b</think>c\nd", "c\nd", "a ``` b"),
    ("想 ` 号。</THINKING>\n\n答。\n尾", "答。\n尾", "想 ` 号。"),
]
SPOKEN_OF_IN_CODE = [
    "Write `a </think> b` so.",
    "Write `a </think> b` and `c`.\nMore.",
    "```\na\n</think>\n```\nend",
    "```\na\n</think>\n```",
    "Use `<think>x</think> y",
    "a `</think> b",
]

TEXTS = [
    "The tag `</think>` closes it.",
    "```xml\n<think>x</think>\n```\nEnd </th",
    "~~~\n</think>\n~~~~\nno",
    "> ```\n> </think>\n> ```\n",
    "- ```\n  <think>\n  ```\n",
    "Write <think>so</think> later on.",
    "They call it “</think>”.",
    "a < b, <thinker>, <b>bold</b> and <",
    "<thin",
    "  \n ",
    "",
    "`<｜tool▁calls▁begin｜>` begins calls",
    "```\n<｜DSML｜function_calls>\n```",
    "half a marker: <｜DS",
]


@pytest.mark.parametrize(("text", "content", "reasoning"), THOUGHT)
def test_thinking_in_the_text_is_told_apart(text: str, content: str, reasoning: str) -> None:
    assert sort_words(text) == (content, reasoning, "")
    assert sorted_in(list(text)) == (content, reasoning, "")


@pytest.mark.parametrize(("text", "content", "reasoning"), ODD)
def test_an_odd_backtick_before_a_late_close_hides_nothing(
    text: str, content: str, reasoning: str
) -> None:
    assert sort_words(text) == (content, reasoning, "")
    for size in (1, 3, 5):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert sorted_in(pieces) == (content, reasoning, "")
    assert sort_words(f"<think>{text}") == (content, reasoning, "")


def test_the_answer_behind_an_odd_backtick_comes_with_its_line() -> None:
    sorter = WordSorter()
    words = sorter.feed("<think>The ` sign.</think>It is 42.\n\nFor")
    assert words[-3:] == [
        ("reasoning", "It is 42."),
        ("reopen", "It is 42."),
        ("content", "\n\nFor"),
    ]
    assert sorter.feed(" one.") == [("content", " one.")]


@pytest.mark.parametrize("text", SPOKEN_OF_IN_CODE)
def test_a_tag_in_code_stays_a_text(text: str) -> None:
    assert sort_words(text) == sorted_in(list(text)) == (text, "", "")


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_thinking_stays_as_it_is(text: str) -> None:
    assert sort_words(text) == (text, "", "")
    assert sorted_in(list(text)) == (text, "", "")


def test_the_end_of_a_thought_that_the_server_told_apart_is_a_text() -> None:
    sorter = WordSorter()
    sorter.note_reasoning()
    words = [*sorter.feed("The tag </think> ends it."), *sorter.end()]
    assert "".join(word.text for word in words) == "The tag </think> ends it."
    assert {word.kind for word in words} == {"content"}


def test_a_continued_answer_knows_what_it_stands_in() -> None:
    assert sorted_in(["<think>x</think>"], "```\n")[0] == "<think>x</think>"
    assert sorted_in(["<think>go on</think>", "\n\nrest"], "Once ") == ("rest", "go on", "")
    assert sorted_in([" upon a time"], "Once") == (" upon a time", "", "")


@pytest.mark.parametrize(
    ("marked", "calls"),
    [
        (DSML, [LeakedCall("search", '{"q": "cats", "most": 3}')]),
        (TEMPLATE, [LeakedCall("weather", '{"city": "杭州"}')]),
        (SHORT, [LeakedCall("look", "{}")]),
        (SHORT.replace("▁", "_").replace("｜", "|"), [LeakedCall("look", "{}")]),
        (DSML.replace("｜", "｜｜"), [LeakedCall("search", '{"q": "cats", "most": 3}')]),
        (
            DSML.replace("function_calls", "tool_calls"),
            [LeakedCall("search", '{"q": "cats", "most": 3}')],
        ),
        (
            SHORT.replace("look", "one") + "\n" + SHORT,
            [LeakedCall("one", "{}"), LeakedCall("look", "{}")],
        ),
        (TEMPLATE[:67], [LeakedCall("weather", "")]),
        (DSML[:40], [LeakedCall("", DSML[:40])]),
        ("<｜DSML｜function_ca", [LeakedCall("", "<｜DSML｜function_ca")]),
    ],
)
def test_markers_of_calls_are_not_said(marked: str, calls: list[LeakedCall]) -> None:
    content, reasoning, leaked = sort_words(f"Let me look.\n\n{marked}")
    assert (content, reasoning) == ("Let me look.", "")
    assert leaked_calls(leaked) == calls
    piece_by_piece = sorted_in(list(f"Let me look.\n\n{marked}"))
    assert (piece_by_piece[0].rstrip(), piece_by_piece[2]) == ("Let me look.", leaked)


BEGIN, ONE, SEP = "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>"
MENTIONS = [
    f"DeepSeek begins its calls with {BEGIN} and ends them with <｜tool▁calls▁end｜>. It waits.",
    f"The marker {BEGIN} stands first. " + "It goes on for long. " * 30,
    f"The markers are:\n\n{BEGIN}\n{ONE}\n{SEP}\n\nThat is all.",
    f"- {ONE} begins a call\n- {SEP} stands behind its name\n",
    "In DSML <｜DSML｜function_calls> wraps all of them, and <｜DSML｜invoke> one.",
    'A value is <｜DSML｜parameter name="q" string="true">cats</｜DSML｜parameter> there.',
    "用 <｜tool▁calls▁begin｜> 开头，用 <｜tool▁calls▁end｜> 结尾。",
    f"It all begins with {BEGIN}",
    f"It all begins with {ONE}call",
    f"{BEGIN} is the marker that you asked for.",
    "They write <|tool_calls_begin|> too, and <|DSML|tool_calls> as well.",
    f"{BEGIN * 40} again",
]


@pytest.mark.parametrize("text", MENTIONS)
def test_markers_that_are_spoken_of_stay_in_the_text(text: str) -> None:
    assert sort_words(text) == (text, "", "")
    for size in (1, 4, 7, 4096):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert sorted_in(pieces) == (text, "", "")
    thinking = f"<think>{text.rstrip()}</think>Yes."
    assert sort_words(thinking) == sorted_in(list(thinking)) == ("Yes.", text.rstrip(), "")


def test_a_call_behind_a_mention_is_one() -> None:
    text = f"I write {BEGIN} now.\n\n{SHORT}"
    assert sort_words(text) == (f"I write {BEGIN} now.", "", SHORT)
    assert sorted_in(list(text))[2] == SHORT


@pytest.mark.parametrize(
    ("calls", "rest"),
    [
        (SHORT.removesuffix("<｜tool▁calls▁end｜>"), "\n\nI looked it up."),
        (SHORT.partition("<｜tool▁call▁end｜>")[0], "\n\nI looked it up."),
        (f"{BEGIN}{ONE}function{SEP}look\n```json\n{{}}\n```", "\n\nI looked it up."),
        (DSML.removesuffix("</｜DSML｜function_calls>"), "I looked it up."),
    ],
)
def test_words_behind_a_call_without_its_end_are_said(calls: str, rest: str) -> None:
    content, _, leaked = sort_words(f"One. {calls}{rest}")
    assert content == "One. I looked it up."
    assert leaked_calls(leaked)[0].name in ("look", "search")
    assert sorted_in(list(f"One. {calls}{rest}"))[0] == content


def test_a_call_in_the_middle_of_thinking_ends_it() -> None:
    text = f"<think>I look it up.\n{SHORT}"
    assert sort_words(text) == sorted_in(list(text)) == ("", "I look it up.", SHORT)


def test_what_follows_calls_is_said() -> None:
    assert sort_words(f"One. {DSML}\n\nTwo.")[0] == "One. Two."


WORDS = st.sampled_from(
    [
        "<think>",
        "</think>",
        "<thinking>",
        "<th",
        "ink>",
        "`",
        "```\n",
        "\n",
        " ",
        "a",
        "思考",
        "<",
        DSML,
        BEGIN,
        ONE,
        SEP,
        "look",
        "`a`",
        "```py\n",
        "|",
        "~~~\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=12), st.integers(0, 1 << 30))
def test_pieces_change_nothing(words: list[str], seed: int) -> None:
    text = "".join(words)
    dice, pieces, at = random.Random(seed), [], 0
    while at < len(text):
        size = dice.randint(1, 6)
        pieces.append(text[at : at + size])
        at += size
    whole = sorted_in([text])
    assert sorted_in(pieces) == whole
    assert sorted_in(list(text)) == whole


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab<>`~\n /｜▁DSML", max_size=60))
def test_without_tags_the_text_is_the_text(text: str) -> None:
    if "think" not in text.lower() and "DSML" not in text:
        assert sorted_in(list(text)) == (text, "", "")


@pytest.mark.parametrize(
    ("text", "is_in_code"),
    [
        ("", False),
        ("`a", True),
        ("`a`", False),
        ("``a`", True),
        ("`a\nb", False),
        ("```py\nx", True),
        ("```py\nx\n```\n", False),
        ("````\n```\n", True),
        ("~~~\n```\n~~~\n", False),
        ("1. ```\n", True),
        ("``` a ``` b", False),
        ("x ```\n", False),
        ("``` x", True),
        ("a ``", True),
        ("- a\n  `b", True),
    ],
)
def test_code_is_known(text: str, is_in_code: bool) -> None:
    assert CodeScanner(text).is_in_code() is is_in_code
    scanner = CodeScanner()
    for sign in text:
        scanner.feed(sign)
    assert scanner.is_in_code() is is_in_code


def test_a_text_of_tags_alone_takes_time_that_grows_with_it() -> None:
    sorter = WordSorter("`")
    steps = 0

    def counted(sorter: WordSorter, text: str) -> str:
        nonlocal steps
        steps += len(text)
        return text_step(sorter, text)

    text_step, sorter._step = sorter._step, counted
    text = "<think>" * 50_000
    assert "".join(word.text for word in sorter.feed(text)) == text
    assert steps < 600 * len(text)


@pytest.mark.parametrize(
    "text",
    [
        "R1 writes its thoughts, then </think> and then the answer.",
        "Say </think>.",
    ],
)
def test_a_text_that_speaks_of_the_tag_is_whole_where_the_thinking_stands_apart(text: str) -> None:
    assert sort_words(text, is_thought_apart=True).content == text


@pytest.mark.parametrize(
    "text",
    [
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>a<｜tool▁sep｜>```json\n{"
        + " " * 200_000
        + "x",
        '<｜DSML｜invoke name="a">' + '<｜DSML｜parameter name="q" ' * 20_000,
        '<｜DSML｜invoke name="a ' * 20_000,
    ],
)
def test_a_call_that_goes_in_circles_takes_no_square_of_the_time(text: str) -> None:
    assert leaked_calls(text)  # else it would take minutes (pytest-timeout)
