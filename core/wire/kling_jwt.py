"""The token Kling asks for: its claims, its signature, and when to sign again.

An AccessKey pair signs a short-lived HS256 token (kling.md section 2); a plain API key is its own
token. Time is always an argument: Unix seconds, as the caller's clock shows them.
"""

from core.models.accounts import KlingApiKey, KlingKeyPair
from core.wire.masking.secrets import known_secrets

# Both figures are those of Kling's own sample; a longer lifetime is not promised to be accepted.
TOKEN_LIFETIME_S = 1800
CLOCK_SKEW_S = 5
# A request may wait for a connection and upload a large picture before the token is looked at.
RENEW_MARGIN_S = 120


def sign_token(access_key: str, secret_key: str, *, now: float) -> str:
    """Return the token of an AccessKey pair, valid around `now` (Unix seconds)."""
    moment = int(now)
    claims = {
        "iss": access_key,
        "exp": moment + TOKEN_LIFETIME_S,
        "nbf": moment - CLOCK_SKEW_S,
    }
    import jwt  # noqa: PLC0415 - with cryptography nine megabytes that only a key pair needs

    return jwt.encode(claims, secret_key, algorithm="HS256", headers={"typ": "JWT"})


class TokenSource:
    """Gives out one bearer token until it is nearly used up, then signs the next."""

    def __init__(self, credentials: KlingApiKey | KlingKeyPair) -> None:
        self._credentials = credentials
        self._token = ""
        self._signed_at = 0.0
        self._offset_s = 0.0

    def __repr__(self) -> str:
        return f"TokenSource({type(self._credentials).__name__}, offset_s={self._offset_s:.0f})"

    @property
    def can_resign(self) -> bool:
        """Tell whether a refused token can be replaced by a newly signed one."""
        return isinstance(self._credentials, KlingKeyPair)

    @property
    def offset_s(self) -> float:
        """How far Kling's clock runs ahead of ours, as far as we were told."""
        return self._offset_s

    def token(self, *, now: float) -> str:
        """Return the token to send at `now`, signing a new one when little of it is left."""
        if isinstance(self._credentials, KlingApiKey):
            return self._credentials.value
        age_s = now - self._signed_at
        # A negative age: the clock was set back, and the token counts as not yet valid now.
        if not self._token or not -CLOCK_SKEW_S <= age_s < TOKEN_LIFETIME_S - RENEW_MARGIN_S:
            self._sign(now)
        return self._token

    def resign(self, *, server_now: float | None, now: float) -> str:
        """Return a new token after code 1003 or 1004, signed by Kling's clock.

        `server_now` is the reply's Date header; the difference from `now` is kept for later tokens.
        Without it our own clock has to do.
        """
        if isinstance(self._credentials, KlingApiKey):
            return self._credentials.value
        if server_now is not None:
            self._offset_s = server_now - now
        self._sign(now)
        return self._token

    def _sign(self, now: float) -> None:
        assert isinstance(self._credentials, KlingKeyPair)
        self._token = sign_token(
            self._credentials.access_key, self._credentials.secret_key, now=now + self._offset_s
        )
        known_secrets.add(self._token)
        self._signed_at = now
