"""A query's parameters: digits are a number, and what is refused is told what may stand there."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from core.models.money.ledger import LINE_KINDS
from core.web.http_call import HttpCallError
from core.web.money.routes import LedgerQuery
from core.web.posted_fields import queried


class Query(Struct):
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    other: Annotated[int, Meta(ge=0, le=9)] | UnsetType = UNSET
    shape: Literal["plain", "fancy", "csv"] = "plain"
    about: Literal["z", "a"] | UnsetType = UNSET


def refusal(query: Mapping[str, str], kind: type[Struct] = Query) -> tuple[str, dict[str, object]]:
    with pytest.raises(HttpCallError) as refused:
        queried(query, kind)
    assert refused.value.status == 400
    assert refused.value.field == refused.value.facts["field"]
    return refused.value.text_id, dict(refused.value.facts)


@pytest.mark.parametrize(
    ("words", "number"), [("5", 5), ("0005", 5), ("500", 500), ("0" * 400 + "7", 7), ("", 50)]
)
def test_digits_are_a_number_whatever_zeros_lead(words: str, number: int) -> None:
    assert queried({"limit": words}, Query).limit == number
    assert queried({"other": "000"}, Query).other == 0


@pytest.mark.parametrize(
    "words",
    [
        *("5.0", "1e2", "+5", "-5", " 5", "5 ", "1_0", "0x5", "²", "٥", "５", "true", "null"),
        *("five", "0", "000", "501", "00501", "9" * 400, "9" * 5_000),
    ],
)
def test_what_is_no_whole_number_in_the_bounds_is_refused(words: str) -> None:
    told = ("http.want_limit", {"field": "limit", "most": 500})
    assert refusal({"limit": words}) == told
    assert refusal({"limit": words}, LedgerQuery) == told


def test_words_are_told_in_the_order_of_their_definition() -> None:
    told = {"field": "shape", "offered": "plain, fancy, csv"}
    assert refusal({"shape": "round"}) == ("http.want_one_of", told)
    assert refusal({"about": "b"})[1]["offered"] == "z, a"
    assert refusal({"kind": "music"}, LedgerQuery)[1]["offered"] == ", ".join(LINE_KINDS)
    assert refusal({"format": "xml"}, LedgerQuery)[1]["offered"] == "json, csv"
