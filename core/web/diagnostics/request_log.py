"""The log's line of each request, and the metrics that count it.

    req_… token:kiosk POST /v1/chat/completions 200 1.234 s 0.00012 CNY

Queries and bodies are in no line. What an answer cost is known once it is settled, a moment after
its last piece: its line waits for that. A picture's is in the ledger when its task has ended.
"""

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from core.models.money.amounts import plain
from core.models.money.ledger import LineState, Settlement
from core.web.http_call import HttpCall
from core.wire.log_form import FACTS
from core.work.metrics.meters import Meters

if TYPE_CHECKING:
    from core.work.chat.live_answer import LiveAnswer

logger = logging.getLogger(__name__)

# Asked by machines every few seconds: told only where they fail. Why the studio is not ready (503)
# has lines of its own.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_NOT_READY = 503
# What anybody sends as a method, or as a path that leads nowhere, would be labels without end.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"


class RequestLine:
    """One request, from its beginning to its line in the log."""

    def __init__(self, call: HttpCall, meters: Meters | None) -> None:
        self._call = call
        self._meters = meters
        self._begun = perf_counter()
        self._route = OTHER  # until it leads somewhere

    def leads_to(self, route: str) -> None:
        """Note which route serves the request: one of few."""
        self._route = route
        if self._meters is not None:
            self._meters.request_begins(route)

    def end(self) -> None:
        """Count the request, and write its line, at the latest when its answer is settled."""
        call, seconds = self._call, perf_counter() - self._begun
        method = call.method if call.method in _METHODS else OTHER
        if self._meters is not None:
            if self._route != OTHER:
                self._meters.request_leaves(self._route)
            self._meters.request_ended(method, self._route, call.status, seconds)
        if self._route in _QUIET and (call.status < 400 or call.status == _NOT_READY):
            return
        facts: dict[str, object] = {
            "request_id": call.request_id,
            "caller": call.caller,
            "method": method,
            "route": self._route,
            "status": call.status,
            "seconds": round(seconds, 3),
        }
        if (live := call.answer) is None:
            _write(facts)
        else:
            live.after_saving(lambda: _write(facts | _told(live)))


def _told(live: "LiveAnswer") -> dict[str, object]:
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
