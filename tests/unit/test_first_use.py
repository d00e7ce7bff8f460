"""Heavy libraries come at their first use: what nobody uses takes no memory and no time."""

import io
import subprocess
import sys

import pillow_heif
from PIL import Image

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
START = "import app, core.ui.frame.shell, core.work.studio"
DECODE = (
    "from core.archive.uploads.decoding import decode_upload; "
    "image = decode_upload(sys.stdin.buffer.read(), may_shrink=True).image; "
    "assert image.size == (64, 48), image.size"
)


def loaded_by(code: str, given: bytes = b"") -> set[str]:
    """Return which of the heavy libraries a program has loaded in an interpreter of its own."""
    program = f"import sys; {code}; print(*(one for one in {HEAVY!r} if one in sys.modules))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return set(done.stdout.decode().split())


def test_a_studio_that_starts_loads_none() -> None:
    assert loaded_by(START) == set()


def test_the_first_heic_brings_its_library_and_is_decoded() -> None:
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "HEIF")
    assert loaded_by(DECODE, file.getvalue()) == {"pillow_heif"}
