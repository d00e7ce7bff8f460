"""对话 Chat: ask, watch the answer come, go back to what was said."""

import streamlit as st

from core.models.chat import AnswerStatus, Message
from core.ui import chat_box, notices, opened, session
from core.ui.buttons import telling_errors
from core.ui.chat import actions as answer_actions
from core.ui.chat import ahead, composer, message_menu, streaming, turns, voice_in
from core.ui.chat import header as conversation_header
from core.ui.chat import message as message_view
from core.ui.chat import settings as chat_settings
from core.ui.chat.answer import reading, sources, tool_turns
from core.ui.chat.listing import sidebar as conversation_list
from core.ui.drawing import action as drawing_action
from core.ui.drawing import form as drawing_form
from core.ui.drawing import pictures as drawn_pictures
from core.ui.drawing import proposed
from core.ui.frame import page_files
from core.ui.history import linked_turn as history_place
from core.ui.money import figures as money_figures

studio = session.studio()
is_first_run = session.enter_page("chat")
conversation = None
with telling_errors():
    conversation = opened.current_conversation(is_first_run=is_first_run)
known = session.state()

# What comes and goes above the messages leaves them at their place (core/ui/chat/ahead.py).
above = st.container()
with above, telling_errors():
    conversation_list.draw(conversation)
with above:
    notices.chat_notices()
with above, telling_errors():
    conversation_header.draw(conversation)
page_files.draw_style("chat")
with above, telling_errors():
    reading.install()
with above:
    drawing_action.install()

# Asked before the path is read: an answer that ends in between is then in the store.
live = studio.answers.live_in(conversation.id) if conversation else None
path: tuple[Message, ...] = ()
drawn: tuple[Message, ...] = ()
with above, telling_errors():
    path = studio.store.messages.path(session.owner(), conversation.id) if conversation else ()
    path = history_place.draw_linked_turn(conversation, path)
    drawn = turns.draw_earlier(conversation, path)

with above:
    message_menu.draw_undo(conversation)
talk = ahead.Talk()
if not path:
    answer_actions.draw_suggestions(talk)

place = None
lines = money_figures.lines_of(path)
pictures_of = drawn_pictures.of(drawn)
asked = {message.id: message for message in path}
for message in drawn:
    assert conversation is not None
    with talk.message():
        if message.role == "tool":
            tool_turns.draw_results(message, tool_turns.names_of(path))
            continue
        if message.role == "user":
            answer_actions.draw_question(message, conversation)
            # Other front ends may draw a question, too.
            drawn_pictures.draw(message, pictures_of.get(message.id, ()))
            drawing_form.draw(message.id)
            continue
        with st.chat_message("assistant", avatar=message_view.AVATARS["assistant"]):
            if message.status is AnswerStatus.RUNNING:
                place = st.container()
                reading.draw(message)
                if live is None:
                    streaming.follow(message, place)
            else:
                question = asked.get(message.parent_id or "")
                message_view.draw_answer(message, money_figures.answer_line(message, lines))
                proposed.draw(message)
                look = money_figures.look_line(question, lines)
                sources.draw(question, message, conversation, look)
                answer_actions.draw(message, conversation, question, more=drawing_action.draw)
                drawn_pictures.draw(message, pictures_of.get(message.id, ()))
                drawing_form.draw(message.id)
talk.end(is_growing=place is not None)

composer.take_words(conversation)
if known.error is not None:
    session.show_error(known.error)
    known.error = None

composer.draw(conversation, path, talk, sticks_to_end=opened.linked_message() is None)
money_figures.draw_hint(
    path,
    chat_settings.parameters_of(conversation),
    lines,
    conversation.id if conversation is not None else None,
)

box = chat_box.place_of(conversation)
voice_in.await_words(box)
if live is not None and place is not None:
    with place:
        streaming.attach(live, has_news=lambda: voice_in.has_come(box))
    st.rerun()
elif conversation is not None and len(path) == 2:
    streaming.await_title(conversation)
