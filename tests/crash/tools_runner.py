"""One process of the studio without its pages that asks with tools and waits to be killed.

python -m tests.crash.tools_runner DATA_DIR CHAT_URL QUESTION
"""

import sys
import threading
from pathlib import Path

from core.access.owners import LOCAL_OWNER
from core.models.chat import ChatParameters
from core.providers.deepseek import endpoint
from core.settings import ChatSettings, Secret, Settings
from core.work.studio import Studio

KEY = "sk-0123456789abcdef"


def opened(data_dir: Path, url: str) -> Studio:
    """Return a studio that takes the server at `url` for DeepSeek's own."""
    endpoint._is_deepseek = lambda _url: True  # type: ignore[assignment]
    chat = ChatSettings(url=url, api_key=Secret(KEY))
    return Studio.open(Settings(data_dir=data_dir, chat=chat, kling=None))


def main(data_dir: str, url: str, question: str) -> None:
    """Ask, say so, and stay."""
    studio = opened(Path(data_dir), url)
    conversation = studio.store.conversations.create(LOCAL_OWNER)
    studio.answers.ask(LOCAL_OWNER, conversation, question, ChatParameters(tools=True))
    sys.stdout.write(f"{conversation.id}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
