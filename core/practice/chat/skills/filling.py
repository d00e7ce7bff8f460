"""JSON by a schema: values that fit it, out of a person's words where they hold any."""

import re
from collections.abc import Mapping
from typing import Any

from core.practice.chat.texts import language_of

Json = Mapping[str, Any]

_DEEPEST = 12
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r"[\"“「『']([^\"”」』']{1,80})[\"”」』']")
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][a-zà-ÿ]+(?:\s[A-Z][a-zà-ÿ]+)*")
_PLACE = re.compile(r"(?:在|去|到|查一?下?|看看)?([\u4e00-\u9fff]{2,4}?)(?:的|今天|明天|现在|天气)")
_PLACES = ("city", "location", "place", "name", "person", "城市", "地点")


class Filler:
    """Fills schemas from one text: each of its numbers is used once, in their order."""

    def __init__(self, words: str, root: Json) -> None:
        self._words = " ".join(words.split())
        self._root = root
        self._numbers = [float(found) for found in _NUMBER.findall(words)]

    def value(self, schema: object, name: str = "", deep: int = 0) -> Any:
        """Return a value that fits a schema; of what it does not say, text."""
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if options := schema.get("enum"):
            return next((one for one in options if str(one) in self._words), options[0])
        for key in ("anyOf", "oneOf", "allOf"):
            if options := schema.get(key):
                usable = [one for one in options if self._resolved(one).get("type") != "null"]
                return self.value((usable or options)[0], name, deep + 1)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), None)
        if kind == "object" or "properties" in schema:
            return self._object(schema, deep)
        if kind == "array":
            least = max(int(schema.get("minItems") or 1), 1)
            items = schema.get("items") or {}
            return [self.value(items, name, deep + 1) for _ in range(min(least, 8))]
        if kind in ("number", "integer"):
            return self._number(schema, whole=kind == "integer")
        if kind in ("boolean", "null"):
            return True if kind == "boolean" else None
        return self._text(schema, name)

    def _object(self, schema: Json, deep: int) -> dict[str, Any]:
        if deep > _DEEPEST:
            return {}
        properties = schema.get("properties") or {}
        return {name: self.value(one, name, deep + 1) for name, one in properties.items()}

    def _number(self, schema: Json, *, whole: bool) -> float | int:
        number = self._numbers.pop(0) if self._numbers else schema.get("default", 1)
        number = max(number, schema.get("minimum", number))
        number = min(number, schema.get("maximum", number))
        return int(number) if whole or number == int(number) else number

    def _text(self, schema: Json, name: str) -> str:
        if isinstance(default := schema.get("default"), str):
            return default
        if found := _QUOTED.search(self._words):
            return found[1]
        if any(word in name.lower() for word in _PLACES):
            if found := _PLACE.search(self._words):
                return found[1]
            if names := _NAME.findall(self._words):
                return str(names[-1])
        most = int(schema.get("maxLength") or 60)
        return self._words[:most] or ("练习" if language_of(name) == "zh" else "practice")

    def _resolved(self, schema: object) -> Json:
        for _ in range(_DEEPEST):
            if not isinstance(schema, Mapping):
                return {}
            path = schema.get("$ref")
            if not isinstance(path, str) or not path.startswith("#/"):
                return schema
            schema = self._root
            for step in path[2:].split("/"):
                schema = schema.get(step) if isinstance(schema, Mapping) else None
        return {}


def filled(schema: Json, words: str) -> Any:
    """Return a value that fits the schema."""
    return Filler(words, schema).value(schema)
