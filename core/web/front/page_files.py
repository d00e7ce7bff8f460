"""Static files of the pages: scripts and styles at addresses that hold their hash (RFC 8246).

They need no caller: whoever may see no page reads nothing there but what the repository holds too.
"""

import hashlib
from collections.abc import Mapping

from core.web.front.not_found import reply_nothing_here, reply_wrong_method
from core.web.http_call import Headers, HttpCall

FOLDER = "/assets/"
_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json; charset=utf-8",
}
_FOR_EVER: Headers = (("Cache-Control", "public, max-age=31536000, immutable"),)
_FOR_NOW: Headers = (("Cache-Control", "no-cache"),)
_PLAIN: Headers = (("X-Content-Type-Options", "nosniff"),)
_SHORTEST_HASH = 16


class PageFiles:
    """Serves files by name; an address is FOLDER, NAME.HASH.KIND, the hash a head of SHA-256."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._hashes: dict[str, str] = {}

    async def serve(self, call: HttpCall) -> None:
        """Reply with a file; for an earlier or a later version's address with this one's.

        So a page goes on where two versions run side by side for a while.
        """
        stem, _, kind = call.path.removeprefix(FOLDER).rpartition(".")
        name, _, version = stem.rpartition(".")
        file = f"{name}.{kind}"
        content = self._files.get(file)
        if content is None:
            await reply_nothing_here(call)
            return
        if call.method not in ("GET", "HEAD"):
            await reply_wrong_method(call)
            return
        is_known = len(version) >= _SHORTEST_HASH and self._hash(file).startswith(version)
        headers = (*_PLAIN, *(_FOR_EVER if is_known else _FOR_NOW))
        await call.reply(200, content, _TYPES[kind], headers)

    def _hash(self, file: str) -> str:
        if file not in self._hashes:
            self._hashes[file] = hashlib.sha256(self._files[file]).hexdigest()
        return self._hashes[file]
