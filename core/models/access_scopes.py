"""Scopes of access tokens: what a token's bearer may do. One without scopes may do all."""

from collections.abc import Iterable
from typing import Literal, get_args

AccessScope = Literal["chat", "pictures", "speech", "read"]
ACCESS_SCOPES: tuple[AccessScope, ...] = get_args(AccessScope)
AccessScopes = frozenset[AccessScope]


def scopes_from(words: Iterable[str]) -> AccessScopes:
    """Return the scopes of these names; ValueError for a name that is none."""
    found = frozenset(words)
    if not found <= set(ACCESS_SCOPES):
        raise ValueError(found)
    return frozenset(scope for scope in ACCESS_SCOPES if scope in found)
