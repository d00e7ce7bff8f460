"""Pictures that come in: normalised alike each time, within limits on demand, in bounded memory."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from core.errors import InputError
from core.models.generations import ReferenceImage
from core.models.image_rules import REFERENCE_MOST_BYTES, check_reference
from core.work.generations.references import cure_of, prepare_reference, reference_facts
from tests.picture_cases import (
    SIZE,
    Case,
    cases,
    metadata_bytes,
    problems,
    profile,
    saved,
    stored,
    upright,
)

ROOT = Path(__file__).parents[3]
REASONS = {
    "unreadable": "error.upload_unreadable",
    "pixels": "error.upload_too_many_pixels",
    "too_small": "error.reference_too_small",
    "too_narrow": "error.reference_too_narrow",
}


def pixels(reference: ReferenceImage) -> Image.Image:
    return Image.open(io.BytesIO(reference.content))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_each_file_is_sent_upright_without_metadata_or_refused(case: Case) -> None:
    if case.is_taken:
        reference = prepare_reference(case.content)
        check_reference(reference_facts(reference))
        assert problems(case, reference.content) == []
        assert prepare_reference(case.content) == reference
        return
    with pytest.raises(InputError) as caught:
        check_reference(reference_facts(prepare_reference(case.content)))
    assert caught.value.text_id == REASONS[case.outcome]
    assert caught.value.field == "image"


def test_what_was_lossless_stays_lossless() -> None:
    for kind in ("PNG", "BMP", "TIFF"):
        reference = prepare_reference(saved(upright(), kind))
        assert reference.media_type == "image/png"
        assert ImageChops.difference(pixels(reference), upright()).getbbox() is None


def test_a_jpeg_keeps_its_tables_and_about_its_size() -> None:
    noise = Image.effect_noise((800, 600), 60).convert("RGB")
    content = saved(noise, "JPEG", quality=71, subsampling=2)
    reference = prepare_reference(content)
    with Image.open(io.BytesIO(content)) as before, pixels(reference) as after:
        assert isinstance(before, JpegImageFile)
        assert isinstance(after, JpegImageFile)
        assert after.quantization == before.quantization
    assert abs(len(reference.content) - len(content)) < 0.05 * len(content)


def test_colours_of_another_profile_become_srgb() -> None:
    content = saved(upright(), "PNG", icc_profile=_swapped())
    with pixels(prepare_reference(content)) as image:
        assert "icc_profile" not in image.info
        red, green, _blue = image.getpixel((50, 50))  # type: ignore[misc]
    assert green > red, "the profile says that green is what the file calls red"


def _swapped() -> bytes:
    """Return an sRGB profile in which red and green have changed places."""
    changed = profile()
    return changed.replace(b"rXYZ", b"xxxx").replace(b"gXYZ", b"rXYZ").replace(b"xxxx", b"gXYZ")


def _noise(width: int, height: int) -> Image.Image:
    """Return what no encoder makes smaller: noise in each colour."""
    return Image.merge("RGB", [Image.effect_noise((width, height), 90) for _ in range(3)])


@pytest.mark.parametrize(
    ("image", "cure"),
    [
        (Image.new("RGB", (3000, 310)), "crop"),
        (Image.new("RGB", (310, 3000)), "crop"),
        (Image.new("RGBA", (200, 299)), "enlarge"),
        (Image.new("RGB", (7, 900)), "enlarge"),
        (Image.new("RGB", (1, 1)), "enlarge"),
        (_noise(2100, 1800), "shrink"),
    ],
    ids=["wide", "tall", "small", "thin", "dot", "large"],
)
def test_what_breaks_a_limit_can_be_made_to_fit(image: Image.Image, cure: str) -> None:
    content = saved(image, "PNG")
    with pytest.raises(InputError) as caught:
        check_reference(reference_facts(prepare_reference(content)))
    assert cure_of(caught.value) == cure
    fitting = prepare_reference(content, fit=True)
    check_reference(reference_facts(fitting))
    assert metadata_bytes(fitting.content) == 0


def test_every_size_can_be_made_to_fit() -> None:
    for width in (1, 2, 3, 7, 299, 301, 333, 749, 751, 1001):
        for height in (1, 5, 119, 120, 121, 300, 749, 750, 1251, 2502):
            content = saved(Image.new("L", (width, height)), "PNG")
            check_reference(reference_facts(prepare_reference(content, fit=True)))


def test_what_would_have_fitted_as_it_came_fits_converted() -> None:
    noise = Image.effect_noise((4000, 3000), 80).convert("RGB")
    content = saved(noise, "WEBP", quality=80)
    assert len(content) < REFERENCE_MOST_BYTES < len(saved(noise, "PNG"))
    assert reference_facts(prepare_reference(content)).size_bytes <= REFERENCE_MOST_BYTES


def test_a_jpeg_of_more_pixels_than_are_decoded_is_taken_at_a_fraction() -> None:
    content = saved(stored(6).resize((10_000, 6_000)), "JPEG", quality=30)
    with pytest.raises(InputError) as caught:
        prepare_reference(content)
    assert (caught.value.text_id, cure_of(caught.value)) == (REASONS["pixels"], "shrink")
    facts = reference_facts(prepare_reference(content, fit=True))
    assert (facts.width, facts.height) == (5000, 3000)


# The peak of a process only ever rises: these are read in one of their own.
_MEASURED = """
import resource, sys
from core.errors import InputError
from core.work.generations.references import prepare_reference
from tests.picture_cases import cases
table = {case.name: case.content for case in cases()}
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for name in sys.argv[1:]:
    try:
        prepare_reference(table[name])
    except InputError:
        continue
    raise SystemExit(f"{name} was taken")
print(peak() - before)
"""


def test_bombs_are_refused_with_flat_memory() -> None:
    names = [case.name for case in cases() if case.outcome == "pixels"]
    assert len(names) >= 5
    run = [sys.executable, "-c", _MEASURED, *names]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 8 * 1024, f"{done.stdout} kB more"


def test_the_table_is_of_the_size_it_is_looked_at_in() -> None:
    assert len({case.name for case in cases()}) == len(cases()) >= 40
    assert upright().size == SIZE
