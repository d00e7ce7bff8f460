"""The log's line of each request, and the metrics that count it.

    req_… token:kiosk POST /v1/chat/completions 200 1.234 s 0.00012 CNY

Queries and bodies are in no line. What an answer cost is known once it is settled, a moment after
its last piece: its line waits for that. A picture's is in the ledger when its task has ended.
"""

import logging
from time import perf_counter

from core.models.money.amounts import plain
from core.models.money.ledger import LineState, Settlement
from core.web.http_call import HttpCall
from core.wire.log_form import FACTS
from core.work.chat.live_answer import LiveAnswer
from core.work.metrics.meters import Meters

logger = logging.getLogger(__name__)

# Asked by machines every few seconds: told only where they fail. Why the studio is not ready (503)
# has lines of its own.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_NOT_READY = 503
# Of these the rest is somebody's id, or anything at all: as labels they would have no end.
_OPEN_ENDED = ("/kling/v1/", "/kling/account/", "/v1/models/", "/transfer/")
_KNOWN = frozenset(
    {
        *("/stream", "/complete", "/v1/chat/completions", "/v1/models", "/v1/responses"),
        *("/v1/images/generations", "/v1/images/edits", "/enter", "/openapi.json", "/ledger"),
        *("/checkup", "/checkup/beat", "/exchanges", *_QUIET),
    }
)


def route_of(path: str) -> str:
    """Return the route of a path: one of few."""
    if path in _KNOWN:
        return path
    return next((f"{one}*" for one in _OPEN_ENDED if path.startswith(one)), "other")


class RequestLine:
    """One request, from its beginning to its line in the log."""

    def __init__(self, call: HttpCall, meters: Meters | None) -> None:
        self._call = call
        self._meters = meters
        self._begun = perf_counter()
        self._route = route_of(call.path)
        if meters is not None:
            meters.request_begins(self._route)

    def end(self) -> None:
        """Count the request, and write its line, at the latest when its answer is settled."""
        call, seconds = self._call, perf_counter() - self._begun
        if self._meters is not None:
            self._meters.request_ended(call.method, self._route, call.status, seconds)
        if self._route in _QUIET and (call.status < 400 or call.status == _NOT_READY):
            return
        facts: dict[str, object] = {
            "request_id": call.request_id,
            "caller": call.caller,
            "method": call.method,
            "route": self._route,
            "status": call.status,
            "seconds": round(seconds, 3),
        }
        if (live := call.answer) is None:
            _write(facts)
        else:
            live.after_saving(lambda: _write(facts | _told(live)))


def _told(live: LiveAnswer) -> dict[str, object]:
    return {"answer": live.message_id} | _cost(live.cost)


def _cost(settled: Settlement | None) -> dict[str, object]:
    if settled is None or settled.state is LineState.UNKNOWN or settled.amount is None:
        return {}
    about = {} if not settled.mark else {"cost_is": str(settled.mark)}
    return {"cost": plain(settled.amount), "currency": settled.currency or "", **about}


def _write(facts: dict[str, object]) -> None:
    cost = "-"
    if "cost" in facts:
        cost = f"{facts.get('cost_is', '')}{facts['cost']} {facts['currency']}"
    line = "{request_id} {caller} {method} {route} {status} {seconds} s".format_map(facts)
    logger.info("%s %s", line, cost, extra={FACTS: facts})
