"""Heavy libraries come at their first use: what nobody uses takes no memory and no time."""

import ast
import io
import subprocess
import sys

import pillow_heif
from PIL import Image

from core.ui.start.collecting import THRESHOLDS
from tests.unit.test_house import ROOT

# pandas, pyarrow and numpy are Streamlit's, for tables and charts that no page has.
HEAVY = (
    "core.practice.server",
    "core.web.openapi.description",
    "cryptography",
    "fsspec",
    "jwt",
    "lameenc",
    "lxml",
    "mcp",
    "miniaudio",
    "numpy",
    "openpyxl",
    "pandas",
    "pillow_heif",
    "prometheus_client",
    "psycopg",
    "pyarrow",
    "pygments",
    "pypdfium2",
    "python_calamine",
    "rich",
    "sqlalchemy.dialects.postgresql",
)
START = (
    "import app, core.web.studio_routes, core.work.studio; "
    "from core.ui.start.importing import import_pages; import_pages()"
)
# What a server listens before: with it, the first answer would come in twice the time.
LATE = (
    "aiohttp",
    "core.providers",
    "core.storage",
    "core.ui.chat",
    "core.ui.frame.shell",
    "core.web.studio_bridge",
    "core.web.studio_routes",
    "core.work.studio",
    "httpx",
    "sqlalchemy",
)
DECODE = (
    "from core.archive.uploads.decoding import decode_upload; "
    "image = decode_upload(sys.stdin.buffer.read(), may_shrink=True).image; "
    "assert image.size == (64, 48), image.size"
)


def loaded_by(code: str, given: bytes = b"", among: tuple[str, ...] = HEAVY) -> set[str]:
    """Return which of some modules a program has loaded in an interpreter of its own."""
    program = f"import sys; {code}; print(*(one for one in {among!r} if one in sys.modules))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return set(done.stdout.decode().split())


def test_a_studio_that_starts_loads_none() -> None:
    assert loaded_by(START) == set()


def test_a_server_listens_before_the_studio_is_imported() -> None:
    assert loaded_by("import app", among=LATE) == set()


def test_what_the_first_page_needs_is_imported_before_it() -> None:
    page = (ROOT / "pages" / "chat.py").read_text(encoding="utf-8")
    nodes = [one for one in ast.parse(page).body if isinstance(one, ast.Import | ast.ImportFrom)]
    imports = "; ".join(ast.unparse(one) for one in nodes)
    new = "print(*sorted(one for one in set(sys.modules) - before if one.startswith('core.')))"
    program = f"import sys; {START}; before = set(sys.modules); {imports}; {new}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_imports_are_not_looked_through_for_garbage_as_they_leave_none() -> None:
    print_all = "import gc; print(*gc.get_threshold(), gc.collect())"
    program = f"import app; {START}; {print_all}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    *thresholds, found = map(int, done.stdout.split())
    assert tuple(thresholds) == THRESHOLDS
    assert found < 2_000


def test_the_first_heic_brings_its_library_and_is_decoded() -> None:
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "HEIF")
    assert loaded_by(DECODE, file.getvalue()) == {"pillow_heif"}
