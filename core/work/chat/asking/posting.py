"""A posted chat as rows: the question, what was said before it, and how its answer begins."""

from collections.abc import Sequence

from core.models.chat import ChatParameters, Turn
from core.models.money.ledger import Reservation
from core.models.parts import Blob
from core.storage.chat.posted_chats import PostedChat
from core.work.chat.titles import shortened

_TITLE_FROM = 2_000  # characters: a whole book may be posted


def posted_chat(
    owner: str,
    turns: Sequence[Turn],
    parameters: ChatParameters,
    *,
    practice: bool,
    reservation: Reservation,
    attached: Sequence[Blob] = (),
) -> PostedChat:
    """Return the conversation that posted turns are kept as; its last turn is the question.

    A turn to be continued (`prefix`) is none of them: the answer begins with it.
    """
    rest = [turn for turn in turns if not turn.prefix]
    prompts = []
    while rest and rest[0].role == "system":
        prompts.append(rest.pop(0).text)
    question = rest.pop() if rest else Turn.of_text("user", "")
    asked = next((one for one in (question, *reversed(rest)) if one.role == "user"), question)
    return PostedChat(
        owner=owner,
        question=question,
        parameters=parameters,
        practice=practice,
        title=shortened(asked.text[:_TITLE_FROM]),
        system_prompt="\n\n".join(prompts),
        earlier=tuple(rest),
        begun=next((turn for turn in turns if turn.prefix), None),
        attached=tuple(attached),
        reservation=reservation,
    )
