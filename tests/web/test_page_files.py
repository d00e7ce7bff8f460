"""Static files of the pages over HTTP: kept by their hash, refused to no one, never HTML."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.settings import AccessSettings
from tests.web.serving import serving

SCRIPT = b"export default function () {}"
HASH = hashlib.sha256(SCRIPT).hexdigest()[:16]
FILES = {"a.js": SCRIPT, "b.zh.css": "p { content: '字' }".encode(), "w.en.json": b"{}"}


@pytest.fixture(params=["", "studio/base"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    base = request.param
    access = AccessSettings(behind_proxy=True)  # nobody is here, and no token is set
    with serving(tmp_path, access=access, page_files=FILES, base_path=lambda: base) as served:
        url = f"http://127.0.0.1:{served.port}/{base and base + '/'}"
        with httpx.Client(base_url=url, trust_env=False) as client:
            yield client


def test_a_file_is_had_by_its_address_and_kept(client: httpx.Client) -> None:
    reply = client.get(f"assets/a.{HASH}.js")
    assert (reply.status_code, reply.content) == (200, SCRIPT)
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in reply.headers["cache-control"]
    assert client.head(f"assets/a.{HASH}.js").headers["content-length"] == str(len(SCRIPT))
    assert client.get(f"assets/b.zh.{'0' * 16}.css").content == FILES["b.zh.css"]
    assert client.get("assets/w.en.x.json").json() == {}


@pytest.mark.parametrize("version", ["0" * 16, HASH[:3], HASH[:15], "x", "", f"{HASH}x"])
def test_another_versions_address_gets_this_one_and_is_not_kept(
    client: httpx.Client, version: str
) -> None:
    reply = client.get(f"assets/a.{version}.js")
    assert (reply.status_code, reply.content) == (200, SCRIPT)
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["", "a.js", "a.css", f"A.{HASH}.js", f"../a.{HASH}.js", "a", "b.css", "%2e%2e/app.py"]
)
def test_what_is_no_file_is_404(client: httpx.Client, name: str) -> None:
    reply = client.get(f"assets/{name}", headers={"Accept": "text/html"})
    assert reply.status_code == 404
    assert client.get(f"assets/{name}").json()["error"]


def test_it_is_only_read(client: httpx.Client) -> None:
    assert client.post(f"assets/a.{HASH}.js").status_code == 405
