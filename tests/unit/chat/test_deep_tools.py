"""Tools nested as deep as can be read are read, however many calls stand above."""

from typing import Any

from core.models.chat_options import ChatOptions

DEEP = 940


def test_what_is_billed_of_them_is_told_from_deep_within_calls() -> None:
    tool: dict[str, Any] = {}
    for _ in range(DEEP):
        tool = {"a": tool}

    def below(calls: int) -> str:
        return below(calls - 1) if calls else ChatOptions(tools=(tool,)).prompt()

    assert below(200).count('"a"') == DEEP
