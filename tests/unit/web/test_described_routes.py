"""Every route of the HTTP layer is described in /openapi.json, or is a link that we sign."""

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
        if isinstance(key, ast.Constant) and str(key.value).startswith("/")
    }


def test_every_route_is_described() -> None:
    served = {path for path in served_paths() if not path.startswith(SIGNED)}
    assert len(served) > 15
    assert sorted(served - DESCRIPTION["paths"].keys()) == []
