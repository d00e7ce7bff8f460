"""`/messages/ID/…`: a prompt for a picture of a message, milder wordings, and what was drawn.

Nothing is drawn here: the create path takes the proposal, with the `message_id`.
"""

from functools import partial
from typing import Any
from urllib.parse import unquote

from core.errors import AppError, InputError
from core.models.lineage import DrawnFrom
from core.models.money.amounts import plain
from core.models.money.ledger import Spender
from core.models.pictures.proposal import PictureProposal
from core.texts.catalogue import Language
from core.web.drawing.bodies import DrawingBody, MilderBody
from core.web.drawing.replies import DrawnPicture, DrawnPictures, Price, Proposal, Wordings
from core.web.http_call import HttpCall, HttpCallError, Table
from core.web.http_errors import ErrorReply, http_error_from
from core.web.kling.envelope import refused
from core.web.posted_fields import posted_body
from core.web.studio_bridge import StudioBridge
from core.work.drawing.proposals import DrawingWish

PREFIX = "/messages/"
_GONE = "error.message_gone"


class DrawingRoutes:
    """Pictures of messages, for other front ends."""

    def __init__(self, bridge: StudioBridge) -> None:
        self._bridge = bridge

    def table(self) -> Table:
        """Return which method is served by what, by what stands behind the message's id."""
        return {
            "drawing": {"POST": self.propose},
            "milder": {"POST": self.milder},
            "pictures": {"GET": self.pictures},
        }

    async def propose(self, call: HttpCall) -> None:
        """Answer with a proposal for a picture, and what drawing it would cost."""
        body = await posted_body(call, DrawingBody)
        wanted, proposals = body.wanted(), self._bridge.studio.proposals
        told = await self._asked(call, proposals.propose(_spender(call), _id_in(call), wanted))
        if told is not None:
            await call.reply_json(200, self._proposal(call, told, wanted))

    async def milder(self, call: HttpCall) -> None:
        """Answer with milder wordings of a prompt; no picture is paid for."""
        body = await posted_body(call, MilderBody)
        proposals = self._bridge.studio.proposals
        told = await self._asked(call, proposals.milder(_spender(call), _id_in(call), body.prompt))
        if told is not None:
            await call.reply_json(200, Wordings(list(told)))

    async def pictures(self, call: HttpCall) -> None:
        """Answer with what was drawn from a message."""
        store, message_id = self._bridge.studio.store, _id_in(call)
        look = partial(store.messages.get, call.owner, message_id)
        if await self._bridge.in_thread(look) is None:
            raise HttpCallError(404, _GONE)
        look_at = partial(store.lineage.drawn_from, call.owner, [message_id])
        drawn = (await self._bridge.in_thread(look_at)).get(message_id, ())
        told = [_told(one, call.language) for one in drawn]
        await call.reply_json(200, DrawnPictures(message_id, told))

    async def _asked(self, call: HttpCall, asking: Any) -> Any:
        """Return what a side call brought; None where it was refused, which the caller was told."""
        call.pays_again = True  # whoever breaks off may have paid
        try:
            return await self._bridge.run(asking)
        except AppError as error:
            if isinstance(error, InputError) and error.text_id == _GONE:
                raise HttpCallError(404, _GONE) from error
            told = http_error_from(error, call.language)
            await call.reply_json(told.status, ErrorReply(told.sentence), told.headers)
        return None

    def _proposal(self, call: HttpCall, told: PictureProposal, wanted: DrawingWish) -> Proposal:
        request, studio = told.request(wanted.model.name), self._bridge.studio
        price = None
        try:
            provider = studio.services.image_provider(call.owner)
            line = studio.spending.for_task(_spender(call), provider, request).line
            if line.amount is not None:
                price = Price(plain(line.amount), line.currency)
        except AppError:  # nobody draws here at the moment
            price = None
        return Proposal(
            _id_in(call),
            request.model_name,
            request.prompt,
            request.negative_prompt,
            request.aspect_ratio,
            request.n,
            price,
        )


def _told(drawn: DrawnFrom, language: Language) -> DrawnPicture:
    link, generation = drawn.link, drawn.generation
    request = link.request if generation is None else generation.request
    told = DrawnPicture(
        link.generation_id,
        drawn.whereabouts,
        link.created_at.isoformat(timespec="seconds"),
        None if request is None else request.prompt,
        None if generation is None else str(generation.status),
        None if generation is None else generation.task_id,
        0 if generation is None else len(generation.pictures),
    )
    if generation is not None and generation.error_text_id is not None:
        told.error = refused(generation, language).message
    return told


def _spender(call: HttpCall) -> Spender:
    return Spender(call.owner, call.caller, "http")


def _id_in(call: HttpCall) -> str:
    return unquote(call.path.removeprefix(PREFIX).partition("/")[0])
