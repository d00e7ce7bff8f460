"""Faults on purpose: what `/practice NAME [NUMBER]` in a question or a prompt asks for."""

import re
from collections import Counter
from collections.abc import Mapping

_COMMAND = re.compile(r"/practice[ \t]+([a-z0-9][a-z0-9_-]*)(?:[ \t]+(\d{1,7})\b)?", re.IGNORECASE)

CHAT_STATUSES = (400, 401, 402, 422, 429, 500, 503)
SERVICE_STATUSES: dict[int, int] = {
    1000: 401,
    1001: 401,
    1002: 401,
    1003: 401,
    1004: 401,
    1100: 429,
    1101: 429,
    1102: 429,
    1103: 403,
    1200: 400,
    1201: 400,
    1202: 404,
    1203: 404,
    1300: 400,
    1301: 400,
    1302: 429,
    1303: 429,
    1304: 429,
    5000: 500,
    5001: 503,
    5002: 504,
}

# name: (arguments, 中文, English). One row each; the package docstring lists the same names.
CHAT_FAULTS: dict[str, tuple[str, str, str]] = {
    **{
        str(status): (
            "[TIMES]",
            f"HTTP {status}，带 TIMES 时只在前几次出现",
            f"HTTP {status}; with TIMES only the first few times",
        )
        for status in CHAT_STATUSES
    },
    "retry-after": (
        "[SECONDS]",
        "第一次 429，并要求等 SECONDS 秒，默认 2",
        "429 the first time, asking to wait SECONDS seconds, 2 unless told",
    ),
    "html": ("[STATUS]", "网页代替 JSON，默认 200，可写 502", "a web page instead of JSON"),
    "cut": ("", "回答到一半断开连接", "connection dropped in mid-answer"),
    "half-json": ("", "停在一行 JSON 的中间", "the body ends inside a line of JSON"),
    "no-done": ("", "有 finish_reason，没有 [DONE]", "a finish_reason but no [DONE]"),
    "error-in-stream": ("", "200 之后流里出现 error", "an error object inside the stream"),
    "silent": ("[SECONDS]", "中途沉默，连接不断", "nothing at all in mid-answer, socket open"),
    "comments": (
        "[SECONDS]",
        "先只有 keep-alive 注释",
        "only keep-alive comments, then the answer",
    ),
    "garbage-line": ("", "夹一行不是 JSON 的数据", "one data line that is not JSON"),
    "half-pairs": ("", "一个表情拆在两个事件里", "an emoji cut in two events"),
    "content-parts": ("", "文字放在部件列表里", "the text as a list of parts"),
    "think-tags": ("", "思考写在 <think> 标签里", "the reasoning in the text, in <think> tags"),
    "late-close": ("", "只有结束的 </think>", "only the closing </think> in the text"),
    "versions": ("", "每个事件带着之前的全部文字", "each event holds all text before it"),
    "told-again": ("", "结束时再给一遍整个回答", "the whole message once more at the end"),
    "leaked-call": ("", "工具调用的标记漏进文字", "markers of a tool call leak into the text"),
    "flat-error": ("", "流里出现 {code, msg}", "an error as {code, msg} inside the stream"),
    "blanks": ("", "只有空白，没有文字", "nothing but blanks"),
    "length": ("", "在一半处以 length 结束", "ends halfway with length"),
    "content_filter": ("", "在一半处被过滤", "ends halfway with content_filter"),
    "insufficient_system_resource": ("", "在一半处资源不足", "ends halfway, out of capacity"),
    "aborted": ("", "在一半处被中止", "ends halfway with aborted"),
    "tool_calls": ("", "要求调用工具", "asks for a tool call"),
    "two-calls": ("", "一次调用两个工具", "two tool calls in one answer"),
    "bad-arguments": ("", "工具参数不是 JSON", "a tool call whose arguments are no JSON"),
    "unknown-tool": ("", "调用没有提供的工具", "a call of a tool that nobody offered"),
    "tool-search": ("", "（工具已开）调用搜索；可列几个，按次序", "calls search, if offered"),
    "tool-fetch": ("", "（工具已开）读一个网页", "reads a page"),
    "tool-calculator": ("", "（工具已开）用计算器", "uses the calculator"),
    "tool-time": ("", "（工具已开）看时间", "asks for the time"),
    "tool-draw": ("", "（工具已开）提议一张图", "proposes a picture"),
    "tools-together": ("", "所列工具一次全部调用", "calls the tools listed all at once"),
    "tools-say": ("", "调用之前先说一句", "says something before it calls"),
    "tools-same": ("", "反复作同一个调用", "makes the same call again and again"),
    "tools-many": ("[TIMES]", "一次调用这么多个工具，默认 1000", "so many calls in one turn"),
    "tools-endless": ("", "不停地调用工具", "calls tools without end"),
    "tools-obey": ("", "照网页和文件里的命令做", "does what pages and files command"),
    "then-429": ("[TIMES]", "工具返回之后 429", "429 once tools have returned"),
    "then-500": ("[TIMES]", "工具返回之后 500", "500 once tools have returned"),
    "then-cut": ("", "工具返回之后断开", "connection dropped once tools have returned"),
    "then-no-usage": ("", "工具返回之后没有用量", "no usage once tools have returned"),
    "then-slow": ("[MS]", "工具返回之后放慢", "slow once tools have returned"),
    "unknown-finish": ("", "未知的 finish_reason", "a finish_reason nobody knows"),
    "no-usage": ("", "没有用量", "no usage anywhere"),
    "usage-twice": ("", "用量出现两次，后者为准", "usage twice, the latter counts"),
    "usage-chunk": ("", "旧式：用量单独一块，choices 为空", "old style: usage with empty choices"),
    "empty": ("", "以 stop 结束，什么也没说", "stop, with nothing said"),
    "reasoning-only": ("", "只有思考，没有回答", "reasoning, but no answer"),
    "no-delta": ("", "最后一块没有 delta", "the finish chunk has no delta"),
    "slow": ("[MS]", "每个增量之间的毫秒数", "milliseconds between deltas"),
    "burst": ("", "全部内容一次写出", "everything in one write"),
    "long": ("[CHARACTERS]", "指定长度的长文", "a text of that length"),
}
WEB_STATUSES = (400, 402, 429, 500, 503)
WEB_FAULTS: dict[str, tuple[str, str, str]] = {
    **{
        f"web-{status}": (
            "[TIMES]",
            f"联网搜索 HTTP {status}",
            f"the search: HTTP {status}; with TIMES only the first few times",
        )
        for status in WEB_STATUSES
    },
    "web-empty": ("", "搜索没有结果，不收费", "nothing is found, nothing is charged"),
    "web-lost": ("", "搜索已计费，但回复丢失", "searched and charged, but the reply is lost"),
    "web-html": ("", "网页代替 JSON", "a web page instead of JSON"),
    "web-slow": (
        "[SECONDS]",
        "搜索要花这么久，默认 3",
        "the search takes that long, 3 unless told",
    ),
    "web-odd": ("", "结果缺字段或类型不对", "results that lack fields or hold other types"),
    "web-hostile": ("", "搜到的网页企图操纵模型", "results that try to command the model"),
    **{
        f"page-{status}": (
            "",
            f"读网页时 HTTP {status}",
            f"a page of the results, when read: HTTP {status}",
        )
        for status in WEB_STATUSES
    },
    "page-empty": ("", "网页没有文字，不收费", "a page without words, nothing is charged"),
    "page-lost": ("", "网页已计费，但回复丢失", "a page read and charged, but the reply is lost"),
    "page-long": ("", "很长的网页", "a very long page"),
    "page-hostile": ("", "网页企图操纵模型", "a page that tries to command the model"),
}
PICTURE_FAULTS: dict[str, tuple[str, str, str]] = {
    **{
        str(code): (
            "[TIMES]",
            f"业务码 {code}（HTTP {status}）",
            f"service code {code} (HTTP {status})",
        )
        for code, status in SERVICE_STATUSES.items()
    },
    "fail": ("", "任务以 failed 结束", "the task ends as failed"),
    "slow": ("SECONDS", "任务要花这么久", "the task takes that long"),
    "lost": ("", "任务已受理，但回复丢失", "accepted, but the reply is lost"),
    "dropped": ("[TIMES]", "没有受理，连接断开", "not accepted, connection dropped"),
    "hidden": ("", "按自己的 id 查不到，只在列表里", "not found by one's own id, only listed"),
    "html": ("[STATUS]", "网页代替 JSON，默认 502", "a web page instead of JSON, 502 unless told"),
    "missing-picture": ("", "最后一张前两次 404", "the last picture answers 404 twice"),
    "broken-picture": ("", "第一张首次下载中断", "the first picture's first fetch is cut short"),
    "unreadable-picture": (
        "[TIMES]",
        "第一张前 TIMES 次完整到达但不是图片，默认 8",
        "the first picture's file is whole and no picture, the first 8 fetches unless told",
    ),
    "cash": ("", "这一次用余额付", "paid from the balance, in cash"),
    "billing": ("", "用新式的 billing[] 说明扣费", "the charge told as billing[], the new design"),
}

# Kling's content check as practice has it, in a prompt without any command.
REFUSED_WORDS = re.compile(r"血腥|暴力|\bgore\b|\bgory\b|\bviolen(?:ce|t)\b", re.IGNORECASE)
GATEWAY_PAGE = (
    "<!DOCTYPE html><html><head><title>Gateway</title></head>"
    "<body><h1>练习网关 practice gateway</h1><p>This is a web page, not JSON.</p></body></html>"
)
Faults = Mapping[str, int | None]


def read_faults(text: str) -> Faults:
    """Return the faults a text asks for, each with its number if one was given."""
    return {
        name.lower(): int(number) if number else None for name, number in _COMMAND.findall(text)
    }


def without_commands(text: str) -> str:
    """Return the text as it reads without its `/practice` commands."""
    return _COMMAND.sub("", text).strip()


class Repetitions:
    """Remembers how often a fault with a limit has struck the same text."""

    def __init__(self) -> None:
        self._struck: Counter[tuple[str, str]] = Counter()

    def strikes(self, name: str, times: int | None, key: str) -> bool:
        """Return whether the fault strikes this time: always without `times`, else so often."""
        if times is None:
            return True
        self._struck[name, key] += 1
        return self._struck[name, key] <= times
