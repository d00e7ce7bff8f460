"""Words of others, as they are shown."""

import pytest

from core.markdown.block_parser import parser
from core.ui.formats import code_span


@pytest.mark.parametrize(
    "word", ["deepseek-flash", "`![x](http://e/i.png)", "``a`", "`", "a\n\n![x](http://e/i.png)"]
)
def test_a_word_of_somebody_else_stays_code(word: str) -> None:
    html = parser().render(f"前 {code_span(word)} 后")
    assert html.count("<code>") == 1
    assert html.count("<p>") == 1
    assert "<img" not in html
    assert "<a " not in html
