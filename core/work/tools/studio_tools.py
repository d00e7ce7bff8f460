"""The studio's tools for an answer that may call them: who is offered them, and what is around."""

import json
from collections.abc import Sequence

from core.models.chat import ChatParameters, Turn
from core.models.money.ledger import LedgerLine, Reservation, Spender
from core.models.parts import LookupPart, TextPart
from core.storage.store import Store
from core.work.chat.asking.steps import asked_last, found_sources, person_words
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.service import ChatService
from core.work.money.spending import Spending
from core.work.tools.looking import addresses_of
from core.work.tools.loop import ToolLoop
from core.work.tools.tool import Surroundings
from core.work.tools.toolbox import OFFERED, Toolbox
from core.work.web.looks import Looks, Outcome


class StudioTools:
    """Makes the loop of an answer that a person lets call tools."""

    def __init__(self, store: Store, spending: Spending, looks: Looks) -> None:
        self._store = store
        self._spending = spending
        self._looks = looks

    def for_answer(self, service: ChatService, parameters: ChatParameters) -> "StudioTools | None":
        """Return this, where tools are wanted and whoever answers has them: DeepSeek alone."""
        return self if parameters.tools and service.client.server.speaks_deepseek else None

    def read(self) -> Turn:
        """Return what the model reads of the tools, and what so is billed as input."""
        return Turn.of_text("system", json.dumps(OFFERED, ensure_ascii=False))

    def loop(
        self,
        live: LiveAnswer,
        service: ChatService,
        spender: Spender,
        held: Reservation,
        turns: Sequence[Turn],
        *,
        zone: str = "",
        is_imported: bool = False,
    ) -> ToolLoop:
        """Return the loop of an answer; `turns` are those before it, as they are kept.

        `is_imported`: they came in a file, and nobody knows whose words they are; only the
        question that is being asked is the person's.
        """
        answer, own = live.outline(), asked_last(turns) if is_imported else turns
        words, found = person_words(own), found_sources(own)

        async def look(wanted: LookupPart) -> tuple[Outcome, LedgerLine | None]:
            live.note_look(wanted.kind, live.sources)
            try:
                return await self._looks.for_tool(
                    service.client, service.provider, spender, wanted, answer
                )
            finally:
                live.note_look(None, live.sources)

        around = Surroundings(
            look,
            words,
            addresses_of(words, found),
            has_strange=any(
                not isinstance(part, TextPart)
                for turn in turns
                if turn.role in ("user", "tool")
                for part in turn.content
            )
            or bool(found)
            or is_imported,
            sources=lambda: len(live.sources),
            zone=zone,
        )
        return ToolLoop(live, Toolbox(around), self._store, self._spending, spender, held)
