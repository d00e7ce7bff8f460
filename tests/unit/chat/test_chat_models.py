"""What is known of a chat model: what the provider told, else what it is known to be."""

import asyncio
from typing import Any

import pytest

from core.models.chat import ChatModel
from core.providers.deepseek.wire import models_from_json
from core.work.chat.models import ChatModels

TOLD: dict[str, Any] = {
    "data": [
        {"id": "deepseek-flash", "context_window": 2_000_000, "input_modalities": ["text"]},
        {"id": "deepseek-v5", "input_modalities": ["text", "image"]},
        {"id": "bare"},
        {"id": "odd", "input_modalities": "image", "context_window": "many"},
    ]
}


class Provider:
    async def list_models(self) -> tuple[ChatModel, ...]:
        return models_from_json(TOLD) or ()


@pytest.mark.parametrize(
    ("name", "sees", "window"),
    [
        ("deepseek-flash", True, 1_048_576),
        ("deepseek-v4-flash", True, 1_048_576),
        ("deepseek-v4-pro", False, 1_048_576),
        ("gpt-6", None, None),
    ],
)
def test_deepseeks_models_are_known_before_anybody_tells(
    name: str, sees: bool | None, window: int | None
) -> None:
    assert ChatModels("gpt-6").facts(name) == ChatModel(name, context_window=window, sees=sees)


@pytest.mark.parametrize(
    ("name", "sees", "window"),
    [
        ("deepseek-flash", False, 2_000_000),
        ("deepseek-v4-pro", False, 1_048_576),
        ("deepseek-v5", True, None),
        ("bare", None, None),
        ("odd", None, None),
    ],
)
def test_what_the_provider_tells_counts_more(
    name: str, sees: bool | None, window: int | None
) -> None:
    models = ChatModels("deepseek-v4-pro")
    asyncio.run(models.refresh(Provider()))  # type: ignore[arg-type]
    assert models.facts(name) == ChatModel(name, context_window=window, sees=sees)
    assert models.seeing() == "deepseek-v5"
