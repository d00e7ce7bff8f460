"""Drawing: a picture is proposed to the person, who may have it made. Nothing is bought here."""

from typing import get_args

import msgspec

from core.errors import InputError
from core.models.generations import AspectRatio, ImageRequest
from core.models.kinds import check_fields
from core.work.tools.tool import NotRunError, Tool, ToolOutcome

PICTURES_MOST = 4
PROPOSALS_MOST = 3
_DESCRIPTION = (
    "Propose a picture to the person: they see the prompt and the price, and decide by a button. "
    "Nothing is drawn by calling this. Only when the person asked for a picture."
)
_PROPOSED = (
    "Proposed: the person sees it below your answer with its price and a button. It is not drawn "
    "unless they press that. Do not propose it again, and do not say that it exists."
)
_RATIOS: tuple[AspectRatio, ...] = get_args(AspectRatio)


class Arguments(msgspec.Struct):
    """What a model gives."""

    prompt: str
    aspect_ratio: AspectRatio = "1:1"
    count: int = 1


def drawing() -> Tool:
    """Return the tool."""
    proposed: list[ImageRequest] = []

    async def run(given: Arguments) -> ToolOutcome:
        if len(proposed) >= PROPOSALS_MOST:
            raise NotRunError(f"Not proposed: at most {PROPOSALS_MOST} in one answer.")
        proposed.append(_request(given))
        return ToolOutcome(_PROPOSED, "proposed")

    properties = {
        "prompt": {"type": "string", "description": "What the picture shows, in detail."},
        "aspect_ratio": {"type": "string", "enum": list(_RATIOS)},
        "count": {"type": "integer", "minimum": 1, "maximum": PICTURES_MOST},
    }
    return Tool("draw", _DESCRIPTION, properties, run, Arguments)


def proposal(arguments: str) -> ImageRequest | None:
    """Return the picture that a kept call proposes; None where it keeps no rule of Kling's."""
    try:
        return _request(msgspec.json.decode(arguments, type=Arguments))
    except (msgspec.DecodeError, RecursionError, UnicodeError, NotRunError):
        return None


def _request(given: Arguments) -> ImageRequest:
    if not 1 <= given.count <= PICTURES_MOST:
        raise NotRunError(f"Not proposed: count is 1 to {PICTURES_MOST}.")
    request = ImageRequest(
        prompt=given.prompt.strip(), aspect_ratio=given.aspect_ratio, n=given.count
    )
    try:
        check_fields(request)
    except InputError as error:
        raise NotRunError(f"Not proposed: {error}") from error
    return request
