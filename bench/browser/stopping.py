"""Stop, while the upstream is silent: how soon it sees its socket closed."""

from pathlib import Path

from bench.browser import figures
from bench.browser.documents import marks_by_chunk
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import studio
from bench.browser.watching import ask, browsing, log_of, wait_mark, watched_page
from tests.upstream import Upstream

ROUNDS = 10


def report(folder: Path) -> str:
    """Press Stop in the tab that asked, and in another one."""
    took: dict[str, list[float]] = {"the tab that asked": [], "another tab": []}
    kept = 0
    with (
        Upstream(answer_script) as upstream,
        studio(folder, upstream) as app,
        browsing() as browser,
    ):
        for number in range(ROUNDS):
            for name, values in took.items():
                page, _ = watched_page(browser, app.url)
                script = Script("one paragraph", 200, 5, 50, 1 + 1000 * number, is_silent=True)
                exchange = ask(page, upstream, script.question)
                last = marks_by_chunk(script.pieces)[-1]
                wait_mark(page, last)
                page.wait_for_timeout(1_000)
                tab = page
                if name == "another tab":
                    tab, _ = watched_page(browser, page.url, is_idle=False)
                tab.get_by_role("button", name="停止").click()
                exchange.is_over.wait(30)
                assert exchange.closed_at is not None
                values.append(exchange.closed_at - log_of(tab).click)
                page.get_by_text("已停止").first.wait_for()
                kept += f"〔{last}〕" in page.get_by_test_id("stChatMessage").last.inner_text()
                for one in {page, tab}:
                    one.close()
    rows = [[name, len(values), *figures.spread(values)] for name, values in took.items()]
    said = f"\nText kept and marked 已停止 in {kept} of {2 * ROUNDS}."
    columns = ("Stop pressed in", "n", "socket closed after ms, median", "p95", "max")
    return figures.table("Stop with a silent upstream", columns, rows) + said
