"""What tools let through: schemas that a strict server takes, arguments, addresses, words."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from core.models.money.ledger import LedgerLine
from core.models.parts import LookupPart, SourcePart, ToolCall
from core.practice.chat.skills.tools import read_choice
from core.work.tools.clock import clock
from core.work.tools.drawing import proposal
from core.work.tools.looking import addresses_of
from core.work.tools.tool import Surroundings, same_call
from core.work.tools.toolbox import OFFERED, Toolbox
from core.work.web.looks import Outcome

LOOKED: list[LookupPart] = []


async def look(wanted: LookupPart) -> tuple[Outcome, LedgerLine | None]:
    LOOKED.append(wanted)
    url = f"https://found.example/{len(LOOKED)}"
    return Outcome("found", (SourcePart(url, "title", "found.example", "words"),)), None


@pytest.fixture(autouse=True)
def nothing_looked() -> None:
    LOOKED.clear()


def ran(box: Toolbox, name: str, **arguments: object) -> tuple[str, str]:
    call = ToolCall("c", name, json.dumps(arguments))
    outcome, _ = asyncio.run(box.run(call))
    return outcome.state, outcome.text


def test_the_tools_are_strict_sorted_and_few() -> None:
    names = [one["function"]["name"] for one in OFFERED]
    assert names == sorted(names) == ["calculator", "draw", "fetch", "search", "time"]
    choice = read_choice({"tools": list(OFFERED)}, thinks=True, beta=True)  # refuses what is not
    assert all(tool.strict for tool in choice.tools)


@pytest.mark.parametrize(
    "arguments", ["", "{", "[]", "null", '{"query": 5}', '{"words": "x"}', "[" * 9_000, '"x"']
)
def test_arguments_that_do_not_fit_are_told_and_nothing_is_run(arguments: str) -> None:
    outcome, _ = asyncio.run(Toolbox(Surroundings(look)).run(ToolCall("c", "search", arguments)))
    assert outcome.state == "failed"
    assert not LOOKED


@pytest.mark.parametrize(
    ("url", "is_read"),
    [
        ("https://written.example/a?b=1", True),
        ("https://known.example/", True),
        ("https://written.example/a?b=1&said=secret", False),
        ("https://written.example/a", False),
        ("https://written.example.evil.example/a?b=1", False),
        ("https://other.example/", False),
        ("http://127.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("https://user:secret@written.example/a?b=1", False),
    ],
)
def test_only_addresses_are_read_that_a_person_wrote_or_a_search_found(
    url: str, *, is_read: bool
) -> None:
    words = ["读一下 https://written.example/a?b=1。谢谢"]
    known = SourcePart("https://known.example/", "", "", "")
    box = Toolbox(Surroundings(look, tuple(words), addresses_of(words, [known])))
    state, _ = ran(box, "fetch", url=url)
    assert (state == "done") is is_read
    assert len(LOOKED) == is_read


def test_what_a_search_found_may_be_read_then() -> None:
    box = Toolbox(Surroundings(look, ("ink",)))
    assert ran(box, "search", query="anything at all")[0] == "done"
    assert ran(box, "fetch", url="https://found.example/1")[0] == "done"


@pytest.mark.parametrize(
    ("query", "is_searched"),
    [("the inkstone's price", True), ("端砚产地", True), ("buy lottery", False), ("砚", False)],
)
def test_beside_strange_words_a_search_holds_a_word_of_the_persons(
    query: str, *, is_searched: bool
) -> None:
    words = ("tell me of the inkstone 端砚 https://buy.example/lottery",)
    box = Toolbox(Surroundings(look, words, has_strange=True))
    assert (ran(box, "search", query=query)[0] == "done") is is_searched
    assert len(LOOKED) == is_searched


def test_looks_are_bounded() -> None:
    box = Toolbox(Surroundings(look, ("ink stone",)))
    states = [ran(box, "search", query=f"ink {number}")[0] for number in range(6)]
    assert states == ["done"] * 4 + ["refused"] * 2


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"prompt": "雾中灯塔", "aspect_ratio": "16:9", "count": 2}, "proposed"),
        ({"prompt": "x", "aspect_ratio": "16:9", "count": 9}, "refused"),
        ({"prompt": " ", "aspect_ratio": "1:1", "count": 1}, "refused"),
        ({"prompt": "x" * 3_000, "aspect_ratio": "1:1", "count": 1}, "refused"),
        ({"prompt": "x", "aspect_ratio": "5:1", "count": 1}, "failed"),
    ],
)
def test_a_picture_is_proposed_where_it_keeps_klings_rules(
    given: dict[str, object], state: str
) -> None:
    assert ran(Toolbox(Surroundings(look)), "draw", **given)[0] == state
    request = proposal(json.dumps(given))
    assert (request is not None) is (state == "proposed")


def test_where_the_persons_zone_is_unknown_here_the_clock_says_utc() -> None:
    tool = clock(
        Surroundings(look, zone="Mars/Olympus"), lambda: datetime(2026, 11, 29, 20, tzinfo=UTC)
    )
    told = json.loads(asyncio.run(tool.call("{}")).text)
    assert told["now"] == "2026-11-29T20:00:00+00:00"
    assert told["zone"].startswith("UTC")


def test_the_clock_knows_the_persons_zone_and_others() -> None:
    tool = clock(
        Surroundings(look, zone="Asia/Tokyo"), lambda: datetime(2026, 11, 29, 20, tzinfo=UTC)
    )
    told = {
        zone: asyncio.run(tool.call(json.dumps({"zone": zone}))) for zone in ("", "UTC", "No/Where")
    }
    assert "2026-11-30T05:00:00+09:00" in told[""].text
    assert "Monday" in told[""].text
    assert "2026-11-29T20:00:00+00:00" in told["UTC"].text
    assert told["No/Where"].state == "refused"


def test_the_same_call_is_known_however_it_is_written() -> None:
    assert same_call("a", '{"x": 1, "y": 2}') == same_call("a", '{"y":2,"x":1}')
    assert same_call("a", "{}") != same_call("b", "{}")
    assert same_call("a", "{") == same_call("a", " {")
