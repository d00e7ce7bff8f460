"""Access tokens on the Status page: made with what they are good for, shown once, taken back."""

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import visitor_owner
from core.models.money.ledger import Budget
from core.ui.visitor import Visitor
from core.work.process_studio import current_studio

PERSON = "pages/status.py"


@pytest.fixture
def status(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("core.ui.status.way_in.may_manage", lambda: True)
    monkeypatch.setattr("core.ui.reachable.is_http_served", lambda: True)
    monkeypatch.setenv("INKLING_TOKENS", "kiosk(chat):a-token-for-the-kiosk-0123")
    app.run()
    return app.switch_page(PERSON).run()


def shown(app: AppTest) -> str:
    return "\n".join(one.value for one in [*app.markdown, *app.caption, *app.code, *app.error])


def test_a_token_is_made_shown_once_and_taken_back(status: AppTest) -> None:
    studio = current_studio()
    assert studio is not None
    assert "kiosk" in shown(status)
    status.text_input(key="token-name").set_value("web ui")
    status.number_input(key="token-amount").set_value(5.0)
    status.number_input(key="token-minute").set_value(60)
    status.button(key="token-make").click().run()
    (token,) = [one.value for one in status.code if one.value.startswith("ink_")]
    found = studio.tokens.find([token])
    assert found is not None
    assert (found.name, set(found.scopes), found.per_minute) == ("web ui", {"chat"}, 60)
    assert found.budget in studio.store.ledger.plan.budgets
    status.button(key="token-hide").click().run()
    assert token not in shown(status)
    assert "web ui" in shown(status)
    status.button(key=f"token-revoke-{found.digest[:16]}").click().run()
    assert studio.tokens.find([token]) is None
    assert "web ui" not in shown(status)
    assert not any(isinstance(one, Budget) for one in studio.store.ledger.plan.budgets)


def test_what_cannot_be_made_says_why_and_keeps_what_was_written(status: AppTest) -> None:
    for name in ("", "kiosk"):
        status.text_input(key="token-name").set_value(name)
        status.button(key="token-make").click().run()
        assert len(status.error) == 1
        assert status.text_input(key="token-name").value == name
        assert not [one for one in status.code if one.value.startswith("ink_")]


def test_whose_pass_was_taken_back_has_no_press_left_on_an_open_page(
    status: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = current_studio()
    assert studio is not None
    status.text_input(key="token-name").set_value("kept a foot in the door")
    stranger = Visitor(visitor_owner("v"), "stranger")
    monkeypatch.setattr("core.ui.visitor.visitor", lambda *_: stranger)
    status.button(key="token-make").click().run()
    assert not status.exception
    assert studio.tokens.all() == []
