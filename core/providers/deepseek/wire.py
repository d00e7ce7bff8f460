"""Chat JSON and our values: what goes to an OpenAI-compatible server and what comes back.

What an answer adds is read in `reply`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from core.models.chat import ChatModel, ChatParameters, Turn, Usage
from core.models.chat_options import NO_OPTIONS, ChatOptions
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.messages import messages_from
from core.providers.http.redaction import clean_detail, model_name, short_word

PROVIDER = "deepseek"

# Switched off on 2026-07-24 (api-docs.deepseek.com/news/news260424).
RETIRED_MODELS = frozenset({"deepseek-chat", "deepseek-reasoner", "deepseek-coder"})
CURRENT_MODELS = ("deepseek-flash", "deepseek-v4-pro")

_USER_ID_LIMIT = 512
_COUNT_MOST = 1 << 53
_NAME_MOST = 200


@dataclass(frozen=True, slots=True)
class CurrencyBalance:
    """What is left in one currency; granted credit is spent first."""

    currency: str
    total: Decimal
    granted: Decimal | None = None
    topped_up: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """The account: money left does not help when `is_available` is false."""

    is_available: bool
    currencies: tuple[CurrencyBalance, ...] = ()


def chat_body(
    server: ChatEndpoint,
    turns: Sequence[Turn],
    parameters: ChatParameters,
    *,
    stream: bool,
    options: ChatOptions = NO_OPTIONS,
) -> dict[str, Any]:
    """Return the JSON body of a chat request in the dialect of `server`."""
    body: dict[str, Any] = {
        "model": parameters.model,
        "messages": messages_from(turns, server),
        "stream": stream,
    }
    if stream:
        body["stream_options"] = {"include_usage": True}
    if server.speaks_deepseek:
        # Thinking is on unless switched off: a quick chat has to say so (section 2).
        body["thinking"] = {"type": "enabled" if parameters.thinking else "disabled"}
        if parameters.thinking:
            body["reasoning_effort"] = parameters.effort
        if options.user_id:
            body["user_id"] = re.sub(r"[^A-Za-z0-9_-]", "-", options.user_id)[:_USER_ID_LIMIT]
    elif options.effort:
        body["reasoning_effort"] = options.effort
    elif parameters.thinking:
        # OpenAI's own field; "max" is a word of DeepSeek's alone.
        body["reasoning_effort"] = "high" if parameters.effort == "max" else parameters.effort
    if not parameters.thinking:
        # Without effect while thinking at DeepSeek, and refused by reasoning models elsewhere.
        if parameters.temperature is not None:
            body["temperature"] = parameters.temperature
        if parameters.top_p is not None:
            body["top_p"] = parameters.top_p
    if parameters.max_tokens is not None:
        body["max_tokens"] = parameters.max_tokens
    if options != NO_OPTIONS:
        body |= _option_fields(server, options)
    return body


def _option_fields(server: ChatEndpoint, options: ChatOptions) -> dict[str, Any]:
    fields: dict[str, Any] = {} if server.speaks_deepseek else dict(options.others)
    if options.tools:
        fields["tools"] = [*options.tools]
    if options.tool_choice is not None:
        fields["tool_choice"] = options.tool_choice
    if options.response_format is not None:
        fields["response_format"] = options.response_format
    if options.stop:
        fields["stop"] = [*options.stop]
    if options.logprobs:
        fields["logprobs"] = True
        if options.top_logprobs is not None:
            fields["top_logprobs"] = options.top_logprobs
    return fields


def encode_body(body: dict[str, Any]) -> bytes:
    """Return the bytes of a JSON body; half a surrogate pair, which has none, becomes "?"."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def usage_from_json(value: Any) -> Usage | None:
    """Return the token counts, or None when there are none."""
    if not isinstance(value, dict):
        return None
    prompt_details = _mapping(value.get("prompt_tokens_details"))
    completion_details = _mapping(value.get("completion_tokens_details"))
    hits = _count(value.get("prompt_cache_hit_tokens"))
    usage = Usage(
        prompt_tokens=_count(value.get("prompt_tokens")),
        completion_tokens=_count(value.get("completion_tokens")),
        total_tokens=_count(value.get("total_tokens")),
        cache_hit_tokens=_count(prompt_details.get("cached_tokens")) if hits is None else hits,
        cache_miss_tokens=_count(value.get("prompt_cache_miss_tokens")),
        reasoning_tokens=_count(completion_details.get("reasoning_tokens")),
    )
    return None if usage == Usage() else usage


def models_from_json(payload: dict[str, Any]) -> tuple[ChatModel, ...] | None:
    """Return the models offered, or None when `payload` is no list of models."""
    entries = payload.get("data")
    if not isinstance(entries, list):
        return None
    return tuple(
        ChatModel(
            id=entry["id"],
            name=clean_detail(entry.get("name"), limit=_NAME_MOST) or None,
            context_window=_count(entry.get("context_window")),
            max_output_tokens=_count(entry.get("max_output_tokens")),
            sees=_takes_images(entry.get("input_modalities")),
        )
        for entry in entries
        if isinstance(entry, dict) and model_name(entry.get("id")) == entry.get("id") is not None
    )


def _takes_images(modalities: object) -> bool | None:
    return "image" in modalities if isinstance(modalities, list) and modalities else None


def balance_from_json(payload: dict[str, Any]) -> Balance | None:
    """Return the balance, or None when `payload` does not tell it."""
    is_available, entries = payload.get("is_available"), payload.get("balance_infos")
    if not isinstance(is_available, bool) or not isinstance(entries, list):
        return None
    currencies: list[CurrencyBalance] = []
    for entry in entries:
        fields = _mapping(entry)
        total = _amount(fields.get("total_balance"))
        if total is not None:
            currencies.append(
                CurrencyBalance(
                    currency=short_word(fields.get("currency")) or "?",
                    total=total,
                    granted=_amount(fields.get("granted_balance")),
                    topped_up=_amount(fields.get("topped_up_balance")),
                )
            )
    return Balance(is_available, tuple(currencies))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    # More than any table column holds is no count: "not given" is shown instead.
    return value if is_count and 0 <= value <= _COUNT_MOST else None


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
