"""Who may call, and how much: asked before anything that can spend or read."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence

from core.access.callers import TOKEN, USER, PassLookup, Verdict, judge, no_passes
from core.access.connection import ConnectionFacts, Rules
from core.access.forwarders import LATCH
from core.access.forwarding import caller_address
from core.access.issued_tokens import TOKEN_PREFIX, IssuedToken
from core.access.owners import LOCAL_OWNER, user_owner
from core.access.page_origin import is_own_page, is_shared_origin
from core.access.presented_tokens import presented, without_tokens
from core.errors import StoreError
from core.models.access_scopes import AccessScopes
from core.settings import AccessSettings
from core.web.guard.guess_limit import MOST_WAIT_S, Guesses
from core.web.guard.limits import Limits
from core.web.guard.scopes import wanted_scopes
from core.web.http_call import HttpCall
from core.web.http_refusals import HttpRefusal, out_of_scope, refused, store_away, too_many

logger = logging.getLogger(__name__)

# Looks up the token among those presented that the owner made on the page; may wait for the store.
TokenLookup = Callable[[Sequence[str]], IssuedToken | None]


def no_tokens(_presented: Sequence[str]) -> IssuedToken | None:
    """Look nowhere."""
    return None


def _shown(address: str | None) -> str:
    # A hop of a forwarding header may be any text.
    return "".join(sign for sign in (address or "?")[:60] if sign.isprintable())


def owner_of(caller: str) -> str:
    """Return whose rows a caller sees: a person's own; tokens and passes are the owner's."""
    if caller.startswith(USER):
        return user_owner(caller.removeprefix(USER))
    return LOCAL_OWNER


class Guard:
    """Judges calls by the owner's configuration, and counts those that go on."""

    def __init__(
        self,
        access: Callable[[], AccessSettings],
        limits: Limits,
        pass_name: PassLookup = no_passes,
        issued: TokenLookup = no_tokens,
    ) -> None:
        self._access = access
        self._read: AccessSettings | None = None
        self._made = Rules()
        self._limits = limits
        self._pass_name = pass_name
        self._issued = issued
        self.guesses = Guesses(clock=time.monotonic)

    @property
    def _rules(self) -> Rules:
        """The rules of the settings as they stand: those may be read again at any time."""
        access = self._access()
        if access is not self._read:
            self._read, self._made = access, Rules.of(access)
        return self._made

    async def judge(self, call: HttpCall) -> tuple[str, None] | tuple[None, HttpRefusal]:
        """Return the caller whose request may go on, or why it may not."""
        language = call.language
        connection, tokens = call.connection, presented(call.connection)
        address = caller_address(connection, self._rules)
        if tokens and self.guesses.are_many(address, tokens):
            # Who is here, or has a pass, comes in whatever else it sends.
            verdict = self._verdict(call, without_tokens(connection))
            if verdict.caller is not None:
                return verdict.caller, None
            turn_s = self.guesses.turn_in_s(address)
            if turn_s is None:
                return None, too_many(math.ceil(MOST_WAIT_S), language)
            await asyncio.sleep(turn_s)
        try:
            call.token = await self._issued_token(tokens)
        except StoreError:
            return None, store_away(language)
        verdict = self._verdict(call, connection)
        if verdict.refusal == "token":
            self.guesses.note(address, tokens)
            logger.info("A wrong access token was sent from %s", _shown(address))
        if verdict.caller is None:
            return None, refused(verdict, language)
        if verdict.caller.startswith(TOKEN):
            self.guesses.prove(address, tokens)
        call.scopes = scopes = self._scopes(call, verdict.caller)
        if scopes is not None and scopes.isdisjoint(wanted_scopes(call.method, call.path)):
            return None, out_of_scope(verdict.caller.removeprefix(TOKEN), scopes, language)
        return verdict.caller, None

    async def _issued_token(self, tokens: Sequence[str]) -> IssuedToken | None:
        # As the store has it now: one that was taken back a moment ago is none any more.
        ours = [one for one in tokens if one.startswith(TOKEN_PREFIX)]
        return await asyncio.to_thread(self._issued, ours) if ours else None

    def _scopes(self, call: HttpCall, caller: str) -> AccessScopes | None:
        """Return what a caller may do; None: all of it."""
        if not caller.startswith(TOKEN):
            return None
        name = caller.removeprefix(TOKEN)
        if call.token is not None and call.token.name == name:
            return call.token.scopes
        return self._rules.scopes.get(name)

    def _verdict(self, call: HttpCall, connection: ConnectionFacts) -> Verdict:
        # Browsers send a cookie along with what foreign pages ask for, too.
        cookie = call.headers.get("cookie")
        pass_name = self._pass_name(cookie) if cookie and is_own_page(connection) else None
        issued = call.token.name if call.token is not None else None
        return judge(
            connection, self._rules, forwarder=LATCH.sign, pass_name=pass_name, issued=issued
        )

    def enter(self, call: HttpCall, caller: str) -> HttpRefusal | None:
        """Count a request that begins; a Denial when there are too many."""
        wait_s = self._limits.begin(caller, call.token.per_minute if call.token else None)
        if wait_s is None:
            return None
        return too_many(wait_s, call.language)

    def leave(self, caller: str) -> None:
        """Count a request that has ended."""
        self._limits.end(caller)

    def shares_with(self, call: HttpCall) -> str | None:
        """Return the origin whose pages may read the reply, if the call names one that may."""
        origin = call.headers.get("origin")
        return origin if origin is not None and is_shared_origin(origin, self._rules) else None
