"""core/providers/downloads: what may be fetched, from where, and that it is whole."""

import asyncio
import gzip
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import AppError, NotFoundError, PictureError, StoreError, UnavailableError
from core.providers.http.client import build_client
from core.providers.kling.addresses import is_picture_host, is_public
from core.providers.kling.downloads import PictureFetcher
from core.providers.kling.picture_files import FetchedFile, sniff_media_type
from tests.unit.replies import Pieces, bytewise, raw_server, read_request

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
LINK = "https://cdn.klingai.com/bs2/a_raw_image_0.png?x-kcdn-pid=1&sig=s3cret"
ORIGIN = "http://127.0.0.1:8123"
PUBLIC = "93.184.215.14"
DEADLINE_S = 60


class Web:
    """Serves pages by address, remembers requests; names resolve as told."""

    def __init__(self, pages: dict[str, Any], names: dict[str, Sequence[str]] | None = None):
        self.pages = pages
        self.names = names or {}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.pages[str(request.url)]
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, httpx.Response)
        return reply

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def fetch(
        self, link: str, folder: Path, *, origin: str = ORIGIN, **options: Any
    ) -> FetchedFile:
        async def run() -> FetchedFile:
            client = build_client(timeout=httpx.Timeout(5), transport=httpx.MockTransport(self))
            fetcher = PictureFetcher(origin, client=client, resolve=self.resolve)
            try:
                return await fetcher.fetch(link, folder / "picture.png", **options)
            finally:
                await fetcher.aclose()

        return asyncio.run(run())

    def refusal(self, link: str, folder: Path, **options: Any) -> AppError:
        before = sorted(folder.iterdir())
        with pytest.raises(AppError) as caught:
            self.fetch(link, folder, **options)
        assert sorted(folder.iterdir()) == before  # neither the picture nor a part of it
        assert "s3cret" not in f"{caught.value} {caught.value.facts} {caught.value.detail}"
        return caught.value


def page(body: bytes = PNG, status_code: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status_code, headers=named, stream=Pieces([body]))


def redirect(location: str, status_code: int = 302) -> httpx.Response:
    return httpx.Response(status_code, headers={"location": location})


# -- fetching --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [[PNG], bytewise(PNG), [b"", PNG[:12], PNG[12:]]])
def test_a_picture_is_fetched_whole(tmp_path: Path, pieces: list[bytes]) -> None:
    reply = httpx.Response(
        200, headers={"content-length": str(len(PNG))}, stream=Pieces(list(pieces))
    )
    fetched = Web({LINK: reply}).fetch(LINK, tmp_path)
    assert fetched == FetchedFile(len(PNG), hashlib.sha256(PNG).hexdigest(), "image/png")
    assert (tmp_path / "picture.png").read_bytes() == PNG
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_a_large_picture_is_fetched_whole(tmp_path: Path) -> None:
    body = PNG + os.urandom(1_500_000)
    pieces = [body[i : i + 65_537] for i in range(0, len(body), 65_537)]
    fetched = Web({LINK: httpx.Response(200, stream=Pieces(list(pieces)))}).fetch(LINK, tmp_path)
    assert fetched.sha256 == hashlib.sha256(body).hexdigest()
    assert (tmp_path / "picture.png").read_bytes() == body


def test_what_an_earlier_try_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "picture.png.part").write_bytes(b"x" * 9999)
    (tmp_path / "picture.png").write_bytes(b"old")
    Web({LINK: page()}).fetch(LINK, tmp_path)
    assert (tmp_path / "picture.png").read_bytes() == PNG


def test_nothing_about_us_goes_with_the_request(tmp_path: Path) -> None:
    first = "https://p1-kling.klingai.com/a"
    web = Web({first: redirect(LINK), LINK: page()})
    web.pages[first].headers["set-cookie"] = "id=1; Domain=klingai.com; Path=/"
    web.fetch(first, tmp_path)
    assert len(web.requests) == 2
    for request in web.requests:
        assert not {"authorization", "cookie", "referer"} & set(request.headers)
        assert request.headers["accept-encoding"] == "identity"


def test_a_compressed_reply_is_the_picture_in_it(tmp_path: Path) -> None:
    body = gzip.compress(PNG)
    web = Web({LINK: page(body, content_encoding="gzip", content_length=str(len(body)))})
    assert web.fetch(LINK, tmp_path).size_bytes == len(PNG)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 jpeg", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_the_bytes_tell_the_type(head: bytes, media_type: str | None) -> None:
    assert sniff_media_type(head) == media_type


# -- what is no picture ----------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"PNG", b"<html>" + b"x" * 300_000, b"\x00" * 100])
def test_what_is_no_picture_is_refused(tmp_path: Path, body: bytes) -> None:
    error = Web({LINK: page(body, content_type="image/png")}).refusal(LINK, tmp_path)
    assert isinstance(error, PictureError)
    assert error.text_id == "error.picture_not_image"


@pytest.mark.parametrize("announced", [str(len(PNG) + 1), "9" * 7])
def test_a_body_that_is_too_short_is_refused(tmp_path: Path, announced: str) -> None:
    error = Web({LINK: page(content_length=announced)}).refusal(LINK, tmp_path)
    assert isinstance(error, PictureError)
    assert error.text_id == "error.picture_incomplete"


def test_a_server_that_closes_early_is_noticed(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + PNG)
        await writer.drain()

    async def run() -> AppError:
        async with raw_server(serve) as origin, asyncio.timeout(DEADLINE_S):
            fetcher = PictureFetcher(origin)
            with pytest.raises(PictureError) as caught:
                await fetcher.fetch(f"{origin}/a.png", tmp_path / "a.png")
            await fetcher.aclose()
            return caught.value

    assert asyncio.run(run()).text_id == "error.picture_incomplete"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("headers", [{}, {"content-length": str(len(PNG))}])
def test_a_body_that_is_too_large_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    def reply() -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=Pieces([PNG]))

    error = Web({LINK: reply()}).refusal(LINK, tmp_path, max_bytes=len(PNG) - 1)
    assert error.text_id == "error.picture_too_large"
    assert Web({LINK: reply()}).fetch(LINK, tmp_path, max_bytes=len(PNG))


@pytest.mark.parametrize(
    ("status_code", "kind", "text_id"),
    [
        (403, NotFoundError, "error.picture_link_gone"),
        (404, NotFoundError, "error.picture_link_gone"),
        (410, NotFoundError, "error.picture_link_gone"),
        (429, UnavailableError, "error.picture_server"),
        (500, UnavailableError, "error.picture_server"),
        (503, UnavailableError, "error.picture_server"),
        (204, PictureError, "error.picture_refused"),
        (206, PictureError, "error.picture_refused"),
        (304, PictureError, "error.picture_refused"),
        (400, PictureError, "error.picture_refused"),
        (401, PictureError, "error.picture_refused"),
    ],
)
def test_a_status_has_its_error(
    tmp_path: Path, status_code: int, kind: type[AppError], text_id: str
) -> None:
    error = Web({LINK: page(status_code=status_code)}).refusal(LINK, tmp_path)
    assert type(error) is kind
    assert error.text_id == text_id


@pytest.mark.parametrize(
    ("raised", "text_id"),
    [
        (httpx.ConnectError("no"), "error.network_connect"),
        (httpx.ReadTimeout("no"), "error.network_timeout"),
        (httpx.ReadError("no"), "error.network_lost"),
    ],
)
def test_trouble_on_the_way_is_unavailable(tmp_path: Path, raised: Exception, text_id: str) -> None:
    error = Web({LINK: raised}).refusal(LINK, tmp_path)
    assert isinstance(error, UnavailableError)
    assert error.text_id == text_id
    later = Web({LINK: httpx.Response(200, stream=Pieces([PNG, httpx.ReadError("reset")]))})
    assert later.refusal(LINK, tmp_path).text_id == "error.network_lost"


def test_a_fetch_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.providers.kling.downloads.FETCH_TIMEOUT_S", 0.05)
    web = Web({LINK: httpx.Response(200, stream=Pieces([PNG, asyncio.Event()]))})
    assert web.refusal(LINK, tmp_path).text_id == "error.network_timeout"


def test_a_folder_that_is_not_there_is_the_archives_trouble(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Web({LINK: page()}).fetch(LINK, tmp_path / "gone")
    assert caught.value.text_id == "error.archive_write"
    assert str(tmp_path) not in f"{caught.value} {caught.value.detail}"


# -- where from ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        "https://klingai.com/a",
        "https://P4-Kling.KLINGAI.com./a",
        "https://s21.kling.ai:8443/a",
        "https://h1.inkwai.com/a",
        f"{ORIGIN}/pictures/a",
    ],
)
def test_klings_hosts_and_the_origin_are_asked_by_name(tmp_path: Path, link: str) -> None:
    web = Web({str(httpx.URL(link)): page()})
    web.fetch(link, tmp_path)
    assert "sni_hostname" not in web.requests[0].extensions


@pytest.mark.parametrize(
    "link",
    [
        "",
        "nonsense",
        "//cdn.klingai.com/a",
        "ftp://cdn.klingai.com/a",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "http://cdn.klingai.com/a",
        "https://user:pass@cdn.klingai.com/a",
        "https://cdn.klingai.com\\@evil.example/a",
        "https://cdn.klingai.com:99999999/a",
        "http://127.0.0.1:8124/a",
        "http://127.0.0.1/a",
        "https://127.0.0.1:8123/a",
        "http://localhost:8123/a",
        "http://evil.example/a",
        "https://evilklingai.com.example/a\x00",
    ],
)
def test_other_places_are_refused_unasked(tmp_path: Path, link: str) -> None:
    web = Web({}, {"localhost": ["127.0.0.1"], "127.0.0.1": ["127.0.0.1"]})
    error = web.refusal(link, tmp_path)
    assert isinstance(error, PictureError)
    assert error.text_id == "error.picture_host"
    assert web.requests == []


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["127.0.0.1"],
        ["10.0.0.8"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["::1"],
        ["fe80::1%eth0"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["not an address"],
        [PUBLIC, "10.0.0.8"],
    ],
)
def test_a_name_that_leads_inside_is_refused_unasked(tmp_path: Path, addresses: list[str]) -> None:
    web = Web({}, {"pictures.example": addresses})
    error = web.refusal("https://pictures.example/a?sig=s3cret", tmp_path)
    assert (type(error), error.text_id) == (PictureError, "error.picture_host")
    assert error.facts == {"host": "pictures.example"}
    assert web.requests == []


def test_a_public_host_is_asked_by_the_address_that_was_checked(tmp_path: Path) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    class Rebinding(Web):
        async def resolve(self, host: str, port: int) -> Sequence[str]:
            return next(answers)

    web = Rebinding({f"https://{PUBLIC}:8443/a?b=c": page()})
    web.fetch("https://pictures.example:8443/a?b=c", tmp_path)
    request = web.requests[0]
    assert request.headers["host"] == "pictures.example:8443"
    assert request.extensions["sni_hostname"] == "pictures.example"
    assert request.headers["connection"] == "close"


def test_the_next_address_is_tried_when_one_cannot_be_reached(tmp_path: Path) -> None:
    dead, alive = "2606:2800:21f:cb07::1", PUBLIC
    pages = {f"https://[{dead}]/a": httpx.ConnectError("no route"), f"https://{alive}/a": page()}
    web = Web(pages, {"pictures.example": [dead, alive, alive]})
    web.fetch("https://pictures.example/a", tmp_path)
    assert len(web.requests) == 2


def test_a_name_nobody_knows_is_trouble_on_the_way(tmp_path: Path) -> None:
    error = Web({}).refusal("https://pictures.example/a", tmp_path)
    assert (type(error), error.text_id) == (UnavailableError, "error.network_connect")


@pytest.mark.parametrize("status_code", [301, 302, 303, 307, 308])
def test_redirects_are_followed_by_hand(tmp_path: Path, status_code: int) -> None:
    pages = {
        f"{ORIGIN}/a": redirect("/b", status_code),
        f"{ORIGIN}/b": redirect("https://pictures.example/c", status_code),
        f"https://{PUBLIC}/c": redirect(LINK, status_code),
        LINK: page(),
    }
    web = Web(pages, {"pictures.example": [PUBLIC]})
    assert web.fetch(f"{ORIGIN}/a", tmp_path).size_bytes == len(PNG)
    assert len(web.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest",
        "https://169.254.169.254/latest",
        "http://127.0.0.1:8124/a",
        "https://inside.example/a",
        "http://cdn.klingai.com/a",
        "https://[::1]/a",
        "https://a:b@cdn.klingai.com/a",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_to_another_place_is_checked_like_a_link(tmp_path: Path, location: str) -> None:
    names: dict[str, Sequence[str]] = {
        "inside.example": ["192.168.1.1"],
        "169.254.169.254": ["169.254.169.254"],
        "::1": ["::1"],
    }
    web = Web({f"{ORIGIN}/a": redirect(location)}, names)
    error = web.refusal(f"{ORIGIN}/a", tmp_path)
    assert error.text_id == "error.picture_host"
    assert len(web.requests) == 1


def test_redirects_without_end_are_given_up(tmp_path: Path) -> None:
    web = Web({f"{ORIGIN}/a": redirect("/a")})
    assert web.refusal(f"{ORIGIN}/a", tmp_path).text_id == "error.picture_redirects"
    assert len(web.requests) == 4


def test_leaving_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    async def run() -> None:
        is_asked = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + PNG)
            await writer.drain()
            is_asked.set()
            await reader.read()

        async with raw_server(serve) as origin, asyncio.timeout(DEADLINE_S):
            fetcher = PictureFetcher(origin)
            task = asyncio.create_task(fetcher.fetch(f"{origin}/a.png", tmp_path / "a.png"))
            await is_asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await fetcher.aclose()

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_links_are_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    Web({LINK: page()}).fetch(LINK, tmp_path)
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("klingai.com", True),
        ("p1-kling.klingai.com", True),
        ("kling.ai", True),
        ("evilkling.ai", False),
        ("klingai.com.evil.example", False),
        ("", False),
    ],
)
def test_klings_hosts_are_known_by_whole_labels(host: str, expected: bool) -> None:
    assert is_picture_host(host) is expected


def test_public_addresses_are_public() -> None:
    assert is_public(PUBLIC)
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert is_public("64:ff9b::5db8:d70e")
