"""Proxy × configuration × caller, with real nginx and Caddy and live-shaped keys: who may spend.

What reaches the provider is what was spent: it counts.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.access.passes import COOKIE
from core.practice.server import PracticeServer
from tests.crash.workshop import wait_for
from tests.proxy_programs import Proxy, caddy, nginx
from tests.running_app import RunningApp, free_port, running_app, wait_until_there
from tests.second_address import SecondAddress, second_address
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK

TOKEN = "token-of-the-phone-0123456789"
OTHER = "www-data"  # Debian's user for proxies; the studio of these tests never runs as it
OWN = "root"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="proxies and callers of other users are started by root"
)

HOST = "proxy_set_header Host $http_host;"
FULL = f"""{HOST}
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;"""
ONE_ONE = 'proxy_http_version 1.1; proxy_set_header Connection "";'

NGINX = {
    "default": "",
    "host": HOST,
    "full": FULL,
    "default, 1.1": ONE_ONE,
    "host, 1.1": HOST + ONE_ONE,
    "full, 1.1": FULL + ONE_ONE,
}
CALLERS: dict[str, dict[str, str]] = {
    "plain": {},
    "posing as local": {"Host": "localhost", "Origin": "http://localhost:8501"},
    "by the proxy's name": {"Host": "studio.example.org"},
    "by a listed name": {"Host": "studio.lan"},
    "forging": {
        "X-Forwarded-For": "127.0.0.1:5000",
        "X-Forwarded-Email": "ann@example.com",
        "X-Inkling-Peer": '{"address":"127.0.0.1","whose":"ours"}',
    },
    "guessing": {"Authorization": f"Bearer {TOKEN[:-1]}0"},
}


def call(
    url: str,
    path: str,
    headers: dict[str, str],
    *,
    user: str | None = None,
    body: str = "",
    place: SecondAddress | None = None,
) -> tuple[int, str]:
    """Ask with curl, as `user`, from `place`; return status and body."""
    command = ["curl", "-sS", "--noproxy", "*", "-m", "20", "-w", "\n%{http_code}", url + path]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if body:
        command += ["-H", "Content-Type: application/json", "-d", body]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", *command]
    if place is not None:
        command = place.inside(*command)
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    text, _, status = ran.stdout.rpartition("\n")
    return int(status), text


def spend(
    url: str,
    headers: dict[str, str],
    provider: PracticeServer,
    *,
    user: str | None = None,
    place: SecondAddress | None = None,
) -> tuple[tuple[int, int], int]:
    """Try to spend on words and on a picture; return both statuses, and how much was spent."""
    before = provider.counters
    words, _ = call(url, "/complete?question=hi", headers, user=user, place=place)
    wish = json.dumps({"prompt": "a mountain", "model_name": "kling-v2-1"})
    path = "/kling/v1/images/generations"
    picture, _ = call(url, path, headers, user=user, body=wish, place=place)
    after = provider.counters
    return (words, picture), (
        after.chat_requests - before.chat_requests + after.tasks_accepted - before.tasks_accepted
    )


@contextmanager
def studio(
    folder: Path,
    provider: PracticeServer,
    access: str,
    *,
    address: str = "127.0.0.1",
    user: int | None = None,
    below: str = "",
) -> Iterator[RunningApp]:
    folder.mkdir(exist_ok=True)
    secrets = folder / "secrets.toml"
    secrets.write_text(f"[access]\n{access}\n")
    environment = {
        "DEEPSEEK_API_KEY": CHAT_KEY,
        "DEEPSEEK_API_URL": provider.chat_url,
        "KLING_API_KEY": KLING_KEY,
        "KLING_API_ORIGIN": provider.origin,
        "INKLING_TOKENS": f"phone:{TOKEN}",
    }
    if below:
        environment["STREAMLIT_SERVER_BASE_URL_PATH"] = below
    if user is not None:
        environment["HOME"] = str(folder)
        os.chown(folder, user, user)
    with running_app(
        folder / "data", environment, address=address, secrets=secrets, user=user
    ) as app:
        wait_until_there(f"{app.url}/readyz", app)
        yield app


@contextmanager
def nginx_before(app: RunningApp, block: str, worker: str) -> Iterator[Proxy]:
    port = free_port()
    location = f"location / {{ proxy_pass {app.url}; {block} }}"
    with nginx(f"server {{ listen 127.0.0.1:{port}; {location} }}", port, worker=worker) as proxy:
        yield proxy


@contextmanager
def caddy_before(app: RunningApp, user: str, *, lines: str = "") -> Iterator[Proxy]:
    port = free_port()
    upstream = app.url.removeprefix("http://")
    text = f"http://:{port} {{\n    reverse_proxy {upstream} {{\n{lines}\n    }}\n}}\n"
    with caddy(text, port, user=user) as proxy:
        yield proxy


def nobody_spends_through(proxy: Proxy, provider: PracticeServer) -> None:
    for name, headers in CALLERS.items():
        statuses, spent = spend(proxy.url, headers, provider)
        expected = 401 if name == "guessing" else 403
        assert (name, *statuses, spent) == (name, expected, expected, 0)
    statuses, spent = spend(proxy.url, {"Authorization": f"Bearer {TOKEN}"}, provider)
    assert (*statuses, spent) == (200, 200, 2)


@pytest.fixture(scope="module")
def provider() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def plain(
    tmp_path_factory: pytest.TempPathFactory, provider: PracticeServer
) -> Iterator[RunningApp]:
    """A studio whose owner has followed the advice to add a name, and said nothing of a proxy."""
    hosts = 'hosts = ["studio.lan", "studio.example.org"]'
    with studio(tmp_path_factory.mktemp("plain"), provider, hosts) as app:
        yield app


@pytest.fixture(scope="module")
def behind(
    tmp_path_factory: pytest.TempPathFactory, provider: PracticeServer
) -> Iterator[RunningApp]:
    access = 'behind_proxy = true\nhosts = ["studio.lan", "studio.example.org"]'
    with studio(tmp_path_factory.mktemp("behind"), provider, access) as app:
        yield app


@pytest.mark.parametrize("block", NGINX.values(), ids=NGINX)
def test_nobody_spends_through_another_users_nginx(
    plain: RunningApp, provider: PracticeServer, block: str
) -> None:
    with nginx_before(plain, block, OTHER) as proxy:
        nobody_spends_through(proxy, provider)
    # That peer alone is refused: the owner beside it is still here.
    assert spend(plain.url, {}, provider) == ((200, 200), 2)


@pytest.mark.parametrize(
    "lines", ["", "header_up -X-Forwarded-*", "transport http {\nversions 1.1\n}"]
)
def test_nobody_spends_through_another_users_caddy(
    plain: RunningApp, provider: PracticeServer, lines: str
) -> None:
    with caddy_before(plain, OTHER, lines=lines) as proxy:
        nobody_spends_through(proxy, provider)
    assert spend(plain.url, {}, provider) == ((200, 200), 2)


@pytest.mark.parametrize("block", NGINX.values(), ids=NGINX)
def test_nobody_spends_behind_a_proxy_of_the_same_user(
    behind: RunningApp, provider: PracticeServer, block: str
) -> None:
    with nginx_before(behind, block, OWN) as proxy:
        nobody_spends_through(proxy, provider)
    statuses, spent = spend(behind.url, {}, provider)
    assert (*statuses, spent) == (403, 403, 0)  # nor from this machine itself


def test_nobody_spends_behind_the_same_users_caddy(
    behind: RunningApp, provider: PracticeServer
) -> None:
    with caddy_before(behind, OWN, lines="header_up -X-Forwarded-*") as proxy:
        nobody_spends_through(proxy, provider)


@pytest.mark.parametrize(
    ("block", "sign"), [("", "HTTP/1.0"), (FULL + ONE_ONE, "x-"), (FULL, "x-")]
)
def test_one_forwarded_call_of_the_same_user_ends_being_here(
    tmp_path: Path, provider: PracticeServer, block: str, sign: str
) -> None:
    with studio(tmp_path / "studio", provider, "") as app:
        assert spend(app.url, {}, provider) == ((200, 200), 2)
        with nginx_before(app, block, OWN) as proxy:
            nobody_spends_through(proxy, provider)
        statuses, spent = spend(app.url, {}, provider)
        assert (*statuses, spent) == (403, 403, 0)
        _, reason = call(app.url, "/complete?question=hi", {})
        assert sign in reason
        assert "started again" in reason
        assert "/enter" in reason
        # A proxy that hides itself from here on is refused like everybody else.
        with nginx_before(app, ONE_ONE, OWN) as proxy:
            nobody_spends_through(proxy, provider)


@pytest.mark.parametrize("headers", CALLERS.values(), ids=CALLERS)
def test_a_second_local_user_spends_nothing(
    plain: RunningApp, provider: PracticeServer, headers: dict[str, str]
) -> None:
    statuses, spent = spend(plain.url, headers, provider, user="nobody")
    expected = 401 if "Authorization" in headers else 403
    assert (*statuses, spent) == (expected, expected, 0)
    assert spend(plain.url, {}, provider) == ((200, 200), 2)


def test_a_second_local_user_is_told_why_and_where_to_get_in(plain: RunningApp) -> None:
    _, reason = call(plain.url, "/complete?question=hi", {}, user="nobody")
    for kind in ("sudo", "network_mode: host", "rootless", "WSL", "ssh -L", "/enter"):
        assert kind in reason
    statuses = call(
        plain.url, "/complete?question=hi", {"Authorization": f"Bearer {TOKEN}"}, user="nobody"
    )
    assert statuses[0] == 200


ANN = {"X-Test-User": "ann@example.com"}
NAMES = "proxy_set_header X-Forwarded-Email $http_x_test_user;"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[SecondAddress]:
    with second_address() as line:
        yield line


@pytest.fixture(scope="module")
def signing_in(
    tmp_path_factory: pytest.TempPathFactory, provider: PracticeServer
) -> Iterator[RunningApp]:
    """A studio whose proxy on this machine signs people in, and which is reached without it too."""
    access = (
        'proxies = ["127.0.0.1", "10.0.0.0/30"]\nuser_header = "X-Forwarded-Email"\n'
        'users = ["ann@example.com", "example.org"]'
    )
    folder = tmp_path_factory.mktemp("signing-in")
    with studio(folder, provider, access, address="0.0.0.0") as app:
        yield app


@pytest.mark.parametrize("more", ["", FULL, FULL + ONE_ONE], ids=["bare", "full", "1.1"])
@pytest.mark.parametrize("worker", [OTHER, OWN])
def test_people_whom_a_listed_proxy_names_spend_if_they_are_on_the_list(
    signing_in: RunningApp, provider: PracticeServer, more: str, worker: str
) -> None:
    with nginx_before(signing_in, NAMES + more, worker) as proxy:
        for person, may in {
            "ann@example.com": True,
            "bob@Example.org": True,
            "mallory@example.net": False,
            "ann@example.com, mallory@example.net": False,
            "": False,
        }.items():
            statuses, spent = spend(proxy.url, {"X-Test-User": person}, provider)
            assert (person, *statuses, spent) == (
                (person, 200, 200, 2) if may else (person, 403, 403, 0)
            )
        # The proxy writes the header anew: what the caller sends of it is gone.
        statuses, spent = spend(proxy.url, {"X-Forwarded-Email": "ann@example.com"}, provider)
        assert (*statuses, spent) == (403, 403, 0)


def test_each_person_has_rows_of_their_own(
    signing_in: RunningApp, provider: PracticeServer
) -> None:
    with nginx_before(signing_in, NAMES + FULL, OTHER) as proxy:
        wish = json.dumps({"prompt": "a mountain", "model_name": "kling-v2-1"})
        path = "/kling/v1/images/generations"
        status, body = call(proxy.url, path, ANN, body=wish)
        assert status == 200
        task = json.loads(body)["data"]["task_id"]
        bob = {"X-Test-User": "bob@example.org"}
        assert call(proxy.url, f"{path}/{task}", ANN)[0] == 200
        assert call(proxy.url, f"{path}/{task}", bob)[0] == 404
        assert call(proxy.url, path, bob)[0] == 403  # the list of everybody's tasks

        _, stream = call(proxy.url, "/stream?question=hi", ANN)
        answer = stream.partition("id: ")[2].partition(".")[0]
        again = {"Last-Event-ID": f"{answer}.0"}
        assert "[DONE]" in call(proxy.url, "/stream", {**ANN, **again})[1]
        assert call(proxy.url, "/stream", {**bob, **again}) == (204, "")
        with_token = {"Authorization": f"Bearer {TOKEN}", **again}
        assert call(proxy.url, "/stream", with_token) == (204, "")  # nor are they the owner's


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Email": "ann@example.com"},
        {"X-Forwarded-Email": "ann@example.com", "X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Email": "ann@example.com", "X-Forwarded-For": "10.0.0.1:5000"},
        {"X-Forwarded-Email": "ann@example.com", "Host": "localhost:8501"},
    ],
)
def test_nobody_elsewhere_names_themselves(
    signing_in: RunningApp,
    provider: PracticeServer,
    elsewhere: SecondAddress,
    headers: dict[str, str],
) -> None:
    port = signing_in.url.rpartition(":")[2]
    url = f"http://{elsewhere.here}:{port}"
    statuses, spent = spend(url, headers, provider, place=elsewhere)
    assert (*statuses, spent) == (403, 403, 0)
    statuses, spent = spend(url, {"Authorization": f"Bearer {TOKEN}"}, provider, place=elsewhere)
    assert (*statuses, spent) == (200, 200, 2)


# -- one-time links: the only way in for whoever is not here --------------------------------------


def link_of(app: RunningApp) -> str:
    """Return the path of the one-time link that the start prints, once the studio is open."""
    found: re.Match[str] = wait_for(
        lambda: re.search(r"/enter\?code=[\w-]+", app.log.read_text()), "a link is printed"
    )
    return found[0]


def press(
    url: str, link: str, place: SecondAddress | None = None, below: str = ""
) -> tuple[int, dict[str, str] | None]:
    """Press the button of the link's page, as a browser does; return status and page's headers."""
    command = ["curl", "-sSi", "--noproxy", "*", "-m", "20", "-H", f"Origin: {url}"]
    command += ["-d", link.partition("?")[2], f"{url}{below}/enter"]
    if place is not None:
        command = place.inside(*command)
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    cookie = re.search(rf"{COOKIE}=[^;\s]+", ran.stdout)
    headers = {"Cookie": cookie[0], "Origin": url} if cookie else None
    return int(ran.stdout.split()[1]), headers


def a_link_lets_one_browser_in(
    url: str,
    link: str,
    provider: PracticeServer,
    place: SecondAddress | None = None,
    *,
    below: str = "",
) -> None:
    base = url + below
    statuses, spent = spend(base, {"Origin": url}, provider, place=place)
    assert (*statuses, spent) == (403, 403, 0)
    for _ in range(2):  # a messenger's preview reads it too: that redeems nothing
        status, page = call(base, link, {}, place=place)
        assert status == 200
        assert "<button" in page
    status, mine = press(url, link, place, below)
    assert status == 303
    assert mine is not None
    statuses, spent = spend(base, mine, provider, place=place)
    assert (*statuses, spent) == (200, 200, 2)
    # A second browser with the same link, and a foreign page with the first one's cookie.
    assert press(url, link, place, below) == (403, None)
    for headers in ({"Origin": url}, {**mine, "Origin": "http://evil.example"}):
        statuses, spent = spend(base, headers, provider, place=place)
        assert (*statuses, spent) == (403, 403, 0)


PASSING = {"nginx full": FULL, "nginx host, 1.1": HOST + ONE_ONE, "caddy": None}


@pytest.mark.parametrize("block", PASSING.values(), ids=PASSING)
def test_a_link_lets_one_browser_in_through_a_proxy(
    tmp_path: Path, provider: PracticeServer, block: str | None
) -> None:
    with studio(tmp_path / "studio", provider, "behind_proxy = true") as app:
        link = link_of(app)
        before = caddy_before(app, OTHER) if block is None else nginx_before(app, block, OTHER)
        with before as proxy:
            a_link_lets_one_browser_in(proxy.url, link, provider)


def test_a_link_lets_one_browser_in_below_a_path(tmp_path: Path, provider: PracticeServer) -> None:
    below = "my/studio"
    with (
        studio(tmp_path / "studio", provider, "behind_proxy = true", below=below) as app,
        nginx_before(app, FULL + ONE_ONE, OTHER) as proxy,
    ):
        a_link_lets_one_browser_in(proxy.url, link_of(app), provider, below=f"/{below}")


# -- a studio that runs as a user of its own, as services do: root is another user to it -----------

SERVICE = 65534


@pytest.fixture
def folder_of_a_service() -> Iterator[Path]:
    # Not below pytest's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory(prefix="inkling-service-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "studio"


def test_whoever_is_not_the_services_user_spends_nothing_without_a_token_or_a_link(
    folder_of_a_service: Path, provider: PracticeServer
) -> None:
    with studio(folder_of_a_service, provider, "", user=SERVICE, address="0.0.0.0") as app:
        assert app.data_dir.stat().st_uid == SERVICE
        for name, headers in CALLERS.items():
            statuses, spent = spend(app.url, headers, provider)
            expected = 401 if name == "guessing" else 403
            assert (name, *statuses, spent) == (name, expected, expected, 0)
        statuses, spent = spend(app.url, {"Authorization": f"Bearer {TOKEN}"}, provider)
        assert (*statuses, spent) == (200, 200, 2)
        a_link_lets_one_browser_in(app.url, link_of(app), provider)
        # Its own user is here, as ever.
        assert spend(app.url, {}, provider, user="nobody") == ((200, 200), 2)


def test_a_link_lets_one_browser_in_from_a_second_address(
    folder_of_a_service: Path, provider: PracticeServer, elsewhere: SecondAddress
) -> None:
    with studio(folder_of_a_service, provider, "", user=SERVICE, address="0.0.0.0") as app:
        url = f"http://{elsewhere.here}:{app.url.rpartition(':')[2]}"
        a_link_lets_one_browser_in(url, link_of(app), provider, elsewhere)


def test_curl_is_there() -> None:
    assert shutil.which("curl")
    assert shutil.which("setpriv")
