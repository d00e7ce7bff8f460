"""A question in a conversation that is kept: written down with its answer's row, then asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.models.chat import ChatParameters, Conversation, Message, Turn
from core.models.money.ledger import Spender
from core.models.notices import unread_events, unread_facts
from core.models.parts import Blob, LookupPart, lookup_in, steps_in
from core.work.chat.asking.attaching import check_room, check_sight, shown_to
from core.work.chat.asking.context import sent_turns, stored_turns, turns_before
from core.work.chat.asking.looking import looking, most_brought
from core.work.chat.asking.means import Means
from core.work.chat.asking.steps import counted
from core.work.chat.live_answer import LiveAnswer
from core.work.chat.runner import AnswerJob
from core.work.chat.titles import shortened


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked in a conversation, by whom, and where."""

    spender: Spender
    conversation: Conversation  # without a row yet where it `is_new`
    parameters: ChatParameters
    parent_id: str | None  # what it is asked under, or the question that is answered once more
    question: Turn | None = None
    beginning: Message | None = None  # what a continued answer starts with
    look: LookupPart | None = None  # into the web, made before the answer
    attached: Sequence[Blob] = ()  # bytes that the question's parts point to
    zone: str = ""  # the person's, for the studio's clock
    is_new: bool = False  # the conversation begins with this question


def begin(means: Means, asked: Asked) -> LiveAnswer:
    """Write a question and its answer's row down, and start the answer.

    BudgetError where no budget has room for it, InputError where its model does not see a picture
    or does not hold the text; nothing is stored then.
    """
    spender, conversation, parameters = asked.spender, asked.conversation, asked.parameters
    owner, service = spender.owner, means.service(spender.owner)
    model = means.models().facts(parameters.model)
    beginning, question = asked.beginning, asked.question
    turns = turns_before(means.store, owner, conversation, asked.parent_id)
    turns += [Turn(one.role, one.said()) for one in [beginning] if one is not None]
    turns += [question] if question is not None else []
    seen = next((turn for turn in reversed(turns) if turn.role == "user"), None)
    check_sight(seen.content if seen is not None else (), parameters.model, means.models())
    look = asked.look
    if look is None and question is not None and (new := lookup_in(question.content)):
        look = new if new.state == "wanted" else None
    # A continued answer goes on in words alone; what tools returned for it goes along.
    box = means.tools.for_answer(service, parameters) if beginning is None else None
    has_steps = beginning is not None and bool(steps_in(beginning.parts))
    with_steps = box is not None or (has_steps and service.client.server.speaks_deepseek)
    read = counted(turns, with_steps=with_steps)
    read += [box.read()] if box is not None else []
    held = means.spending.for_answer(
        spender, service.provider, parameters, read, brought=most_brought(look)
    )
    check_room(turns, held, model)
    written, answer = means.store.messages.begin_answer(
        owner,
        conversation.id,
        begins=conversation if asked.is_new else None,
        title=shortened(question.text) if question is not None and not conversation.title else "",
        question=question,
        parent_id=asked.parent_id,
        parameters=parameters,
        model=parameters.model,
        practice=service.practice,
        process_id=means.process_id,
        lease_s=means.timings.lease_s,
        content=beginning.content if beginning else "",
        reasoning_content=beginning.reasoning_content if beginning else "",
        parts=beginning.parts if beginning else (),
        attached=asked.attached,
        reservation=held,
    )
    if beginning is not None:  # what that lacks, this lacks
        lacking = unread_facts(unread_events(beginning.error_facts))
        answer = replace(answer, error_facts=lacking)
    live = LiveAnswer(answer, owner, has_studio_tools=box is not None, question=written)
    # All there is to a first question without a prompt, a file or a look is at hand already.
    is_whole = asked.is_new and look is None and not (conversation.system_prompt or asked.attached)

    async def context(with_reasoning: bool) -> list[Turn]:
        if is_whole and written is not None:
            said = [Turn(written.role, written.said())]
            return shown_to(sent_turns(said, with_reasoning=with_reasoning), model)
        stored = await asyncio.to_thread(
            stored_turns,
            means.store,
            owner,
            conversation,
            live,
            # Where calls go along, what was thought before them has to (deepseek.md section 7).
            with_reasoning=with_reasoning or (with_steps and parameters.thinking),
            with_steps=with_steps,
        )
        return shown_to(stored, model)

    is_first = conversation.head_id is None
    wants_title = is_first and not conversation.title_is_manual
    job = AnswerJob(live, parameters, service.client, context, held, wants_title=wants_title)
    if box is not None:
        is_imported = conversation.origin == "import"
        job.tools = box.loop(
            live, service, spender, held, turns, zone=asked.zone, is_imported=is_imported
        )
    if look is not None and answer.parent_id is not None:
        job.look = looking(means.looks, live, service, spender, answer.parent_id, look)
    means.runner.run(job)
    return live
