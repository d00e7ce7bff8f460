"""One process of the studio without its pages that asks one question and waits to be killed.

python -m tests.crash.answer_runner DATA_DIR CHAT_URL
"""

import sys
import threading
from pathlib import Path

from core.access.owners import LOCAL_OWNER
from core.models.chat import ChatParameters
from core.settings import ChatSettings, Secret, Settings
from core.work.studio import Studio


def main(data_dir: str, url: str) -> None:
    """Ask, say so, and stay."""
    chat = ChatSettings(url=url, api_key=Secret("sk-0123456789abcdef"))
    studio = Studio.open(Settings(data_dir=Path(data_dir), chat=chat, kling=None))
    conversation = studio.store.conversations.create(LOCAL_OWNER)
    studio.answers.ask(LOCAL_OWNER, conversation, "写一首长诗", ChatParameters())
    sys.stdout.write(f"{conversation.id}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
