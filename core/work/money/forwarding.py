"""Calls that are passed on to Kling as they are: those that can spend have their line, too.

What such a call costs is known where the list has it; the task's own figures come when somebody
asks for the task.
"""

import asyncio
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import AppError, may_be_billed
from core.models.money.ledger import (
    LedgerLine,
    LineState,
    Mark,
    Reservation,
    Settlement,
    Spender,
)
from core.models.money.settling import settle_lost, settle_task
from core.providers.kling.client import Kling, KlingReply
from core.storage.money.ledger import Ledger
from core.work.money.spending import Spending
from core.work.money.task_costs import decimal_of

# Reading, and what is free by the list (money.md §2.5).
_FREE = re.compile(r"/v1/(account/|general/(custom-elements|presets))")
_SPENDING_METHODS = ("POST", "PUT", "PATCH")
_RESOLUTIONS = {"std": "720p", "pro": "1080p", "4k": "4k", "720p": "720p", "1080p": "1080p"}
_SECONDS_MOST = 600


class Forwarding:
    """Passes calls on, and keeps the ledger beside them. On the studio's loop."""

    def __init__(self, ledger: Ledger, spending: Spending) -> None:
        self._ledger = ledger
        self._spending = spending

    async def forward(
        self,
        kling: Kling,
        provider: str,
        spender: Spender,
        method: str,
        target: str,
        *,
        body: bytes,
        content_type: str | None,
    ) -> KlingReply:
        """Send a call on; BudgetError, and nothing sent, where no budget has room for it."""
        path = target.partition("?")[0]
        if method not in _SPENDING_METHODS or _FREE.match(path):
            reply = await kling.forward(method, target, body=body, content_type=content_type)
            await self._note_figures(provider, reply)
            return reply
        held = self._reservation(spender, provider, path, body)
        await asyncio.to_thread(self._ledger.reserve, held)
        settled: Settlement | None = settle_lost(held.line)
        try:
            reply = await kling.forward(method, target, body=body, content_type=content_type)
            settled = _outcome(held.line, reply)
            return reply
        except AppError as error:
            settled = settle_lost(held.line) if may_be_billed(error) else None
            raise
        finally:
            settling = {held.line.id: lambda _line: settled}
            await asyncio.shield(asyncio.to_thread(self._ledger.settle, settling))

    def _reservation(self, spender: Spender, provider: str, path: str, body: bytes) -> Reservation:
        fields = _object(body)
        name = fields.get("model_name") or fields.get("model")
        parts = [part for part in path.split("/") if part][1:]
        model = name if isinstance(name, str) and name else parts[-1] if parts else "?"
        amount = self._amount(provider, parts, model, fields)
        return self._spending.for_forwarded(spender, provider, model[:100], amount)

    def _amount(
        self, provider: str, parts: list[str], model: str, fields: dict[str, Any]
    ) -> Decimal | None:
        """Return what a call costs by the list; None where the list does not have it."""
        currency, kind = self._spending.currency(provider), parts[0] if parts else ""
        facts: dict[str, object] = {}
        pieces: Decimal | int = 1
        if kind == "videos":
            kind, seconds = "video", _seconds(fields.get("duration", "5"))
            if seconds is None:
                return None
            pieces = seconds
            mode = fields.get("resolution") or fields.get("mode") or "std"
            facts = {
                "resolution": _RESOLUTIONS.get(str(mode).lower()),
                "sound": fields.get("sound") in ("on", True),
                "has_video": bool(fields.get("video_list") or fields.get("video_url")),
            }
        elif kind == "audio" or parts[-1:] == ["custom-voices"]:
            kind, model = "audio", parts[-1]
        elif parts[:2] == ["images", "editing"] and parts[-1] == "expand":
            kind, model, pieces = "expand", "expand", _count(fields.get("n", 1))
        elif kind == "images":
            kind, pieces = "image", _count(fields.get("n", 1))
            resolution = fields.get("resolution") or "1k"
            facts = {"has_image": bool(fields.get("image")), "resolution": resolution}
            if parts[-1] != "generations" and parts[-1] != "omni-image":
                return None
        price = self._spending.prices.pieces(kind, model, facts)
        return None if price is None else price.amount(currency, pieces=pieces)

    async def _note_figures(self, provider: str, reply: KlingReply) -> None:
        """Take a task's own figures from a reply that passes by."""
        if b"final_unit_deduction" not in reply.content:
            return
        data = _object(reply.content).get("data")
        for task in data if isinstance(data, list) else [data]:
            if isinstance(task, dict) and isinstance(task.get("task_id"), str):
                await asyncio.to_thread(self._correct, provider, task)

    def _correct(self, provider: str, task: dict[str, Any]) -> None:
        units = task.get("final_unit_deduction")
        figure = decimal_of(units if isinstance(units, str) else None)
        line = self._ledger.of_task(provider, task["task_id"])
        if line is None or line.kind != "forwarded" or figure is None or line.units == figure:
            return
        failed = task.get("task_status") == "failed"
        package = "image" if "images" in task.get("task_result", {}) else "video"
        settled = settle_task(line, failed=failed, made=None, units=figure, package=package)
        self._ledger.correct(line.id, settled)


def _outcome(line: LedgerLine, reply: KlingReply) -> Settlement | None:
    """Return what a call cost by its reply; None where Kling refused it for certain."""
    told = _object(reply.content)
    code = told.get("code")
    if reply.status_code < 300 and code == 0:
        data = told.get("data")
        task_id = data.get("task_id") if isinstance(data, dict) else None
        known = task_id if isinstance(task_id, str) else None
        if line.amount is None:
            return Settlement(LineState.UNKNOWN, None, task_id=known)
        state, mark = LineState.ESTIMATED, Mark.ABOUT
        return Settlement(state, line.amount, mark=mark, task_id=known)
    if 400 <= reply.status_code < 500 or (isinstance(code, int) and 1000 <= code < 5000):
        return None
    return settle_lost(line)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _seconds(value: object) -> Decimal | None:
    try:
        seconds = Decimal(str(value).strip().removesuffix("s"))
    except InvalidOperation:
        return None
    return seconds if seconds.is_finite() and 0 < seconds <= _SECONDS_MOST else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 99 else 1
