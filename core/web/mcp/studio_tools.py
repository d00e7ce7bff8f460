"""What the tools do: the same steps, ledger and archive as every other caller's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from core.errors import AppError, InputError
from core.models.chat import ChatParameters, Message, Turn
from core.models.generations import Generation, GenerationStatus, ImageRequest
from core.models.kinds import check_fields
from core.models.money.amounts import PRACTICE_CURRENCY
from core.models.money.ledger import Reservation, Spender, money_words
from core.texts.catalogue import text
from core.web.chat.http_errors import http_error_of
from core.web.chat.posted.request import ChatRequest
from core.web.http_call import HttpCall, HttpCallError
from core.web.http_errors import http_error_from
from core.web.kling.envelope import refused
from core.web.mcp.caller import RefusedError
from core.web.studio_bridge import StudioBridge
from core.work.money.ask_above import confirmation_limit

_Result = TypeVar("_Result")

# So long a call waits for its picture; then the task is told, to be looked at again.
DRAWN_TIMEOUT_S = 45.0
_LOOK_S = 0.25
_FOUND_MOST = 20


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call may cost at most, and whether a person is to say yes to it first."""

    words: str  # the amount; empty where nobody knows it
    needs_yes: bool


class StudioTools:
    """The tools of an open studio. On the server's loop."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    # -- what it costs -----------------------------------------------------------------------------

    def quote_answer(self, call: HttpCall, turns: list[Turn], asked: ChatParameters) -> Quote:
        """Return what an answer may cost at most."""
        studio = self._bridge.studio
        service = told(call, lambda: studio.services.chat(call.owner))
        spender = Spender(call.owner, call.caller, "http")
        return self._quote(studio.spending.for_answer(spender, service.provider, asked, turns))

    def quote_pictures(self, call: HttpCall, request: ImageRequest) -> Quote:
        """Return what pictures cost."""
        studio = self._bridge.studio
        provider = told(call, lambda: studio.services.image_provider(call.owner))
        spender = Spender(call.owner, call.caller, "http")
        return self._quote(studio.spending.for_task(spender, provider, request))

    def _quote(self, held: Reservation) -> Quote:
        line, studio = held.line, self._bridge.studio
        if line.currency == PRACTICE_CURRENCY or line.provider == "practice":
            return Quote("0", needs_yes=False)
        if line.amount is None:
            return Quote("", needs_yes=True)
        amount: Decimal = line.amount
        plan = studio.store.ledger.plan
        limit = confirmation_limit(studio.settings.money, plan, line.currency)
        return Quote(money_words(amount, line.currency), limit is not None and amount > limit)

    # -- chat --------------------------------------------------------------------------------------

    def parameters(self, model: str | None, max_tokens: int, *, thinking: bool) -> ChatParameters:
        """Return how an answer is asked for."""
        named = model or self._bridge.default_model
        return ChatParameters(model=named, thinking=thinking, max_tokens=max_tokens)

    async def ask(self, call: HttpCall, turns: list[Turn], asked: ChatParameters) -> Message:
        """Return a whole answer; who leaves stops it."""
        bridge = self._bridge
        try:
            live = await bridge.ask(ChatRequest(tuple(turns), asked), call)
        except AppError as error:
            raise refusal(error, call) from error
        over = asyncio.Event()
        leave = live.listen(lambda: bridge.notifier.notify(over.set))
        try:
            while not live.is_final:
                over.clear()
                if not live.is_final:
                    await over.wait()
        finally:
            leave()
            if not live.is_final:
                bridge.stop(live.message_id)
        message = live.snapshot()
        if (fault := http_error_of(message, live.error, call.language)) is not None:
            raise RefusedError("\n\n".join(filter(None, (fault.sentence, message.content))))
        return message

    # -- pictures ----------------------------------------------------------------------------------

    async def draw(self, call: HttpCall, request: ImageRequest, key: str | None) -> Generation:
        """Return the generation of pictures; after a while it is told as it stands."""
        studio = self._bridge.studio
        try:
            generation = await asyncio.to_thread(
                studio.generations.request,
                call.owner,
                request,
                origin="http",
                idempotency_key=key,
                caller=call.caller,
            )
        except AppError as error:
            raise refusal(error, call) from error
        clock = asyncio.get_running_loop().time
        until = clock() + DRAWN_TIMEOUT_S
        while not generation.status.is_final and clock() < until and not studio.is_closing:
            await asyncio.sleep(_LOOK_S)
            generation = await self._looked(call, generation.id) or generation
        return generation

    async def task(self, call: HttpCall, task: str) -> Generation:
        """Return a generation by its id or by the provider's; RefusedError where there is none."""
        found = await self._looked(call, task)
        if found is None:
            raise RefusedError(text(call.language, "mcp.no_task", task=task[:80]))
        return found

    async def _looked(self, call: HttpCall, task: str) -> Generation | None:
        generations = self._bridge.studio.store.generations

        def look() -> Generation | None:
            found = generations.get(call.owner, task)
            return found or generations.get_by_task_id(call.owner, task)

        try:
            return await self._bridge.in_thread(look)
        except HttpCallError as error:
            raise RefusedError(error.sentence(call.language)) from error

    async def thumbnails(self, generation: Generation) -> list[bytes]:
        """Return small copies (WebP) of the pictures that are here and can be read."""
        archive = self._bridge.studio.archive
        found = []
        for picture in generation.pictures:
            try:
                found.append(await asyncio.to_thread(archive.thumbnail_bytes, picture.name))
            except AppError:
                continue
        return found

    def described(self, call: HttpCall, generation: Generation) -> dict[str, Any]:
        """Return what is known of a generation, without any link."""
        status = generation.status
        told_of: dict[str, Any] = {
            "task": generation.id,
            "status": "succeeded" if status is GenerationStatus.ARCHIVED else str(status),
            "prompt": generation.request.prompt,
            "model": generation.request.model_name,
            "pictures": [
                {"width": one.width, "height": one.height, "media_type": one.media_type}
                for one in generation.pictures
            ],
        }
        if status is GenerationStatus.FAILED:
            told_of["error"] = refused(generation, call.language).message
        return told_of

    # -- history -----------------------------------------------------------------------------------

    async def find(self, call: HttpCall, words: str) -> dict[str, Any]:
        """Return where words occur in conversations and prompts, the newest first."""
        store = self._bridge.studio.store

        def look() -> dict[str, Any]:
            hits = store.search.find(call.owner, words, limit=_FOUND_MOST).items
            drawn = store.gallery.list_pictures(call.owner, text=words, limit=_FOUND_MOST).items
            tasks = {one.generation.id: one.generation for one in drawn}
            return {
                "conversations": [
                    {
                        "title": hit.conversation.title,
                        "role": hit.role or "title",
                        "text": hit.snippet,
                        "at": hit.at.isoformat(timespec="seconds"),
                    }
                    for hit in hits
                ],
                "pictures": [
                    {
                        "task": one.id,
                        "prompt": one.request.prompt,
                        "model": one.request.model_name,
                        "at": one.created_at.isoformat(timespec="seconds"),
                    }
                    for one in tasks.values()
                ],
            }

        try:
            return await self._bridge.in_thread(look)
        except HttpCallError as error:
            raise RefusedError(error.sentence(call.language)) from error


def checked(call: HttpCall, request: ImageRequest) -> ImageRequest:
    """Return a request that keeps Kling's rules; RefusedError says which one it breaks."""
    try:
        check_fields(request)
    except InputError as error:
        raise refusal(error, call) from error
    return request


def refusal(error: AppError, call: HttpCall) -> RefusedError:
    """Return an error as a tool tells it."""
    return RefusedError(http_error_from(error, call.language).sentence)


def told(call: HttpCall, function: Callable[[], _Result]) -> _Result:
    """Return what a function returns; RefusedError where it raises an error of ours."""
    try:
        return function()
    except AppError as error:
        raise refusal(error, call) from error
