"""What a file seems to mean and does not say: told by name, place and the name that was meant."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.settings import read_settings
from tests.unit.settings.test_settings_files import KEY, SECRETS, key_of, settings_of

DEEPSEEK = "DEEPSEEK_API_KEY"


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        (f'deepseek_api_key = "{KEY}"', "deepseek_api_key", DEEPSEEK),
        (f'DEEPSEEK_APIKEY = "{KEY}"', "DEEPSEEK_APIKEY", DEEPSEEK),
        (f'DEEPSEEK_KEY = "{KEY}"', "DEEPSEEK_KEY", DEEPSEEK),
        (f'DEEPSEK-API-KEY = "{KEY}"', "DEEPSEK-API-KEY", DEEPSEEK),
        ('INKLING_TOKEN = "me:0123456789abcdef"', "INKLING_TOKEN", "INKLING_TOKENS"),
        (f'[deepseek]\napi_key = "{KEY}"', "[deepseek] api_key", DEEPSEEK),
        (f'[Kling]\napi-key = "{KEY}"', "[Kling] api-key", "KLING_API_KEY"),
        ('[inkling]\ndata_dir = "x"', "[inkling] data_dir", "INKLING_DATA_DIR"),
        ('[access]\ntokens = "me:0123456789abcdef"', "[access] tokens", "INKLING_TOKENS"),
        ('[access]\nuser = ["a@b.c"]', "[access] user", "[access] users"),
        ("[access]\nbehind-proxy = true", "[access] behind-proxy", "[access] behind_proxy"),
        ("[Access]\nbehind_proxy = true", "[Access] behind_proxy", "[access] behind_proxy"),
        ("Behind_Proxy = true", "Behind_Proxy", "[access] behind_proxy"),
        ('users = ["a@b.c"]', "users", "[access] users"),
    ],
)
def test_a_name_that_is_almost_ours_is_told(
    tmp_path: Path, text: str, name: str, meant: str
) -> None:
    settings = settings_of(tmp_path, SECRETS, text.encode())
    assert key_of(settings) is None
    (problem,) = settings.problems
    assert problem.text_id == "error.configuration_near"
    assert (problem.facts["name"], problem.facts["meant"]) == (name, meant)
    assert problem.source == SECRETS
    assert KEY not in str(problem)
    # Whoever meant to say that a proxy is there is not thought to be alone on his machine.
    assert settings.access.behind_proxy == ("proxy" in meant)


@pytest.mark.parametrize(
    "text",
    [
        f'{DEEPSEEK} = "{KEY}"\nDEEPSEEK_API_KEY_OLD = "{KEY}"\n',
        'AWS_ACCESS_KEY_ID = "a"\nS3_ACCESS_KEY_ID = "b"\nAWS_SECRET_ACCESS_KEY = "c"\n',
        'OPENAI_API_KEY = "sk-other"\nSECRET_KEY = "x"\n[s3]\nkey = "a"\nsecret = "b"\n',
        '[auth]\nclient_id = "a"\nclient_secret = "b"\ncookie_secret = "c"\n',
        '[connections.inkling]\nurl = "postgresql://u:p@h/d"\n',
        '[access]\nusers = ["a@b.c"]\nopen = false\n',
    ],
)
def test_names_of_others_are_left_alone(tmp_path: Path, text: str) -> None:
    assert settings_of(tmp_path, SECRETS, text.encode()).problems == ()


@pytest.mark.parametrize("name", [".env", ".env.local"])
@pytest.mark.parametrize(
    ("text", "line", "is_read"),
    [
        (f"{DEEPSEEK}={KEY}\nthis is no setting\n'nor this\n", "2", True),
        (f"{DEEPSEEK}={KEY}\n[access]\nopen = true\n", "2", True),
        (f'A=1\n\n{DEEPSEEK}="{KEY}\n', "3", False),
        (f"{DEEPSEEK}: {KEY}\n", "1", False),
    ],
)
def test_a_line_of_a_dotenv_file_that_is_no_setting_is_told(
    tmp_path: Path, name: str, text: str, line: str, *, is_read: bool
) -> None:
    settings = settings_of(tmp_path, name, text.encode())
    assert key_of(settings) == (KEY if is_read else None)
    (problem,) = settings.problems
    assert (problem.key, problem.text_id) == (name, "error.configuration_dotenv")
    assert problem.facts["line"] == line
    assert KEY not in str(problem)


def test_an_almost_right_name_in_a_dotenv_file_is_told(tmp_path: Path) -> None:
    (problem,) = settings_of(tmp_path, ".env", f"deepseek_api_key={KEY}\n".encode()).problems
    assert (problem.source, problem.facts["meant"]) == (".env", DEEPSEEK)


@pytest.mark.parametrize("data", [f'{DEEPSEEK} = "{KEY}"\r\n\x1a', f'{DEEPSEEK} = "{KEY}"\x1a'])
def test_the_end_mark_of_dos_is_no_mistake(tmp_path: Path, data: str) -> None:
    settings = settings_of(tmp_path, SECRETS, data.encode())
    assert key_of(settings) == KEY
    assert not settings.problems


@pytest.mark.parametrize("section", ["[[deepseek]]", "[[a.b]]"])
def test_a_name_of_ours_in_a_list_of_sections_is_told(tmp_path: Path, section: str) -> None:
    text = f'{section}\nx = 1\n{section}\n{DEEPSEEK} = "{KEY}"\n'
    (problem,) = settings_of(tmp_path, SECRETS, text.encode()).problems
    assert problem.text_id == "error.configuration_misplaced"
    assert problem.facts["section"] == section.strip("[]")


_AS_SOMEBODY_ELSE = """
import os, sys
from pathlib import Path
from core.settings import read_settings
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
problems = read_settings(root=Path(sys.argv[1]), environment={}).problems
print(*(f"{one.key} {one.text_id}" for one in problems), sep="\\n")
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_file_that_may_not_be_read_is_told() -> None:
    """In a process of its own: root may read everything, and gives that up for good."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # tmp_path lies in a folder of this user alone
        path = Path(folder, ".env")
        path.write_text(f"{DEEPSEEK}={KEY}\n")
        path.chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", _AS_SOMEBODY_ELSE, folder],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.split() == [".env", "error.configuration_unreadable"]


def test_nothing_is_told_of_names_in_the_environment(tmp_path: Path) -> None:
    environment = {"deepseek_api_key": KEY, "OPEN": "1", "DEEPSEEK_APIKEY": KEY}
    assert read_settings(root=tmp_path, environment=environment).problems == ()
