"""Prompts for pictures, as the practice model writes them from a text that is to be drawn."""

import re
from collections.abc import Mapping
from typing import Any

from core.practice.chat.texts import language_of
from core.practice.faults import REFUSED_WORDS, without_commands
from core.wire.source_block import without_source

Json = Mapping[str, Any]

_MARKUP = re.compile(r"```.*?(?:```|\Z)|[#*`>_\[\]{}|$\\]+|https?://\S+|^\s*[-+]\s", re.S | re.M)
_SENTENCE = re.compile(r"[^。！？!?\n]+?(?:[。！？!?\n]|\.\s|$)")
_GIST = 90
_WISH = re.compile(r"The person's wish: (.+)\Z", re.S)
_COUNT = re.compile(r"([1-9])\s*(?:张|幅|pictures?\b|images?\b)", re.I)
_WIDE = re.compile(r"山|海|湖|河|风景|草原|城市|landscape|mountain|sea\b|lake|river|city|横", re.I)
_TALL = re.compile(r"人像|肖像|竖|塔|瀑布|portrait|tower|waterfall|vertical", re.I)
_PLAIN = {"zh": "一幅安静的小景", "en": "a quiet little scene"}


def pictured(schema: Json, question: str) -> dict[str, Any] | None:
    """Return a proposal or milder wordings for what a question brings along; None for others."""
    around, source = without_source(question)
    names = schema.get("properties")
    if source is None or not isinstance(names, Mapping):
        return None
    if {"prompt", "negative_prompt"} <= names.keys():
        return _proposal(names, source, around)
    return _wordings(source) if {"first", "second"} <= names.keys() else None


def _proposal(names: Json, source: str, around: str) -> dict[str, Any]:
    wish = found[1].strip() if (found := _WISH.search(around)) else ""
    gist, language = _gist(source), language_of(source)
    parts = [gist, wish, "水墨，留白，柔和的光" if language == "zh" else "ink painting, soft light"]
    joint = "，" if language == "zh" else ", "
    count = _COUNT.search(wish)
    offered = names.get("aspect_ratio", {}).get("enum") or ["1:1"]
    words = f"{wish} {gist}"
    liked = "16:9" if _WIDE.search(words) else "3:4" if _TALL.search(words) else "1:1"
    return {
        "prompt": joint.join(filter(None, parts)),
        "negative_prompt": "文字，水印，模糊" if language == "zh" else "text, watermark, blur",
        "aspect_ratio": liked if liked in offered else offered[0],
        "n": int(count[1]) if count else 1,
    }


def _wordings(refused: str) -> dict[str, Any]:
    language = language_of(refused)
    mild = " ".join(REFUSED_WORDS.sub("", without_commands(refused)).split()).strip(" ，,")
    mild = mild or _PLAIN[language]
    if language == "zh":
        return {"first": f"{mild}，宁静平和", "second": f"{mild}的远景剪影，晨光，象征手法"}
    return {
        "first": f"{mild}, calm and peaceful",
        "second": f"a distant silhouette of {mild}, morning light, symbolic",
    }


def _gist(source: str) -> str:
    plain = REFUSED_WORDS.sub("", without_commands(_MARKUP.sub(" ", source)))
    kept = ""
    for found in _SENTENCE.finditer(plain):
        sentence = " ".join(found[0].split())
        if kept and len(kept) + len(sentence) > _GIST:
            break
        kept = f"{kept} {sentence}".strip()[:_GIST]
    return kept.strip(" 。.！!？?，,") or _PLAIN[language_of(source)]
