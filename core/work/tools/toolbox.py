"""The registry of the studio's tools: which there are, and a box of them for one answer."""

import logging
from typing import Any

from core.errors import AppError
from core.models.money.ledger import BudgetError, LedgerLine
from core.models.parts import LookupPart, ToolCall
from core.wire.masking.secrets import known_secrets
from core.work.tools.calculator import calculator
from core.work.tools.clock import clock
from core.work.tools.drawing import drawing
from core.work.tools.looking import WebTools
from core.work.tools.tool import NotRunError, Surroundings, Tool, ToolOutcome
from core.work.web.looks import Outcome

logger = logging.getLogger(__name__)

RESULT_MOST = 40_000  # characters


def tools(around: Surroundings) -> tuple[Tool, ...]:
    """Return all tools there are, in the order in which they are offered."""
    every = (calculator(), clock(around), drawing(), *WebTools(around).tools())
    return tuple(sorted(every, key=lambda tool: tool.name))


async def _nowhere(_look: LookupPart) -> tuple[Outcome, LedgerLine | None]:
    raise NotRunError("Not made: nobody asked.")


# The same in every request.
OFFERED: tuple[dict[str, Any], ...] = tuple(
    tool.definition for tool in tools(Surroundings(_nowhere))
)


class Toolbox:
    """The tools for one answer."""

    def __init__(self, around: Surroundings) -> None:
        self._tools = {tool.name: tool for tool in tools(around)}

    async def run(self, call: ToolCall) -> tuple[ToolOutcome, bool]:
        """Run a call; return what it gave, and whether a budget has no room for more."""
        tool = self._tools.get(call.name)
        if tool is None:
            return ToolOutcome("Not run: there is no tool of that name.", "refused"), False
        try:
            outcome = await tool.call(call.arguments)
        except BudgetError as error:
            return ToolOutcome(f"Not run: {error}", "refused"), True
        except AppError as error:
            outcome = ToolOutcome(str(error), "failed")
        except Exception:  # a bug in a tool must not end the answer
            logger.exception("The tool %s broke down", tool.name)
            outcome = ToolOutcome("The tool broke down.", "failed")
        text = known_secrets.wash(outcome.text)[:RESULT_MOST]
        return ToolOutcome(text, outcome.state, outcome.sources, outcome.line), False
