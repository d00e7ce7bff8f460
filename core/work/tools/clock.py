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
        name = given.zone.strip()
        zone = _zone(name or around.zone or "UTC")
        if zone is None and name:
            raise NotRunError(f"Not told: there is no time zone named {name[:60]}.")
        at = now().astimezone(zone)
        told = {
            "now": at.isoformat(timespec="seconds"),
            "weekday": f"{at:%A}",
            "zone": name or around.zone or "UTC (the person's own is not known)",
        }
        return ToolOutcome(json.dumps(told, ensure_ascii=False))

    return Tool("time", _DESCRIPTION, {"zone": _ZONE}, run, Arguments)


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown here, or no name at all
        return None
