"""Usage to price: what an answer's tokens come to, and what they come to at most before it is.

Nothing here knows of requests or rows; figures that are not the provider's say so.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.models.chat import ChatParameters, Usage
from core.models.money.hours import HourClass, hour_class
from core.models.money.prices import ChatPrice

# "1 English character ≈ 0.3 token, 1 Chinese character ≈ 0.6 token" (DeepSeek's token page).
_TOKENS_PER_CHARACTER = 0.3
_TOKENS_PER_CHINESE_CHARACTER = 0.6
_TURN_TOKENS = 16  # what the template puts around a turn, generously
# Output when `max_tokens` is absent (deepseek.md §2).
DEFAULT_OUTPUT = 8 * 1024
DEFAULT_THINKING_OUTPUT = 64 * 1024
DEFAULT_MAX_EFFORT_OUTPUT = 128 * 1024


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was billed of a call. `is_input_unsplit`: all input counts as missed, an upper bound."""

    hit: int
    miss: int
    completion: int
    reasoning: int | None = None
    is_input_unsplit: bool = False


@dataclass(frozen=True, slots=True)
class ChatCost:
    """What a call costs; over the edge of an hour class `low` is the cheaper of two figures."""

    amount: Decimal
    low: Decimal
    hour: HourClass

    @property
    def is_range(self) -> bool:
        """Whether it is not known which of two prices counts."""
        return self.low != self.amount


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text is, by DeepSeek's own rule of thumb, rounded up.

    Chinese signs have three bytes, Latin ones one: the length in bytes tells how many of each there
    are, without a look at every sign of a long context.
    """
    if text.isascii():
        return math.ceil(_TOKENS_PER_CHARACTER * len(text))
    further = len(text.encode("utf-8", "surrogatepass")) - len(text)
    chinese = min(further / 2, len(text))
    latin = len(text) - chinese
    return math.ceil(_TOKENS_PER_CHINESE_CHARACTER * chinese + _TOKENS_PER_CHARACTER * latin)


def most_tokens(text: str, turns: int = 1) -> int:
    """Return how many tokens a text of so many turns is at most.

    A byte-level vocabulary needs at most a token for each byte, and that only for the strangest
    signs: one for each character is counted, and four for what lies beyond the daily planes.
    """
    most = len(text)
    if not text.isascii():
        most += 3 * sum(1 for character in text if character > "\uffff")
    return most + _TURN_TOKENS * turns


def most_output(parameters: ChatParameters) -> int:
    """Return how many tokens an answer has at most: as asked, or the model's own default."""
    if parameters.max_tokens is not None:
        return parameters.max_tokens
    if not parameters.thinking:
        return DEFAULT_OUTPUT
    is_max = parameters.effort == "max"
    return DEFAULT_MAX_EFFORT_OUTPUT if is_max else DEFAULT_THINKING_OUTPUT


def tokens_of(usage: Usage | None) -> Tokens | None:
    """Return what a provider's usage bills; None where it does not tell both input and output."""
    if usage is None or usage.completion_tokens is None:
        return None
    hit, miss = usage.cache_hit_tokens, usage.cache_miss_tokens
    prompt = usage.prompt_tokens
    if miss is None and hit is not None and prompt is not None:
        miss = max(prompt - hit, 0)
    if hit is None and miss is not None:
        hit = max((prompt or miss) - miss, 0)
    completion, reasoning = usage.completion_tokens, usage.reasoning_tokens
    if hit is not None and miss is not None:
        return Tokens(hit, miss, completion, reasoning)
    if prompt is None:
        return None
    return Tokens(0, prompt, completion, reasoning, is_input_unsplit=True)


def cost_of(price: ChatPrice, tokens: Tokens, *, start: datetime, end: datetime) -> ChatCost:
    """Return what a call's tokens cost; of two hour classes the dearer counts (money.md §1)."""
    first, last = hour_class(start), hour_class(end)
    told = {"hit": tokens.hit, "miss": tokens.miss, "completion": tokens.completion}
    figures = {hour: price.rates(hour).cost(**told) for hour in (first, last)}
    dearer = max(figures, key=lambda hour: figures[hour])
    return ChatCost(figures[dearer], min(figures.values()), dearer)
