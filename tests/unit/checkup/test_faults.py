"""Injected faults: the check-up names each by its id, and sends no POST whatever is wrong."""

import asyncio
import errno
import socket
import sqlite3
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.settings import ChatSettings, KlingSettings, Secret, Settings
from core.settings.outside.network import environment_network
from core.storage.store import Store
from core.wire.masking.secrets import known_secrets
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding
from core.work.checkup.keys import look_at_shapes
from core.work.checkup.run import run_checkup
from tests.unit.checkup.servers import API_KEY, CHAT_KEY, PACK, PAIR, Provider, SelfSigned, costs

SECRETS = (CHAT_KEY, API_KEY, *PAIR)


@dataclass
class Room:
    """Two providers, a data folder, and what is asked of the check-up; a fault changes them."""

    here: Provider
    other: Provider
    folder: Path
    patch: pytest.MonkeyPatch
    ending: ExitStack
    chat: ChatSettings = field(default_factory=ChatSettings)
    kling: KlingSettings = field(default_factory=KlingSettings)
    regions: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    database_url: Secret | None = None

    def asked(self) -> Asked:
        network = environment_network(self.environment)
        settings = Settings(
            data_dir=self.folder,
            chat=self.chat,
            kling=self.kling,
            network=network,
            database_url=self.database_url,
            problems=network.problems,
        )
        return Asked(
            settings, regions=self.regions, **{"timeout_s": 3.0, "pause_s": 0.0, **self.extra}
        )


@pytest.fixture(scope="module")
def providers() -> Iterator[tuple[Provider, Provider]]:
    with Provider() as here, Provider() as other:
        yield here, other


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    where = ["-subj", "/CN=localhost", "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run([*command.split(), *where], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def room(
    providers: tuple[Provider, Provider], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    here, other = providers
    for one in providers:
        one.asked.clear()
        one.says.clear()
        one.clock_shift_s, one.is_silent = 0.0, False
    here.accepts, other.accepts = {API_KEY, "pair"}, set()
    resolve = socket.getaddrinfo

    def at_home(host: str, *rest: Any, **how: Any) -> Any:
        if isinstance(host, str) and host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return resolve("127.0.0.1" if str(host).endswith(".test") else host, *rest, **how)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    known_secrets.replace(SECRETS)
    with ExitStack() as ending:
        made = Room(here, other, tmp_path / "data", monkeypatch, ending)
        made.chat = ChatSettings(f"{here.origin}/chat/completions", Secret(CHAT_KEY))
        made.kling = KlingSettings(here.origin, api_key=Secret(API_KEY))
        made.regions = {"beijing": here.origin, "singapore": other.origin}
        Store.open(made.folder / "inkling.sqlite3").close()
        yield made
    known_secrets.replace([])


def run(room: Room) -> list[Finding]:
    async def all_of_it() -> list[Finding]:
        return [one async for one in run_checkup(room.asked())]

    return asyncio.run(all_of_it())


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pair(room: Room, access: str, secret: str) -> None:
    room.kling = KlingSettings(
        room.here.origin, access_key=Secret(access), secret_key=Secret(secret)
    )


def chat_at(room: Room, origin: str) -> None:
    room.chat = replace(room.chat, url=f"{origin}/chat/completions")


def says(path: str, status: int, body: object) -> Callable[[Room], None]:
    return lambda room: room.here.says.update({path: (status, body)})


def kling_says(code: int, status: int) -> Callable[[Room], None]:
    return says("/account/costs", status, {"code": code, "message": f"said {API_KEY}"})


def swapped(room: Room) -> None:
    pair(room, PAIR[1], PAIR[0])


def api_key_as_pair(room: Room) -> None:
    pair(room, "SomethingElse0123456789abcdefghi", API_KEY)


def other_region(room: Room) -> None:
    room.here.accepts, room.other.accepts = set(), {API_KEY}


def shifted(seconds: float) -> Callable[[Room], None]:
    return lambda room: setattr(room.here, "clock_shift_s", seconds)


def untrusted(room: Room) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(room.extra.pop("certificate"))
    server = room.ending.enter_context(SelfSigned(context))
    chat_at(room, f"https://localhost:{server.port}")


def plain(room: Room) -> None:
    chat_at(room, f"https://localhost:{room.here.port}")
    room.extra["timeout_s"] = 0.5


def by_name(room: Room) -> None:
    """Reach both by a name that is not loopback's, so that proxies are asked for it."""
    room.environment["HTTP_PROXY"] = f"http://127.0.0.1:{closed_port()}"
    chat_at(room, f"http://chat.test:{room.here.port}")


def unusable_setting(room: Room) -> None:
    by_name(room)
    room.environment["HTTP_PROXY"] = "ftp://x"


def neither_way(room: Room) -> None:
    by_name(room)
    chat_at(room, f"http://chat.test:{closed_port()}")


def model(name: str) -> Callable[[Room], None]:
    return lambda room: setattr(room, "chat", replace(room.chat, model=name))


def disk_says(code: int) -> Callable[[Room], None]:
    def fault(room: Room) -> None:
        def refuse(path: Path, *_: object) -> int:
            raise OSError(code, "no", str(path))

        room.patch.setattr("core.settings.private_files.private", refuse)

    return fault


def folder_is_a_file(room: Room) -> None:
    room.folder = room.folder.parent / "file"
    room.folder.write_text("no folder")


def locked(room: Room) -> None:
    holder = sqlite3.connect(room.folder / "inkling.sqlite3", isolation_level=None)
    room.ending.callback(holder.close)
    holder.execute("BEGIN EXCLUSIVE")
    room.extra["timeout_s"] = 0.5


def damaged(room: Room) -> None:
    for file in room.folder.glob("inkling.sqlite3*"):
        file.unlink()
    (room.folder / "inkling.sqlite3").write_bytes(b"this is no database at all" * 400)


def no_server(room: Room) -> None:
    room.database_url = Secret(f"postgresql://u:p@127.0.0.1:{closed_port()}/inkling")


def archive_is_a_file(room: Room) -> None:
    (room.folder / "pictures").write_text("no folder")


def silent(room: Room) -> None:
    room.here.is_silent = True
    room.extra["timeout_s"] = 0.4


PAGE = "<html><title>Log in to the network</title></html>"
EXPIRED = costs({**PACK, "status": "runOut"})
FAULTS: dict[str, tuple[str, Callable[[Room], None]]] = {
    "chat key": (
        "chat_key_refused",
        lambda room: setattr(
            room, "chat", replace(room.chat, api_key=Secret("sk-wrong0123456789abcdef"))
        ),
    ),
    "no money, told": (
        "chat_no_money",
        says("/user/balance", 200, {"is_available": False, "balance_infos": []}),
    ),
    "no money, 402": (
        "chat_no_money",
        says("/user/balance", 402, {"error": {"message": "Insufficient Balance"}}),
    ),
    "chat not allowed": ("chat_not_allowed", says("/models", 403, {"error": {"message": "no"}})),
    "chat busy": ("chat_busy", says("/models", 429, {"error": {"message": "slow down"}})),
    "chat down": ("chat_down", says("/models", 503, {"error": {"message": "overloaded"}})),
    "login page": ("chat_not_api", says("/models", 200, PAGE)),
    "chat silent": ("chat_silent", silent),
    "retired model": ("model_retired", model("deepseek-chat")),
    "model gone": ("model_gone", model("deepseek-v9")),
    "pair swapped": ("kling_pair_swapped", swapped),
    "API key as pair": ("kling_api_key_as_pair", api_key_as_pair),
    "other region": ("kling_wrong_region", other_region),
    "Kling's key": ("kling_key_refused", lambda room: setattr(room.here, "accepts", set())),
    "account": ("kling_account", kling_says(1100, 429)),
    "arrears": ("kling_arrears", kling_says(1101, 429)),
    "package": ("kling_package_over", kling_says(1102, 429)),
    "no right": ("kling_no_right", kling_says(1103, 403)),
    "too fast": ("kling_busy", kling_says(1302, 429)),
    "address list": ("kling_address_list", kling_says(1304, 429)),
    "maintenance": ("kling_down", kling_says(5001, 503)),
    "Kling is a page": ("kling_not_api", says("/account/costs", 200, PAGE)),
    "packages over": ("kling_packs_over", says("/account/costs", 200, EXPIRED)),
    "clock ahead": ("clock_ahead", shifted(-3600)),
    "clock behind": ("clock_behind", shifted(3600)),
    "no such name": ("name_unknown", lambda room: chat_at(room, "http://chat.invalid")),
    "closed port": (
        "unreachable",
        lambda room: chat_at(room, f"http://127.0.0.1:{closed_port()}"),
    ),
    "certificate": ("certificate", untrusted),
    "no TLS": ("tls_failed", plain),
    "proxy setting": ("proxy_setting", unusable_setting),
    "proxy in the way": ("proxy_in_the_way", by_name),
    "proxy and no way": ("proxy_unusable", neither_way),
    "setting": ("setting", lambda room: room.environment.update(ALL_PROXY="socks4://x:1")),
    "disk full": ("disk_full", disk_says(errno.ENOSPC)),
    "disk read-only": ("disk_readonly", disk_says(errno.EROFS)),
    "no folder": ("disk_broken", folder_is_a_file),
    "little room": ("disk_low", lambda room: room.extra.update(disk_low_bytes=1 << 60)),
    "database locked": ("database_locked", locked),
    "database damaged": ("database_damaged", damaged),
    "database gone": ("database_gone", no_server),
    "archive": ("archive_broken", archive_is_a_file),
}


# What a fault brings along, and is said as well.
BESIDE: dict[str, tuple[str, ...]] = {
    "chat silent": ("kling_silent",),  # it is one server here
    "no TLS": ("chat_silent",),
    "proxy setting": ("setting",),
    "disk full": ("archive_full",),
    "disk read-only": ("archive_readonly",),
    "no folder": ("archive_broken", "database_broken"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_and_nothing_is_bought(
    name: str, room: Room, certificate: Path
) -> None:
    expected, fault = FAULTS[name]
    if name == "certificate":
        room.extra["certificate"] = certificate
    fault(room)
    findings = run(room)
    told = {one.id for one in findings if one.level in ("fault", "warning")}
    assert told == {expected, *BESIDE.get(name, ())}
    asked = [*room.here.asked, *room.other.asked]
    assert [one for one in asked if one[0] != "GET"] == []
    assert {path for _, path in asked} <= {"/models", "/user/balance", "/account/costs"}
    for one in findings:
        for language in ("zh", "en"):
            said = " ".join((one.what(language), one.why(language), one.cure(language)))
            assert "{" not in said
            assert "?" not in said.replace("？", ""), said
            assert not any(secret in said for secret in SECRETS)
        if one.level in ("fault", "warning"):
            assert one.why("zh")
            assert one.cure("en")


def test_where_nothing_is_wrong_nothing_is_said(room: Room) -> None:
    findings = run(room)
    assert [one.id for one in findings if one.level in ("fault", "warning")] == []
    good = {one.id for one in findings}
    assert {"chat_key_good", "kling_key_good", "clock_good", "database_good"} <= good
    assert {"chat_balance_good", "kling_packs_good", "model_good", "route_good"} <= good
    assert not [one for one in room.here.asked if one[0] != "GET"]


@pytest.mark.parametrize(
    ("expected", "chat", "api_key"),
    [
        ("chat_key_odd", "pk-0123456789abcdef0123", None),
        ("chat_key_is_klings", API_KEY, API_KEY),
        ("kling_key_is_chats", CHAT_KEY, CHAT_KEY),
        ("kling_key_is_chats", None, "sk-0123456789abcdef0123"),
        ("kling_pair_as_api_key", None, ":".join(PAIR)),
    ],
)
def test_what_a_keys_looks_tell(expected: str, chat: str | None, api_key: str | None) -> None:
    settings = Settings(
        data_dir=Path(),
        chat=ChatSettings(api_key=Secret(chat) if chat else None),
        kling=KlingSettings(api_key=Secret(api_key) if api_key else None),
    )
    assert [one.id for one in look_at_shapes(settings)] == [expected]
