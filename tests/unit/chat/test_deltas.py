"""core/models/deltas: what is added, and what that comes to."""

from hypothesis import given
from hypothesis import strategies as st

from core.models.chat import Usage
from core.models.deltas import Completion, Delta, Extras
from core.models.parts import ToolCallPiece

entries = st.lists(st.sampled_from("ab"), min_size=1, max_size=2)
told = st.builds(
    Extras,
    finish_reason=st.sampled_from([None, "stop"]),
    usage=st.sampled_from([None, Usage(1), Usage(2)]),
    model=st.sampled_from([None, "flash", "other"]),
    request_id=st.sampled_from([None, "answer-1"]),
    tool_calls=st.sampled_from([(), (ToolCallPiece(0, "a", "find", "{}"),)]),
    unread=st.integers(0, 2),
    logprobs=st.none() | st.fixed_dictionaries({"content": entries}),
    at_once=st.just(False),
)
completions = st.builds(Completion, st.text(max_size=3), st.text(max_size=3), told)


@given(completions)
def test_a_completion_is_what_its_deltas_come_to(whole: Completion) -> None:
    deltas = whole.deltas()
    assert Completion.of(deltas) == whole
    assert all(text for delta in deltas for text in delta.texts)
    assert all(delta.part == "content" for delta in deltas if delta.extras is not None)


@given(st.lists(completions, max_size=4))
def test_what_is_told_last_counts_and_what_is_counted_adds_up(several: list[Completion]) -> None:
    whole = Completion.of(delta for one in several for delta in one.deltas())
    assert whole.content == "".join(one.content for one in several)
    assert whole.reasoning_content == "".join(one.reasoning_content for one in several)
    found = [one.extras for one in several]
    assert whole.extras.unread == sum(one.unread for one in found)
    assert whole.extras.tool_calls == tuple(call for one in found for call in one.tool_calls)
    assert whole.extras.usage == next((one.usage for one in found[::-1] if one.usage), None)
    said = [entry for one in found for entry in (one.logprobs or {}).get("content", [])]
    assert (whole.extras.logprobs or {}).get("content", []) == said


def test_deltas_share_nothing_with_the_completion() -> None:
    first = Extras(logprobs={"content": ["a"]})
    deltas = [Delta("content", ["a"], first), Delta("content", ["b"], first)]
    assert Completion.of(deltas).extras.logprobs == {"content": ["a", "a"]}
    assert first.logprobs == {"content": ["a"]}
