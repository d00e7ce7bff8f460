"""Kling's account endpoints: packages, and the two billing books with their cursors."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.models.money.amounts import CNY
from core.models.speech import KLING_SPEECH_MODEL
from core.practice.kling.book import CASH_TYPE, PACKAGE_TYPE, ChargeBook, PictureCharge
from core.practice.kling.door import Door, Endpoint, envelope, whole_number
from core.practice.kling.refusal import KlingRefusal, bad_parameter
from core.practice.kling.tasks import TaskBook
from core.practice.settings import PracticeSettings

_MOST_ROWS = 500
_DEFAULT_ROWS = 100
_DAY_MS = 24 * 3600 * 1000


class _Asked(NamedTuple):
    """What rows are asked for; `after` is the last one that was given, the newest come first."""

    start_ms: int
    end_ms: int
    key_names: tuple[str, ...]
    after: tuple[int, str] | None = None


class Account:
    """The account of one practice server; all of it is free to ask."""

    def __init__(
        self,
        settings: PracticeSettings,
        door: Door,
        tasks: TaskBook,
        book: ChargeBook,
        spoken: Callable[[], Sequence[PictureCharge]] = tuple,
    ) -> None:
        self._settings = settings
        self._door = door
        self._tasks = tasks
        self._book = book
        self._spoken = spoken

    def routes(self) -> list[Route]:
        """Return the routes, which stand beside /v1."""
        return [
            self._door.route("/account/costs", GET=self._costs),
            self._door.route("/account/billing/package", POST=self._billing("units")),
            self._door.route("/account/billing/balance", POST=self._billing("cash")),
        ]

    async def _costs(self, request: Request) -> Response:
        start_ms = whole_number(request, "start_time", default=None)
        end_ms = whole_number(request, "end_time", default=None)
        if start_ms > end_ms:
            raise bad_parameter("start_time", "must not be after end_time")
        bought_ms = int(self._tasks.now() * 1000) - 30 * _DAY_MS
        pack = {
            "resource_pack_name": "练习资源包 Practice",
            "resource_pack_id": "practice-0000000000000001",
            "resource_pack_type": "decreasing_total",
            "total_quantity": float(self._settings.pack_units),
            "remaining_quantity": float(self._book.units_left()),
            "purchase_time": bought_ms,
            "effective_time": bought_ms,
            "invalid_time": bought_ms + 180 * _DAY_MS,
            "status": "online",
        }
        wanted = request.query_params.get("resource_pack_name")
        packs = [pack] if wanted in (None, "", pack["resource_pack_name"]) else []
        data = {"code": 0, "msg": "success", "resource_pack_subscribe_infos": packs}
        return envelope(0, "SUCCEED", data)

    def _billing(self, kind: Literal["units", "cash"]) -> Endpoint:
        async def rows(request: Request) -> Response:
            fields = _fields(await request.body())
            limit = fields.get("limit", _DEFAULT_ROWS)
            if not _is_whole(limit) or not 1 <= limit <= _MOST_ROWS:
                raise bad_parameter("limit", f"must be an integer from 1 to {_MOST_ROWS}")
            asked = _asked(fields)
            every = sorted((*self._book.lines(), *self._spoken()), key=_place, reverse=True)
            found = [line for line in every if _is_wanted(line, kind, asked)]
            shown, has_more = found[:limit], len(found) > limit
            last = _place(shown[-1]) if shown else None
            result = {
                "detail": [_row(line) for line in shown],
                "count": len(shown),
                "next_cursor": _cursor(asked._replace(after=last)) if has_more else "",
                "has_more": has_more,
            }
            return envelope(0, "SUCCEED", {"code": 0, "msg": "success", "result": result})

        return rows


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise KlingRefusal(1200, "The request body is not JSON") from error
    if not isinstance(fields, dict):
        raise KlingRefusal(1200, "The request body is not a JSON object")
    return {name: value for name, value in fields.items() if value is not None}


def _asked(fields: Mapping[str, Any]) -> _Asked:
    """Return what is asked for: by the cursor, which the other fields then do not change."""
    if cursor := fields.get("cursor"):
        return _from_cursor(cursor)
    for name in ("start_time", "end_time"):
        if not _is_whole(fields.get(name)):
            raise bad_parameter(name, "must be a whole number of milliseconds")
    start_ms, end_ms = fields["start_time"], fields["end_time"]
    if start_ms > end_ms:
        raise bad_parameter("start_time", "must not be after end_time")
    return _Asked(start_ms, end_ms, _key_names(fields.get("filters", [])))


def _key_names(filters: object) -> tuple[str, ...]:
    names: list[str] = []
    for one in filters if isinstance(filters, list) else [None]:
        fields = one if isinstance(one, dict) else {}
        values = fields.get("values")
        if not isinstance(values, list) or fields.get("key") != "api_key_name":
            raise bad_parameter("filters", "must be a list of {key: api_key_name, values: []}")
        names += [str(value) for value in values]
    return tuple(names)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _place(line: PictureCharge) -> tuple[int, str]:
    return line.task.ends_at_ms, line.task.task_id


def _is_wanted(line: PictureCharge, kind: str, asked: _Asked) -> bool:
    return (
        line.kind == kind
        and asked.start_ms <= line.task.ends_at_ms <= asked.end_ms
        and (not asked.key_names or line.task.key_name in asked.key_names)
        and (asked.after is None or _place(line) < asked.after)
    )


def _cursor(asked: _Asked) -> str:
    return base64.urlsafe_b64encode(json.dumps(asked).encode()).decode()


def _from_cursor(cursor: object) -> _Asked:
    try:
        start_ms, end_ms, names, (at_ms, task_id) = json.loads(
            base64.urlsafe_b64decode(cast(str, cursor))
        )
        return _Asked(int(start_ms), int(end_ms), tuple(names), (int(at_ms), str(task_id)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_parameter("cursor", "is invalid") from error


def _row(line: PictureCharge) -> dict[str, object]:
    task = line.task
    row: dict[str, object] = {
        "task_id": task.task_id,
        "api_key_name": task.key_name,
        "product_function": "image_to_image" if task.has_image else "text_to_image",
        "model_name": task.model_name,
        "resolution": task.resolution,
        "deduction_time": str(task.ends_at_ms),
        "balance_before_deduction": float(line.before),
        "deduction_amount": float(line.amount),
        "balance_after_deduction": float(line.after),
    }
    if line.kind == "units":
        is_speech = task.model_name == KLING_SPEECH_MODEL
        if is_speech:
            row["product_function"] = "text_to_speech"
        return row | {"package_type": "audio" if is_speech else PACKAGE_TYPE}
    listed = None if line.list_price is None else float(line.list_price)
    return row | {"cash_type": CASH_TYPE, "list_price": listed, "currency": CNY}
