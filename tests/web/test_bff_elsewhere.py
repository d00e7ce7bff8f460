"""From a second network address: refused, and let in with a token only. Nothing leaves here."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from core.practice.server import PracticeServer
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.second_address import SecondAddress, second_address
from tests.web.serving import CHAT_KEY, KLING_KEY, QUICK

TOKEN = "token-of-the-phone-0123456789"

HttpCall = Callable[[str, dict[str, str]], tuple[int, str]]

CALL = """
import json, sys, urllib.error, urllib.request
address, headers = sys.argv[1], json.loads(sys.argv[2])
try:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as r:
        print(json.dumps([r.status, r.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[SecondAddress]:
    with second_address() as line:
        yield line


@pytest.fixture(scope="module")
def provider() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module", params=["", "[access]\nopen = true\n"], ids=["closed", "open"])
def app(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    provider: PracticeServer,
) -> Iterator[RunningApp]:
    """The studio with keys, on every address; `open` opens the pages, not this layer."""
    folder = tmp_path_factory.mktemp("elsewhere")
    secrets = folder / "secrets.toml"
    secrets.write_text(request.param)
    environment = {
        "DEEPSEEK_API_KEY": CHAT_KEY,
        "DEEPSEEK_API_URL": provider.chat_url,
        "KLING_API_KEY": KLING_KEY,
        "KLING_API_ORIGIN": provider.origin,
        "INKLING_TOKENS": f"phone:{TOKEN}",
    }
    with running_app(folder / "data", environment, address="0.0.0.0", secrets=secrets) as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


@pytest.fixture
def call(app: RunningApp, elsewhere: SecondAddress) -> HttpCall:
    """Return what calls a path of the app from the other address."""

    def call(path: str, headers: dict[str, str]) -> tuple[int, str]:
        address = f"http://{elsewhere.here}:{app.url.rpartition(':')[2]}{path}"
        asked = elsewhere.inside(sys.executable, "-c", CALL, address, json.dumps(headers))
        ran = subprocess.run(asked, check=True, capture_output=True, text=True)
        status, body = json.loads(ran.stdout)
        return status, body

    return call


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:8501"},
        {"Host": "localhost", "Origin": "http://localhost:8501"},
        {"X-Forwarded-For": "127.0.0.1", "Host": "localhost"},
        {"Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"Authorization": "Bearer token-of-the-phone-012345678"},
    ],
)
def test_a_caller_from_elsewhere_spends_nothing(
    call: HttpCall, provider: PracticeServer, headers: dict[str, str]
) -> None:
    before = provider.counters
    for path in ("/stream?question=hi", "/complete?question=hi", "/kling/v1/images/generations"):
        status, body = call(path, headers)
        assert status == (401 if "Authorization" in headers else 403)
        assert "INKLING_TOKENS" in body
    assert provider.counters == before


@pytest.mark.parametrize("by", ["header", "query"])
def test_a_caller_with_a_token_spends(
    app: RunningApp, call: HttpCall, provider: PracticeServer, by: str
) -> None:
    before = provider.counters.chat_requests
    headers = {"Authorization": f"Bearer {TOKEN}"} if by == "header" else {}
    query = f"&access_token={TOKEN}" if by == "query" else ""
    status, body = call(f"/stream?question=hi{query}", headers)
    assert status == 200
    assert "event: end" in body
    assert provider.counters.chat_requests == before + 1
    assert TOKEN not in app.log.read_text()


def test_it_is_told_to_anyone_that_the_process_lives(call: HttpCall) -> None:
    assert call("/healthz", {})[0] == 200
