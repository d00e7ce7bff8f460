"""Log probabilities of made-up tokens: the same for the same text."""

import hashlib
import math

_OTHERS = ("的", "，", "the", " a", "。", ".", " of", "是", " and", "了")
_UNLIKELY = -9999.0  # DeepSeek's figure for what is very unlikely


def logprobs_of(pieces: list[str], alternatives: int | None) -> list[dict[str, object]]:
    """Return an entry for each piece, with its alternatives if any are wanted."""
    return [_entry(piece, alternatives or 0) for piece in pieces]


def _entry(piece: str, alternatives: int) -> dict[str, object]:
    share = 0.5 + _fraction(piece) / 2
    told = _told(piece, math.log(share))
    others = [other for other in _OTHERS if other != piece]
    top = [told]
    for place in range(alternatives - 1):
        if place < len(others):
            top.append(_told(others[place], math.log((1 - share) / 2 ** (place + 1) + 1e-9)))
        else:
            top.append(_told(f"<{place}>", _UNLIKELY))
    return {**told, "top_logprobs": top[:alternatives]}


def _told(token: str, logprob: float) -> dict[str, object]:
    raw = token.encode("utf-8", "surrogatepass")
    return {"token": token, "logprob": round(logprob, 6), "bytes": [*raw]}


def _fraction(piece: str) -> float:
    digest = hashlib.sha256(piece.encode("utf-8", "surrogatepass")).digest()
    return digest[0] / 256
