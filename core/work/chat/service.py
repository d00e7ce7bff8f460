"""Who answers, by its client and its name in the ledger."""

from dataclasses import dataclass

from core.providers.deepseek.client import DeepSeek


@dataclass(frozen=True, slots=True)
class ChatService:
    """Who answers: DeepSeek (or a compatible server), or the practice provider.

    `provider` is its name in the ledger: deepseek, practice, or another server's host.
    """

    client: DeepSeek
    practice: bool
    provider: str
