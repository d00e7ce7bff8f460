"""Input tokens of turns: how many they are at most, and about how many."""

from collections.abc import Iterable

from core.models.chat import Turn
from core.models.money.usage import estimate_tokens, most_tokens
from core.models.parts import PicturePart, ToolCall, ToolResult, sources_in
from core.wire.attachments.block import attachments_block
from core.wire.web.block import web_block

# DeepSeek's earlier vision model counted at most 384 tokens for a picture (money.md §1).
PICTURE_TOKENS = 400


def input_tokens(turns: Iterable[Turn]) -> tuple[int, int]:
    """Return how many tokens turns are at most, and about how many they are."""
    most = about = 0
    for turn in turns:
        texts = [turn.text, turn.reasoning_content or ""]
        for part in turn.content:
            if isinstance(part, PicturePart):
                most += PICTURE_TOKENS
                about += PICTURE_TOKENS
            elif isinstance(part, ToolCall):
                texts += [part.name, part.arguments]
            elif isinstance(part, ToolResult):
                texts.append(part.content)
        texts.append(attachments_block(turn.content, before_loading=True))
        texts.append(web_block(sources_in(turn.content)))
        most += sum(most_tokens(text, turns=0) for text in texts) + most_tokens("")
        about += sum(map(estimate_tokens, texts))
    return most, about
