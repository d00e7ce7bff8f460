"""What the practice web holds: results for any words, and the pages behind them."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from core.practice.chat.texts import language_of
from core.practice.faults import read_faults, without_commands
from core.practice.web.hostile import HOSTILE

_SITES = ("encyclopedia", "news", "museum", "university", "forum", "library")
_KINDS = {
    "zh": ("百科", "新闻", "博物馆", "研究", "讨论", "目录"),
    "en": ("encyclopedia", "news", "museum", "study", "discussion", "catalogue"),
}
_MOST = 12
_LONG = 90_000


def results_for(query: str, count: int, *, with_content: bool) -> list[dict[str, Any]]:
    """Return what is found for a query; the same for the same words."""
    faults = read_faults(query)
    words = without_commands(query) or query
    if "web-hostile" in faults:
        return [_hostile(number, with_content=with_content) for number in range(len(HOSTILE))]
    if "web-odd" in faults:
        return _odd(words)
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:2], "big")
    path = next((f"practice/{name}/" for name in faults if name.startswith("page-")), "")
    found = [_result(words, path, place, number) for place in range(min(count, _MOST))]
    if with_content:
        found = [one | {"content": page_text(one["url"], one["title"])} for one in found]
    return found


def page_text(url: str, title: str) -> str:
    """Return the Markdown of a practice page."""
    faults = read_faults(url.replace("/practice/", "/practice "))
    if "page-hostile" in faults:
        return "\n\n".join(HOSTILE)
    if language_of(title) == "zh":
        line = f"这是练习网页《{title}》的内容。它只在本机，什么也没有真的被搜索。"
    else:
        line = f"This is what the practice page “{title}” says. It is on this machine only."
    text = f"# {title}\n\n{line}\n\n![a picture](https://pictures.example/{number_of(url)}.png)"
    if "page-long" in faults:
        text += f"\n\n{line}" * (_LONG // len(line))
    return text


def number_of(words: str) -> int:
    """Return a number that is the same for the same words."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big")


def _result(words: str, path: str, place: int, number: int) -> dict[str, Any]:
    language = language_of(words)
    site, kind = _SITES[place % 6], _KINDS[language][place % 6]
    gist = " ".join(words.split())[:40]
    title = f"{gist} · {kind}"
    if language == "zh":
        summary = f"（练习）关于“{gist}”，{kind}第 {place + 1} 页说：数字是 {number + place}。" * 3
    else:
        summary = f"(Practice) On “{gist}”, {kind} page {place + 1}: {number + place}. " * 3
    return {
        "title": title,
        "url": f"https://{site}.example/{path}{quote(gist)}/{place + 1}",
        "snippet": summary[:120],
        "summary": summary,
        "content": "",
        "rerank_score": round(2.8 - 0.2 * place, 2),
        "authority": 4 - place % 5,
        "date": f"2026-{11 - place % 6:02d}-{place + 1:02d}",
        "site_name": kind,
        "site_icon": f"https://{site}.example/favicon.ico",
    }


def _hostile(number: int, *, with_content: bool) -> dict[str, Any]:
    text = HOSTILE[number]
    return {
        "title": f"{number}: {text[:80]}",
        "url": f"https://hostile.example/practice/page-hostile/{number}",
        "snippet": text,
        "summary": text,
        "content": text if with_content else "",
        "rerank_score": 3.0 - number / 100,
        "authority": -1,
        "date": text[:60],
        "site_name": text[:60],
        "site_icon": "https://hostile.example/icon.png",
    }


def _odd(words: str) -> list[dict[str, Any]]:
    whole = _result(words, "", 0, 7)
    return [
        whole,
        {"url": whole["url"], "title": "the same page once more"},
        {"title": "no address"},
        {"url": "javascript:alert(1)", "title": "a script"},
        {"url": "https://user:secret@odd.example/", "title": "a password"},
        {"url": "https://odd.example/b", "title": None, "summary": 5, "rerank_score": "high"},
        {"url": "https://odd.example/c", "title": ["x"], "snippet": "only a snippet", "date": 2026},
    ]


def as_page(url: str) -> Mapping[str, str]:
    """Return the page behind an address."""
    name = url.rstrip("/").rsplit("/", 2)[-2:]
    title = unquote(" ".join(name))[:80]
    return {"title": title, "content": page_text(url, title)}
