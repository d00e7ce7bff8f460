"""The clock: what time it is, in the person's zone or any other."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from core.work.tools.tool import NotRunError, Surroundings, Tool, ToolOutcome

_DESCRIPTION = (
    "Tell the present date, weekday and time. Use it whenever an answer depends on today's date."
)
_ZONE = {
    "type": "string",
    "description": "A zone's IANA name, such as \"Asia/Shanghai\"; empty for the person's own.",
}


class Arguments(msgspec.Struct):
    """What a model gives."""

    zone: str = ""


def clock(around: Surroundings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Tool:
    """Return the tool."""

    async def run(given: Arguments) -> ToolOutcome:
        asked, own = given.zone.strip(), around.zone.strip()
        if asked and _zone(asked) is None:
            raise NotRunError(f"Not told: there is no time zone named {asked[:60]}.")
        # The person's own may be unknown on this machine: then UTC, by that name.
        name = next((one for one in (asked, own) if one and _zone(one) is not None), "")
        at = now().astimezone(_zone(name) or UTC)
        told = {
            "now": at.isoformat(timespec="seconds"),
            "weekday": f"{at:%A}",
            "zone": name or "UTC (the person's own is not known)",
        }
        return ToolOutcome(json.dumps(told, ensure_ascii=False))

    return Tool("time", _DESCRIPTION, {"zone": _ZONE}, run, Arguments)


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown here, or no name at all
        return None
