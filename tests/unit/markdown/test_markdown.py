"""What is done to a provider's Markdown before Streamlit shows it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.markdown.block_parser import parser
from core.markdown.fences import drawn_language
from core.markdown.rendering import for_streamlit, shielded
from core.markdown.splitter import BlockSplitter

DATA = Path(__file__).parent / "data"
ANSWERS = re.split(r"(?m)^===== .*\n", (DATA / "answers.txt").read_text(encoding="utf-8"))[1:]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A 款 $5，B 款 $10。", r"A 款 \$5，B 款 \$10。"),
        ("from $5 to $10 or US$20", r"from \$5 to \$10 or US\$20"),
        ("花了$5，他付了$后来", r"花了\$5，他付了\$后来"),
        ("$AAPL 涨了，$TSLA 跌了", r"\$AAPL 涨了，\$TSLA 跌了"),
        ("每件 $5-$10", r"每件 \$5-\$10"),
        ("cost $$ and $$$", r"cost \$\$ and \$\$\$"),
        ("一 $ a$ 二 $b $ 三", r"一 \$ a\$ 二 \$b \$ 三"),
        ("$a\n\n$b", "\\$a\n\n\\$b"),
        (r"已转义 \$5", r"已转义 \$5"),
        ("$x$ 与 $2n+1$ 与 $v = 路程/t$", "$x$ 与 $2n+1$ 与 $v = 路程/t$"),
        ("$a\n= b$", "$a = b$"),
        (r"$\text{约 \$5}$", r"$$\text{约 \$5}$$"),
        ("行内 $$x$$ 公式", "行内 $$x$$ 公式"),
        ("| a | $5 |\n|---|---|\n| $7 | $x$ |", "| a | \\$5 |\n|---|---|\n| \\$7 | $x$ |"),
    ],
)
def test_a_dollar_is_a_price_unless_it_is_a_formula(text: str, shown: str) -> None:
    assert for_streamlit(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"设 \(x\) 与 \( y^2 \)。", "设 $x$ 与 $y^2$。"),
        (r"\(n\)2 与 \(a\)\(b\)", "$$n$$2 与 $a$ $b$"),
        (r"\(\$5 \times 3\)", r"$$ \$5 \times 3 $$"),
        ("\\[\na = b\n\\]\n", "$$\na = b\n$$\n"),
        (r"\[ a = b \]", "$$\na = b\n$$"),
        ("所以\n$$ y = x\n+ b $$\n即", "所以\n$$\ny = x\n+ b\n$$\n即"),
        ("- \\[ a \\]\n- b", "- $$\n  a\n  $$\n- b"),
        ("> 1. $$a$$\n", "> 1. $$\n>    a\n>    $$\n"),
        (r"于是 \[ a=b \] 成立", "于是 $$a=b$$ 成立"),
        (r"见 \[1\]、\[2, 3\]，\[ \] 与 \[x\]", r"见 \[1\]、\[2, 3\]，\[ \] 与 \[x\]"),
        ("$$\nx = 1", "```latex\nx = 1\n```"),
        (r"没有结束 \(x", r"没有结束 \(x"),
    ],
)
def test_formulas_get_the_form_streamlit_reads(text: str, shown: str) -> None:
    assert for_streamlit(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "`$5 :red[x] :smile: ![a](http://x)`",
        "``a ` $b``",
        "```py\ncost = '$5' # :red[x] ![a](http://x) \\(x\\)\n```\n",
        "    indented $5 :smile:\n",
        "- 列表\n\n  ~~~\n  $a :red[x]\n  ~~~\n",
        "<div>\n$5 :red[x]\n</div>\n",
    ],
)
def test_code_stays_as_it_is(text: str) -> None:
    assert for_streamlit(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (":red[重要] a:foo[1] :x{y}", r"\:red[重要] a\:foo[1] \:x{y}"),
        (":::note\n提示\n:::", "\\:::note\n提示\n\\:::"),
        (":material/home: :material_home:", r":material\/home: :material_home:small[]:"),
        (
            ":smile: :streamlit: :+1: :100:",
            "S".join([":smile", ": :streamlit", ": :+1", ": :100", ":"]),
        ),
        ("12:30:45 std::sort http://a.b/:c[d] 见:https://a.b", None),
        ("[a :smile: b](http://x/:y[z])", "[a :smileS: b](http://x/:y[z])"),
    ],
)
def test_what_streamlit_would_take_for_its_own_is_shown_literally(
    text: str, shown: str | None
) -> None:
    assert for_streamlit(text) == (shown or text).replace("S", ":small[]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![图](http://x/a.png)", "[图](http://x/a.png)"),
        ('![图](<http://x/a b.png> "t")', '[图](<http://x/a b.png> "t")'),
        ("![](http://x/_a)", r"[http\://x/\_a](http://x/_a)"),
        ("[![徽章](http://x/s)](http://h)", "[徽章](http://h)"),
        ("![a][ref] 真棒![1]", r"\![a][ref] 真棒\![1]"),
        ('](u "![a](http://x)")', '](u "[a](http://x)")'),
        ("> " * 30 + "![a](http://x)", "> " * 30 + "[a](http://x)"),
        ("!![a](//x)", r"!\![a](//x)"),
        ("![a](data:image/png;base64,AA==)", "![a](data:image/png;base64,AA==)"),
        ("| ![a](http://x) |\n|---|\n", "| [a](http://x) |\n|---|\n"),
        ("[a]: /u\n    ![b](http://x)", "[a]: /u\n    [b](http://x)"),
    ],
)
def test_pictures_become_links(text: str, shown: str) -> None:
    assert for_streamlit(text) == shown


def test_a_diagram_that_names_an_address_is_shown_as_its_source() -> None:
    diagram = "```mermaid\nflowchart LR\n  A --> B\n```\n"

    assert for_streamlit(diagram).startswith(diagram)
    assert for_streamlit(diagram.replace("A -", 'A@{img: "https://x"} -')).startswith("```text\n")


@pytest.mark.parametrize(
    "info",
    [
        "mermaid",
        "Mermaid theme=dark",
        "mermaid流程图",
        "mermaid:图",
        "&#109;ermaid",
        "mer\\maid",
        "-language-mermaid",
        "{language-mermaid}",
    ],
)
def test_whatever_the_page_draws_as_a_diagram_is_looked_through_for_addresses(info: str) -> None:
    """Streamlit looks for `language-` and ASCII letters anywhere in the class of a block."""
    shown = for_streamlit(f"``` {info}\nflowchart LR\n  A@{{img: '//x'}} --> B\n```\n")

    is_diagram = drawn_language(info) == "mermaid"
    assert is_diagram == (info != "mer\\maid")  # a backslash before a letter stays what it is
    assert shown.startswith(("``` text\n", "``` text theme=dark\n")) == is_diagram


@pytest.mark.parametrize("info", ["", "mermaids", "py", "text mermaid", "a-mermaid", "流mermaid"])
def test_what_the_page_draws_as_code_stays_code(info: str) -> None:
    text = f"```{info}\nA --> '//x'\n```\n"
    assert for_streamlit(text) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**注意。**后文", "<strong>注意。</strong>后文"),
        ("前文**“引号”**后文", "前文<strong>“引号”</strong>后文"),
        (
            "**重要：**API 与**（括号）**都在",
            "<strong>重要：</strong>API 与<strong>（括号）</strong>都在",
        ),
        (
            "他说：**重点**，然后**完。**又来",
            "他说：<strong>重点</strong>，然后<strong>完。</strong>又来",
        ),
        ("***都是！***后文", "<em><strong>都是！</strong></em>后文"),
        ("~~删去。~~后文", "<s>删去。</s>后文"),
        ("- **`code`**：说明\n- **一、**二", "<strong>一、</strong>二"),
        ("| **甲。**乙 |\n|---|\n| x |", "<strong>甲。</strong>乙"),
        ("**平常**的话", "<strong>平常</strong>的话"),
    ],
)
def test_emphasis_ends_behind_a_full_stop_also_without_a_blank(text: str, html: str) -> None:
    shown = parser().render(for_streamlit(text)).replace("\u200b", "")
    assert html in shown
    assert "**" not in shown
    assert "~~" not in shown


@pytest.mark.parametrize(
    "text",
    [
        'an **"English"**text and **more.**text',
        "`**代码。**代码`",
        "```\n**代码。**代码\n```",
        r"\*\*不是。\*\*强调",
        "单价（元）*数量（个）*天数",
        "** 空格。** 后文",
        "**平常**的话，**另一句。** 空格",
    ],
)
def test_what_markdown_reads_well_is_left_alone(text: str) -> None:
    assert for_streamlit(text) == text


@pytest.mark.parametrize("text", ANSWERS)
def test_blocks_and_whole_are_treated_alike(text: str) -> None:
    splitter = BlockSplitter()
    blocks = splitter.feed(text) + splitter.finish()

    assert "".join(map(for_streamlit, blocks)) == for_streamlit(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_a_second_time_changes_nothing(text: str) -> None:
    once = for_streamlit(text)

    assert for_streamlit(once) == once


FRAGMENTS = [
    *("a", " b ", "价格", "。", "$5", "$x$", "$$y$$", "\\(z\\)", "\\[ w=1 \\]", "\\\\", "`c $`"),
    *(
        "\n",
        "\n\n",
        "\r\n",
        "- ",
        "1. ",
        "  ",
        "    ",
        "> ",
        "# ",
        "```",
        "~~~",
        "**",
        "***",
        "。",
        "~~",
        "|",
        "|-|-|",
    ),
    *(":red[q]", ":smile:", ":::", ":material/x:", "https://a.b/c", "12:30:45", "&amp;"),
    *("![a](http://e/i.png)", "![", "](", "[r]", "!", "[^1]: ", "[r]: /u"),
    *("~", "<br>", "</BR>", "`a|b`", "$|x|$", "```md", "```sh", "```mermaid", "\u05d0", "(", "{"),
    *("\\begin{align}", "\\end{align}", "\\begin{cases}", "\\end{cases}", "&"),
]
markdownish = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join)


@settings(max_examples=400, deadline=None)
@given(text=markdownish)
def test_random_text_is_treated_alike_in_blocks_and_loads_no_picture(text: str) -> None:
    splitter = BlockSplitter()
    blocks = splitter.feed(text) + splitter.finish()

    shown = for_streamlit(text)

    assert "".join(map(for_streamlit, blocks)) == shown
    assert "<img" not in parser().render(shown)


@pytest.mark.parametrize(
    "text",
    [
        "[r]:red[q]![a](http://e/i.png)",
        "[r]:javascript:![a\n](http://e/i.png)",
        "[r]: data:x '![a](http://e/i.png)'\nmore",
        "[r]: <data:![a](http://e/i.png)>",
        "> [r]:data:x\n> '![a](http://e/i.png)'",
        "[r]:data:`\n[s]:data:`![a](http://e/i.png)`",
        "[`r]:data:x\n[s]:data:`![a](http://e/i.png)`",
        '[r]:data:<b/title="![a](http://e/i.png)">',
        "[r]:data:x$![a](http://e/i.png)$",
        "[r]: /u\n    `\n    `![a](http://e/i.png)`",
    ],
)
def test_a_definition_that_becomes_text_loads_no_picture(text: str) -> None:
    shown = for_streamlit(text)
    # The page's own parser may read one paragraph where ours sees code below a definition.
    for read in (shown, shown.replace("\n    ", "\n")):
        assert "<img" not in parser().render(read)
    assert for_streamlit(shown) == shown


def test_indented_code_at_the_beginning_survives_st_markdown() -> None:
    assert shielded("正文") == "正文"
    assert not shielded("    code")[0].isspace()
    assert shielded("    code").endswith("\n\n    code")


@pytest.mark.parametrize(
    "address",
    [
        "data:text/html,<script>alert(1)</script>",
        "data:text/html,a<b",
        "data:text/html,a(b(c(d)))",
        "javascript:a(b(c(1)))",
        "data\\:text/html,<b>",
        "&#100;ata:text/html,<b>",
        "<data:text/html,a\\<b>",
    ],
)
def test_no_address_of_another_scheme_is_a_link_however_it_is_written(address: str) -> None:
    assert for_streamlit(f"[open]({address}) on").startswith("[open\\](")
    assert for_streamlit("[open](https://one.example/a(b(c))) on").startswith("[open](")
