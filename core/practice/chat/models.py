"""DeepSeek's models as `GET /models` lists them since autumn 2026."""

MODELS = ("deepseek-flash", "deepseek-v4-pro")
# Still accepted, served and billed as Flash (DeepSeek's pricing page, October 2026).
MODEL_ALIASES = {
    "deepseek-v4-flash": "deepseek-flash",
    "deepseek-v4-flash-vision-exp": "deepseek-flash",
}
CONTEXT_TOKENS = 1_048_576
MAX_OUTPUT_TOKENS = 393_216


def _model(model_id: str, name: str, inputs: list[str]) -> dict[str, object]:
    return {
        "id": model_id,
        "object": "model",
        "owned_by": "deepseek",
        "name": name,
        "context_window": CONTEXT_TOKENS,
        "max_output_tokens": MAX_OUTPUT_TOKENS,
        "input_modalities": inputs,
        "output_modalities": ["text"],
        "effort": {"supported_levels": ["low", "high", "max"], "default_level": "high"},
    }


MODEL_ENTRIES = [
    _model("deepseek-flash", "DeepSeek-V4.1-Flash", ["text", "image"]),
    _model("deepseek-v4-pro", "DeepSeek-V4-Pro", ["text"]),
]
