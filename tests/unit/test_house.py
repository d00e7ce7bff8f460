"""The house's borders: which room may import which, and who may use which library."""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each room imports only from itself and from rooms further down.
ORDER = (
    ("app", "pages", "core.admin", "core.checkup"),
    ("core.ui", "core.web"),
    ("core.work",),
    ("core.providers", "core.storage", "core.archive", "core.practice"),
    ("core.access",),
    ("core.wire", "core.markdown", "core.settings"),
    ("core.models", "core.errors"),
    ("core.texts",),
)
SIDE_BY_SIDE = {
    ("core.ui", "core.web"),
    ("core.providers", "core.storage"),
    ("core.archive", "core.providers"),
    ("core.practice", "core.providers"),
    ("core.practice", "core.storage"),
    ("core.archive", "core.practice"),
    ("core.settings", "core.wire"),
    ("core.markdown", "core.settings"),
    ("core.markdown", "core.wire"),
}

# What a person does: the rooms of one column never import those of the other.
COLUMNS = (
    ("chat", "deepseek", "history", "transfer"),
    ("generations", "kling", "gallery", "painting"),
)
# Pure: the standard library, their own libraries, the ground floor, and nothing else.
PURE = {
    "core.markdown": {"markdown_it", "mdit_py_plugins", "mdurl"},
    "core.wire": {"jwt", "lameenc", "miniaudio"},
    "core.texts": set[str](),
}
GROUND = ("core.models", "core.errors", "core.texts")

LIBRARIES = {
    "streamlit": ("app", "pages", "core.ui"),
    "starlette": ("app", "core.web", "core.practice"),
    "uvicorn": ("core.practice",),
    "httpx": ("core.providers",),
    "sqlalchemy": ("core.storage",),
}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted(ROOT.glob("pages/*.py")), *sorted(ROOT.glob("core/**/*.py"))]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Yield the full names a file imports, relative ones resolved."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_in(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def floor_of(name: str) -> int | None:
    return next(
        (floor for floor, rooms in enumerate(ORDER) if any(is_in(name, room) for room in rooms)),
        None,
    )


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    own = name_of(path)
    floor = floor_of(own)
    for name in imports(path):
        other = floor_of(name)
        if floor is None or other is None:
            continue
        assert other >= floor, f"{own} imports {name} from a room above it"
        if other == floor:
            sides = [next(room for room in ORDER[floor] if is_in(one, room)) for one in (own, name)]
            assert tuple(sorted(sides)) not in SIDE_BY_SIDE, f"{own} imports {name} from next door"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    own = name_of(path)
    for name in imports(path):
        library = name.partition(".")[0]
        rooms = LIBRARIES.get(library)
        assert rooms is None or any(is_in(own, room) for room in rooms), f"{own} uses {library}"


def column_of(name: str) -> int | None:
    rooms = name.split(".")[:-1] if name.count(".") > 2 else name.split(".")
    return next((i for i, names in enumerate(COLUMNS) if set(names) & set(rooms[2:3])), None)


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_the_columns_stay_apart(path: Path) -> None:
    own = name_of(path)
    column = column_of(own)
    for name in imports(path):
        other = column_of(name) if name.startswith("core.") else None
        assert None in (column, other) or column == other, f"{own} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_pure_rooms_import_nothing_of_the_house(path: Path) -> None:
    own = name_of(path)
    for room, libraries in PURE.items():
        if is_in(own, room):
            for name in imports(path):
                top = name.partition(".")[0]
                ground = any(is_in(name, one) for one in GROUND)
                known = is_in(name, room) or ground or top in {*libraries, *sys.stdlib_module_names}
                assert known, f"{own} imports {name}, and {room} is pure"


def test_no_files_import_each_other_in_a_circle() -> None:
    known = {name_of(path) for path in sources()}
    graph: dict[str, set[str]] = {}
    for path in sources():
        own = name_of(path)
        for name in imports(path):  # a file's, or a name in a file
            found = next((one for one in (name, name.rpartition(".")[0]) if one in known), own)
            if found != own and path.name != "__init__.py":
                graph.setdefault(own, set()).add(found)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_the_map_names_every_room() -> None:
    for path in sources():
        if path.parent != ROOT / "core" or path.name != "__init__.py":
            assert floor_of(name_of(path)) is not None, f"{path} stands in no room"
