"""What is posted to have a picture of a message proposed, and milder wordings of a prompt."""

from typing import Annotated

from msgspec import Meta, Struct

from core.models.generations import AspectRatio
from core.models.pictures.proposal import PictureProposal
from core.models.pictures.rules import COUNT_LEAST, COUNT_MOST, PROMPT_LIMIT
from core.wire.source_block import SOURCE_MOST
from core.work.drawing.proposals import DrawingWish
from core.work.drawing.wording import WISH_MOST

_Prompt = Annotated[str, Meta(min_length=1, max_length=PROMPT_LIMIT, pattern=r"\S")]


class ProposalFields(Struct):
    """A picture so far, which the next proposal begins with."""

    prompt: _Prompt
    negative_prompt: Annotated[str, Meta(max_length=PROMPT_LIMIT)] = ""
    aspect_ratio: AspectRatio = "1:1"
    n: Annotated[int, Meta(ge=COUNT_LEAST, le=COUNT_MOST)] = 1


class DrawingBody(Struct):
    """What is wanted of a message; an empty object is a picture of all of it."""

    passage: Annotated[str, Meta(max_length=SOURCE_MOST)] = ""
    wish: Annotated[str, Meta(max_length=WISH_MOST)] = ""
    before: ProposalFields | None = None
    model_name: Annotated[str, Meta(max_length=60)] = ""

    def wanted(self) -> DrawingWish:
        """Return it as the studio has it."""
        so_far, before = self.before, None
        if so_far is not None:
            before = PictureProposal(
                so_far.prompt, so_far.negative_prompt, so_far.aspect_ratio, so_far.n
            )
        return DrawingWish(self.passage, self.wish, before, self.model_name)


class MilderBody(Struct):
    """A prompt that was refused."""

    prompt: _Prompt
