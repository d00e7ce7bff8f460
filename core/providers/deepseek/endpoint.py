"""The server that chat goes to: its addresses, and the dialect it speaks."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

_CHAT_PATH = "/chat/completions"


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """Where chat goes, and which dialect is spoken there.

    `speaks_deepseek` is decided by the host: DeepSeek's own, or our practice server. Only there do
    `thinking`, `prefix`, `user_id` and the beta base exist; elsewhere an unknown field may be
    answered with 400, so they are left out.
    """

    url: str
    practice: bool = False

    @property
    def host(self) -> str:
        """The host's name, for people; practice has none that would tell anybody anything."""
        return "practice" if self.practice else _host_of(self.url)

    @property
    def is_deepseek(self) -> bool:
        """Whether it is DeepSeek's own."""
        return _is_deepseek(self.url)

    @property
    def speaks_deepseek(self) -> bool:
        """Whether it knows DeepSeek's own fields."""
        return self.practice or self.is_deepseek

    @property
    def models_url(self) -> str:
        """Where the models are listed."""
        return self._beside("/models")

    @property
    def balance_url(self) -> str:
        """Where the balance is told."""
        # DeepSeek documents it at the root only.
        return self._beside("/user/balance", keep_version=not self.speaks_deepseek)

    @property
    def beta_url(self) -> str:
        """Where a started answer is continued, and tools are strict: DeepSeek's beta base."""
        if not self.speaks_deepseek:
            return self.url
        return self._beside("/beta/chat/completions", keep_version=False)

    def tool_url(self, name: str) -> str:
        """Return where one of DeepSeek's own tools is called: `search`, or `fetch`."""
        return self._beside(f"/v1/tools/{name}", keep_version=False)

    def _beside(self, path: str, *, keep_version: bool = True) -> str:
        parts = urlsplit(self.url)
        base = parts.path.rstrip("/").removesuffix(_CHAT_PATH)
        if not keep_version:
            base = base.removesuffix("/v1").removesuffix("/beta")
        return parts._replace(path=base + path).geturl()


@lru_cache(maxsize=64)  # both are asked for several times for each answer
def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else (parts.hostname or "?")


@lru_cache(maxsize=64)
def _is_deepseek(url: str) -> bool:
    return f".{urlsplit(url).hostname or ''}".endswith(".deepseek.com")
