"""The account's elements: listed, made, deleted. Made once: the same pictures have the same id."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from core.models.generations import ReferenceImage
from core.models.money.ledger import Spender
from core.models.pictures.elements import Element, check_element
from core.providers.kling.elements import (
    DELETE_PATH,
    ELEMENTS_PATH,
    PAGE_SIZE,
    delete_body,
    element_body,
    elements_from_json,
)
from core.providers.kling.signed_calls import KlingReply

_JSON = "application/json"


class _Forward(Protocol):
    def __call__(
        self, method: str, target: str, *, body: bytes, content_type: str | None, spender: Spender
    ) -> Coroutine[Any, Any, KlingReply]: ...


class Elements:
    """Asks Kling through the way of forwarded calls: counted in the ledger, held to the budget."""

    def __init__(
        self,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        forward: _Forward,
        data_of: Callable[[KlingReply], Any],
    ) -> None:
        self._run = run
        self._forward = forward
        self._data_of = data_of

    def every(self, spender: Spender) -> tuple[Element, ...]:
        """Return the account's elements, the newest first; those that were deleted left out."""
        target = f"{ELEMENTS_PATH}?pageNum=1&pageSize={PAGE_SIZE}"
        found = elements_from_json(self._ask("GET", target, b"", spender)) or ()
        return tuple(one for one in found if one.state != "deleted")

    def make(
        self,
        name: str,
        description: str,
        pictures: Sequence[ReferenceImage],
        *,
        spender: Spender,
    ) -> None:
        """Have an element made; Kling refuses a second one of the same words and pictures."""
        name, description = name.strip(), description.strip()
        check_element(name, description, pictures)
        told = hashlib.sha256(f"{name}\0{description}".encode())
        for picture in pictures:
            told.update(hashlib.sha256(picture.content).digest())
        own_id = f"inkling-element-{told.hexdigest()[:32]}"
        body = element_body(name, description, pictures, own_id)
        self._ask("POST", ELEMENTS_PATH, body, spender)

    def delete(self, element_id: str, *, spender: Spender) -> None:
        """Delete an element; pictures that were made with it stay."""
        self._ask("POST", DELETE_PATH, delete_body(element_id), spender)

    def _ask(self, method: str, target: str, body: bytes, spender: Spender) -> Any:
        async def ask() -> Any:
            content_type = _JSON if body else None
            reply = await self._forward(
                method, target, body=body, content_type=content_type, spender=spender
            )
            return await asyncio.to_thread(self._data_of, reply)

        return self._run(ask())
