"""Exposition for Prometheus, by its official client, which is imported at the first scrape.

What processes share (tasks, ledger, budgets, backups) is read from the store as it stands: it is
the same from each of them. All else is this process's own, since it began.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from core.errors import StoreError
from core.providers.http.tally import TALLY
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.maintenance.schedule import BackupSchedule
from core.work.metrics.counting import Times
from core.work.metrics.meters import Meters

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ALIAS_KEY = "metrics.key"
_PROVIDERS = ("kling", "practice")


class _Families(Protocol):
    """What is used of prometheus_client.core."""

    GaugeMetricFamily: Any
    CounterMetricFamily: Any
    HistogramMetricFamily: Any


@dataclass(frozen=True, slots=True)
class Scraped:
    """What of a studio is told."""

    meters: Meters
    store: Store
    backups: BackupSchedule
    running_answers: int


def exposition(scraped: Scraped) -> bytes:
    """Return all metrics in Prometheus's text format. It reads the store: not on an event loop."""
    import prometheus_client  # noqa: PLC0415 - 30 ms that only a scrape pays
    from prometheus_client import core as families  # noqa: PLC0415

    registry = prometheus_client.CollectorRegistry(auto_describe=False)
    prometheus_client.ProcessCollector(registry=registry)
    registry.register(_Collector(scraped, families))
    return bytes(prometheus_client.generate_latest(registry))


class _Collector:
    """Hands over the families of one scrape."""

    def __init__(self, scraped: Scraped, families: _Families) -> None:
        self._scraped = scraped
        self._make = families

    def collect(self) -> Iterator[Any]:
        yield from self._of_process()
        try:
            yield from [*self._tasks(), *self._slots(), *self._money(), *self._backups()]
        except StoreError:
            yield self._gauge("inkling_store_up", "Whether the store can be read", {(): 0})
        else:
            yield self._gauge("inkling_store_up", "Whether the store can be read", {(): 1})

    # -- this process's own ------------------------------------------------------------------------

    def _of_process(self) -> Iterator[Any]:
        meters = self._scraped.meters
        counter, gauge, times = self._counter, self._gauge, self._times
        labels = ("method", "route", "status")
        yield times("inkling_http_request", "Requests, whole", meters.requests, *labels)
        under_way = {(route,): count for route, count in dict(meters.open_requests).items()}
        text = "Requests under way; of /stream and /v1: open streams"
        yield gauge("inkling_http_requests_in_progress", text, under_way, "route")
        running = {(): self._scraped.running_answers}
        yield gauge("inkling_answers_running", "Answers that grow now", running)
        ended = meters.answers.read()
        yield counter("inkling_answers", "Answers that ended", ended, "status", "reason")
        text = "From the request to the first text"
        yield times("inkling_answer_first_token", text, meters.first_tokens, "service")
        text = "From the request to the end"
        yield times("inkling_answer", text, meters.answer_times, "service")
        errors = TALLY.counts()
        labels = ("provider", "code", "kind")
        yield counter("inkling_upstream_errors", "Errors of providers", errors, *labels)
        yield times("inkling_store", "Transactions", meters.store, "operation")
        yield times("inkling_archive", "Files of the archive", meters.archive, "operation")
        text = "How late event loops wake up"
        yield times("inkling_event_loop_lag", text, meters.loop_lag, "loop")
        yield gauge("inkling_threads", "Threads", {(): threading.active_count()})

    # -- what all processes share ------------------------------------------------------------------

    def _tasks(self) -> Iterator[Any]:
        now = datetime.now(UTC)
        found = self._scraped.store.generation_lists.standings()
        labels = ("provider", "kind", "status")
        counts = {one[:3]: one.how_many for one in found}
        yield self._gauge("inkling_tasks", "Open picture tasks by state", counts, *labels)
        ages = {one[:3]: max(0.0, (now - one.oldest).total_seconds()) for one in found}
        text = "Age of the oldest open task in a state"
        yield self._gauge("inkling_task_oldest_seconds", text, ages, *labels)

    def _slots(self) -> Iterator[Any]:
        store = self._scraped.store
        taken = {
            (provider, package): slots
            for provider in _PROVIDERS
            for package, slots in store.generation_lists.slots_in_flight(provider).items()
        }
        text = "Concurrency slots in use"
        yield self._gauge("inkling_slots_in_use", text, taken, "provider", "package")
        learned = {}
        for key, value in store.key_values.starting_with("slots.").items():
            _, _, rest = key.partition(".")
            provider, _, package = rest.partition(".")
            if isinstance(value, dict) and isinstance(value.get("accepted"), int):
                learned[provider, package] = value["accepted"]
        text = "Concurrency slots that were granted"
        yield self._gauge("inkling_slots_granted", text, learned, "provider", "package")

    def _money(self) -> Iterator[Any]:
        ledger = self._scraped.store.ledger
        sums = ledger.sums(LedgerFilter(), "kind")
        amounts = {(one.currency, str(one.by[0])): float(one.amount) for one in sums}
        text = "Sum of the ledger: settled, and held back where it is reserved"
        yield self._gauge("inkling_ledger_amount", text, amounts, "currency", "kind")
        lines = {
            (one.currency, str(one.by[0]), state): count
            for one in sums
            for state, count in (
                ("all", one.lines),
                ("reserved", one.reserved),
                ("unknown", one.unknown),
            )
        }
        labels = ("currency", "kind", "state")
        yield self._gauge("inkling_ledger_lines", "Lines of the ledger", lines, *labels)
        limits, spent = {}, {}
        for standing in ledger.budgets():
            of = standing.budget
            key = (of.scope, self._alias(of.name), of.period, of.currency)
            limits[key], spent[key] = float(of.limit), float(standing.spent)
        names = ("scope", "budget", "period", "currency")
        yield self._gauge("inkling_budget_limit", "What may be spent", limits, *names)
        text = "What was spent and is held back of it"
        yield self._gauge("inkling_budget_spent", text, spent, *names)

    def _alias(self, name: str) -> str:
        """Return what stands for a name that people wrote: it may be an address, or a secret.

        The same for as long as the store lives, and from each process; without the store's key
        nobody finds out whose it is by trying names.
        """
        if not name:
            return ""
        key = self._scraped.store.key_values.secret(_ALIAS_KEY)
        return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:12]

    def _backups(self) -> Iterator[Any]:
        last = self._scraped.backups.last()
        at = {} if last is None else {(last.state,): last.begun_at.timestamp()}
        text = "When the last scheduled backup was begun"
        yield self._gauge("inkling_backup_timestamp_seconds", text, at, "state")
        made = last.made_at if last is not None else None
        whole = {} if made is None else {(): made.timestamp()}
        text = "When the last scheduled backup that was made was begun, whatever came after it"
        yield self._gauge("inkling_backup_made_timestamp_seconds", text, whole)

    # -- families ----------------------------------------------------------------------------------

    def _counter(self, name: str, text: str, counts: Mapping[Any, int], *labels: str) -> Any:
        family = self._make.CounterMetricFamily(name, text, labels=labels)
        for values, count in counts.items():
            family.add_metric(values, count)
        return family

    def _gauge(self, name: str, text: str, values: Mapping[Any, float], *labels: str) -> Any:
        family = self._make.GaugeMetricFamily(name, text, labels=labels)
        for key, value in values.items():
            family.add_metric(key, value)
        return family

    def _times(self, name: str, text: str, times: Times, *labels: str) -> Any:
        family = self._make.HistogramMetricFamily(f"{name}_seconds", text, labels=labels)
        for values, (buckets, total) in times.read().items():
            family.add_metric(values, buckets, total)
        return family
