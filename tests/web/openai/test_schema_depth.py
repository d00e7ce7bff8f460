"""A JSON schema of any depth: passed on, or refused in words; no fault that a client repeats."""

import httpx

from tests.waiting import until
from tests.web.serving import Served


def test_a_schema_of_any_depth_is_passed_on_or_refused_in_words(served: Served) -> None:
    until(lambda: served.http.get("/readyz").status_code == 200, "the routes are there")
    for depth in (50, *range(900, 1_000, 4), 5_000):
        deep = '{"type":"array","items":' * depth + '{"type":"string"}' + "}" * depth
        schema = f'{{"type":"object","properties":{{"deep":{deep}}}}}'
        asked = '{"type":"json_schema","json_schema":{"name":"a","schema":' + schema + "}}"
        body = (
            '{"model":"deepseek-flash","messages":[{"role":"user","content":"hi"}],'
            f'"response_format":{asked}}}'
        )
        reply = httpx.post(
            f"{served.url}/v1/chat/completions",
            content=body,
            headers={"Content-Type": "application/json"},
            timeout=30,
        )
        assert reply.status_code in (200, 400), (depth, reply.text[:300])
        assert reply.status_code == 200 or "error" in reply.json()
        assert reply.status_code == 200 or depth > 50, reply.text[:400]
