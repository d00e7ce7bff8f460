"""No label of a metric holds what people or providers wrote; names stand there as aliases."""

import re
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.errors import ProviderError
from core.models.money.ledger import Budget, BudgetPlan, Scope
from core.providers.http.tally import ErrorTally
from core.settings import Settings
from core.settings.money import MoneySettings
from core.wire.masking.secrets import known_secrets
from tests.web.serving import serving

NAMES = ("ann@example.com", "安娜", "sk-0123456789abcdef0123456789abcdef", 'o\'Neill "Bob"\n')
# Every label of every family, and the shape of what may stand there.
SHAPES = {
    "method": r"GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|other",
    "route": r"other|(/[A-Za-z0-9._{}:-]*)+",
    "status": r"[1-5][0-9][0-9]|[a-z]+",
    "reason": r"[a-z_]*",
    "service": r"live|practice",
    "provider": r"[a-z]+",
    "code": r"[A-Za-z0-9_.-]{0,40}",
    "kind": r"[a-z_]*",
    "operation": r"read|write|put",
    "loop": r"server|studio",
    "package": r"[a-z0-9_-]*",
    "currency": r"[A-Z]{3,12}",
    "state": r"[a-z]+",
    "scope": r"studio|token|user",
    "budget": r"|[0-9a-f]{12}",
    "period": r"day|month",
    "le": r"[0-9.e+-]+|\+Inf",
}


def _scraped(url: str) -> tuple[str, dict[tuple[str, ...], float]]:
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    limits: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert label in SHAPES, f"{sample.name}: what may stand in {label}?"
                assert re.fullmatch(SHAPES[label], value), f"{sample.name}: {label}={value!r}"
            if sample.name == "inkling_budget_limit":
                limits[tuple(sample.labels.values())] = sample.value
    return text, limits


def test_names_of_budgets_are_not_told_and_stay_the_same(tmp_path: Path) -> None:
    whose: list[tuple[Scope, str]] = [("studio", "")]
    whose += [("user", one) for one in NAMES]
    whose += [("token", one) for one in NAMES]
    budgets = [
        Budget(scope, name, "day", Decimal(number), "CNY")
        for number, (scope, name) in enumerate(whose, 1)
    ]
    settings = Settings(data_dir=tmp_path, money=MoneySettings(plan=BudgetPlan(tuple(budgets))))
    seen = []
    for _ in range(2):
        with serving(tmp_path, settings=settings) as served:
            served.http.get("/complete", params={"question": "你好"})
            text, limits = _scraped(served.url)
        assert sorted(limits.values()) == [float(one.limit) for one in budgets]
        assert not any(one.split("\n")[0] in text for one in NAMES)
        seen.append(limits)
    assert seen[0] == seen[1], "after a new start the series go on"


@pytest.mark.parametrize(
    "code", ["Bearer sk-secret", "a" * 41, "余额不足", 'x"\n', "planted-secret-0123456789", ""]
)
def test_a_code_that_is_no_plain_word_is_not_told(code: str) -> None:
    known_secrets.replace(("planted-secret-0123456789",))
    tally = ErrorTally()
    tally.add(ProviderError("error.chat_gateway", provider="deepseek", code=code))
    ((_, told, _),) = tally.counts()
    assert told in ("other", "")
    known_secrets.replace(())
    for number in range(300):
        tally.add(ProviderError("error.chat_gateway", provider="deepseek", code=f"code-{number}"))
    assert len(tally.counts()) <= 201
