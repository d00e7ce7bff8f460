"""What a PNG tells about its making: pure functions, both ways.

`parameters` is what the Stable Diffusion tools read (AUTOMATIC1111's format), `prompt` what simpler
ones do, `inkling` our own form, read back exactly. Never a key, a link or a callback address.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

import msgspec

from core.archive.png_chunks import SIGNATURE, iter_chunks, join_chunks, read_text_chunk, text_chunk
from core.errors import InputError
from core.models.generations import (
    AspectRatio,
    Generation,
    GenerationRequest,
    ImageRequest,
    Resolution,
)
from core.models.kinds import KINDS
from core.wire.secrets import known_secrets

_OURS = "inkling"
_VERSION = 1
_SOFTWARE = "Inkling (Kling)"
_MAX_PROMPT = 10_000  # characters; four times what Kling takes
_MAX_PICTURES = 9
_MAX_ID = 2**63 - 1


def write_metadata(png: bytes, generation: Generation) -> bytes:
    """Return the PNG with prompt and parameters in its text chunks, its pixels untouched."""
    chunks = list(iter_chunks(png))
    width, height = (int.from_bytes(chunks[0][1][at : at + 4], "big") for at in (0, 4))
    texts = {
        "parameters": _parameters(generation.request, width, height),
        "prompt": generation.request.prompt,
        "Software": _SOFTWARE,
        _OURS: _own(generation),
    }
    kept = [chunk for chunk in chunks[1:] if (read_text_chunk(*chunk) or ("",))[0] not in texts]
    return join_chunks(
        [
            chunks[0],
            *(text_chunk(name, known_secrets.wash(text)) for name, text in texts.items()),
            *kept,
        ]
    )


def read_metadata(content: bytes) -> GenerationRequest | None:
    """Return the request a file of ours was made by; None when it does not tell."""
    own = _find_own(content)
    return _read_own(own) if own is not None else None


def has_metadata(content: bytes) -> bool:
    """Tell whether a file says how it was made in our own form, readable or not."""
    return _find_own(content) is not None


def _find_own(content: bytes) -> str | None:
    if not content.startswith(SIGNATURE):
        return None
    for kind, chunk in iter_chunks(content, strict=False):
        found = read_text_chunk(kind, chunk)
        if found is not None and found[0] == _OURS:
            return found[1]
    return None


def _parameters(request: GenerationRequest, width: int, height: int) -> str:
    lines = [request.prompt]
    if isinstance(request, ImageRequest) and request.negative_prompt:
        lines.append(f"Negative prompt: {request.negative_prompt}")
    settings = {
        "Model": request.model_name,
        "Size": f"{width}x{height}",
        "Aspect ratio": f'"{request.aspect_ratio}"',  # quoted as that format does with a colon
        "Resolution": request.resolution,
    }
    lines.append(", ".join(f"{key}: {value}" for key, value in settings.items()))
    return "\n".join(lines)


def _own(generation: Generation) -> str:
    request = {"kind": generation.kind, **asdict(generation.request)}
    request.pop("callback_url", None)
    return json.dumps(
        {
            "version": _VERSION,
            "generation_id": generation.id,
            "provider": generation.provider,
            "created_at": generation.created_at.isoformat(),
            "request": request,
        }
    )


def _read_own(text: str) -> GenerationRequest | None:
    """Return what a stranger's file says, as far as it can be meant."""
    try:
        request = json.loads(text)["request"]
        prompt = request["prompt"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(request, Mapping) or not isinstance(prompt, str):
        return None
    kind = request.get("kind", ImageRequest.kind)
    if kind != ImageRequest.kind:
        return _read_kind(kind, request)
    default = ImageRequest(prompt="")
    n = request.get("n")
    ids = request.get("element_ids")
    return ImageRequest(
        prompt=_text(prompt, "")[:_MAX_PROMPT],
        model_name=_text(request.get("model_name"), default.model_name)[:64],
        negative_prompt=_text(request.get("negative_prompt"), "")[:_MAX_PROMPT],
        aspect_ratio=_choice(request, "aspect_ratio", get_args(AspectRatio), default.aspect_ratio),
        resolution=_choice(request, "resolution", get_args(Resolution), default.resolution),
        n=n if type(n) is int and 1 <= n <= _MAX_PICTURES else default.n,
        has_image=request.get("has_image") is True,
        image_reference=_choice(request, "image_reference", ("subject", "face"), None),
        image_fidelity=_fraction(request.get("image_fidelity")),
        human_fidelity=_fraction(request.get("human_fidelity")),
        element_ids=tuple(filter(_is_id, ids))[:10] if isinstance(ids, list) else (),
        watermark=request.get("watermark") is True,
    )


def _read_kind(kind: object, request: Mapping[str, Any]) -> GenerationRequest | None:
    """Return what was asked for in another kind, where all of it is as that kind has it."""
    if not isinstance(kind, str) or kind not in KINDS or len(request["prompt"]) > _MAX_PROMPT:
        return None
    try:
        json.dumps(request, ensure_ascii=False).encode()  # half a pair of surrogates fits no input
        found = msgspec.convert(request, KINDS[kind].request_type)
        KINDS[kind].check(found)
    except (msgspec.ValidationError, UnicodeEncodeError, InputError):
        return None
    ids = getattr(found, "element_ids", ())
    return found if found.reference_count >= 0 and all(map(_is_id, ids)) else None


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= _MAX_ID


def _text(value: object, default: str) -> str:
    if not isinstance(value, str):
        return default
    return value.encode("utf-8", "replace").decode()


def _choice(request: Mapping[str, Any], key: str, choices: tuple[str, ...], default: Any) -> Any:
    value = request.get(key)
    return value if isinstance(value, str) and value in choices else default


def _fraction(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None  # no NaN is
