"""core/providers/kling: what is sent, how replies are read, and what each code means."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeVar

import httpx
import jwt
import pytest

from core.errors import (
    AppError,
    AuthenticationError,
    InputError,
    NotFoundError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from core.models.accounts import KlingApiKey, KlingKeyPair
from core.models.generations import ImageRequest, KlingTask, ReferenceImage, TaskImage, TaskStatus
from core.models.image_rules import REFERENCE_MOST_BYTES
from core.providers.http.client import build_client
from core.providers.kling.client import Kling
from core.providers.kling.wire import AccountCosts, ResourcePack
from core.work.generations.lookup import find_task
from core.work.generations.recovery import recent_tasks

ORIGIN = "https://api-beijing.klingai.com"
API_KEY = "plain-key-0123456789"
PAIR = KlingKeyPair("access-key-of-thirty-two-letters", "secret-key-of-thirty-two-letters")
NOW = 1_790_000_000.0
OUR_ID = "inkling-7f3c"
PICTURE = ReferenceImage(b"\x89PNG picture", "image/png")
REQUEST = ImageRequest(prompt="一只猫")

Result = TypeVar("Result")


def task_data(**fields: Any) -> dict[str, Any]:
    return {
        "task_id": "Cl4-_abcDEFGHIJKLMNOPQ",
        "task_status": "submitted",
        "task_info": {"external_task_id": OUR_ID},
        "created_at": 1_790_000_000_123,
        "updated_at": "1790000001123",
    } | fields


def envelope(
    data: Any = None, *, code: Any = 0, status_code: int = 200, **kw: Any
) -> httpx.Response:
    body = {"code": code, "message": "SUCCEED" if code == 0 else "because", "request_id": "r-1"}
    if data is not None:
        body["data"] = data
    return httpx.Response(status_code, json=body, **kw)


class Server:
    """Answers with the given replies in turn, the last one for good, and remembers requests."""

    def __init__(self, *replies: httpx.Response | Exception) -> None:
        self.replies = list(replies) or [envelope(task_data())]
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.requests[-1].content)
        return body

    @property
    def tokens(self) -> list[str]:
        return [request.headers["authorization"].partition(" ")[2] for request in self.requests]

    def call(
        self,
        act: Callable[[Kling], Awaitable[Result]],
        *,
        credentials: KlingApiKey | KlingKeyPair | None = None,
        origin: str = ORIGIN,
    ) -> Result:
        async def run() -> Result:
            client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(self))
            provider = Kling(
                origin=origin,
                credentials=credentials or KlingApiKey(API_KEY),
                clock=lambda: NOW,
                client=client,
            )
            try:
                return await act(provider)
            finally:
                await provider.aclose()

        return asyncio.run(run())

    def create(
        self,
        request: ImageRequest = REQUEST,
        reference: ReferenceImage | None = None,
        **options: Any,
    ) -> KlingTask:
        return self.call(
            lambda it: it.create_task(
                request, external_task_id=OUR_ID, references=[reference] if reference else []
            ),
            **options,
        )

    def get(self, any_id: str = OUR_ID, **options: Any) -> KlingTask:
        return self.call(lambda it: it.get_task("image", any_id), **options)


def create(server: Server) -> Any:
    return server.create()


def get(server: Server) -> Any:
    return server.get()


def list_tasks(server: Server) -> Any:
    return server.call(lambda it: it.list_tasks("image"))


def costs(server: Server) -> Any:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    end = datetime(2026, 11, 2, tzinfo=UTC)
    return server.call(lambda it: it.account.costs(start=start, end=end))


CALLS = [create, get, list_tasks, costs]


def refusal(act: Callable[[Server], Any], *replies: httpx.Response | Exception) -> ProviderError:
    server = Server(*replies)
    with pytest.raises(ProviderError) as caught:
        act(server)
    assert len(server.requests) == 1
    assert caught.value.provider == "kling"
    assert "{" not in str(caught.value)
    return caught.value


# -- what is sent ----------------------------------------------------------------------------------


def test_a_plain_request_says_no_more_than_it_must() -> None:
    server = Server()
    server.create()
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", f"{ORIGIN}/v1/images/generations")
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["content-type"] == "application/json"
    assert server.body == {
        "model_name": "kling-v3",
        "prompt": "一只猫",
        "n": 1,
        "external_task_id": OUR_ID,
        "aspect_ratio": "1:1",
        "resolution": "1k",
    }


def test_every_field_of_the_reference_can_be_sent() -> None:
    server = Server()
    request = ImageRequest(
        prompt="a cat",
        model_name="kling-v2-1",
        aspect_ratio="21:9",
        resolution="2k",
        n=9,
        has_image=True,
        image_reference="subject",
        image_fidelity=0.0,
        human_fidelity=1.0,
        watermark=True,
        callback_url="https://example.org/kling",
    )
    server.create(request, PICTURE)
    assert server.body == {
        "model_name": "kling-v2-1",
        "prompt": "a cat",
        "n": 9,
        "external_task_id": OUR_ID,
        "aspect_ratio": "21:9",
        "resolution": "2k",
        "image": base64.b64encode(PICTURE.content).decode(),
        "image_reference": "subject",
        "image_fidelity": 0.0,
        "human_fidelity": 1.0,
        "watermark_info": {"enabled": True},
        "callback_url": "https://example.org/kling",
    }
    server.create(ImageRequest(prompt="a", negative_prompt="b", element_ids=(2**53 + 1,)))
    assert server.body["negative_prompt"] == "b"
    assert server.body["element_list"] == [{"element_id": 2**53 + 1}]


@pytest.mark.parametrize("model", ["kling-v2", "kling-v2-new"])
def test_a_restyled_picture_is_asked_for_without_a_size(model: str) -> None:
    server = Server()
    server.create(ImageRequest(prompt="ink", model_name=model, has_image=True), PICTURE)
    assert not {"aspect_ratio", "resolution"} & server.body.keys()


@pytest.mark.parametrize(
    ("request_", "reference", "text_id"),
    [
        (ImageRequest(prompt=""), None, "error.prompt_empty"),
        (ImageRequest(prompt="x", n=10), None, "error.image_count"),
        (ImageRequest(prompt="x", has_image=True), None, "error.reference_missing"),
        (ImageRequest(prompt="x"), PICTURE, "error.reference_missing"),
        (
            ImageRequest(prompt="x", has_image=True),
            ReferenceImage(bytes(REFERENCE_MOST_BYTES + 1), "image/png"),
            "error.reference_too_large",
        ),
    ],
)
def test_what_breaks_a_rule_is_never_sent(
    request_: ImageRequest, reference: ReferenceImage | None, text_id: str
) -> None:
    server = Server()
    with pytest.raises(InputError) as caught:
        server.create(request_, reference)
    assert caught.value.text_id == text_id
    assert server.requests == []


def test_lookups_ask_for_the_documented_addresses() -> None:
    server = Server(envelope(task_data(task_info={"external_task_id": "a/b c?d#é.."})))
    server.get("a/b c?d#é..")
    assert str(server.requests[-1].url).endswith("/generations/a%2Fb%20c%3Fd%23%C3%A9..")
    server = Server(envelope([]))
    assert server.call(lambda it: it.list_tasks("image", page=3, page_size=900)) == ()
    assert str(server.requests[-1].url).endswith("/generations?pageNum=3&pageSize=500")
    server = Server(envelope({"resource_pack_subscribe_infos": []}))
    costs(server)
    assert str(server.requests[-1].url) == (
        f"{ORIGIN}/account/costs?start_time=1793491200000&end_time=1793577600000"
    )


@pytest.mark.parametrize("any_id", ["", ".", ".."])
def test_an_id_that_would_leave_the_path_is_never_sent(any_id: str) -> None:
    server = Server()
    with pytest.raises(NotFoundError):
        server.get(any_id)
    assert server.requests == []


def test_an_origin_may_end_in_a_slash() -> None:
    server = Server()
    server.create(origin=ORIGIN + "/")
    assert str(server.requests[0].url) == f"{ORIGIN}/v1/images/generations"


def test_a_key_that_cannot_be_one_is_never_sent() -> None:
    server = Server()
    with pytest.raises(AuthenticationError) as caught:
        server.create(credentials=KlingApiKey("密钥"))
    assert caught.value.text_id == "error.kling_key_malformed"
    assert server.requests == []


# -- tokens ----------------------------------------------------------------------------------------


def test_a_key_pair_signs_one_token_for_many_requests() -> None:
    server = Server()

    async def thrice(provider: Kling) -> None:
        for _ in range(3):
            await provider.get_task("image", OUR_ID)

    server.call(thrice, credentials=PAIR)
    assert len(server.tokens) == 3
    assert len(set(server.tokens)) == 1
    options: Any = {"verify_exp": False, "verify_nbf": False}
    claims = jwt.decode(server.tokens[0], PAIR.secret_key, algorithms=["HS256"], options=options)
    assert claims == {"iss": PAIR.access_key, "exp": NOW + 1800, "nbf": NOW - 5}


@pytest.mark.parametrize("code", [1003, 1004, "1004"])
def test_a_token_out_of_time_is_signed_again_by_klings_clock(code: Any) -> None:
    date = {"date": "Mon, 21 Sep 2026 16:13:20 GMT"}
    server = Server(
        envelope(code=code, status_code=401, headers=date), envelope(task_data()), envelope([])
    )

    async def act(provider: Kling) -> None:
        await provider.create_task(REQUEST, external_task_id=OUR_ID)
        await provider.list_tasks("image")

    server.call(act, credentials=PAIR)
    first, second, third = server.tokens
    assert second == third != first
    options: Any = {"verify_signature": False}
    server_now = datetime(2026, 9, 21, 16, 13, 20, tzinfo=UTC).timestamp()
    assert jwt.decode(second, options=options)["nbf"] == server_now - 5
    assert server.requests[0].content == server.requests[1].content


def test_a_token_is_signed_again_only_once() -> None:
    server = Server(envelope(code=1004, status_code=401))
    with pytest.raises(AuthenticationError) as caught:
        server.create(credentials=PAIR)
    assert (caught.value.code, caught.value.text_id) == (1004, "error.kling_clock")
    assert len(server.requests) == 2


def test_a_plain_key_cannot_be_signed_again() -> None:
    assert refusal(create, envelope(code=1003, status_code=401)).code == 1003


def test_requests_refused_together_are_signed_again_alike() -> None:
    date = {"date": "Mon, 21 Sep 2026 16:13:20 GMT"}

    server = Server()
    ticks = count(NOW)

    async def run() -> None:
        are_all_there = asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            server.requests.append(request)
            if len(server.requests) == 5:
                are_all_there.set()
            await are_all_there.wait()
            if server.tokens[0] == request.headers["authorization"].partition(" ")[2]:
                return envelope(code=1004, status_code=401, headers=date)
            return envelope(task_data())

        client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(answer))
        provider = Kling(origin=ORIGIN, credentials=PAIR, clock=lambda: next(ticks), client=client)
        await asyncio.gather(*(provider.get_task("image", OUR_ID) for _ in range(5)))
        await provider.aclose()

    asyncio.run(run())
    assert len(server.requests) == 10
    assert len(set(server.tokens)) == 2


# -- reading ---------------------------------------------------------------------------------------


def test_a_new_task_is_read() -> None:
    task = Server().create()
    assert task == KlingTask(
        task_id="Cl4-_abcDEFGHIJKLMNOPQ",
        status=TaskStatus.SUBMITTED,
        external_task_id=OUR_ID,
        created_at=datetime.fromtimestamp(1_790_000_000.123, UTC),
        updated_at=datetime.fromtimestamp(1_790_000_001.123, UTC),
        request_id="r-1",
    )


def test_a_finished_task_is_read_with_its_pictures_in_order() -> None:
    images = [
        {"index": "1", "url": "https://cdn.klingai.com/b?x=1", "watermark_url": ""},
        {"index": 0, "url": "https://cdn.klingai.com/a", "watermark_url": "https://w/a"},
    ]
    data = task_data(
        task_status="succeed", task_result={"images": images}, final_unit_deduction="16"
    )
    task = Server(envelope(data)).get()
    assert task.status is TaskStatus.SUCCEED
    assert task.images == (
        TaskImage(0, "https://cdn.klingai.com/a", "https://w/a"),
        TaskImage(1, "https://cdn.klingai.com/b?x=1"),
    )
    assert task.unit_deduction == "16"
    assert "cdn.klingai.com" not in repr(task)


def test_a_failed_task_is_read_with_its_reason() -> None:
    data = task_data(task_status="failed", task_status_msg="content control\nhttps://k/x?sig=1")
    task = Server(envelope(data)).get()
    assert task.status is TaskStatus.FAILED
    assert task.status_message == "content control https://k/x"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("submitted", TaskStatus.SUBMITTED),
        ("processing", TaskStatus.PROCESSING),
        ("failed", TaskStatus.FAILED),
        ("queued", TaskStatus.PROCESSING),
        ("", TaskStatus.PROCESSING),
    ],
)
def test_an_unknown_status_is_a_task_that_goes_on(word: str, status: TaskStatus) -> None:
    assert Server(envelope(task_data(task_status=word))).get().status is status


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"task_id": 829_000_000_000_000_001}, {"task_id": "829000000000000001"}),
        ({"created_at": "1790000000123.0"}, {"created_at": datetime.fromtimestamp(1.79e9, UTC)}),
        ({"created_at": None}, {"created_at": None}),
        ({"created_at": "soon"}, {"created_at": None}),
        ({"created_at": 1e300}, {"created_at": None}),
        ({"created_at": True}, {"created_at": None}),
        ({"final_unit_deduction": 8}, {"unit_deduction": "8"}),
        ({"final_unit_deduction": ""}, {"unit_deduction": None}),
        ({"task_info": None}, {"external_task_id": None}),
        ({"task_info": []}, {"external_task_id": None}),
        ({"task_status_msg": None}, {"status_message": ""}),
        ({"task_result": {"images": None}}, {"images": ()}),
    ],
)
def test_odd_fields_are_tolerated(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    task = Server(envelope(task_data(**fields))).get()
    for name, value in expected.items():
        read = getattr(task, name)
        if isinstance(value, datetime):
            read = read.replace(microsecond=0)
        assert read == value


def test_a_code_in_quotes_is_a_code() -> None:
    assert Server(envelope(task_data(), code="0")).create().external_task_id == OUR_ID
    assert refusal(create, envelope(code="1303", status_code=429)).code == 1303


def test_a_code_of_zero_counts_whatever_the_status() -> None:
    assert Server(envelope(task_data(), status_code=400)).create().external_task_id == OUR_ID


def test_a_list_keeps_finished_tasks_whose_pictures_are_gone() -> None:
    data = [task_data(task_status="succeed"), task_data(task_status="failed")]
    tasks = Server(envelope(data)).call(lambda it: it.list_tasks("image"))
    assert [task.status for task in tasks] == [TaskStatus.SUCCEED, TaskStatus.FAILED]


@pytest.mark.parametrize("task_id", [None, "", "a b", "<i>x</i>", "x" * 300, ["t"]])
def test_an_unreadable_id_in_a_list_leaves_the_others_and_keeps_its_place(task_id: Any) -> None:
    data = [task_data(), task_data(task_id=task_id), task_data()]
    tasks = Server(envelope(data)).call(lambda it: it.list_tasks("image"))
    assert [bool(task.task_id) for task in tasks] == [True, False, True]
    assert tasks[1].external_task_id == OUR_ID


def test_a_task_listed_under_an_unreadable_id_is_not_taken_for_missing() -> None:
    generation: Any = SimpleNamespace(
        kind="image", external_task_id=OUR_ID, id="g", sending_at=None
    )
    generation.updated_at = datetime.now(UTC)
    missing = envelope(code=1203, status_code=404)
    server = Server(missing, envelope([task_data(task_id="a b")]))
    with pytest.raises(ProtocolError) as caught:
        server.call(lambda it: find_task(it, generation))
    assert caught.value.text_id == "error.kling_incomplete"


def test_a_recovery_passes_over_an_unreadable_id() -> None:
    server = Server(
        envelope([task_data(task_id="a b", created_at=None), task_data(created_at=None)])
    )
    assert len(server.call(recent_tasks)) == 1


def test_the_account_is_read() -> None:
    pack = {
        "resource_pack_name": "图片包",
        "resource_pack_id": "p-1",
        "resource_pack_type": "decreasing_total",
        "total_quantity": 1000.0,
        "remaining_quantity": "118.5",
        "purchase_time": 1_790_000_000_000,
        "invalid_time": "1790000000000",
        "status": "online",
    }
    data = {"code": 0, "msg": "SUCCEED", "resource_pack_subscribe_infos": [pack, None]}
    moment = datetime.fromtimestamp(1.79e9, UTC)
    assert costs(Server(envelope(data))) == AccountCosts(
        (
            ResourcePack(
                "p-1",
                "图片包",
                "decreasing_total",
                "online",
                1000.0,
                118.5,
                purchased_at=moment,
                invalid_at=moment,
            ),
        )
    )


def test_the_accounts_inner_code_counts_as_well() -> None:
    error = refusal(costs, envelope({"code": 1101, "msg": "arrears"}))
    assert isinstance(error, QuotaExceededError)
    assert error.detail == "arrears"


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status_code", "code", "kind", "text_id"),
    [
        (401, 1000, AuthenticationError, "error.kling_key"),
        (401, 1001, AuthenticationError, "error.kling_key"),
        (401, 1002, AuthenticationError, "error.kling_key"),
        (401, 1003, AuthenticationError, "error.kling_clock"),
        (401, 1004, AuthenticationError, "error.kling_clock"),
        (429, 1100, QuotaExceededError, "error.kling_account"),
        (429, 1101, QuotaExceededError, "error.kling_arrears"),
        (429, 1102, QuotaExceededError, "error.kling_package"),
        (403, 1103, RejectedError, "error.kling_no_right"),
        (400, 1200, RejectedError, "error.kling_parameters"),
        (400, 1201, RejectedError, "error.kling_parameters"),
        (404, 1202, RejectedError, "error.kling_parameters"),
        (404, 1203, RejectedError, "error.kling_parameters"),
        (400, 1300, RejectedError, "error.kling_policy"),
        (400, 1301, RejectedError, "error.kling_content"),
        (429, 1302, RateLimitError, "error.kling_rate"),
        (429, 1303, RateLimitError, "error.kling_slots"),
        (429, 1304, RejectedError, "error.kling_address_list"),
        (500, 5000, UnavailableError, "error.kling_fault"),
        (503, 5001, UnavailableError, "error.kling_maintenance"),
        (504, 5002, UnavailableError, "error.kling_fault"),
        # families of codes that are not listed
        (401, 1099, AuthenticationError, "error.kling_key"),
        (400, 1299, RejectedError, "error.kling_parameters"),
        (400, 1399, RejectedError, "error.kling_policy"),
        (500, 5999, UnavailableError, "error.kling_fault"),
        (400, 1199, ProtocolError, "error.kling_unclear"),
        (400, 9999, ProtocolError, "error.kling_unclear"),
        (400, -1, ProtocolError, "error.kling_unclear"),
    ],
)
@pytest.mark.parametrize("is_status_kept", [True, False])
def test_a_code_has_its_error_whatever_the_status(
    status_code: int, code: int, kind: type[ProviderError], text_id: str, is_status_kept: bool
) -> None:
    status_code = status_code if is_status_kept else 200
    error = refusal(create, envelope(code=code, status_code=status_code))
    assert type(error) is kind
    assert error.text_id == text_id
    assert (error.code, error.status_code) == (code, status_code)
    assert (error.detail, error.request_id) == ("because", "r-1")


def test_a_missing_resource_is_a_missing_task_only_on_a_lookup() -> None:
    reply = envelope(code=1203, status_code=404)
    assert isinstance(refusal(get, reply), NotFoundError)
    for act in (create, list_tasks, costs):
        assert isinstance(refusal(act, reply), RejectedError)


def test_the_wish_for_a_rest_is_read() -> None:
    error = refusal(create, envelope(code=1302, status_code=429, headers={"retry-after": "3"}))
    assert isinstance(error, RateLimitError)
    assert error.retry_after_s == 3.0


SPRING = {"timestamp": "t", "status": 404, "error": "Not Found", "message": "m", "path": "/v1"}


@pytest.mark.parametrize("act", CALLS)
@pytest.mark.parametrize(
    ("status_code", "body", "kind"),
    [
        (404, SPRING, ProtocolError),
        (405, SPRING, ProtocolError),
        (403, SPRING, ProtocolError),
        (401, SPRING, AuthenticationError),
        (401, "<html>proxy</html>", ProtocolError),
        (500, SPRING, UnavailableError),
        (502, "<html><h1>Bad Gateway</h1></html>", UnavailableError),
        (504, "", UnavailableError),
        (200, "<!doctype html>", ProtocolError),
        (200, "", ProtocolError),
        (200, "[1, 2]", ProtocolError),
        (200, "null", ProtocolError),
        (302, "", ProtocolError),
        (400, {"code": "bad"}, ProtocolError),
        (200, {"code": None, "data": {}}, ProtocolError),
        (200, {"code": True, "data": {}}, ProtocolError),
        (200, {"code": 0}, ProtocolError),
        (500, {"code": 0}, UnavailableError),
        (200, {"code": 0, "data": "text"}, ProtocolError),
        (200, {"code": 0, "data": {}}, ProtocolError),
        (200, {"code": 0, "data": [1]}, ProtocolError),
        (200, {"code": 0, "data": [{"task_id": ""}]}, ProtocolError),
        (200, {"code": 0, "data": {"task_id": "x"}}, ProtocolError),
        (200, {"code": 0, "data": {"task_status": "submitted"}}, ProtocolError),
    ],
)
def test_what_is_not_klings_envelope_leaves_it_open(
    act: Callable[[Server], Any], status_code: int, body: Any, kind: type[ProviderError]
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    error = refusal(act, httpx.Response(status_code, content=content.encode()))
    assert type(error) is kind
    assert "<" not in f"{error}{error.detail}"


def test_a_success_without_a_picture_is_none() -> None:
    results: list[Any] = [None, {}, {"images": []}, {"images": [{"index": 0}]}]
    for result in results:
        data = task_data(task_status="succeed", task_result=result)
        error = refusal(get, envelope(data))
        assert isinstance(error, ProtocolError)
        assert error.text_id == "error.kling_incomplete"


@pytest.mark.parametrize("act", [create, get])
def test_somebody_elses_task_is_not_taken_for_ours(act: Callable[[Server], Any]) -> None:
    data = task_data(task_info={"external_task_id": "another"})
    assert isinstance(refusal(act, envelope(data)), ProtocolError)


def test_a_task_may_be_asked_for_by_klings_own_id() -> None:
    data = task_data(task_info={"external_task_id": "another"})
    assert Server(envelope(data)).get(data["task_id"]).external_task_id == "another"


@pytest.mark.parametrize("act", CALLS)
@pytest.mark.parametrize(
    ("raised", "text_id"),
    [
        (httpx.ConnectError("no"), "error.network_connect"),
        (httpx.ReadTimeout("no"), "error.network_timeout"),
        (httpx.ReadError("no"), "error.network_lost"),
        (httpx.RemoteProtocolError("no"), "error.network_lost"),
    ],
)
def test_trouble_below_http_is_sent_once_and_told(
    act: Callable[[Server], Any], raised: Exception, text_id: str
) -> None:
    error = refusal(act, raised)
    assert isinstance(error, UnavailableError)
    assert error.text_id == text_id
    assert error.facts["host"] == "api-beijing.klingai.com"


def test_a_reply_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.providers.kling.client.CREATE_TIMEOUT_S", 0.05)

    async def run() -> AppError:
        async def answer(_: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

        client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(answer))
        provider = Kling(origin=ORIGIN, credentials=KlingApiKey(API_KEY), client=client)
        with pytest.raises(UnavailableError) as caught:
            await provider.create_task(REQUEST, external_task_id=OUR_ID)
        await provider.aclose()
        return caught.value

    assert asyncio.run(run()).text_id == "error.network_timeout"


def test_no_secret_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server = Server()
    server.get(credentials=PAIR)
    token = server.tokens[0]
    secrets = (PAIR.access_key, PAIR.secret_key, token, token[40:60])
    message = " ".join((*secrets, "https://k/x?sig=1"))
    for reply in (
        httpx.Response(400, json={"code": 1201, "message": message}),
        httpx.Response(400, json={"message": message}),
        httpx.Response(502, text=message),
    ):
        with pytest.raises(ProviderError) as caught:
            Server(reply).get(credentials=PAIR)
        error = caught.value
        shown = f"{error} {error!r} {error.detail} {error.facts} {caplog.text}"
        for secret in (*secrets, "sig=1", "一只猫"):
            assert secret not in shown
