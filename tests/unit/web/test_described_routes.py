"""Every route is described in /openapi.json, or is a link that we sign; every body is a Struct."""

import ast
from pathlib import Path

from core.web.openapi.description import DESCRIPTION

WEB = Path(__file__).parents[3] / "core" / "web"
SIGNED = ("/transfer/", "/speech/")  # links that our own pages hand out, good for a while


def served_paths() -> set[str]:
    """Return the paths in the tables of the router and of the rooms it puts together."""
    files = [WEB / "router.py", *WEB.rglob("*routes.py"), *(WEB / "diagnostics").glob("*.py")]
    return {
        key.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and key.value.startswith("/")
    }


def test_every_route_is_described() -> None:
    served = {path for path in served_paths() if not path.startswith(SIGNED)}
    assert len(served) > 15
    assert sorted(served - DESCRIPTION["paths"].keys()) == []


# JSON that is passed on as another server sends it, or that describes all others, and why it has
# no Struct here.
FORWARDED = {
    ("/v1/audio/transcriptions", "post"): {"200": "the form of the server that writes it down"},
    ("/openapi.json", "get"): {"200": "OpenAPI's own form"},
}
FORWARDED |= {
    (path, "get"): dict.fromkeys(
        ("401", "403", "429", "503", "default"), "Kling's own words, under any of its statuses"
    )
    for path in DESCRIPTION["paths"]
    if path.startswith("/kling/")
}


def test_every_json_body_is_a_struct_that_is_sent_or_read() -> None:
    structs = DESCRIPTION["components"]["schemas"]
    seen = 0
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            bodies = {**operation["responses"], "body": operation.get("requestBody", {})}
            for name, body in bodies.items():
                told = body.get("content", {}).get("application/json", {}).get("schema")
                if told is None or name in FORWARDED.get((path, method), {}):
                    continue
                for one in told.get("anyOf", told.get("allOf", [told])):
                    assert one["$ref"].rpartition("/")[2] in structs, (path, name)
                    seen += 1
    assert seen > 200


def test_no_shape_is_written_by_hand() -> None:
    """Schemas come of types: the words that describe an object's fields stand nowhere."""
    for file in (WEB / "openapi").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                assert node.value not in ("properties", "items", "enum", "maximum", "maxLength"), (
                    file.name
                )
