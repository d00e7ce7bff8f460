"""The ways into the network: what the variables come to, and that each request goes its own way."""

import asyncio
import gc
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.errors import UnavailableError
from core.models.chat import ChatParameters, Turn
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PracticeSettings
from core.providers.deepseek.client import DeepSeek
from core.providers.http.client import build_client, transport_error
from core.settings import read_settings
from core.settings.outside.network import environment_network, read_network, spell_out_socks
from core.settings.outside.proxy import Proxy, parse_proxy
from tests.faulty_environment import FAULTS, SECRET, Fault, make_files, server_context
from tests.running_app import free_port
from tests.socks_server import SocksServer, copy
from tests.unit.replies import deltas_in, raw_server, read_request

QUICK = PracticeSettings(first_delta_s=0, delta_interval_s=0)
TIMEOUT = httpx.Timeout(5)

# httpcore leaves the socket of a SOCKS handshake that failed to the collector, which warns.
left_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    make_files(made)
    return made


@pytest.fixture
def collected() -> Iterator[None]:
    """What a test leaves to the collector is told of that test, and of no later one."""
    yield
    gc.collect()


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


def get(url: str, *, streams: bool = False, **environment: str) -> httpx.Response:
    """Get one URL with a client for this environment."""

    async def run() -> httpx.Response:
        network = environment_network(environment)
        async with build_client(timeout=TIMEOUT, network=network, streams=streams) as client:
            return await client.get(url)

    return asyncio.run(run())


# -- what the variables come to --------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_what_cannot_be_used_is_one_problem_with_its_name(
    fault: Fault, folder: Path, tmp_path: Path
) -> None:
    environment = fault.placed(folder) | {"DEEPSEEK_API_KEY": "sk-a", "KLING_API_KEY": "kling-b"}
    settings = read_settings(root=tmp_path, environment=environment, secrets={})
    assert settings.chat is not None
    assert settings.kling is not None
    if fault.named is None:
        assert settings.problems == ()
        assert settings.chat_barrier is settings.kling_barrier is None
        return
    (problem,) = settings.problems
    assert (problem.key, problem.source) == (fault.named, "the environment")
    assert problem.facts["value"] == fault.form(folder)
    assert SECRET not in f"{problem} {problem.facts}"
    if fault.named != "HTTP_PROXY":  # both providers are asked by https
        assert settings.chat_barrier is settings.kling_barrier is problem


def test_a_problem_is_only_that_of_the_provider_it_concerns(tmp_path: Path) -> None:
    environment = {
        "DEEPSEEK_API_KEY": "sk-a",
        "KLING_API_KEY": "kling-b",
        "HTTPS_PROXY": "socks4://x",
        "SSL_CERT_FILE": "/nowhere/at.all",
        "NO_PROXY": "api.deepseek.com",
    }
    settings = read_settings(root=tmp_path, environment=environment, secrets={})
    assert settings.chat_barrier is not None
    assert settings.kling_barrier is not None
    assert settings.chat_barrier.key == "SSL_CERT_FILE"
    assert settings.kling_barrier.key == "HTTPS_PROXY"
    assert {problem.key for problem in settings.problems} == {"HTTPS_PROXY", "SSL_CERT_FILE"}
    environment["DEEPSEEK_API_URL"] = "http://192.168.1.7:11434/v1/chat/completions"
    plain = read_settings(root=tmp_path, environment=environment, secrets={})
    assert plain.chat_barrier is None
    del environment["KLING_API_KEY"]
    assert read_settings(root=tmp_path, environment=environment, secrets={}).kling_barrier is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://h.example:3128", ("http", "h.example", 3128, None, None)),
        ("h.example", ("http", "h.example", 80, None, None)),
        ("HTTPS://H.Example", ("https", "h.example", 443, None, None)),
        ("socks://127.0.0.1:7891/", ("socks5", "127.0.0.1", 7891, None, None)),
        ("socks5h://[fd00::1]", ("socks5", "fd00::1", 1080, None, None)),
        (" 'http://u:p%40%2F@h:1' ", ("http", "h", 1, "u", "p@/")),
        ("u:p@ss:w/r#d?@h:1", ("http", "h", 1, "u", "p@ss:w/r#d?")),
        ("http://u@h:1", ("http", "h", 1, "u", None)),
        ("http://bücher.example:1", ("http", "xn--bcher-kva.example", 1, None, None)),
    ],
)
def test_every_form_of_a_proxy_is_read(value: str, expected: tuple[object, ...]) -> None:
    proxy = parse_proxy("HTTPS_PROXY", value)
    password = proxy.password.reveal() if proxy.password else None
    assert (proxy.scheme, proxy.host, proxy.port, proxy.user, password) == expected
    assert "p@" not in f"{proxy} {proxy.shown}"


def test_the_stronger_variable_wins() -> None:
    environment = {"ALL_PROXY": "a:1", "HTTP_PROXY": "b:1", "http_proxy": "c:1", "https_proxy": " "}
    network = environment_network(environment)
    hosts = [network.way_to(scheme, "example.com") for scheme in ("http", "https")]
    assert [way.host if isinstance(way, Proxy) else way for way in hosts] == ["c", "a"]


def test_the_variables_may_stand_in_the_settings_files(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTPS_PROXY=foo://bar\n")
    settings = read_settings(root=tmp_path, environment={}, secrets={"SSL_CERT_FILE": "/nowhere/x"})
    told = {(problem.key, problem.source) for problem in settings.problems}
    assert told == {("HTTPS_PROXY", ".env"), ("SSL_CERT_FILE", ".streamlit/secrets.toml")}


def test_the_systems_own_proxies_hold_where_no_variable_does() -> None:
    def system() -> dict[str, str]:
        return {"http": "http://a:1", "https": "socks4://b:2"}

    network = read_network(lambda _names: None, system=system)
    assert isinstance(network.way_to("http", "example.com"), Proxy)
    (problem,) = network.problems
    assert (problem.key, problem.source) == ("https_proxy", "the system's proxy settings")
    own = read_network(
        lambda names: ("http_proxy", "x", "c:1") if "http_proxy" in names else None, system=system
    )
    assert own.problems == ()


def test_socks_is_spelt_out_for_libraries_with_clients_of_their_own() -> None:
    environment = {"ALL_PROXY": "SOCKS://u:p@h:1/", "http_proxy": "socks4://h", "HTTP_PROXY": "h:1"}
    spell_out_socks(environment)
    assert environment.pop("ALL_PROXY") == "socks5://u:p@h:1/"
    assert environment == {"http_proxy": "socks4://h", "HTTP_PROXY": "h:1"}


# -- that each request goes its own way ------------------------------------------------------------


@left_open
@pytest.mark.usefixtures("collected")
def test_a_chat_streams_through_socks_which_resolves_the_name(practice: PracticeServer) -> None:
    path = practice.chat_url.removeprefix(practice.origin)
    port = int(practice.origin.rpartition(":")[2])

    async def ask(proxy: str) -> str:
        provider = DeepSeek(
            url=f"http://chat.example{path}",
            api_key=PRACTICE_CHAT_KEY,
            practice=True,
            network=environment_network({"ALL_PROXY": proxy}),
        )
        text = ""
        try:
            async with provider.stream([Turn.of_text("user", "hello")], ChatParameters()) as chunks:
                async for delta in deltas_in(chunks):
                    text += "".join(delta.texts)
        finally:
            await provider.aclose()
        return text

    with SocksServer(port) as proxy:
        assert len(asyncio.run(ask(f"socks://127.0.0.1:{proxy.port}/"))) > 20
        assert proxy.asked == [("chat.example", 80)]
    with SocksServer(port, credentials=b"us er:p@ss") as proxy:
        assert asyncio.run(ask(f"socks5h://us%20er:p@ss@127.0.0.1:{proxy.port}"))
        assert proxy.asked == [("chat.example", 80)]
        with pytest.raises(UnavailableError) as caught:
            asyncio.run(ask(f"socks5://us:{SECRET}@127.0.0.1:{proxy.port}"))
    assert caught.value.text_id == "error.network_proxy"
    assert caught.value.is_unsent
    assert caught.value.facts["value"] == f"socks5://127.0.0.1:{proxy.port}"
    assert SECRET not in f"{caught.value} {caught.value.facts}"


@left_open
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("reply", [b"", b"\x05", b"\x05\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_speaks_no_socks_is_a_proxy_that_failed(reply: bytes) -> None:
    with SocksServer(0, reply=reply) as proxy, pytest.raises(httpx.ConnectError) as caught:
        get("http://chat.example/", ALL_PROXY=f"socks://127.0.0.1:{proxy.port}")
    error = transport_error(caught.value, provider="deepseek", host="chat.example")
    assert error.text_id == "error.network_proxy"
    assert error.facts["key"] == "ALL_PROXY"


@left_open
@pytest.mark.usefixtures("collected")
def test_a_proxy_that_says_nothing_is_not_waited_for_for_ever() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> None:
        async with raw_server(silent) as origin:
            network = environment_network({"ALL_PROXY": origin.replace("http", "socks5")})
            async with build_client(timeout=httpx.Timeout(0.05), network=network) as client:
                with pytest.raises(httpx.ReadTimeout):
                    await client.get("http://chat.example/")

    asyncio.run(run())


@pytest.mark.parametrize("streams", [False, True])
def test_an_http_proxy_is_asked_for_others_and_not_for_loopback(streams: bool) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()

    async def run() -> None:
        async with raw_server(serve) as origin:
            proxy = origin.replace("http://", f"http://us%20er:{SECRET}@")
            network = environment_network({"http_proxy": proxy, "NO_PROXY": "10.0.0.0/8"})
            async with build_client(timeout=TIMEOUT, network=network, streams=streams) as client:
                through = await client.get("http://192.0.2.1/a")
                direct = await client.get(f"{origin}/b")
                assert through.text == direct.text == "ok"
                # What is reached directly is so by the fast transport, whatever others need.
                assert ("body" in direct.extensions) is streams
                assert "body" not in through.extensions

    asyncio.run(run())
    assert asked[0].startswith(b"GET http://192.0.2.1/a ")
    assert b"proxy-authorization: basic " in asked[0].lower()
    assert asked[1].startswith(b"GET /b ")
    assert b"proxy-authorization" not in asked[1].lower()


@pytest.mark.parametrize("streams", [False, True])
def test_tls_goes_through_an_http_proxy_to_the_server_itself(streams: bool, folder: Path) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(folder))
        port = server.sockets[0].getsockname()[1]

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await read_request(reader))
            if b"proxy-authorization" not in asked[-1].lower():
                writer.write(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")
                return
            there, away = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Go\r\n\r\n")
            await asyncio.gather(copy(reader, away), copy(there, writer))
            away.close()

        async with raw_server(carry) as origin:
            for proxy, status in ((origin.replace("//", "//u:p@"), 200), (origin, None)):
                network = environment_network(
                    {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(folder / "good.pem")}
                )
                async with build_client(
                    timeout=TIMEOUT, network=network, streams=streams
                ) as client:
                    if status is None:
                        with pytest.raises(httpx.ConnectError):
                            await client.get("https://chat.example/")
                    else:
                        assert (await client.get("https://chat.example/")).text == "ok"
        server.close()
        await server.wait_closed()

    asyncio.run(run())
    assert [one.partition(b" HTTP")[0] for one in asked] == [b"CONNECT chat.example:443"] * 2


def test_a_proxy_that_is_not_there_is_told_with_its_variable() -> None:
    port = free_port()
    proxy = f"http://user:{SECRET}@127.0.0.1:{port}"
    with pytest.raises(httpx.ConnectError) as caught:
        get("https://chat.example/", https_proxy=proxy)
    error = transport_error(caught.value, provider="kling", host="chat.example")
    assert error.is_unsent
    assert error.facts["key"] == "https_proxy"
    assert error.facts["value"] == f"http://127.0.0.1:{port}"
    assert SECRET not in f"{error} {error.facts} {caught.value!r}"


@pytest.mark.parametrize("streams", [False, True])
def test_what_stands_in_the_way_is_the_error_of_that_request_alone(streams: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async def run() -> None:
        network = environment_network({"HTTPS_PROXY": "socks4://x", "SSL_CERT_FILE": "/nowhere/x"})
        async with (
            raw_server(serve) as origin,
            build_client(timeout=TIMEOUT, network=network, streams=streams) as client,
        ):
            for url, key in (
                ("https://api.example/", "HTTPS_PROXY"),
                ("https://localhost:9/", "SSL_CERT_FILE"),
            ):
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get(url)
                error = transport_error(caught.value, provider="kling", host="api.example")
                assert error.is_unsent
                assert error.facts["key"] == key
            assert (await client.get(origin)).status_code == 204

    asyncio.run(run())


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("variables", "is_believed"),
    [
        ({"SSL_CERT_FILE": "{folder}/good.pem"}, True),
        ({"SSL_CERT_DIR": "/nowhere/x:{folder}/hashed"}, True),
        ({"SSL_CERT_FILE": "{folder}/good.pem", "SSL_CERT_DIR": "/nowhere/x"}, True),
        ({}, False),
    ],
    ids=str,
)
def test_the_certificates_that_are_named_are_the_ones_believed(
    variables: dict[str, str], is_believed: bool, streams: bool, folder: Path
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(folder))
        port = server.sockets[0].getsockname()[1]
        network = environment_network(Fault(variables).placed(folder))
        async with build_client(timeout=TIMEOUT, network=network, streams=streams) as client:
            if is_believed:
                assert (await client.get(f"https://localhost:{port}/")).text == "ok"
            else:
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get(f"https://localhost:{port}/")
                assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def test_no_file_that_the_environment_names_keeps_a_client_from_being_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/at/all")
    with pytest.raises(OSError, match="nowhere"):
        ssl.create_default_context()
    asyncio.run(build_client(timeout=TIMEOUT, streams=True).aclose())
