"""A studio with its own practice server, and the official client in front of it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import openai
import pytest

from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PRACTICE_KLING_API_KEY
from tests.web.chat.test_openai import client_of
from tests.web.serving import QUICK, Served, ask_once, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    quick = replace(QUICK, chat_key=PRACTICE_CHAT_KEY, kling_api_key=PRACTICE_KLING_API_KEY)
    with pytest.MonkeyPatch.context() as patched:
        # The studio's own, which speaks DeepSeek's dialect; it only lives faster.
        patched.setattr(
            "core.practice.server.PracticeServer", partial(PracticeServer, settings=quick)
        )
        with serving(tmp_path_factory.mktemp("features"), build=ask_once) as running:
            yield running


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[openai.OpenAI]:
    with client_of(served) as running:
        yield running
