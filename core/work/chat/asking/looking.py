"""The look into the web that is made for an answer before it is asked."""

from collections.abc import Awaitable, Callable

from core.models.money.ledger import Spender
from core.models.parts import LookupPart, Part, sources_in
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.service import ChatService
from core.work.money.spending import BROUGHT_MOST
from core.work.web.looks import Looks


def most_brought(look: LookupPart | None) -> int:
    """Return how many tokens a look brings along at most."""
    return 0 if look is None else BROUGHT_MOST["fetch" if look.kind == "fetch" else "search"]


def looking(
    looks: Looks,
    live: LiveAnswer,
    service: ChatService,
    spender: Spender,
    question_id: str,
    look: LookupPart,
    found: Callable[[tuple[Part, ...]], None] = lambda _parts: None,
) -> Callable[[], Awaitable[None]]:
    """Return what makes the look, and tells the answer's readers and `found` of it."""

    async def made() -> None:
        live.note_look(look.kind)
        parts = await looks.for_question(
            service.client, service.provider, spender, question_id, look
        )
        found(parts)
        live.note_look(None, sources_in(parts))

    return made
