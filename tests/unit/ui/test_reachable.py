"""By which address a one-time link leads another device here, and when the start prints one."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from core.access.network.addresses import is_loopback, is_private, parse
from core.access.network.lan import lan_addresses
from core.settings import AccessSettings, Settings
from core.ui import reachable
from core.ui.start.welcome import announce_way_in, greet
from core.work.studio import Studio

LAN = ("192.168.1.5", "10.0.0.7")


def served(monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    known = {"server.port": 8501, **{name.replace("_", "."): one for name, one in options.items()}}
    monkeypatch.setattr("streamlit.get_option", known.get)
    monkeypatch.setattr(reachable, "lan_addresses", lambda: LAN)


@pytest.mark.parametrize(
    ("visited", "address", "base", "expected"),
    [
        ("https://studio.example/status?x=1", None, "", ("https://studio.example",)),
        ("http://nas:8501/a/status", "127.0.0.1", "/a/", ("http://nas:8501/a",)),
        ("http://user.lan:80/x", None, "墨", ("http://user.lan:80/%E5%A2%A8",)),
        ("http://localhost:8501/status", "127.0.0.1", "", ()),
        ("http://[::1]:8501/", "localhost", "", ()),
        ("http://127.0.0.1:8501/", "192.168.7.7", "", ("http://192.168.7.7:8501",)),
        ("http://localhost:8501/", "fd00::7", "a", ("http://[fd00::7]:8501/a",)),
        ("http://localhost:8501/", None, "", tuple(f"http://{one}:8501" for one in LAN)),
        (None, "0.0.0.0", "", tuple(f"http://{one}:8501" for one in LAN)),
        ("http://localhost:8501/", "unix:///run/inkling.sock", "", ()),
        (None, "::", "", tuple(f"http://{one}:8501" for one in LAN)),
    ],
)
def test_a_link_leads_where_the_other_device_can_go(
    monkeypatch: pytest.MonkeyPatch,
    visited: str | None,
    address: str | None,
    base: str,
    expected: tuple[str, ...],
) -> None:
    served(monkeypatch, server_address=address, server_baseUrlPath=base)
    assert reachable.bases(visited) == expected


def test_with_a_certificate_the_link_is_https(monkeypatch: pytest.MonkeyPatch) -> None:
    served(monkeypatch, server_sslCertFile="cert.pem")
    assert reachable.bases(None)[0] == f"https://{LAN[0]}:8501"


def test_addresses_of_this_machine_are_such() -> None:
    for address in lan_addresses():
        assert parse(address) is not None
        assert is_private(address)
        assert not is_loopback(address)


@pytest.mark.parametrize(
    ("address", "access", "lines"),
    [
        ("127.0.0.1", AccessSettings(), 0),
        ("localhost", AccessSettings(), 0),
        (None, AccessSettings(), 5),
        ("0.0.0.0", AccessSettings(), 5),
        ("127.0.0.1", AccessSettings(behind_proxy=True), 3),
    ],
)
def test_the_start_prints_a_link_where_others_can_come(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    address: str | None,
    access: AccessSettings,
    lines: int,
) -> None:
    served(monkeypatch, server_address=address)
    studio = Studio.open(Settings(data_dir=tmp_path, access=access))
    try:
        announce_way_in(studio)
        printed = capsys.readouterr().out
        assert len(printed.splitlines()) == lines
        codes = {part.split()[0] for part in printed.split("code=")[1:]}
        assert len(codes) == (1 if lines else 0)
        for code in codes:
            assert code not in caplog.text
            redeemed = studio.invitations.redeem(code)
            assert redeemed is not None
            assert redeemed.manages
    finally:
        studio.close()


def test_a_console_without_chinese_keeps_nothing_from_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(monkeypatch)
    written = io.BytesIO()
    studio = Studio.open(Settings(data_dir=tmp_path))
    try:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
        announce_way_in(studio)
        assert b"/enter?code=" in written.getvalue()
        sys.stdout.close()
        announce_way_in(studio)
        monkeypatch.setattr(sys, "stdout", None)
        announce_way_in(studio)
    finally:
        studio.close()


@pytest.mark.parametrize(
    ("options", "local", "others"),
    [
        ({}, "http://localhost:8501", tuple(f"http://{one}:8501" for one in LAN)),
        ({"server_address": "127.0.0.1"}, "http://localhost:8501", ()),
        ({"server_address": "192.168.7.7"}, "http://192.168.7.7:8501", ()),
        ({"server_address": "fd00::7"}, "http://[fd00::7]:8501", ()),
        ({"server_address": "unix:///run/inkling.sock"}, "unix:///run/inkling.sock", ()),
        ({"browser_serverAddress": "studio.example"}, "http://studio.example:443", ()),
        ({"browser_serverAddress": "https://studio.example"}, "https://studio.example:443", ()),
    ],
)
def test_the_start_names_addresses_that_open(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, str],
    local: str,
    others: tuple[str, ...],
) -> None:
    served(monkeypatch, browser_serverPort=443, **options)
    monkeypatch.setattr(reachable, "own_addresses", lambda: LAN)
    is_named = "browser_serverAddress" in options
    monkeypatch.setattr("streamlit.config.is_manually_set", lambda _name: is_named)
    greet()
    told = capsys.readouterr().out.split()
    assert [word for word in told if "://" in word] == [local, *others]
