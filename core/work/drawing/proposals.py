"""Proposals for pictures of what was said: a paid side call each; nothing is drawn by it."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from core.errors import InputError, ProtocolError, RejectedError
from core.models.chat import ChatParameters, Message
from core.models.deltas import Completion
from core.models.kling_catalogue import ImageModel, offered_model
from core.models.money.ledger import Spender
from core.models.pictures.proposal import PictureProposal, proposal_from, wordings_from
from core.models.pictures.rules import check_prompt
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.wire import PROVIDER
from core.providers.http.exchanges import mark_exchanges
from core.storage.store import Store
from core.work.chat.models import ChatModels
from core.work.chat.service import ChatService
from core.work.drawing.wording import WordingRequest, proposal_request, wordings_request
from core.work.loop import LoopThread
from core.work.money.paid_calls import paid_call
from core.work.money.spending import Spending

_Result = TypeVar("_Result")

PROPOSAL = "prompt:"  # before the ledger's line of a proposal, where its exchanges are marked
# Of Kling's 2500 characters a Chinese one is about a token; a proposal has far fewer.
_TOKENS = 2_000
_FORM_REFUSED = frozenset({400, 404, 415, 422, 501})  # by servers that know no JSON schema


@dataclass(frozen=True, slots=True)
class DrawingWish:
    """What a person wants drawn of a message, beyond the whole of it."""

    passage: str = ""  # of it; empty: all of it
    wish: str = ""  # in the person's words
    before: PictureProposal | None = None  # what is to be changed
    model_name: str = ""  # of Kling's; empty: the first that is offered

    @property
    def model(self) -> ImageModel:
        """The model of Kling's whose rules hold."""
        return offered_model(self.model_name)


class Proposals:
    """Asks a chat model for prompts. The calls without `begin_` run on the loop."""

    def __init__(
        self,
        *,
        loop: LoopThread,
        store: Store,
        service: Callable[[str], ChatService],
        spending: Spending,
        models: Callable[[], ChatModels],
    ) -> None:
        self._loop = loop
        self._store = store
        self._service = service
        self._spending = spending
        self._models = models

    def begin(
        self, spender: Spender, message_id: str, wanted: DrawingWish
    ) -> Future[PictureProposal]:
        """Begin to ask for a proposal, from any thread; cancelled, the call is closed."""
        return self._submit(self.propose(spender, message_id, wanted))

    def begin_milder(
        self, spender: Spender, message_id: str, refused: str
    ) -> Future[tuple[str, ...]]:
        """Begin to ask for milder wordings, from any thread."""
        return self._submit(self.milder(spender, message_id, refused))

    async def propose(
        self, spender: Spender, message_id: str, wanted: DrawingWish
    ) -> PictureProposal:
        """Return a proposal for a picture of a message.

        InputError where there is no such message, or nothing to draw in it; BudgetError, and
        nothing sent, where no budget has room.
        """
        message = await self._message(spender.owner, message_id)
        source = wanted.passage.strip() or message.content.strip()
        if not source:
            raise InputError("message_id", "error.nothing_to_draw")
        asked = proposal_request(source, wanted.model, wish=wanted.wish, before=wanted.before)
        said = await self._ask(spender, message, asked)
        return _told(proposal_from(said, wanted.model), said)

    async def milder(self, spender: Spender, message_id: str, refused: str) -> tuple[str, ...]:
        """Return milder wordings of a prompt that was refused, two where the model gives two."""
        check_prompt(refused)
        message = await self._message(spender.owner, message_id)
        said = await self._ask(spender, message, wordings_request(refused))
        return _told(wordings_from(said, refused), said)

    def _submit(self, coroutine: Coroutine[Any, Any, _Result]) -> "Future[_Result]":
        return self._loop.submit(coroutine)

    async def _message(self, owner: str, message_id: str) -> Message:
        message = await asyncio.to_thread(self._store.messages.get, owner, message_id)
        if message is None:
            raise InputError("message_id", "error.message_gone")
        return message

    async def _ask(self, spender: Spender, message: Message, asked: WordingRequest) -> str:
        service = self._service(spender.owner)
        parameters = ChatParameters(model=self._model(message), max_tokens=_TOKENS)
        held = self._spending.for_side_call(
            spender,
            service.provider,
            parameters,
            asked.read(),
            "prompt",
            conversation_id=message.conversation_id,
            message_id=message.id,
        )
        mark_exchanges(f"{PROPOSAL}{held.line.id}")
        async with paid_call(self._store.ledger, held) as call:
            whole = await _answered(service.client, parameters, asked)
            call.settle = self._spending.words_settled(whole.content, whole.extras.usage)
        return whole.content

    def _model(self, message: Message) -> str:
        """Return the model that answered, where it can be had here; else the usual one."""
        names = self._models().names()
        asked = message.parameters.model if message.parameters else ""
        return asked if asked in names else names[0]


async def _answered(
    client: DeepSeek, parameters: ChatParameters, asked: WordingRequest
) -> Completion:
    """Return the whole answer; a server that refuses the form for one is asked in words."""
    try:
        return await client.complete(asked.turns, parameters, asked.options)
    except RejectedError as error:
        if client.server.speaks_deepseek or error.status_code not in _FORM_REFUSED:
            raise
    return await client.complete(asked.in_words(), parameters)


def _told(found: _Result | None, said: str) -> _Result:
    """Return what was found in a reply; a reply without it was paid for all the same."""
    if not found:
        detail = " ".join(said.split())[:200]
        raise ProtocolError("error.proposal_unreadable", provider=PROVIDER, detail=detail)
    return found
