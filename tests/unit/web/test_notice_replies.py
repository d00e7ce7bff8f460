"""Every notice that the catalogue has can be told over HTTP, with all of its facts."""

from string import Formatter

import pytest
from msgspec import to_builtins

from core.models.notices import Notice
from core.texts.catalogue import texts_of
from core.web.chat.notices import notice_reply

NOTICES = {
    name: {field for _, field, _, _ in Formatter().parse(words) if field}
    for name, words in texts_of("en").items()
    if name.startswith("notice.")
}


@pytest.mark.parametrize("text_id", NOTICES)
def test_a_notice_is_told_with_its_facts(text_id: str) -> None:
    facts = dict.fromkeys(NOTICES[text_id], "seven")
    told = to_builtins(notice_reply(Notice(text_id, facts), "en"))
    assert {name: told[name] for name in facts} == facts
    assert told["id"] == text_id.removeprefix("notice.")
    assert told["message"].count("seven") == len(facts)
