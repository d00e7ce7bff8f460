"""core/providers/deepseek: what is asked, whole answers, refusals, and what is never shown."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import pytest

from core.errors import (
    AuthenticationError,
    NotFoundError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.models.chat import ChatModel, ChatParameters, Turn, Usage
from core.models.chat_options import ChatOptions
from core.models.deltas import Completion, Extras
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.timeouts import StreamTimers
from core.providers.deepseek.wire import Balance, CurrencyBalance
from core.providers.http.client import build_client
from tests.unit.replies import Pieces

OWN = "https://api.deepseek.com/chat/completions"
OTHER = "http://127.0.0.1:11434/v1/chat/completions"
KEY = "sk-0123456789abcdef0123456789abcdef"
TURNS = [Turn.of_text("system", "简短"), Turn.of_text("user", "你好")]
ANSWER = {"choices": [{"message": {"content": "好"}, "finish_reason": "stop"}]}

Result = TypeVar("Result")


class Server:
    """Answers every request alike, and remembers them."""

    def __init__(self, reply: httpx.Response | Exception | None = None) -> None:
        self.reply = reply or httpx.Response(200, json=ANSWER)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.requests[-1].content)
        return body

    def call(
        self,
        act: Callable[[DeepSeek], Awaitable[Result]],
        *,
        url: str = OWN,
        api_key: str = KEY,
        practice: bool = False,
        timers: StreamTimers | None = None,
    ) -> Result:
        async def run() -> Result:
            client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(self))
            provider = DeepSeek(
                url=url, api_key=api_key, practice=practice, timers=timers, client=client
            )
            try:
                return await act(provider)
            finally:
                await provider.aclose()

        return asyncio.run(run())

    def ask(
        self, parameters: ChatParameters | None = None, turns: list[Turn] = TURNS, **options: Any
    ) -> Completion:
        asked = ChatOptions(user_id=options.pop("user_id", None))
        chosen = parameters or ChatParameters()
        return self.call(lambda it: it.complete(turns, chosen, asked), **options)

    def stream(self, parameters: ChatParameters | None = None, **options: Any) -> None:
        async def act(provider: DeepSeek) -> None:
            async with provider.stream(TURNS, parameters or ChatParameters()) as chunks:
                async for _ in chunks.batches():
                    pass

        self.call(act, **options)


def refusal(
    status_code: int, *, headers: dict[str, str] | None = None, stream: bool = False, **reply: Any
) -> ProviderError:
    server = Server(httpx.Response(status_code, headers=headers, **reply))
    with pytest.raises(ProviderError) as caught:
        server.stream() if stream else server.ask()
    assert "{" not in str(caught.value)
    return caught.value


def said(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "t", "param": None, "code": "c"} | fields}


# -- what is asked ---------------------------------------------------------------------------------


def test_a_quick_chat_says_that_it_does_not_think() -> None:
    server = Server()
    server.ask(ChatParameters(temperature=1.3, top_p=0.9, max_tokens=100), user_id="u-1")
    assert server.body == {
        "model": "deepseek-flash",
        "messages": [
            {"role": "system", "content": "简短"},
            {"role": "user", "content": "你好"},
        ],
        "stream": False,
        "thinking": {"type": "disabled"},
        "user_id": "u-1",
        "temperature": 1.3,
        "top_p": 0.9,
        "max_tokens": 100,
    }
    request = server.requests[0]
    assert str(request.url) == OWN
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"


def test_thinking_says_how_much_and_leaves_out_what_has_no_effect() -> None:
    server = Server()
    server.ask(ChatParameters(thinking=True, effort="max", temperature=1.3, top_p=0.9))
    assert server.body["thinking"] == {"type": "enabled"}
    assert server.body["reasoning_effort"] == "max"
    assert not {"temperature", "top_p", "max_tokens"} & server.body.keys()


def test_a_stream_asks_for_its_usage() -> None:
    server = Server()
    server.stream()
    assert server.body["stream"] is True
    assert server.body["stream_options"] == {"include_usage": True}


def test_another_server_is_not_sent_what_only_deepseek_knows() -> None:
    server = Server()
    turns = [
        Turn.of_text("user", "你好"),
        Turn.of_text("assistant", "好", reasoning_content="想", prefix=True),
    ]
    server.ask(turns=turns, url=OTHER, user_id="u-1")
    assert server.body.keys() == {"model", "messages", "stream"}
    assert server.body["messages"][-1] == {"role": "assistant", "content": "好"}
    assert str(server.requests[0].url) == OTHER


def test_another_server_is_asked_to_think_in_openais_words() -> None:
    server = Server()
    server.ask(ChatParameters(thinking=True, effort="max"), url=OTHER)
    assert "thinking" not in server.body
    assert server.body["reasoning_effort"] == "high"


def test_the_practice_server_is_spoken_to_like_deepseek() -> None:
    server = Server()
    server.ask(url="http://127.0.0.1:9/chat/completions", practice=True)
    assert server.body["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (OWN, "https://api.deepseek.com/beta/chat/completions"),
        (
            "https://api.deepseek.com/v1/chat/completions",
            "https://api.deepseek.com/beta/chat/completions",
        ),
        (
            "https://api.deepseek.com/beta/chat/completions",
            "https://api.deepseek.com/beta/chat/completions",
        ),
        (OTHER, OTHER),
    ],
)
def test_a_started_answer_is_continued_on_the_beta_base(url: str, asked: str) -> None:
    server = Server()
    server.ask(turns=[*TURNS, Turn.of_text("assistant", "从前", prefix=True)], url=url)
    assert str(server.requests[0].url) == asked
    if "deepseek" in url:
        assert server.body["messages"][-1] == {
            "role": "assistant",
            "content": "从前",
            "prefix": True,
        }


@pytest.mark.parametrize(
    ("url", "models", "balance"),
    [
        (OWN, "https://api.deepseek.com/models", "https://api.deepseek.com/user/balance"),
        (
            "https://api.deepseek.com/v1/chat/completions",
            "https://api.deepseek.com/v1/models",
            "https://api.deepseek.com/user/balance",
        ),
        (OTHER, "http://127.0.0.1:11434/v1/models", "http://127.0.0.1:11434/v1/user/balance"),
        (
            "https://gate.example/ai/chat/completions?v=2",
            "https://gate.example/ai/models?v=2",
            "https://gate.example/ai/user/balance?v=2",
        ),
    ],
)
def test_the_other_addresses_follow_from_the_chat_address(
    url: str, models: str, balance: str
) -> None:
    server = Server(httpx.Response(500))
    for act in (DeepSeek.list_models, DeepSeek.balance):
        with pytest.raises(UnavailableError):
            server.call(act, url=url)
    assert [str(request.url) for request in server.requests] == [models, balance]


@pytest.mark.parametrize("model", ["deepseek-chat", "deepseek-reasoner", "deepseek-coder"])
def test_a_retired_name_is_refused_before_anything_is_sent(model: str) -> None:
    server = Server()
    with pytest.raises(RejectedError) as caught:
        server.ask(ChatParameters(model=model))
    assert caught.value.text_id == "error.retired_model"
    assert caught.value.facts["model"] == model
    assert "deepseek-flash" in str(caught.value)
    assert server.requests == []


def test_another_server_may_call_a_model_as_it_likes() -> None:
    server = Server()
    server.ask(ChatParameters(model="deepseek-chat"), url=OTHER)
    assert server.body["model"] == "deepseek-chat"


def test_a_key_is_optional_and_loses_the_blanks_around_it() -> None:
    server = Server()
    server.ask(url=OTHER, api_key="")
    assert "authorization" not in server.requests[0].headers
    server.ask(url=OTHER, api_key=f"  {KEY}\n")
    assert server.requests[1].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent() -> None:
    server = Server()
    for key in ("你的密钥", "sk-\x00"):
        with pytest.raises(AuthenticationError) as caught:
            server.ask(api_key=key)
        assert caught.value.text_id == "error.deepseek_key_malformed"
    assert server.requests == []


def test_half_a_surrogate_pair_in_a_question_can_be_sent() -> None:
    server = Server()
    server.ask(turns=[Turn.of_text("user", "好\ud83d")])
    assert server.body["messages"][0]["content"] == "好?"


def test_a_user_id_keeps_to_the_allowed_letters() -> None:
    server = Server()
    server.ask(user_id="a@b.c/" + "x" * 600)
    assert server.body["user_id"].startswith("a-b-c-xxx")
    assert len(server.body["user_id"]) == 512


def test_timers_follow_the_server_unless_they_are_given() -> None:
    def patience(**options: Any) -> Any:
        server = Server()
        server.ask(**options)
        return server.requests[0].extensions["timeout"]["read"]

    assert patience(url=OWN) == 90
    assert patience(url=OTHER) == 540
    assert patience(url=OTHER, timers=StreamTimers(socket_silence_s=7)) == 7
    assert 600 not in (StreamTimers().first_data_s, StreamTimers().data_silence_s)


# -- whole answers ---------------------------------------------------------------------------------


def test_a_whole_answer_is_read_behind_blank_lines() -> None:
    answer = {
        "id": "answer-1",
        "model": "deepseek-flash",
        "choices": [
            {
                "message": {"content": "好", "reasoning_content": "想"},
                "finish_reason": "length",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }
    body = Pieces([b"\n", b"\n\n", json.dumps(answer).encode()])
    completion = Server(httpx.Response(200, stream=body)).ask()
    assert completion == Completion(
        "好", "想", Extras("length", Usage(3, 4, 7), "deepseek-flash", "answer-1")
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"choices": []}', b"[" * 100_000, b'{"choices": [{"message"']
)
def test_a_whole_answer_of_another_shape_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        Server(httpx.Response(200, content=body)).ask()
    assert caught.value.text_id == "error.chat_unreadable"


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(RateLimitError):
        Server(httpx.Response(200, json=said("slow down", code=429))).ask()


def test_a_whole_answer_that_never_comes_is_given_up() -> None:
    timers = StreamTimers(socket_silence_s=5, whole_answer_s=0.05)
    server = Server(httpx.Response(200, stream=Pieces([b"\n", asyncio.Event()])))
    with pytest.raises(UnavailableError) as caught:
        server.ask(timers=timers)
    assert caught.value.text_id == "error.answer_too_slow"


# -- models and balance ----------------------------------------------------------------------------


def test_models_are_read_with_and_without_their_figures() -> None:
    listing = {
        "object": "list",
        "data": [
            {
                "id": "deepseek-flash",
                "name": "DeepSeek-V4.1-Flash",
                "context_window": 1_048_576,
                "max_output_tokens": 393_216,
            },
            {"id": "deepseek-v4-pro", "object": "model", "owned_by": "deepseek"},
            {"object": "model"},
            None,
        ],
    }
    assert Server(httpx.Response(200, json=listing)).call(DeepSeek.list_models) == (
        ChatModel("deepseek-flash", "DeepSeek-V4.1-Flash", 1_048_576, 393_216),
        ChatModel("deepseek-v4-pro"),
    )


def test_the_balance_is_read_in_every_currency() -> None:
    account = {
        "is_available": True,
        "balance_infos": [
            {
                "currency": "CNY",
                "total_balance": "110.00",
                "granted_balance": "10.00",
                "topped_up_balance": "100.00",
            },
            {"currency": "USD", "total_balance": 0.5},
            {"currency": "EUR", "total_balance": "much"},
        ],
    }
    assert Server(httpx.Response(200, json=account)).call(DeepSeek.balance) == Balance(
        True,
        (
            CurrencyBalance("CNY", Decimal("110.00"), Decimal("10.00"), Decimal("100.00")),
            CurrencyBalance("USD", Decimal("0.5")),
        ),
    )


@pytest.mark.parametrize("act", [DeepSeek.list_models, DeepSeek.balance])
@pytest.mark.parametrize("body", [b"{}", b"<html>", b"[]", b'{"data": 1, "balance_infos": 2}'])
def test_side_calls_of_another_shape_are_protocol_errors(
    act: Callable[[DeepSeek], Awaitable[Any]], body: bytes
) -> None:
    with pytest.raises(ProtocolError):
        Server(httpx.Response(200, content=body)).call(act)


@pytest.mark.parametrize(
    ("act", "text_id"),
    [
        (DeepSeek.list_models, "error.models_not_offered"),
        (DeepSeek.balance, "error.balance_not_offered"),
    ],
)
def test_a_server_without_the_side_calls_says_so(
    act: Callable[[DeepSeek], Awaitable[Any]], text_id: str
) -> None:
    with pytest.raises(NotFoundError) as caught:
        Server(httpx.Response(404, text="404 page not found")).call(act, url=OTHER)
    assert caught.value.text_id == text_id
    with pytest.raises(AuthenticationError):
        Server(httpx.Response(401)).call(act, url=OTHER)


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status_code", "kind", "text_id"),
    [
        (400, RejectedError, "error.chat_rejected"),
        (401, AuthenticationError, "error.deepseek_key"),
        (402, QuotaExceededError, "error.deepseek_balance"),
        (403, RejectedError, "error.deepseek_not_allowed"),
        (404, RejectedError, "error.chat_address"),
        (405, RejectedError, "error.chat_address"),
        (413, RejectedError, "error.context_too_long"),
        (418, RejectedError, "error.chat_rejected"),
        (422, RejectedError, "error.chat_rejected"),
        (429, RateLimitError, "error.deepseek_rate"),
        (301, RejectedError, "error.chat_address"),
        (500, UnavailableError, "error.chat_fault"),
        (501, UnavailableError, "error.chat_fault"),
        (502, UnavailableError, "error.chat_gateway"),
        (503, UnavailableError, "error.chat_overloaded"),
        (504, UnavailableError, "error.chat_gateway"),
        (524, UnavailableError, "error.chat_gateway"),
    ],
)
def test_a_status_has_its_error(
    status_code: int, kind: type[ProviderError], text_id: str, stream: bool
) -> None:
    headers = {"x-ds-trace-id": "trace-1", "content-type": "application/octet-stream"}
    error = refusal(status_code, headers=headers, stream=stream, json=said("because"))
    assert type(error) is kind
    assert error.text_id == text_id
    assert (error.status_code, error.code) == (status_code, "c")
    assert error.detail == "because"
    assert error.request_id == "trace-1"
    assert error.facts["host"] == "api.deepseek.com"


@pytest.mark.parametrize(
    ("status_code", "message", "text_id"),
    [
        (
            400,
            "The supported API model names are deepseek-flash or deepseek-v4-pro, but you passed x",
            "error.chat_model_unknown",
        ),
        (404, "model 'llama9' not found", "error.chat_model_unknown"),
        (404, "The model `x` does not exist or you do not have access", "error.chat_model_unknown"),
        (400, "Model Not Exist", "error.chat_model_unknown"),
        (
            400,
            "This model's maximum context length is 1048576 tokens. However, you requested 2000000",
            "error.context_too_long",
        ),
        (400, "the request exceeds the available context size", "error.context_too_long"),
        (
            400,
            "The reasoning_content in the thinking mode must be passed back to the API.",
            "error.reasoning_required",
        ),
        (400, "DeepseekException - Insufficient Balance", "error.deepseek_balance"),
        (429, "insufficient_quota", "error.deepseek_balance"),
        (400, "Content Exists Risk", "error.chat_moderated"),
        (422, "temperature must be <= 2", "error.chat_rejected"),
        (500, "model not found", "error.chat_fault"),
    ],
)
def test_the_words_of_a_refusal_tell_more(status_code: int, message: str, text_id: str) -> None:
    error = refusal(status_code, json=said(message))
    assert error.text_id == text_id
    assert error.detail == message


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"error": "plain"}', "plain"),
        (b'{"code": 20012, "message": "flat", "data": null}', "flat"),
        (b'{"detail": "fastapi"}', "fastapi"),
        (b'{"error": {"message": null}}', ""),
        (b'{"error": null}', ""),
        (b"not json", "not json"),
        (b"", ""),
        (b"<html><title>413</title><script>x()</script><b>Too &amp; large</b>", "413 Too & large"),
    ],
)
def test_a_refusal_is_read_in_every_shape(body: bytes, detail: str) -> None:
    assert refusal(400, content=body).detail == detail


def test_a_gateways_web_page_is_told_apart_and_shown_without_markup() -> None:
    page = b"<html><head><title>500</title></head><body>" + b"<p>nginx</p>" * 100
    error = refusal(500, headers={"content-type": "text/html"}, content=page)
    assert error.text_id == "error.chat_gateway"
    assert error.detail.startswith("500 nginx nginx")
    assert len(error.detail) <= 200


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_the_wish_for_a_rest_is_read(headers: dict[str, str], wait_s: float | None) -> None:
    for body in (b'{"error": {"message": "slow down"}}', b"slow down"):
        error = refusal(429, headers=headers, content=body)
        assert isinstance(error, RateLimitError)
        assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("raised", "text_id"),
    [
        (httpx.ConnectError("no"), "error.network_connect"),
        (httpx.ConnectTimeout("no"), "error.network_connect"),
        (httpx.ProxyError("no"), "error.network_connect"),
        (httpx.WriteTimeout("no"), "error.network_timeout"),
        (httpx.PoolTimeout("no"), "error.network_timeout"),
        (httpx.ReadTimeout("no"), "error.socket_silent"),
        (httpx.ReadError("no"), "error.network_lost"),
        (httpx.RemoteProtocolError("no"), "error.network_lost"),
    ],
)
def test_trouble_below_http_is_unavailable(raised: Exception, text_id: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        Server(raised).ask()
    assert caught.value.text_id == text_id
    assert caught.value.facts["host"] == "api.deepseek.com"
    assert caught.value.__cause__ is raised


def test_no_secret_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    message = f"key {KEY} or {KEY[5:20]} at https://u:p@host/x?sig=abc, Bearer abc.def"
    error = refusal(401, json=said(message))
    shown = f"{error} {error.detail} {error.facts} {error!r} {caplog.text}"
    for secret in (KEY, KEY[5:20], "sig=abc", "u:p", "abc.def", "你好"):
        assert secret not in shown
    assert KEY not in repr(DeepSeek(url=OWN, api_key=KEY))
