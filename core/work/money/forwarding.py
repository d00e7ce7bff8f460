"""Calls that are passed on to Kling as they are: those that can spend have their line, too.

What such a call costs is known where the list has it; the task's own figures come when somebody
asks for the task.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from core.models.money.charges import charged
from core.models.money.ledger import (
    LedgerLine,
    LineState,
    Mark,
    Reservation,
    Settlement,
    Spender,
)
from core.models.money.settling import settle_lost, settle_task
from core.providers.kling.billing import charges_from_json
from core.providers.kling.client import Kling
from core.providers.kling.signed_calls import KlingReply
from core.storage.money.ledger import Ledger
from core.work.money.paid_calls import paid_call, written_down
from core.work.money.spending import Spending

# Reading, and what is free by the list (money.md §2.5).
_FREE = re.compile(r"/account/|/tasks|/v1/(account/|general/(delete-|presets))")
_SPENDING_METHODS = ("POST", "PUT", "PATCH")
_RESOLUTIONS = {"std": "720p", "pro": "1080p", "4k": "4k", "720p": "720p", "1080p": "1080p"}
_SECONDS_MOST = 600
# The newer paths, and their models by the names that the price list has.
_NEW_VIDEOS = ("text-to-video", "image-to-video", "omni-video")
_NEW_MODELS = {
    "kling-3.0": "kling-v3",
    "kling-3.0-omni": "kling-v3-omni",
    "kling-2.6": "kling-v2-6",
}


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
        async with paid_call(self._ledger, held) as call:
            reply = await kling.forward(method, target, body=body, content_type=content_type)
            settled = _outcome(call.line, reply)
            call.settle = lambda _line: settled
            return reply

    def _reservation(self, spender: Spender, provider: str, path: str, body: bytes) -> Reservation:
        fields = _object(body)
        name = fields.get("model_name") or fields.get("model")
        parts = [part for part in path.removeprefix("/v1").split("/") if part]
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
        if kind in _NEW_VIDEOS:
            fields, model = _of_settings(fields), _NEW_MODELS.get(model, model)
        if kind == "videos" or kind in _NEW_VIDEOS:
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
        elif parts[-1:] == ["ai-multi-shot"]:
            kind, model = "image", parts[-1]
        price = self._spending.prices.pieces(kind, model, facts)
        return price.amount(currency, pieces=pieces) if price is not None else None

    async def _note_figures(self, provider: str, reply: KlingReply) -> None:
        """Take a task's own figures from a reply that passes by."""
        if b'"final_' not in reply.content and b'"billing"' not in reply.content:
            return
        data = _object(reply.content).get("data")
        for task in data if isinstance(data, list) else [data]:
            if isinstance(task, dict) and _id_of(task) is not None:
                await written_down(partial(self._correct, provider, task))

    def _correct(self, provider: str, task: dict[str, Any]) -> None:
        told = charged(charges_from_json(task))
        line = self._ledger.of_task(provider, _id_of(task) or "")
        if line is None or line.kind != "forwarded" or not told:
            return
        cash = next((one for one in told if one.kind == "cash"), None)
        units = None if cash is not None else sum((one.amount for one in told), Decimal(0))
        result = task.get("task_result")
        has_images = isinstance(result, dict) and "images" in result
        settled = settle_task(
            line,
            failed="failed" in (task.get("task_status"), task.get("status")),
            made=None,
            units=units,
            cash=None if cash is None else cash.amount,
            currency=None if cash is None else cash.currency,
            package=told[0].package or ("image" if has_images else "video"),
        )
        if (settled.amount, settled.units) != (line.amount, line.units):
            self._ledger.correct(line.id, settled)


def _outcome(line: LedgerLine, reply: KlingReply) -> Settlement | None:
    """Return what a call cost by its reply; None where Kling refused it for certain."""
    told = _object(reply.content)
    code = told.get("code")
    if reply.status_code < 300 and code == 0:
        data = told.get("data")
        known = _id_of(data) if isinstance(data, dict) else None
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


def _id_of(task: dict[str, Any]) -> str | None:
    """Return a task's id, by the older or the newer design."""
    found = task.get("task_id") or task.get("id")
    return found if isinstance(found, str) else None


def _of_settings(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what decides the price of a newer body in the older words."""
    settings = fields.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    contents = fields.get("contents")
    types = [one.get("type") for one in contents or () if isinstance(one, dict)]
    return {
        "duration": settings.get("duration", "5"),
        "resolution": settings.get("resolution") or "?",  # what is not told has no price
        "sound": settings.get("audio") == "native",
        "video_url": any(kind in ("feature_video", "base_video") for kind in types),
    }


def _seconds(value: object) -> Decimal | None:
    try:
        seconds = Decimal(str(value).strip().removesuffix("s"))
    except InvalidOperation:
        return None
    return seconds if seconds.is_finite() and 0 < seconds <= _SECONDS_MOST else None
