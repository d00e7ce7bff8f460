"""Settings: the order of sources, all the names people have, and clear sentences for the rest."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.settings import (
    DEFAULT_CHAT_MODEL,
    AccessSettings,
    Secret,
    Settings,
    read_settings,
    table,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".streamlit").mkdir()
    return tmp_path


def settings_of(root: Path, environment: dict[str, str] | None = None) -> Settings:
    return read_settings(root=root, environment=environment or {})


def problem_of(settings: Settings) -> ConfigurationError:
    assert len(settings.problems) == 1
    return settings.problems[0]


def test_nothing_configured_is_practice_mode(root: Path) -> None:
    settings = settings_of(root)
    assert settings.chat is not None
    assert settings.kling is not None
    assert settings.chat.api_key is None
    assert not settings.kling.has_credentials
    assert settings.chat.model == DEFAULT_CHAT_MODEL
    assert settings.data_dir == root / "data"
    assert settings.problems == ()


def test_where_the_data_folder_was_named_is_told(root: Path) -> None:
    assert settings_of(root).data_dir_source == "the default"
    (root / ".env").write_text("INKLING_DATA_DIR=elsewhere\n")
    assert settings_of(root).data_dir_source == ".env"


def test_the_first_source_that_names_a_key_wins(root: Path) -> None:
    (root / ".env").write_text("DEEPSEEK_API_KEY=sk-dotenv\n")
    assert settings_of(root).chat.api_key == Secret("sk-dotenv")  # type: ignore[union-attr]
    (root / ".env.local").write_text("DEEPSEEK_API_KEY='sk-local' \n")
    assert settings_of(root).chat.api_key == Secret("sk-local")  # type: ignore[union-attr]
    (root / ".streamlit/secrets.toml").write_text('DEEPSEEK_API_KEY = "sk-secrets"\n')
    assert settings_of(root).chat.api_key == Secret("sk-secrets")  # type: ignore[union-attr]
    environment = {"DEEPSEEK_API_KEY": "sk-environment"}
    chat = settings_of(root, environment).chat
    assert chat is not None
    assert chat.api_key == Secret("sk-environment")


def test_a_blank_value_counts_as_not_set(root: Path) -> None:
    (root / ".env").write_text("KLING_API_KEY=kling-key\n")
    kling = settings_of(root, {"KLING_API_KEY": "  "}).kling
    assert kling is not None
    assert kling.api_key == Secret("kling-key")


@pytest.mark.parametrize(
    "pasted",
    [
        "sk-abc123 ",
        "\tsk-abc123\r\n",
        "\ufeffsk-abc123",
        "\u200bsk-abc123\u3000",
        "Bearer sk-abc123",
        '"sk-abc123"',
        "'sk-abc123'",
        "sk-abc123\u00a0",
    ],
)
def test_pasted_keys_lose_what_came_with_them(root: Path, pasted: str) -> None:
    chat = settings_of(root, {"DEEPSEEK_API_KEY": pasted}).chat
    assert chat is not None
    assert chat.api_key == Secret("sk-abc123")


@pytest.mark.parametrize("name", ["DEEPSEEK_API_KEY", "VITE_DEEPSEEK_API_KEY"])
def test_both_names_of_the_chat_key_are_read(root: Path, name: str) -> None:
    chat = settings_of(root, {name: "sk-x"}).chat
    assert chat is not None
    assert chat.api_key == Secret("sk-x")


@pytest.mark.parametrize("key_name", ["ACCESS_KEY_ID", "KLING_ACCESS_KEY_ID", "KLING_ACCESS_KEY"])
@pytest.mark.parametrize(
    "secret_name", ["ACCESS_KEY_SECRET", "KLING_ACCESS_KEY_SECRET", "KLING_SECRET_KEY"]
)
def test_all_names_of_the_pair_are_read(root: Path, key_name: str, secret_name: str) -> None:
    kling = settings_of(root, {key_name: "ak", secret_name: "sk"}).kling
    assert kling is not None
    assert (kling.access_key, kling.secret_key) == (Secret("ak"), Secret("sk"))


def test_the_plain_kling_key_wins_over_the_pair(root: Path) -> None:
    environment = {"KLING_API_KEY": "plain", "ACCESS_KEY_ID": "ak", "ACCESS_KEY_SECRET": "sk"}
    kling = settings_of(root, environment).kling
    assert kling is not None
    assert kling.api_key == Secret("plain")
    assert kling.access_key is None


def test_half_a_pair_is_told_and_chat_still_works(root: Path) -> None:
    settings = settings_of(root, {"ACCESS_KEY_ID": "ak", "DEEPSEEK_API_KEY": "sk"})
    assert settings.kling is None
    assert settings.chat is not None
    assert problem_of(settings).key == "ACCESS_KEY_SECRET"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEEPSEEK_API_URL", "api.deepseek.com"),
        ("DEEPSEEK_API_URL", "ftp://host/x"),
        ("DEEPSEEK_API_URL", "https://user:secret-canary@host/x"),
        ("DEEPSEEK_API_URL", "http://host:99999999/x"),
        ("DEEPSEEK_API_KEY", "sk 密钥 secret-canary"),
        ("KLING_API_ORIGIN", "https://api-beijing.klingai.com/v1/images"),
        ("KLING_API_KEY", "two words secret-canary"),
        ("DEEPSEEK_MODEL", "deepseek-chat"),
        ("INKLING_SOCKET_SILENCE_S", "soon"),
        ("DATABASE_URL", "mysql://user:secret-canary@host/db"),
        ("INKLING_TOKENS", "name:secret-canary, name:secret-canary"),
    ],
)
def test_a_malformed_value_is_one_sentence_without_the_value(
    root: Path, name: str, value: str
) -> None:
    (root / ".env").write_text(f"{name}={value}\n")
    problem = problem_of(settings_of(root))
    assert problem.key == name
    assert problem.source == ".env"
    assert name in str(problem)
    assert ".env" in str(problem)
    assert "secret-canary" not in f"{problem} {problem.facts} {problem.detail}"


def test_a_retired_model_is_fine_at_another_server(root: Path) -> None:
    environment = {
        "DEEPSEEK_API_URL": "http://127.0.0.1:9/v1/chat/completions",
        "DEEPSEEK_MODEL": "deepseek-chat",
    }
    chat = settings_of(root, environment).chat
    assert chat is not None
    assert chat.model == "deepseek-chat"


def test_a_broken_secrets_file_names_its_line_and_nothing_of_its_text(root: Path) -> None:
    (root / ".streamlit/secrets.toml").write_text('A = "x"\nDEEPSEEK_API_KEY = sk-secret-canary\n')
    settings = settings_of(root)
    problem = problem_of(settings)
    assert problem.key == ".streamlit/secrets.toml"
    assert problem.facts["line"] in (2, "2")
    assert "secret-canary" not in str(problem)
    assert settings.chat is not None


def test_a_number_where_text_belongs_is_told(root: Path) -> None:
    (root / ".streamlit/secrets.toml").write_text("DEEPSEEK_API_KEY = [1, 2]\n")
    assert problem_of(settings_of(root)).key == "DEEPSEEK_API_KEY"


def test_what_streamlit_copied_into_the_environment_is_the_files_still(root: Path) -> None:
    secrets = {"DEEPSEEK_API_URL": "nonsense"}
    settings = read_settings(
        root=root, environment={"DEEPSEEK_API_URL": "nonsense"}, secrets=secrets
    )
    assert problem_of(settings).source == ".streamlit/secrets.toml"


def test_the_database_may_stand_in_its_connection_section(root: Path) -> None:
    secrets = {"connections": {"inkling": {"url": "postgresql://u:p@h/d"}}}
    settings = read_settings(root=root, environment={}, secrets=secrets)
    assert settings.database_url == Secret("postgresql://u:p@h/d")


def test_access_is_read_from_its_section(root: Path) -> None:
    secrets = {
        "access": {
            "open": True,
            "users": ["A@Example.com", " example.org "],
            "origins": "http://x",
        },
        "INKLING_TOKENS": "ci:0123456789abcdef, phone:fedcba9876543210",
    }
    access = read_settings(root=root, environment={}, secrets=secrets).access
    assert access.open
    assert access.users == ("a@example.com", "example.org")
    assert access.origins == ("http://x",)
    assert set(access.tokens) == {"ci", "phone"}


def test_no_key_shows_in_repr(root: Path) -> None:
    environment = {
        "DEEPSEEK_API_KEY": "canary-1",
        "ACCESS_KEY_ID": "canary-2",
        "ACCESS_KEY_SECRET": "canary-3",
        "DATABASE_URL": "postgresql://u:canary-4@h/d",
        "INKLING_TOKENS": "n:canary-5-0123456789",
    }
    settings = settings_of(root, environment)
    assert settings.problems == ()
    assert "canary" not in repr(settings)
    assert "canary" not in f"{settings}"


def test_the_data_folder_moves(root: Path, tmp_path: Path) -> None:
    assert settings_of(root, {"INKLING_DATA_DIR": "elsewhere"}).data_dir == root / "elsewhere"
    absolute = tmp_path / "abs"
    assert settings_of(root, {"INKLING_DATA_DIR": str(absolute)}).data_dir == absolute


# -- what people copy ------------------------------------------------------------------------------

PROJECT = Path(__file__).parents[3]
# What every program reads of its environment, and not from a file of ours.
OF_ALL_PROGRAMS = {"ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "O_CLOEXEC"}
# Names of tuples of names, of which some are exported.
TUPLES = ("_KEYS", "_SETTINGS", "DEFAULT_CHAT_MODEL")
SOURCE = "".join(one.read_text(encoding="utf-8") for one in PROJECT.glob("core/settings/*.py"))
NAMES = sorted(setting.name for setting in table.SETTINGS)
PRICES = sorted(set(re.findall(r'reader\.rows\(prices, "([a-z]+)"', SOURCE)))
SECTIONS = {
    "access": {field.name for field in fields(AccessSettings)} - {"tokens", "token_scopes"},
    "budget": {"timezone", "ask_above", "tokens", "users"},
}


def test_what_is_read_is_a_line_of_the_table() -> None:
    quoted = set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', SOURCE))
    named = {name for name in quoted if not name.endswith(TUPLES)} - OF_ALL_PROGRAMS
    assert sorted(named ^ set(table.NAMES)) == []


def test_no_name_is_that_of_two_settings() -> None:
    assert len(table.NAMES) == len(set(table.NAMES)) > 20


def filled_in(example: Path) -> str:
    """Return an example with its commented settings taken out of their comments."""
    lines = example.read_text(encoding="utf-8").splitlines()
    setting = re.compile(r"""# ?(\[{1,2}[a-z."@]+\]{1,2}|[A-Za-z_]+ ?=.*)""")
    return "\n".join(match[1] for line in lines if (match := setting.fullmatch(line)))


def test_the_secrets_example_is_valid_and_names_every_setting(root: Path) -> None:
    text = filled_in(PROJECT / ".streamlit/secrets.toml.example")
    secrets = tomllib.loads(text)
    assert sorted(set(NAMES) - secrets.keys()) == []
    assert sorted(secrets["prices"]) == PRICES
    lacking = {name: SECTIONS[name] - secrets[name].keys() for name in SECTIONS}
    assert not any(lacking.values()), lacking
    tokens = secrets["INKLING_TOKENS"]
    settings = read_settings(root=root, environment={}, secrets=secrets)
    assert problem_of(settings).key == "INKLING_TOKENS"  # what everybody knows lets nobody in
    secrets["INKLING_TOKENS"] = tokens.replace("...", "-0123456789abcdef")
    settings = read_settings(root=root, environment={}, secrets=secrets)
    assert [str(problem) for problem in settings.problems] == []
    assert settings.access.open
    assert settings.access.users


def test_the_dotenv_example_names_every_setting(root: Path) -> None:
    text = filled_in(PROJECT / ".env.example")
    (root / ".env").write_text(text.replace("...", "-0123456789abcdef"))
    assert sorted(name for name in set(NAMES) if f"{name}=" not in text) == []
    assert [str(problem) for problem in settings_of(root).problems] == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_both_readmes_explain_every_setting(readme: str) -> None:
    text = (PROJECT / readme).read_text(encoding="utf-8")
    assert [name for name in PRICES if f"`[[prices.{name}]]`" not in text] == []
    told = {(section, name) for section in SECTIONS for name in SECTIONS[section]}
    assert sorted(one for one in told if not re.search(rf"\b{one[1]}\b", text)) == []
    assert sorted(name for name in set(NAMES) if f"`{name}`" not in text) == []


def test_both_readmes_show_the_same_commands() -> None:
    blocks = [
        re.findall(r"```bash\n(.*?)```", (PROJECT / name).read_text(encoding="utf-8"), re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert blocks[0] == blocks[1]


def test_proxies_are_read_as_addresses_and_networks(root: Path) -> None:
    secrets = root / ".streamlit" / "secrets.toml"
    secrets.write_text(
        "[access]\nbehind_proxy = true\nuser_header = 'X-Forwarded-Email'\n"
        "proxies = ['127.0.0.1', '172.16.5.1/12', ' FD00::/8 ', '[::1]', '::ffff:10.0.0.0/104']\n"
    )
    settings = settings_of(root)
    assert settings.problems == ()
    assert settings.access.behind_proxy
    assert settings.access.user_header == "x-forwarded-email"
    assert [str(network) for network in settings.access.proxies] == [
        "127.0.0.1/32",
        "172.16.0.0/12",
        "fd00::/8",
        "::1/128",
        "10.0.0.0/8",
    ]
    secrets.write_text("[access]\nproxies = '10.0.0.1'\nuser_header = ''\n")
    access = settings_of(root).access
    assert [str(network) for network in access.proxies] == ["10.0.0.1/32"]
    assert access.user_header is None
    assert not access.behind_proxy


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ("proxies = ['10.0.0.1', 'nginx']", "proxies", "addresses and networks"),
        ("proxies = ['10.0.0.0/33']", "proxies", "addresses and networks"),
        ("proxies = 7", "proxies", "a list"),
        ("user_header = 'X Forwarded'", "user_header", "name of an HTTP header"),
        ("user_header = 'X-Email: '", "user_header", "name of an HTTP header"),
        ("user_header = ['X-Email']", "user_header", "text in quotes"),
    ],
)
def test_a_proxy_that_cannot_be_read_is_named_and_believed_nothing(
    root: Path, line: str, name: str, expected: str
) -> None:
    (root / ".streamlit" / "secrets.toml").write_text(f"[access]\n{line}\n")
    settings = settings_of(root)
    problem = problem_of(settings)
    assert problem.key == f"[access] {name}"
    assert expected in str(problem)
    assert len(settings.access.proxies) == line.count("10.0.0.1'")
    assert settings.access.user_header is None


@pytest.mark.parametrize("value", ["'yes'", "1", "[]"])
def test_a_proxy_that_is_told_of_unclearly_is_there(root: Path, value: str) -> None:
    (root / ".streamlit" / "secrets.toml").write_text(f"[access]\nbehind_proxy = {value}\n")
    settings = settings_of(root)
    assert problem_of(settings).key == "[access] behind_proxy"
    assert settings.access.behind_proxy
