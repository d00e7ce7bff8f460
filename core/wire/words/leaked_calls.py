"""Tool calls in DeepSeek's own template, as text: names and arguments, as far as they came.

Three forms are known: `function<｜tool▁sep｜>NAME` with fenced JSON (V3, R1),
`NAME<｜tool▁sep｜>JSON` (V3.1), and DSML's `<｜DSML｜invoke name="NAME">` (V3.2 and later).
"""

import json
import re
from typing import NamedTuple

_BAR = "[｜|]{1,2}"
_DSML = rf"{_BAR}DSML{_BAR}\s?"
_INVOKE = re.compile(
    rf'<{_DSML}invoke\s+name="([^"<>]*)"?[^<>]*>?(.*?)(?:</{_DSML}invoke>|\Z)',
    re.IGNORECASE | re.DOTALL,
)
_PARAMETER = re.compile(
    rf'<{_DSML}parameter\s+name="([^"<>]*)"([^<>]*)>(.*?)(?:</{_DSML}parameter>|\Z)',
    re.IGNORECASE | re.DOTALL,
)
_CALL = re.compile(
    rf"<{_BAR}tool[▁_]call[▁_]begin{_BAR}>(.*?)(?:<{_BAR}tool[▁_]calls?[▁_]end{_BAR}>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_SEPARATOR = re.compile(rf"<{_BAR}tool[▁_]sep{_BAR}>", re.IGNORECASE)
_FENCED = re.compile(r"```\w*(.*?)(?:```|\Z)", re.DOTALL)


_ENDS = re.compile(
    rf"<{_BAR}tool[▁_]call[▁_]end{_BAR}>|</{_DSML}(?:invoke|parameter)>", re.IGNORECASE
)
_FENCE_END = re.compile(r"\s*(?:```)?\s*")
_JSON = json.JSONDecoder(strict=False)


class LeakedCall(NamedTuple):
    """A call that a model wrote; without a name it broke off, and `arguments` is all of it."""

    name: str
    arguments: str


def leaked_calls(text: str) -> list[LeakedCall]:
    """Return the calls between markers."""
    calls = [
        LeakedCall(name.strip(), _dsml_arguments(inner)) for name, inner in _INVOKE.findall(text)
    ]
    calls = calls or [_template_call(inner) for inner in _CALL.findall(text)]
    return calls or [LeakedCall("", text)]


def behind_calls(text: str) -> int:
    """Return where words begin again behind calls whose end was never written."""
    ends = [found.end() for found in _ENDS.finditer(text)]
    separators = [found.end() for found in _SEPARATOR.finditer(text)]
    if separators and (not ends or separators[-1] > ends[-1]):
        begin = text.find("{", separators[-1])
        if begin < 0:
            return len(text)
        try:
            ends.append(_JSON.raw_decode(text, begin)[1])
        except (ValueError, RecursionError):
            return len(text)
    if not ends:
        return len(text)
    closing = _FENCE_END.match(text, ends[-1])
    at = closing.end() if closing is not None else ends[-1]
    return len(text) if text.startswith("<", at) else at


def _dsml_arguments(inner: str) -> str:
    arguments: dict[str, object] = {}
    for name, attributes, value in _PARAMETER.findall(inner):
        arguments[name] = value if 'string="false"' not in attributes.lower() else _json(value)
    return json.dumps(arguments, ensure_ascii=False)


def _json(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _template_call(inner: str) -> LeakedCall:
    name, *rest = _SEPARATOR.split(inner, maxsplit=1)
    arguments = rest[0] if rest else ""
    if name.strip().lower() == "function":
        name, _, arguments = arguments.partition("\n")
    if (fenced := _FENCED.search(arguments)) is not None:
        arguments = fenced[1]
    return LeakedCall(name.strip(), arguments.strip())
