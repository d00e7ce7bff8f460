"""Standing: whether somebody who was let in once, and given a signed link, would be let in now."""

from core.access.callers import PASS, TOKEN, USER, is_listed
from core.access.issued_tokens import IssuedTokens
from core.access.passes import Passes
from core.models.access_scopes import AccessScopes
from core.settings import AccessSettings


def still_may(
    caller: str,
    wanted: AccessScopes,
    *,
    access: AccessSettings,
    passes: Passes,
    issued: IssuedTokens,
) -> bool:
    """Tell whether a caller's pass, place on the list or token still holds; raises StoreError.

    `wanted` are the scopes of which a token needs one. Who was let in by none of these needed none.
    """
    if caller.startswith(PASS):
        name = caller.removeprefix(PASS)
        return any(one.name == name for one in passes.valid())
    if caller.startswith(USER):
        return is_listed(caller.removeprefix(USER), access.users)
    if not caller.startswith(TOKEN):
        return True
    name = caller.removeprefix(TOKEN)
    if name in access.tokens:
        scopes = access.token_scopes.get(name)
        return scopes is None or not scopes.isdisjoint(wanted)
    return any(one.name == name and not one.scopes.isdisjoint(wanted) for one in issued.all())
