"""What a bearer token tells of itself, without what could be used: a JWT's header and times."""

import base64
import binascii
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BearerFacts:
    """A JWT taken apart (RFC 7519); its issuer and its signature stay out."""

    algorithm: str
    kind: str
    claims: tuple[str, ...]  # their names, in the token's order
    expires_at: float | None  # Unix seconds, as all here
    valid_from: float | None


def bearer_facts(authorization: str) -> BearerFacts | None:
    """Return a bearer JWT's facts; None for a plain key and for no token at all."""
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    header, claims = (_part(one) for one in parts[:2])
    if header is None or claims is None:
        return None
    return BearerFacts(
        algorithm=_word(header.get("alg")),
        kind=_word(header.get("typ")),
        claims=tuple(_word(name) for name in claims),
        expires_at=_moment(claims.get("exp")),
        valid_from=_moment(claims.get("nbf")),
    )


def _part(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _word(value: object) -> str:
    return value[:16] if isinstance(value, str) and value[:16].isalnum() else ""


def _moment(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]
