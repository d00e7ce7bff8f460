"""A LiteLLM proxy as upstream, in a process and an environment of its own, with mock replies."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from core.settings import ChatSettings, Secret, Settings
from tests.running_app import free_port, wait_until_there
from tests.web.chat.test_openai import HELLO, client_of
from tests.web.serving import CHAT_KEY, Served, ask_once, serving

# Its dependencies clash with ours: it is looked for on the path, or where LITELLM names it.
LITELLM = os.environ.get("LITELLM") or shutil.which("litellm")

CONFIG = f"""
model_list:
  - model_name: mock
    litellm_params:
      model: openai/mock
      api_key: none
      mock_response: "春江潮水连海平，海上明月共潮生。"
  - model_name: crowded
    litellm_params:
      model: openai/mock
      api_key: none
      mock_response: "litellm.RateLimitError"
general_settings:
  master_key: {CHAT_KEY}
litellm_settings:
  telemetry: false
"""


@pytest.fixture(scope="module")
def litellm_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if LITELLM is None:
        pytest.skip("LiteLLM is not installed (pip install 'litellm[proxy]' somewhere; LITELLM=…)")
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    port = free_port()
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [LITELLM, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"],
            env={**os.environ, **quiet},
            stdout=log,
            stderr=log,
        )
        try:
            # It alone takes half a minute of a processor to start.
            wait_until_there(f"http://127.0.0.1:{port}/health/liveliness", patience_s=300)
            yield f"http://127.0.0.1:{port}/v1/chat/completions"
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, litellm_url: str) -> Iterator[Served]:
    with serving(
        tmp_path_factory.mktemp("behind"), chat_url=litellm_url, build=ask_once
    ) as running:
        yield running


def test_streamed_and_whole(served: Served) -> None:
    with client_of(served) as client:
        whole = client.chat.completions.create(model="mock", messages=HELLO)
        assert whole.choices[0].message.content == "春江潮水连海平，海上明月共潮生。"
        stream = client.chat.completions.create(model="mock", messages=HELLO, stream=True)
        text = "".join(one.choices[0].delta.content or "" for one in stream if one.choices)
        assert text == whole.choices[0].message.content


def test_models_are_the_proxys_own(served: Served) -> None:
    with client_of(served) as client:
        assert {"mock", "crowded"} <= {model.id for model in client.models.list()}


def test_errors_keep_their_status(served: Served) -> None:
    with client_of(served) as client:
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="crowded", messages=HELLO)
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="no-such-model", messages=HELLO)
        assert 400 <= caught.value.status_code < 500


def test_a_refused_key_is_told_without_the_key(tmp_path: Path, litellm_url: str) -> None:
    wrong = "sk-wrong-0123456789abcdef"
    settings = Settings(
        data_dir=tmp_path, chat=ChatSettings(url=litellm_url, api_key=Secret(wrong))
    )
    with serving(tmp_path, settings=settings) as served, client_of(served) as client:
        # Without a database LiteLLM says 400 to an unknown key.
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="mock", messages=HELLO)
        assert caught.value.status_code in (400, 401)
        assert wrong not in str(caught.value)
