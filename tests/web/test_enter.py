"""`/enter` over real sockets: the form, one-time links, cookies, and who is kept out."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from core.access.invitations import LIFETIME_S
from core.access.passes import COOKIE
from core.practice.server import PracticeServer
from core.settings import AccessSettings, Secret, Settings
from core.web.guard.guess_limit import MOST_GUESSES, PAUSE_S
from tests.web.serving import QUICK, Served, listening, serving_practice

TOKEN = "a-token-of-this-test-0123"
ACCESS = AccessSettings(behind_proxy=True, tokens={"phone": Secret(TOKEN)})
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture
def served(tmp_path: Path, practice: PracticeServer) -> Iterator[Served]:
    with serving_practice(tmp_path, practice, ACCESS) as running:
        yield running


def own(served: Served) -> dict[str, str]:
    return {"Origin": served.url}


def post(
    served: Served, headers: Mapping[str, str] | None = None, /, **form: str
) -> httpx.Response:
    return httpx.post(
        f"{served.url}/enter",
        data=form,
        headers=own(served) if headers is None else headers,
        trust_env=False,
    )


def cookie_of(reply: httpx.Response) -> dict[str, str]:
    return {"Cookie": reply.headers["set-cookie"].partition(";")[0]}


def complete(served: Served, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return served.http.get("/complete?question=hi", headers=named).status_code


# -- the form --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "tag", "words"), [("zh-CN", "zh-CN", "访问令牌"), ("de", "en", "Access token")]
)
def test_the_form_is_whole_by_itself(served: Served, asked: str, tag: str, words: str) -> None:
    reply = served.http.get("/enter", headers={"Accept-Language": asked})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert f'<html lang="{tag}">' in reply.text
    assert words in reply.text
    assert not re.search(r"https?:|//|<script|\son\w+=|url\(", reply.text)
    assert "set-cookie" not in reply.headers
    assert served.http.head("/enter").status_code == 200
    assert served.http.put("/enter").status_code == 405


def test_a_token_sets_a_cookie_that_lets_pages_of_ours_in(
    served: Served, practice: PracticeServer
) -> None:
    before = practice.counters.chat_requests
    assert complete(served, **own(served)) == 403
    assert practice.counters.chat_requests == before
    reply = post(served, token=f" {TOKEN} ")
    assert reply.status_code == 303
    assert urljoin("http://x/base/enter", reply.headers["location"]) == "http://x/base/"
    flags = reply.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert "Secure" not in flags
    assert TOKEN not in reply.headers["set-cookie"]
    mine = cookie_of(reply)
    assert complete(served, **mine, **own(served)) == 200
    assert complete(served, **mine, Referer=f"{served.url}/gallery") == 200
    assert practice.counters.chat_requests == before + 2
    assert "phone" in served.http.get("/enter", headers=mine).text


def test_the_cookie_is_secure_where_the_browser_came_by_https(served: Served) -> None:
    origin = f"https://127.0.0.1:{served.port}"
    assert "; Secure" in post(served, {"Origin": origin}, token=TOKEN).headers["set-cookie"]


def test_a_cookie_alone_or_from_another_page_spends_nothing(
    served: Served, practice: PracticeServer
) -> None:
    mine = cookie_of(post(served, token=TOKEN))
    before = practice.counters.chat_requests
    for page in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Referer": "http://evil.example/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert complete(served, **mine, **page) == 403, page
    assert practice.counters.chat_requests == before


@pytest.mark.parametrize(
    "form",
    [
        {"token": TOKEN[:-1]},
        {"token": TOKEN + "x"},
        {"token": TOKEN.upper()},
        {"token": "phone"},
        {"token": '"><script>alert(1)</script>'},
        {"code": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"code": TOKEN},
        {"token": "", "code": ""},
    ],
)
def test_what_is_wrong_lets_nobody_in(served: Served, form: dict[str, str]) -> None:
    reply = post(served, **form)
    assert reply.status_code == (403 if any(form.values()) else 400)
    assert "set-cookie" not in reply.headers
    assert 'role="alert"' in reply.text
    assert "<script" not in reply.text
    assert served.studio.passes.valid() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "http://evil.example/"},
    ],
)
def test_a_foreign_page_chooses_for_nobody(served: Served, headers: dict[str, str]) -> None:
    made = served.studio.invitations.make("tablet")
    for form in ({"token": TOKEN}, {"code": made.code}):
        reply = post(served, headers, **form)
        assert reply.status_code == 403
        assert "set-cookie" not in reply.headers
    assert served.studio.invitations.is_open(made)


def test_other_bodies_are_refused(served: Served) -> None:
    for headers, body, status in (
        ({"Content-Type": "text/plain"}, f"token={TOKEN}", 415),
        ({"Content-Type": "application/json"}, f'{{"token": "{TOKEN}"}}', 415),
        (FORM, "token=" + "x" * 20_000, 413),
        (FORM, "&".join(f"a{number}=1" for number in range(30)), 400),
        (FORM, "token=%ff%00%", 403),
    ):
        reply = served.http.post("/enter", headers={**own(served), **headers}, content=body)
        assert reply.status_code == status, body[:20]


def test_who_guesses_has_to_wait_and_who_is_in_stays_in(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = cookie_of(post(served, token=TOKEN))
    for number in range(MOST_GUESSES):
        assert post(served, token=f"a-guess-of-a-stranger-{number}").status_code == 403
    began = time.monotonic()
    assert post(served, token="one-guess-more-than-that").status_code == 403
    assert time.monotonic() - began >= PAUSE_S
    monkeypatch.setattr("core.web.guard.guess_limit.MOST_WAIT_S", 0.0)  # as if many waited already
    code = served.studio.invitations.make("x").code
    for form in ({"token": "and-yet-another-one"}, {"code": code}):
        waiting = post(served, **form)
        assert waiting.status_code == 429
        assert int(waiting.headers["retry-after"]) >= 1
    assert complete(served, Authorization="Bearer a-guess-by-another-door") == 429
    assert complete(served, **mine, **own(served)) == 200
    assert post(served, token=TOKEN).status_code == 303  # it was right from here before


# -- one-time links --------------------------------------------------------------------------------


def test_a_link_is_shown_as_often_as_one_likes_and_redeemed_once(served: Served) -> None:
    made = served.studio.invitations.make("tablet")
    for _ in range(3):  # the previews of a messenger
        page = served.http.get("/enter", params={"code": made.code})
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        assert 'type="password"' not in page.text
    reply = post(served, code=made.code)
    assert reply.status_code == 303
    assert complete(served, **cookie_of(reply), **own(served)) == 200
    again = post(served, code=made.code)
    assert again.status_code == 403
    assert "set-cookie" not in again.headers
    assert [one.name for one in served.studio.passes.valid()] == ["tablet"]


def test_a_link_that_has_expired_lets_nobody_in(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitations = served.studio.invitations
    made = invitations.make("tablet")
    now = made.expires_at + 1
    monkeypatch.setattr(invitations, "_clock", lambda: now)
    assert post(served, code=made.code).status_code == 403
    assert now - made.expires_at < LIFETIME_S
    assert served.studio.passes.valid() == []


def test_a_code_is_never_part_of_the_markup(served: Served) -> None:
    page = served.http.get("/enter", params={"code": '"><script>alert(1)</script>'})
    assert "<script" not in page.text


# -- the end of a pass -----------------------------------------------------------------------------


def test_a_pass_taken_back_opens_nothing(served: Served, practice: PracticeServer) -> None:
    mine = cookie_of(post(served, token=TOKEN))
    assert complete(served, **mine, **own(served)) == 200
    before = practice.counters.chat_requests
    (one,) = served.studio.passes.valid()
    served.studio.passes.revoke(one.id)
    assert complete(served, **mine, **own(served)) == 403
    assert practice.counters.chat_requests == before


def test_entering_again_replaces_the_pass(served: Served) -> None:
    first = post(served, token=TOKEN)
    second = post(served, {**own(served), **cookie_of(first)}, token=TOKEN)
    assert len(served.studio.passes.valid()) == 1
    assert complete(served, **cookie_of(first), **own(served)) == 403
    assert complete(served, **cookie_of(second), **own(served)) == 200


def test_a_pass_outlives_a_restart_but_not_its_token(
    tmp_path: Path, practice: PracticeServer
) -> None:
    with serving_practice(tmp_path, practice, ACCESS) as served:
        mine = cookie_of(post(served, token=TOKEN))
    with serving_practice(tmp_path, practice, ACCESS) as served:
        assert complete(served, **mine, **own(served)) == 200
    without = AccessSettings(behind_proxy=True)
    with serving_practice(tmp_path, practice, without) as served:
        assert complete(served, **mine, **own(served)) == 403


def test_cookies_and_tokens_stay_out_of_log_and_replies(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    code = served.studio.invitations.make("tablet").code
    served.http.get("/enter", params={"code": code})
    mine = cookie_of(post(served, code=code))
    secret = mine["Cookie"].partition(".")[2]
    assert secret not in served.http.get("/enter", headers=mine).text
    post(served, token=TOKEN)
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    assert any("let in as tablet" in line for line in lines)
    for hidden in (code, secret, TOKEN, COOKIE):
        assert not any(hidden in line for line in lines)


# -- below a base, and early -----------------------------------------------------------------------


def test_below_a_base_the_cookie_is_the_bases(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, access=ACCESS)
    with listening(lambda: settings, base_path=lambda: "studio/墨") as (port, http):
        base = "/studio/%E5%A2%A8"
        reply = http.post(
            f"{base}/enter", data={"token": TOKEN}, headers={"Origin": f"http://127.0.0.1:{port}"}
        )
        assert reply.status_code == 303
        assert f"Path={base}" in reply.headers["set-cookie"].split("; ")


def test_while_the_studio_opens_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.web.front.early_calls.WAIT_S", 0.05)
    file = tmp_path / "file"
    file.write_text("")
    unusable = Settings(data_dir=file / "folder", access=ACCESS)
    with listening(lambda: unusable) as (_, http):
        for reply in (http.get("/enter"), http.post("/enter", data={"token": TOKEN})):
            assert reply.status_code == 503
            assert int(reply.headers["retry-after"]) >= 1
            assert "<html" in reply.text


# -- another user of this machine ------------------------------------------------------------------


def curl_as_nobody(served: Served, path: str, *arguments: str) -> tuple[int, str]:
    """Return status, and head and body, as another user of this machine gets them."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("another user needs root and util-linux")
    identity = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    options = ["-sSi", "--noproxy", "*", "-m", "20", "-w", "\n%{http_code}"]
    command = [*identity, "curl", *options, *arguments, served.url + path]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    text, _, status = ran.stdout.rpartition("\n")
    return int(status), text


def test_another_user_of_this_machine_gets_in_by_a_link_alone(
    tmp_path: Path, practice: PracticeServer
) -> None:
    with serving_practice(tmp_path, practice) as served:
        origin = ("-H", f"Origin: {served.url}")
        before = practice.counters.chat_requests
        assert curl_as_nobody(served, "/complete?question=hi", *origin)[0] == 403
        assert practice.counters.chat_requests == before
        code = served.studio.invitations.make("a service's person").code
        status, text = curl_as_nobody(served, "/enter", *origin, "-d", f"code={code}")
        assert status == 303
        cookie = re.search(rf"{COOKIE}=[^;]+", text)
        assert cookie is not None
        mine = ("-H", f"Cookie: {cookie[0]}")
        assert curl_as_nobody(served, "/complete?question=hi", *origin, *mine)[0] == 200
        assert curl_as_nobody(served, "/complete?question=hi", *mine)[0] == 403
        assert practice.counters.chat_requests == before + 1
