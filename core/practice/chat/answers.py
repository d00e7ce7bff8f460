"""What the practice model says: a topic by the question's words, a text in its language."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.practice.chat.long_text import asked_length, long_text
from core.practice.chat.skills.looking import Seen
from core.practice.chat.texts import Language, language_of, passages, text
from core.practice.faults import CHAT_FAULTS, PICTURE_FAULTS, WEB_FAULTS, read_faults

_GIST_LENGTH = 60
_GO_ON = re.compile(
    r"^\s*(?:请?(?:继续|接着)(?:写|说|讲|往下写|往下说)?(?:下去|吧|完)?|往下写"
    r"|(?:please\s+)?(?:continue|go\s+on|carry\s+on|keep\s+going))\s*[。.!！…]*\s*$",
    re.IGNORECASE,
)
_SHORTEST_OVERLAP = 12
_RESULT_LENGTH = 300
_WENT_WRONG = re.compile(r"error|invalid|failed|错误|失败", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Topic:
    name: str
    words: re.Pattern[str]


def _topic(name: str, words: str) -> _Topic:
    return _Topic(name, re.compile(words, re.IGNORECASE))


# The first topic whose words occur wins, so the narrow ones stand before the broad ones.
_TOPICS = (
    _topic("faults", r"故障|练习错误|错误清单|/practice|\bfaults?\b|practice errors|error list"),
    _topic(
        "keys", r"密钥|钥匙|secrets?\.toml|api.?key|\bkeys?\b|\.env|设置|配置|settings?\b|configur"
    ),
    _topic(
        "prices", r"价格|价钱|多少钱|费用|收费|贵不贵|\bprices?\b|\bpricing\b|\bcosts?\b|\bbill"
    ),
    _topic("streaming", r"流式|\bsse\b|server-sent|stream|keep-alive|断线|\[done\]"),
    _topic(
        "pictures", r"图片|图像|画图|出图|绘图|生图|可灵|kling|\bimages?\b|\bpictures?\b|\bdraw"
    ),
    _topic("previews", r"预览|矢量图|\bsvg\b|\bhtml\b|\bpreviews?\b"),
    _topic("markdown", r"markdown|排版|格式示例|表格|\btables?\b|formatting|showcase"),
    _topic(
        "maths",
        r"数学|公式|方程|积分|导数|定理|证明|概率|\bmaths?\b|equation|integral|theorem|\$\$|latex",
    ),
    _topic(
        "code",
        r"代码|编程|程序|函数|算法|脚本|python|javascript|rust\b|\bcode\b|\bfunctions?\b|algorithm|\bsql\b",
    ),
    _topic(
        "about",
        r"墨灵|inkling|这个应用|这个软件|这是什么|你是谁|你能做什么|练习模式|本应用"
        r"|this app|what is this|who are you|what can you|practice mode",
    ),
    _topic(
        "greeting",
        r"^\s*(?:你好|您好|嗨|哈喽|早上好|晚上好|(?:hello|hi|hey|good (?:morning|evening))\b)"
        r"\W{0,3}.{0,8}$",
    ),
)


def answer(
    question: str,
    *,
    raw_question: str,
    earlier: Sequence[str] = (),
    system: str = "",
    pictures: Sequence[Seen] = (),
) -> str:
    """Return the answer to a question; the same for the same words."""
    language = language_of(question)
    if (length := asked_length(question)) is not None:
        return long_text(question, length, language)
    name = _topic_of(question, raw_question)
    if name == "faults":
        said = _faults_answer(language)
    elif name == "general":
        said = _general_answer(question, language)
    else:
        said = text(language, name)
    return said + _remarks(language, earlier, system, pictures)


def _topic_of(question: str, raw_question: str) -> str:
    known = CHAT_FAULTS.keys() | WEB_FAULTS.keys() | PICTURE_FAULTS.keys()
    if any(name not in known for name in read_faults(raw_question)):
        return "faults"
    return next((topic.name for topic in _TOPICS if topic.words.search(question)), "general")


def _general_answer(question: str, language: Language) -> str:
    gist = " ".join(question.split())
    if len(gist) > _GIST_LENGTH:
        gist = gist[:_GIST_LENGTH].rstrip() + "…"
    if not gist:
        gist = "（空）" if language == "zh" else "(nothing)"
    variants = passages(language, "general")
    chosen = variants[_number_of(question) % len(variants)]
    return chosen.replace("{gist}", gist.replace("|", "\\|"))


def _remarks(
    language: Language, earlier: Sequence[str], system: str, pictures: Sequence[Seen]
) -> str:
    """Return what shows that history, system prompt and pictures did arrive."""
    remarks = []
    if earlier:
        first = " ".join(earlier[0].split())[:30]
        remarks.append(
            f"这是本次对话的第 {len(earlier) + 1} 个问题；第一个是“{first}”。"
            if language == "zh"
            else f"This is question {len(earlier) + 1} of our conversation; "
            f"the first was “{first}”."
        )
    if system.strip():
        said = " ".join(system.split())[:40]
        remarks.append(
            f"系统提示也收到了，开头是“{said}”。"
            if language == "zh"
            else f"Your system prompt arrived too; it begins “{said}”."
        )
    for number, seen in enumerate(pictures, 1):
        told = seen.words(language)
        remarks.append(
            f"图片 {number}：{told}。" if language == "zh" else f"Picture {number}: {told}."
        )
    return "".join(f"\n\n> {remark}" for remark in remarks)


def results_answer(results: Sequence[tuple[str, str]], language: Language) -> str:
    """Return what is said once tools have returned: what they gave, and what follows from it."""
    head = "工具给出了结果：" if language == "zh" else "The tools have returned:"
    rows = [f"- `{name}`: {' '.join(told.split())[:_RESULT_LENGTH]}" for name, told in results]
    is_wrong = any(_WENT_WRONG.search(told) for _, told in results)
    if language == "zh":
        end = "有一个出错了，我就用现有的信息回答。" if is_wrong else "这就是我据此能说的。"
    else:
        end = "One went wrong; I answer with what there is." if is_wrong else "That is what I know."
    return "\n".join((head, "", *rows, "", end))


def _faults_answer(language: Language) -> str:
    column = 1 if language == "zh" else 2
    head = ("写法", "会发生什么") if language == "zh" else ("Write", "What happens")
    tables = []
    for faults in (CHAT_FAULTS, WEB_FAULTS, PICTURE_FAULTS):
        rows = [f"| {head[0]} | {head[1]} |", "| --- | --- |"]
        for name, row in faults.items():
            argument = f" {row[0]}" if row[0] else ""
            rows.append(f"| `/practice {name}{argument}` | {row[column]} |")
        tables.append("\n".join(rows))
    said = text(language, "faults")
    for name, table in zip(("chat", "web", "picture"), tables, strict=True):
        said = said.replace(f"{{{name}_table}}", table)
    return said


def reasoning(question: str, effort: str) -> str:
    """Return what is thought before the answer: longer for a higher effort."""
    language = language_of(question)
    gist = " ".join(question.split())[:_GIST_LENGTH]
    steps = passages(language, "reasoning")
    kept = {"low": 1, "high": 4}.get(effort, len(steps))
    return "\n\n".join(steps[:kept]).replace("{gist}", gist)


def is_go_on(question: str) -> bool:
    """Return whether the question only asks to continue."""
    return bool(_GO_ON.match(question))


def continuation(whole: str, said: str, language: Language) -> str:
    """Return what follows `said` in the whole answer, or a closing line when nothing does."""
    if whole.startswith(said):
        rest = whole[len(said) :]
    else:
        tail = said.rstrip()[-_SHORTEST_OVERLAP:]
        place = whole.rfind(tail) if len(tail) == _SHORTEST_OVERLAP else -1
        rest = whole[place + len(tail) :] if place >= 0 else "\n\n" + whole
    if rest.strip():
        return rest
    return "\n\n" + text(language, "end")


def _number_of(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big")
