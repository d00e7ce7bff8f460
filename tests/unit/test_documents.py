"""What the documents name stands in the tree: files, modules, classes, settings, links."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    {
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob(".github/**/*.md"),
    }
)
# Those that speak of the code itself: each path and each class in them is ours.
OF_THE_CODE = [
    path
    for path in DOCUMENTS
    if path.name in ("architecture.md", "CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md", "glossary.md")
    or path.parent.name == "decisions"
]
MADE_WHILE_RUNNING = {".streamlit/secrets.toml", ".env", ".env.local", "data/", "pictures/"}

FENCE = re.compile(r"^```.*?^```[ ]*$", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"\.?[\w-]+(?:/[\w.*-]+)*/?(?:\.[A-Za-z_]\w*)?")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CLASS = re.compile(r"(?:[A-Z][a-z]+){2,}")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def quoted(path: Path) -> list[str]:
    return QUOTED.findall(FENCE.sub("", text_of(path)))


@cache
def code_files() -> tuple[Path, ...]:
    rooms = ("core", "pages", "tests", "bench")
    return (ROOT / "app.py", *(one for room in rooms for one in (ROOT / room).rglob("*.py")))


@cache
def definitions(path: Path) -> frozenset[str]:
    """Return the names of classes, functions and constants that a file defines."""
    found = set()
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


@cache
def all_definitions() -> frozenset[str]:
    return frozenset().union(*(definitions(path) for path in code_files()))


def stands(named: str, beside: Path) -> bool:
    """Whether a path stands below the root, in core, or beside the document.

    `.py` may be left out; `*` stands for anything; `file.name` is what that file defines.
    """
    place, _, inside = named.rpartition(".")
    for base in (ROOT, ROOT / "core", beside.parent):
        if any(list(base.glob(one)) for one in (named, f"{named.rstrip('/')}.py")):
            return True
        file = base / f"{place}.py"
        if place and file.is_file() and inside in definitions(file):
            return True
    return False


def tops() -> set[str]:
    """Return the first parts by which a path is known to be meant as one of ours."""
    return {
        one.name for base in (ROOT, ROOT / "core") for one in base.iterdir() if one.is_dir()
    } - {".venv", "__pycache__", "data"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_path_that_a_document_names_stands(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        return  # it tells of what was, too
    missing = [
        one
        for one in quoted(document)
        if PATH.fullmatch(one)
        and "/" in one
        and one not in MADE_WHILE_RUNNING
        and not one.startswith(".venv/")  # which may stand elsewhere
        and (document in OF_THE_CODE or one.partition("/")[0] in tops())
        and not stands(one, document)
    ]
    assert missing == []


@pytest.mark.parametrize("document", OF_THE_CODE, ids=name_of)
def test_every_class_that_a_document_names_is_defined(document: Path) -> None:
    words = [one.partition("(")[0].split(".")[0] for one in quoted(document)]
    assert [one for one in words if CLASS.fullmatch(one) and one not in all_definitions()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_module_that_a_document_runs_stands(document: Path) -> None:
    modules = re.findall(r"python3? -m ((?:core|tests|bench)[\w.]*)", text_of(document))
    for module in modules:
        place = ROOT / module.rstrip(".").replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_setting_that_a_document_names_is_read(document: Path) -> None:
    code = "\n".join(text_of(path) for path in code_files())
    named = set(re.findall(r"\bINKLING_[A-Z_]+[A-Z]\b", text_of(document)))
    assert sorted(one for one in named if one not in code) == []


def anchors(path: Path) -> set[str]:
    """Return the addresses of a document's headings, as GitHub makes them."""
    found = set[str]()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(path)), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found.add(words if words not in found else f"{words}-1")
    return found


def links(path: Path) -> Iterator[tuple[str, str]]:
    for address in LINK.findall(FENCE.sub("", text_of(path))):
        if not re.match(r"[a-z]+:", address):
            file, _, anchor = unquote(address).partition("#")
            yield file, anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    for file, anchor in links(document):
        target = (document.parent / file) if file else document
        assert target.exists(), f"{file} does not exist"
        if anchor:
            assert anchor in anchors(target), f"{file}#{anchor} is no heading"


def test_the_glossary_has_the_words_that_readers_see() -> None:
    texts = ROOT / "core" / "texts"
    chinese = text_of(texts / "zh.toml")
    english = text_of(texts / "en.toml").lower()
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| `", text_of(ROOT / "docs/glossary.md"), re.M)
    assert len(rows) > 20
    assert [zh for zh, _ in rows if zh not in chinese] == []
    assert [en for _, en in rows if en.lower() not in english] == []
    assert len({zh for zh, _ in rows}) == len({en for _, en in rows}) == len(rows)


@cache
def cited() -> frozenset[tuple[str, str, str]]:
    """Return what the code cites of docs/providers: the file that cites, the page, the section."""
    found = set()
    for path in (*code_files(), *(ROOT / "core").rglob("*.toml")):
        for page, tail in re.findall(
            r"\b([a-z-]+)\.md,?\s*(?:#\s*)?((?:sections? |§)[\d., and]+)", text_of(path)
        ):
            for section in re.findall(r"\d+(?:\.\d+)?", tail):
                found.add((name_of(path), page, section))
    return frozenset(found)


def test_every_fact_that_the_code_cites_stands_in_its_section() -> None:
    assert len(cited()) > 40
    missing = []
    for file, page, section in sorted(cited()):
        document = ROOT / "docs" / "providers" / f"{page}.md"
        heading = rf"^##+ {re.escape(section)}\.? "
        if not document.is_file() or not re.search(heading, text_of(document), re.MULTILINE):
            missing.append((file, page, section))
    assert missing == []


def test_every_path_that_the_code_names_stands() -> None:
    named = re.compile(r"(?<![\w/.])((?:core|tests|docs|bench)/[\w/-]+\.(?:py|md|toml|css|js))\b")
    missing = {
        (name_of(path), one)
        for path in code_files()
        for one in (*named.findall(text_of(path)), *re.findall(r"`(core/[\w/]+)`", text_of(path)))
        if not stands(one, path)
    }
    assert missing == set()


def test_there_are_documents_to_look_at() -> None:
    names = {name_of(path) for path in DOCUMENTS}
    assert {"README.md", "README.zh-CN.md", "docs/architecture.md"} <= names
    assert sum(len(list(links(path))) for path in DOCUMENTS) > 50
    assert stands("core/work/studio.py", ROOT / "README.md")
    assert not stands("core/work/no_such_file", ROOT / "README.md")
    assert not stands("work/studio.no_such_name", ROOT / "README.md")
