"""Links by which a page plays an answer: whoever was given one spends, and only while let in."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.models.access_scopes import ACCESS_SCOPES
from core.models.money.ledger import Budget, BudgetPlan
from core.models.money.prices import PiecePrice, PriceList
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_SPEECH_KEY
from core.settings import AccessSettings, KlingSettings, Secret, Settings, SpeechSettings
from core.settings.money import MoneySettings
from core.storage.money.filters import LedgerFilter
from tests.web.openai.test_images import soon
from tests.web.serving import KLING_KEY, QUICK, Served, serving

ANN, BOB = "user:ann@example.org", "user:bob@example.org"
END, ERROR = b".\0\0\0\0", b"e"


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=replace(QUICK, voice_pace=100.0)) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("links")
    price = PiecePrice("settings/speech", "speech", "tts-1", {"CNY": Decimal(1)})
    little = Budget("user", "bob@example.org", "day", Decimal("0.001"), "CNY")
    settings = Settings(
        data_dir=folder,
        access=AccessSettings(
            users=("ann@example.org", "bob@example.org"),
            tokens={"kiosk": Secret("a-token-for-the-kiosk-0123")},
            token_scopes={"kiosk": frozenset({"chat"})},
        ),
        kling=KlingSettings(origin=practice.origin, api_key=Secret(KLING_KEY)),
        money=MoneySettings(plan=BudgetPlan((little,)), prices=PriceList(own_pieces=(price,))),
        speech=SpeechSettings(url=practice.origin, api_key=Secret(PRACTICE_SPEECH_KEY)),
    )
    with serving(folder, settings=settings, build=soon) as running:
        yield running


def read(served: Served, owner: str, caller: str, by: str, *, ticket: str = "") -> httpx.Response:
    """Have an answer of the owner's read by a link that was given to a caller."""
    store = served.studio.store
    conversation = store.conversations.create(owner)
    asked = store.messages.add(
        owner, conversation.id, role="user", content="Say it", parent_id=None
    )
    answer = store.messages.add(
        owner, conversation.id, role="assistant", content="短。", parent_id=asked.id
    )
    ticket = ticket or served.studio.transfers.tickets.sign(owner, "speech", caller=caller)
    voice = {"kling": "ai_kaiya"}.get(by, "alloy")
    query = {"ticket": ticket, "message": answer.id, "by": by, "voice": voice}
    return served.http.post("/speech/read", params=query)


def lines_of(served: Served, caller: str) -> list[Any]:
    every = served.studio.store.ledger.every(LedgerFilter(kinds=["speech"]))
    return [one for one in every if one.caller == caller]


@pytest.mark.parametrize("by", ["server", "kling"])
@pytest.mark.parametrize(
    ("owner", "caller"), [("local", "page"), ("local", "pass:phone"), (ANN, ANN)]
)
def test_whoever_was_given_the_link_spends(
    served: Served, owner: str, caller: str, by: str
) -> None:
    served.studio.passes.issue("phone")
    before = len(lines_of(served, caller))
    heard = read(served, owner, caller, by)
    assert (heard.status_code, heard.content[-5:]) == (200, END)
    new = lines_of(served, caller)[before:]
    # What was said to one is not bought again for another of the same owner.
    known = 0 if by == "kling" and caller == "pass:phone" else 1
    assert {one.owner for one in new} <= {owner}
    assert len(new) == known


def test_the_budget_is_that_of_whom_it_was_given_to(
    served: Served, practice: PracticeServer
) -> None:
    said = len(practice.speech_book)
    heard = read(served, BOB, BOB, "server")
    assert (heard.status_code, heard.content[:1]) == (200, ERROR)
    assert "bob@example.org" in heard.text
    assert len(practice.speech_book) == said


@pytest.mark.parametrize("by", ["server", "kling", "browser"])
def test_a_pass_that_was_taken_back_ends_its_links(served: Served, by: str) -> None:
    passes = served.studio.passes
    passes.issue("lost tablet")
    assert read(served, "local", "pass:lost tablet", by).status_code == 200
    for one in passes.valid():
        if one.name == "lost tablet":
            passes.revoke(one.id)
    assert read(served, "local", "pass:lost tablet", by).status_code == 403


def test_who_is_on_no_list_any_more_is_not_let_in(served: Served) -> None:
    assert read(served, ANN, "user:gone@example.org", "browser").status_code == 403


@pytest.mark.parametrize("scope", ACCESS_SCOPES)
def test_a_token_without_the_scope_is_no_way_in(served: Served, scope: Any) -> None:
    served.studio.tokens.issue(f"for {scope}", frozenset({scope}))
    status = read(served, "local", f"token:for {scope}", "browser").status_code
    assert status == (200 if scope in ("speech", "pictures") else 403)
    assert read(served, "local", "token:kiosk", "browser").status_code == 403
    assert read(served, "local", "token:nobody", "browser").status_code == 403


def test_a_link_that_does_not_say_who_would_spend_is_none(served: Served) -> None:
    told = base64.urlsafe_b64encode(b'["local", "speech", 99999999999]').decode().rstrip("=")
    ticket = f"{told}.{served.studio.transfers.tickets._mark(told)}"
    assert read(served, "local", "page", "browser", ticket=ticket).status_code == 403
