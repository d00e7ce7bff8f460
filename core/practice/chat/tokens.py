"""Tokens by DeepSeek's published estimate, and its context cache of earlier prompts."""

from collections import OrderedDict, deque

# "1 English character ≈ 0.3 token, 1 Chinese character ≈ 0.6 token" (DeepSeek's token page).
TOKENS_PER_CHARACTER = 0.3
TOKENS_PER_CHINESE_CHARACTER = 0.6
CACHE_UNIT_TOKENS = 64
_CACHED_PROMPTS = 32
_CACHED_USERS = 64
_FIRST_CJK = "\u2e80"


def _weight(character: str) -> float:
    return TOKENS_PER_CHINESE_CHARACTER if character >= _FIRST_CJK else TOKENS_PER_CHARACTER


def estimate_tokens(text: str) -> int:
    """Return the estimate, rounded up."""
    return -int(-sum(map(_weight, text)) // 1)


def clip_to_tokens(text: str, tokens: int) -> str:
    """Return the longest beginning of `text` that fits into `tokens`."""
    spent = 0.0
    for position, character in enumerate(text):
        spent += _weight(character)
        if spent > tokens:
            return text[:position]
    return text


class PromptCache:
    """Earlier prompts with their answers, apart for each model and `user_id`."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], deque[str]] = OrderedDict()

    def hit_tokens(self, model: str, user_id: str, prompt: str) -> int:
        """Return how many of the prompt's tokens an earlier request has left in the cache."""
        seen = self._seen.get((model, user_id), ())
        shared = max((_shared_length(prompt, earlier) for earlier in seen), default=0)
        tokens = estimate_tokens(prompt[:shared])
        return tokens - tokens % CACHE_UNIT_TOKENS

    def remember(self, model: str, user_id: str, conversation: str) -> None:
        """Keep a prompt and its answer for later requests."""
        kept = self._seen.setdefault((model, user_id), deque(maxlen=_CACHED_PROMPTS))
        kept.append(conversation)
        self._seen.move_to_end((model, user_id))
        while len(self._seen) > _CACHED_USERS:
            self._seen.popitem(last=False)


def _shared_length(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
