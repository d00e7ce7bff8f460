"""Files of settings with which Streamlit by itself answers 500: the real server serves."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import jwt
import pytest

from tests.running_app import running_app

KEY = "sk-files-0123456789abcdef"
COOKIE_SECRET = "a-cookie-secret-of-this-test-0123456789"
AUTH = f"""[auth]
redirect_uri = "http://127.0.0.1:1/oauth2callback"
cookie_secret = "{COOKIE_SECRET}"
client_id = "studio"
client_secret = "a-client-secret"
server_metadata_url = "http://127.0.0.1:1/.well-known/openid-configuration"
"""


def written(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


FAULTS: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "utf-16": (written(f"# 登录\n{AUTH}".encode("utf-16")), None),
    "gbk, and a mistake": (written(f"# 登录\nA = {KEY}\n{AUTH}".encode("gbk")), "line 2"),
    "a folder": (Path.mkdir, "should be a text file and is a folder"),
    "a pipe": (os.mkfifo, "no ordinary file"),
}


@pytest.mark.parametrize(("make", "told"), FAULTS.values(), ids=FAULTS)
def test_the_server_serves_and_sign_in_survives(
    tmp_path: Path, make: Callable[[Path], object], told: str | None
) -> None:
    secrets = tmp_path / "secrets.toml"
    make(secrets)
    with (
        running_app(tmp_path / "data", secrets=secrets) as app,
        httpx.Client(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        page = http.get("/")
        assert page.status_code == 200
        assert "<html" in page.text
        assert "text/html" in page.headers["content-type"]
        answer = http.get("/complete", params={"question": "hello"})
        assert answer.status_code == 200
        log = app.log.read_text()
        # Sign-in is known by its secret: with it, Streamlit goes to the provider, which is not
        # there; without it, a token that it has not signed leads back to the pages.
        claims = {"provider": "default", "exp": int(time.time()) + 120}
        token = jwt.encode(claims, COOKIE_SECRET, algorithm="HS256")
        login = http.get("/auth/login", params={"provider": token})
        assert login.status_code == (400 if secrets.is_file() else 302)
    if told is not None:
        assert "secrets.toml" in log
    assert "Traceback" not in log
    assert KEY not in log
