"""A proposal for a picture, as a model writes it: its schemas, and what of it Kling would take.

Strict schemas know no length (deepseek.md A4), and other servers may follow none: what comes back
is brought within Kling's rules here, and looked at by a person before anything is sent.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from core.models.generations import AspectRatio, ImageRequest
from core.models.kling_catalogue import ImageModel
from core.models.pictures.rules import COUNT_LEAST, COUNT_MOST, PROMPT_LIMIT

Json = dict[str, Any]

_NUMBER = re.compile(r"-?\d{1,9}")
_RATIO = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*[:：x×/]\s*(\d{1,5}(?:\.\d{1,3})?)")
_SENTENCE_END = re.compile(r"[。！？.!?;；,，\n]")
_NAMES = ("first", "second")
_RATIOS: tuple[AspectRatio, ...] = get_args(AspectRatio)


@dataclass(frozen=True, slots=True)
class PictureProposal:
    """What is to be drawn."""

    prompt: str
    negative_prompt: str = ""
    aspect_ratio: AspectRatio = "1:1"
    n: int = 1

    def request(self, model_name: str) -> ImageRequest:
        """Return it as what Kling is asked for; the model decides the resolution."""
        return ImageRequest(
            self.prompt,
            model_name=model_name,
            negative_prompt=self.negative_prompt,
            aspect_ratio=self.aspect_ratio,
            n=self.n,
        )


def proposal_schema(model: ImageModel) -> Json:
    """Return the strict schema of a proposal for a model of Kling's."""
    return _closed(
        {
            "prompt": {
                "type": "string",
                "description": f"what the picture shows, at most {PROMPT_LIMIT} characters",
            },
            "negative_prompt": {
                "type": "string",
                "description": "what must not be in it, set apart by commas; may be empty",
            },
            "aspect_ratio": {"type": "string", "enum": list(_ratios(model))},
            "n": {"type": "integer", "minimum": COUNT_LEAST, "maximum": COUNT_MOST},
        }
    )


def wordings_schema() -> Json:
    """Return the strict schema of milder wordings: strict ones know no number of entries."""
    return _closed({name: {"type": "string", "description": "a prompt"} for name in _NAMES})


def proposal_from(said: str, model: ImageModel) -> PictureProposal | None:
    """Return what a model proposed, within the rules of Kling's model; None without a prompt."""
    told = _object_in(said)
    prompt = _words(told.get("prompt"))
    if not prompt:
        return None
    return PictureProposal(
        prompt,
        _words(told.get("negative_prompt")),
        _ratio(told.get("aspect_ratio"), _ratios(model)),
        _count(told.get("n")),
    )


def wordings_from(said: str, refused: str) -> tuple[str, ...]:
    """Return the wordings that a model gave, each once, and none that is the refused one."""
    told = _object_in(said)
    found = dict.fromkeys(_words(told.get(name)) for name in _NAMES)
    return tuple(words for words in found if words and words != refused.strip())


def _closed(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _ratios(model: ImageModel) -> tuple[AspectRatio, ...]:
    return model.ratios_for(has_image=False) or _RATIOS


def _object_in(said: str) -> Mapping[str, Any]:
    """Return the first JSON object in what was said: some servers write words around it."""
    decoder = json.JSONDecoder()
    for found in re.finditer(r"\{", said[:100_000]):
        try:
            value, _ = decoder.raw_decode(said, found.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return {}


def _words(value: object) -> str:
    """Return a text that is not too long, cut where a sentence or a part of one ends."""
    if not isinstance(value, str):
        return ""
    text = value.encode("utf-8", "replace").decode().replace("\x00", " ").strip()
    if len(text) <= PROMPT_LIMIT:
        return text
    kept = text[:PROMPT_LIMIT]
    ends = [found.end() for found in _SENTENCE_END.finditer(kept, PROMPT_LIMIT // 2)]
    return kept[: ends[-1] if ends else PROMPT_LIMIT].strip()


def _ratio(value: object, offered: tuple[AspectRatio, ...]) -> AspectRatio:
    """Return the ratio that is asked for, or the nearest that is drawn."""
    for one in offered:
        if value == one:
            return one
    square: AspectRatio = "1:1" if "1:1" in offered else offered[0]
    found = _RATIO.search(value) if isinstance(value, str) else None
    if found is None or not float(found[1]) or not float(found[2]):
        return square
    asked = math.log(float(found[1]) / float(found[2]))
    return min(offered, key=lambda one: abs(math.log(_share(one)) - asked))


def _share(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return int(width) / int(height)


def _count(value: object) -> int:
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value.strip())):
        value = int(found[0])
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return COUNT_LEAST
    return max(COUNT_LEAST, min(COUNT_MOST, value))
