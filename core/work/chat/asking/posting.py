"""A posted chat: kept as a conversation of its own, of the turns that a program keeps."""

from collections.abc import Sequence
from dataclasses import replace

from core.models.chat import ChatParameters, Turn
from core.models.chat_options import ChatOptions
from core.models.money.ledger import Reservation, Spender
from core.models.parts import Blob, Part, sources_in
from core.storage.chat.posted_chats import PostedChat
from core.work.chat.asking.context import posted_turns, with_attached
from core.work.chat.asking.looking import looking, most_brought
from core.work.chat.asking.means import Means
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.runner import AnswerJob
from core.work.chat.titles import shortened

_TITLE_FROM = 2_000  # characters: a whole book may be posted


def begin_posted(
    means: Means,
    spender: Spender,
    turns: Sequence[Turn],
    parameters: ChatParameters,
    options: ChatOptions,
    attached: Sequence[Blob],
) -> LiveAnswer:
    """Start the answer of a posted chat, which is written down meanwhile. Returns at once."""
    service = means.service(spender.owner)
    read = [*turns, Turn.of_text("system", options.prompt())]
    look = means.search(spender.owner, parameters, turns[-1].text)
    if look is not None:
        turns = [*turns[:-1], replace(turns[-1], content=(*turns[-1].content, look))]
    box = means.tools.for_answer(service, parameters)
    read += [box.read()] if box is not None else []
    held = means.spending.for_answer(
        spender, service.provider, parameters, read, brought=most_brought(look)
    )
    chat = _posted_chat(
        spender.owner,
        turns,
        parameters,
        practice=service.practice,
        reservation=held,
        attached=attached,
    )
    held.line = replace(
        held.line,
        id=chat.answer_id,
        message_id=chat.answer_id,
        conversation_id=chat.conversation_id,
    )
    sent = with_attached(turns, attached)

    async def context(with_reasoning: bool) -> list[Turn]:
        return posted_turns(sent, with_reasoning=with_reasoning or bool(options.tools))

    live = LiveAnswer(
        chat.answer(),
        spender.owner,
        has_row=False,
        has_tools=bool(options.tools),
        has_studio_tools=box is not None,
    )
    job = AnswerJob(live, parameters, service.client, context, held, options)
    if box is not None:
        job.tools = box.loop(live, service, spender, held, turns)
    if look is not None:

        def found(parts: tuple[Part, ...]) -> None:
            sent[-1] = replace(sent[-1], content=(*sent[-1].content, *sources_in(parts)))

        job.look = looking(means.looks, live, service, spender, chat.question_id, look, found)
    means.runner.run_posted(job, chat)
    return live


def _posted_chat(
    owner: str,
    turns: Sequence[Turn],
    parameters: ChatParameters,
    *,
    practice: bool,
    reservation: Reservation,
    attached: Sequence[Blob],
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
