"""Kling's credentials."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KlingApiKey:
    """A plain key of Kling's console: the bearer token itself."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KlingKeyPair:
    """AccessKey and SecretKey, from which short-lived tokens are signed."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
