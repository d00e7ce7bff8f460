"""Files of settings as the world writes them: each is read, or told by name with its cure."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import Settings, read_settings
from core.settings.files import decode, parse_toml

KEY = "sk-files-0123456789abcdef"
TOML = f'# 密钥\nDEEPSEEK_API_KEY = "{KEY}"\n[auth]\ncookie_secret = "c0"\n'
ENV = f"# 密钥\nDEEPSEEK_API_KEY={KEY}\n"
SECRETS = ".streamlit/secrets.toml"


def settings_of(root: Path, name: str, data: bytes) -> Settings:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return read_settings(root=root, environment={})


def key_of(settings: Settings) -> str | None:
    assert settings.chat is not None, settings.problems
    return settings.chat.api_key.reveal() if settings.chat.api_key else None


ENCODED: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16 as PowerShell writes it": lambda text: text.encode("utf-16"),
    "utf-16-le with a mark": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16-be with a mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16-le without a mark": lambda text: text.encode("utf-16-le"),
    "utf-16-be without a mark": lambda text: text.encode("utf-16-be"),
    "utf-32 with a mark": lambda text: text.encode("utf-32"),
    "utf-32-be without a mark": lambda text: text.encode("utf-32-be"),
    "CR LF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR alone": lambda text: text.replace("\n", "\r").encode(),
    "utf-16 and CR LF": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
}


@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize("name", [SECRETS, ".env", ".env.local"])
def test_plain_encodings_are_read(
    tmp_path: Path, name: str, encode: Callable[[str], bytes]
) -> None:
    settings = settings_of(tmp_path, name, encode(TOML if name == SECRETS else ENV))
    assert key_of(settings) == KEY
    assert not settings.problems


@pytest.mark.parametrize("name", [SECRETS, ".env"])
@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
def test_a_guessed_encoding_is_read_and_told(tmp_path: Path, name: str, encoding: str) -> None:
    text = TOML if name == SECRETS else ENV
    settings = settings_of(tmp_path, name, text.encode(encoding))
    assert key_of(settings) == KEY
    (problem,) = settings.problems
    assert (problem.key, problem.text_id) == (name, "error.configuration_encoding")


FAULTS: dict[str, tuple[bytes, str]] = {
    "a value without quotes": (TOML.replace(f'"{KEY}"', KEY).encode(), "toml"),
    "an open quote": (TOML.replace(f'{KEY}"', KEY).encode(), "toml"),
    "a key twice": ((f'DEEPSEEK_API_KEY = "{KEY}"\n' * 2 + "[auth]\na = 1\n").encode(), "toml"),
    "a merge conflict": (b"<<<<<<< HEAD\n" + TOML.encode(), "toml"),
    "JSON": (b'{"DEEPSEEK_API_KEY": "x"}', "toml"),
    "a zero byte": (TOML.replace("# ", "# \0").encode(), "toml"),
    "nested past reason": (b"A = " + b"[" * 100_000, "toml"),
    "no text": (bytes(range(128, 256)) * 4, "text_file"),
    "half a UTF-16 sign": (TOML.encode("utf-16")[:-1], "text_file"),
    "larger than settings are": (b"#" * (4 * 1024 * 1024 + 1), "too_large"),
}


@pytest.mark.parametrize(("data", "kind"), FAULTS.values(), ids=FAULTS)
def test_a_file_that_cannot_be_used_is_one_named_problem(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    settings = settings_of(tmp_path, SECRETS, data)
    assert key_of(settings) is None  # practice, with a word
    (problem,) = settings.problems
    assert (problem.key, problem.text_id) == (SECRETS, f"error.configuration_{kind}")
    assert KEY not in str(problem)


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere.toml")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(folder, "folder"), (dangling, "no_file"), (os.mkfifo, "no_file"), (loop, "unreadable")],
)
@pytest.mark.parametrize("name", [SECRETS, ".env"])
def test_what_is_no_file_is_told_and_never_waited_for(
    tmp_path: Path, name: str, make: Callable[[Path], None], kind: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    make(path)
    (problem,) = read_settings(root=tmp_path, environment={}).problems
    assert (problem.key, problem.text_id) == (name, f"error.configuration_{kind}")


@pytest.mark.parametrize(
    "broken",
    [
        "DEEPSEEK_API_KEY = sk-x\n",
        "[access]\nopen = perhaps\n",
        "[[prices]\n",
    ],
)
def test_sign_in_survives_a_mistake_elsewhere_and_access_does_not(broken: str) -> None:
    """Of half a section of access, the half that is gone might have kept somebody out."""
    auth = '[auth]\ncookie_secret = "c0"\n[auth.google]\nclient_id = "g"\n'
    for text in (broken + auth + "[access]\nopen = true\n", auth + broken):
        table, line = parse_toml(text)
        assert table == {"auth": {"cookie_secret": "c0", "google": {"client_id": "g"}}}
        assert line is not None


@pytest.mark.parametrize("section", ["access", "deepseek", "kling", "connections.inkling", "a.b.c"])
@pytest.mark.parametrize(
    "name", ["DEEPSEEK_API_KEY", "Access_Key_Secret", "inkling_tokens", "DATABASE_URL"]
)
@pytest.mark.parametrize("is_set", [True, False])
def test_a_name_of_ours_inside_a_section_is_told(
    tmp_path: Path, section: str, name: str, is_set: bool
) -> None:
    above = f'DEEPSEEK_API_KEY = "{KEY}"\n' if is_set else ""
    text = f'{above}[{section}]\n{name} = "x"\n'
    settings = settings_of(tmp_path, SECRETS, text.encode())
    assert key_of(settings) == (KEY if is_set else None)
    (problem,) = settings.problems
    assert problem.text_id == "error.configuration_misplaced"
    assert (problem.facts["name"], problem.facts["section"]) == (name, section)


@pytest.mark.parametrize("name", ["INKLING_SOCKET_SILENCE_S", "INKLING_ANSWER_SILENCE_S"])
@pytest.mark.parametrize("value", ["soon", "0", "-1", "1e9", "nan", "inf", "90 s"])
def test_a_wrong_patience_is_told_and_chat_goes_on(tmp_path: Path, name: str, value: str) -> None:
    settings = settings_of(tmp_path, ".env", f"{ENV}{name}={value}\n".encode())
    assert key_of(settings) == KEY
    assert settings.chat is not None
    assert settings.chat.socket_silence_s is settings.chat.data_silence_s is None
    (problem,) = settings.problems
    assert problem.key == name


@pytest.mark.parametrize(
    ("value", "hour"),
    [("2026-11-27T09:30", 1), ("2026-11-27T09:30Z", 9), ("2026-11-27 09:30:00+02:00", 7)],
)
def test_practices_clock_starts_by_beijings_time_or_by_its_offset(
    tmp_path: Path, value: str, hour: int
) -> None:
    settings = settings_of(tmp_path, SECRETS, f'INKLING_PRACTICE_CLOCK = "{value}"\n'.encode())
    assert settings.problems == ()
    assert settings.practice_clock == datetime(2026, 11, 27, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", ["soon", "9:30", "2026-13-01", "0001-01-01", "1795000000"])
def test_a_wrong_clock_for_practice_is_told_and_is_not_used(tmp_path: Path, value: str) -> None:
    settings = settings_of(tmp_path, ".env", f"{ENV}INKLING_PRACTICE_CLOCK={value}\n".encode())
    assert key_of(settings) == KEY
    assert settings.practice_clock is None
    (problem,) = settings.problems
    assert problem.text_id == "error.configuration_moment"


@pytest.mark.parametrize(
    ("text", "is_behind"),
    [
        ("[access]\nbehind_proxy = true\n[kling\n", True),
        ("access.behind_proxy = true\nX = y\n", True),
        ("behind_proxy = true\n", True),
        ("[access]\nbehind_proxy = yes\n", True),
        ("[access]\n# behind_proxy = true\n[kling\n", False),
        ("[access]\nbehind_proxy = false\n[kling\n", False),
        ("behind_proxy = false\n", False),
    ],
)
def test_a_mistake_in_the_file_lets_nobody_in_through_a_proxy(
    tmp_path: Path, text: str, is_behind: bool
) -> None:
    settings = settings_of(tmp_path, SECRETS, text.encode())
    assert settings.access.behind_proxy is is_behind
    assert settings.problems


def test_of_several_files_the_later_one_wins(tmp_path: Path) -> None:
    for name, key in (("global.toml", "sk-global-012345"), ("project.toml", KEY)):
        (tmp_path / name).write_text(f'DEEPSEEK_API_KEY = "{key}"\n')
    files = (tmp_path / "global.toml", tmp_path / "project.toml", tmp_path / "absent.toml")
    settings = read_settings(root=tmp_path, environment={}, secrets_files=files)
    assert key_of(settings) == KEY


def test_nothing_is_nothing() -> None:
    assert decode(b"").text == ""
    assert not decode(b"\xef\xbb\xbf").is_guessed
