"""Every code that a client knows has its row, its meaning and its cure, in both languages."""

from core.providers.deepseek.errors import BY_STATUS
from core.providers.kling.errors import BY_CODE
from core.work.checkup.codes import CODES, codes_named
from core.work.checkup.finding import LEVELS, found


def test_every_code_that_is_read_is_explained() -> None:
    known = {(one.service, one.code) for one in CODES}
    assert {("chat", status) for status in BY_STATUS} <= known
    assert {("kling", code) for code in BY_CODE} <= known
    for one in CODES:
        for language in ("zh", "en"):
            assert one.meaning(language)
            assert one.what_to_do(language)


def test_a_code_is_found_by_itself_and_by_its_status() -> None:
    assert [one.code for one in codes_named("1102")] == [1102]
    assert {one.code for one in codes_named("503")} == {503, 5001}
    assert codes_named("7") == ()
    assert codes_named(" ") == CODES


def test_every_fault_says_why_and_what_to_do() -> None:
    for id, level in LEVELS.items():
        for language in ("zh", "en"):
            one = found(id)
            assert one.what(language), id
            is_grave = level in ("fault", "warning")
            assert bool(one.why(language)) == is_grave, id
            assert bool(one.cure(language)) == is_grave, id
