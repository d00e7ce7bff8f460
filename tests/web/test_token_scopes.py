"""Tokens with scopes: what each is good for on every route, and for how much."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.access.issued_tokens import IssuedTokens
from core.models.access_scopes import ACCESS_SCOPES
from core.settings import AccessSettings, Secret
from core.web.guard.scopes import wanted_scopes
from core.work.process_studio import current_studio
from tests.web.serving import Served, serving

ASKED = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "hello"}]}
ALL: Any = frozenset(ACCESS_SCOPES)
ENV = "a-token-for-the-kiosk-0123"

# Each route by a call that goes wrong on its own after it was let in, and what lets it in.
CALLS: list[tuple[str, str, set[str]]] = [
    ("GET", "/stream", {"chat"}),
    ("POST", "/complete", {"chat"}),
    ("POST", "/v1/chat/completions", {"chat"}),
    ("POST", "/v1/responses", {"chat"}),
    ("POST", "/v1/tools/search", {"chat"}),
    ("POST", "/v1/tools/fetch", {"chat"}),
    ("GET", "/v1/models", set(ACCESS_SCOPES)),
    ("GET", "/v1/models/none", set(ACCESS_SCOPES)),
    ("POST", "/v1/images/generations", {"pictures"}),
    ("POST", "/v1/images/edits", {"pictures"}),
    ("POST", "/v1/audio/speech", {"speech"}),
    ("POST", "/v1/audio/transcriptions", {"speech"}),
    ("POST", "/kling/v1/audio/tts", {"speech", "pictures"}),
    ("POST", "/kling/v1/images/generations", {"pictures"}),
    ("GET", "/kling/v1/images/generations/none", {"pictures", "read"}),
    ("GET", "/kling/account/costs", {"read"}),
    ("GET", "/ledger", {"read"}),
    ("POST", "/messages/none/drawing", {"chat"}),
    ("POST", "/messages/none/milder", {"chat"}),
    ("GET", "/messages/none/pictures", {"pictures", "read"}),
    ("GET", "/checkup/beat", set(ACCESS_SCOPES)),
    ("POST", "/mcp", {"chat", "pictures", "read"}),  # each of its tools asks for its own
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    access = AccessSettings(
        behind_proxy=True,
        tokens={"kiosk": Secret(ENV)},
        token_scopes={"kiosk": frozenset({"chat"})},
    )
    with serving(tmp_path_factory.mktemp("scopes"), access=access) as running:
        yield running


def call(served: Served, token: str, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return served.http.request(method, path, headers=headers, **more)


@pytest.mark.parametrize("scope", ACCESS_SCOPES)
def test_a_scope_lets_in_where_it_should_and_nowhere_else(served: Served, scope: Any) -> None:
    token = served.studio.tokens.issue(f"only {scope}", frozenset({scope}))
    for method, path, wanted in CALLS:
        reply = call(served, token, method, path)
        is_refused = reply.status_code == 403 and f"only {scope}" in reply.text
        assert is_refused == (scope not in wanted), (method, path, reply.text)
        assert reply.headers["x-request-id"]


def test_every_route_has_a_scope(served: Served) -> None:
    for path, methods in served.http.get("/openapi.json").json()["paths"].items():
        for method in methods:
            is_free = path in ("/healthz", "/readyz", "/openapi.json", "/enter")
            is_the_owners = path in ("/checkup", "/exchanges")  # no token's, whatever its scopes
            assert is_free or is_the_owners or wanted_scopes(method.upper(), path), (method, path)


def test_a_scoped_token_of_the_settings_is_held_to_it_and_opens_no_page(served: Served) -> None:
    assert call(served, ENV, "POST", "/v1/chat/completions", json=ASKED).status_code == 200
    refused = call(served, ENV, "POST", "/v1/images/generations", json={"prompt": "x"})
    assert refused.status_code == 403
    assert "chat only" in refused.json()["error"]["message"]
    token = served.studio.tokens.issue("page", ALL)
    for one in (ENV, token):
        assert served.http.post("/enter", data={"token": one}).status_code == 403


def test_what_another_process_makes_and_takes_back_holds_at_once(served: Served) -> None:
    elsewhere = IssuedTokens(served.studio.store.key_values, set)
    token = elsewhere.issue("elsewhere", ALL, limit=("day", Decimal("0.01"), "PRACTICE"))
    reply = call(served, token, "POST", "/v1/images/generations", json={"prompt": "a hill"})
    assert reply.status_code == 402  # its budget too
    assert call(served, token, "GET", "/v1/models").status_code == 200
    elsewhere.revoke(next(one.digest for one in elsewhere.all() if one.name == "elsewhere"))
    assert call(served, token, "GET", "/v1/models").status_code == 401
    studio = current_studio()
    assert studio is not None
    assert "elsewhere" not in {one.name for one in studio.tokens.all()}


def test_a_tokens_requests_of_a_minute_are_counted_apart(served: Served) -> None:
    slow, free = (
        served.studio.tokens.issue(name, ALL, per_minute=most)
        for name, most in (("slow", 2), ("free", None))
    )
    statuses = [call(served, slow, "GET", "/v1/models").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert call(served, free, "GET", "/v1/models").status_code == 200


def test_a_refusal_is_in_the_callers_language(served: Served) -> None:
    token = served.studio.tokens.issue("zh", frozenset({"chat", "read"}))
    reply = served.http.post(
        "/v1/images/generations",
        headers={"Authorization": f"Bearer {token}", "Accept-Language": "zh-CN"},
    )
    assert "只能用于对话和读取" in reply.json()["error"]["message"]
