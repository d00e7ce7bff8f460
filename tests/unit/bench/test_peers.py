"""What of the bench beside peers needs no peer: its table, its reading of /proc, its troubles."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.peering import process_tree
from bench.peering.programs import PROGRAMS, Program, running
from bench.peering.questions import Question, answer_question
from bench.peering.rounds import Place
from bench.peering.table import NOTHING, Column, Row, table
from bench.peering.trouble import Trouble
from bench.peers import Run

HELD_MB, BURNT_S = 40, 0.2
WORK = f"""
import sys, time
held = b"x" * ({HELD_MB} << 20)
while time.process_time() < {BURNT_S}: pass
"""
CHILD = f"{WORK}print('there', flush=True); sys.stdin.read()"
PARENT = f"{WORK}import subprocess; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def cells(text: str, title: str) -> list[str]:
    line = next(one for one in text.splitlines() if one.startswith(f"| {title} "))
    return [one.strip() for one in line.strip("|").split("|")][1:]


def test_a_row_sets_the_studio_beside_the_best_peer_and_the_goal() -> None:
    columns = [
        Column("plain", "Plain 1", {"new": [90.0, 60.0, 63.0]}),
        Column("studio", "studio", {"new": [130.0, 120.0, 126.0]}),
        Column("gradio", "Gradio 6", {"new": [120.0]}),
    ]
    text = table("Beside peers", columns, [Row("new", "new, ms", 0, 80)])
    assert cells(text, "new, ms") == [
        *("63 (60–90)", "126 (120–130)", "120"),
        *("63, plain", "2.00", "≤ 80", "1.57"),
    ]


def test_a_program_without_figures_says_why_and_is_nobodys_best() -> None:
    columns = [
        Column("studio", "studio", {"cpu": [0.4]}),
        Column("gradio", "Gradio 6", {}, "not installed: no such version | of it"),
        Column("chainlit", "Chainlit 2", {"cpu": [0.0], "other": [1.0]}),
    ]
    rows = [Row("cpu", "cpu, s", 2), Row("other", "other, s", 2, 0.5)]
    text = table("Beside peers", columns, rows)
    assert cells(text, "cpu, s") == [
        *("0.40", "not installed", "0.00", "0.00, chainlit", NOTHING, NOTHING, NOTHING)
    ]
    assert cells(text, "other, s") == [
        *(NOTHING, "not installed", "1.00", "1.00, chainlit", NOTHING, "≤ 0.5", NOTHING)
    ]
    assert "- Gradio 6 not installed: no such version | of it" in text.splitlines()


def test_the_studio_alone_has_a_table_too() -> None:
    text = table("Alone", [Column("studio", "studio", {"a": [3.0]})], [Row("a", "a, s", 1, 2.0)])
    assert cells(text, "a, s") == ["3.0", NOTHING, NOTHING, "≤ 2", "1.50"]


@pytest.fixture
def two_processes(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process and its child, whose names hold what separates the fields of a stat."""
    link = tmp_path / ") R 1 (a b"
    link.symlink_to(sys.executable)
    pipe = subprocess.PIPE
    with subprocess.Popen([link, "-c", PARENT], stdin=pipe, stdout=pipe) as root:
        assert root.stdout is not None
        assert root.stdout.readline() == b"there\n"
        yield root


def test_a_tree_is_counted_whole(two_processes: "subprocess.Popen[bytes]") -> None:
    root = two_processes.pid
    found = process_tree.tree(root)
    assert found[0] == root
    assert len(found) == 2
    memory = process_tree.memory(root)
    assert 2 * HELD_MB <= memory.pss <= memory.rss
    assert process_tree.cpu_s(root) >= 2 * (BURNT_S - 0.02)  # in ticks, rounded down


def test_what_has_ended_counts_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert process_tree.memory(ended.pid) == process_tree.Memory(0.0, 0.0)
    assert process_tree.cpu_s(ended.pid) == 0.0


@pytest.mark.parametrize(
    "wrap",
    [lambda text: text, lambda text: [{"type": "text", "text": text}]],
    ids=["text", "parts"],
)
def test_an_answer_begins_and_ends_with_its_marks(wrap: object) -> None:
    assert callable(wrap)
    one, other = Question(7), Question(8)
    said = [{"role": "user", "content": wrap(question.text)} for question in (other, one)]
    sent = [step.data for step in answer_question({"stream": True, "messages": said})]
    texts = [data.decode() for data in sent if data and b"content" in data]
    assert f'"{one.first}"' in texts[1]  # behind the head, and alone
    assert one.last in texts[-1]
    everything = "".join(texts)
    assert everything.count(one.first) == everything.count(one.last) == 1
    assert other.first not in everything
    assert not {one.first, one.last} & {other.first, other.last, *one.text}


def test_a_title_is_answered_whole() -> None:
    said = [{"role": "user", "content": "a title, please"}]
    (step,) = answer_question({"messages": said})
    assert step.data is not None
    assert step.data.startswith(b"HTTP/1.1 200")


def test_the_run_goes_on_without_what_cannot_be_installed_or_opened(tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    studio = PROGRAMS[0]
    missing = Program("missing", "Missing 1", ("missing==1",), ("-c", ""), "#box")
    run, seen = Run([studio, missing]), list[str]()
    run.install(no_folder, tmp_path / "data")

    def measure(place: Place) -> None:
        seen.append(place.program.name)
        if len(seen) == 2:
            raise Trouble("not opened: closed")

    for _ in range(3):
        run.each("a look", measure)
    assert seen == ["studio", "studio"]
    troubles = [column.trouble for column in run.columns()]
    assert troubles[0] == "not opened: closed"
    assert troubles[1].startswith("not installed: ")


def test_a_program_that_ends_at_once_says_its_last_line(tmp_path: Path) -> None:
    command = ("-c", "import sys; print('first', file=sys.stderr); sys.exit('no such page')")
    broken = Program("broken", "Broken 1", ("broken==1",), command, "#box")
    python = Path(sys.executable)
    with (
        pytest.raises(Trouble, match=r"^not started: no such page$"),
        running(broken, python, tmp_path, "http://127.0.0.1:9/"),
    ):
        pytest.fail("it runs")
