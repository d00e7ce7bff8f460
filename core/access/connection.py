"""A request as far as it tells who sent it, and the owner's rules by which that is judged."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from core.access.network.addresses import Network
from core.access.network.peer import Peer, Whose
from core.models.access_scopes import AccessScopes
from core.settings import AccessSettings


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A request as far as it tells who sent it; names of headers are in small letters."""

    address: str | None
    headers: Mapping[str, str] = field(repr=False)
    scheme: str = "http"
    access_token: str | None = field(default=None, repr=False)
    whose: Whose = "unknown"
    is_rewritten: bool = False
    http_version: str = "1.1"

    @classmethod
    def of(
        cls,
        peer: Peer,
        headers: Mapping[str, str],
        scheme: str = "http",
        access_token: str | None = None,
    ) -> "ConnectionFacts":
        """Return the connection of a peer with what it sent."""
        return cls(
            peer.address,
            headers,
            scheme,
            access_token,
            peer.whose,
            peer.is_rewritten,
            peer.http_version,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner has configured; `tokens` maps names to the tokens themselves."""

    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    behind_proxy: bool = False
    proxies: Collection[Network] = ()
    user_header: str | None = None
    users: Collection[str] = ()
    scopes: Mapping[str, AccessScopes] = field(default_factory=dict)  # by a token's name; else all

    @classmethod
    def of(cls, access: AccessSettings) -> "Rules":
        """Return the rules that the settings hold."""
        return cls(
            hosts=frozenset(access.hosts),
            origins=frozenset(access.origins),
            tokens={name: token.reveal() for name, token in access.tokens.items()},
            behind_proxy=access.behind_proxy,
            proxies=access.proxies,
            user_header=access.user_header,
            users=access.users,
            scopes=access.token_scopes,
        )
