"""End users as the provider is told them: a salted hash for each, never a name.

DeepSeek keeps the caches of different `user_id`s apart. The owner's own chats have none.
"""

import asyncio
import hashlib
import hmac

from core.access.callers import TOKEN, USER
from core.storage.db.key_values import KeyValues

_KEY = "user_id.salt"
_LENGTH = 32


class EndUsers:
    """Makes the ids. The salt is in the store: all processes on one database share it."""

    def __init__(self, values: KeyValues) -> None:
        self._values = values
        self._salt: bytes | None = None

    async def id_of(self, caller: str, end_user: str | None) -> str | None:
        """Return the id of a caller, or of whoever the caller says is asking."""
        if not end_user and not caller.startswith((TOKEN, USER)):
            return None
        if self._salt is None:
            self._salt = await asyncio.to_thread(self._values.secret, _KEY)
        told = f"{caller}\n{end_user or ''}".encode("utf-8", "surrogatepass")
        return hmac.new(self._salt, told, hashlib.sha256).hexdigest()[:_LENGTH]
