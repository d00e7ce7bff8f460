"""Practice pictures: what a prompt changes, and the seal that none goes without."""

import io

import pytest
from PIL import Image

from core.practice.painting.drawing import draw_picture

PROMPTS = (
    "水墨山水",
    "海上落日",
    "a snowy forest",
    "夜晚的城市",
    "春天的花",
    "竹林里的雨",
    "月下的猫",
    "",
)


def drawn(prompt: str, *, index: int = 0, **more: object) -> Image.Image:
    options: dict[str, object] = {"width": 240, "height": 160, "seed": "task", **more}
    content = draw_picture(prompt, index=index, **options)  # type: ignore[arg-type]
    return Image.open(io.BytesIO(content)).convert("RGB")


def red_share(picture: Image.Image) -> float:
    """Return how much of the lower right corner has the red of the seal."""
    width, height = picture.size
    corner = picture.crop((round(width * 0.8), round(height * 0.6), width, height))
    pixels = corner.tobytes()
    red = sum(
        1
        for at in range(0, len(pixels), 3)
        if pixels[at] > 150 and pixels[at + 1] < 70 and pixels[at + 2] < 70
    )
    return red / (corner.width * corner.height)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_picture_carries_the_seal(prompt: str) -> None:
    assert red_share(drawn(prompt)) > 0.1


def test_the_same_task_draws_the_same_picture() -> None:
    assert drawn("山").tobytes() == drawn("山").tobytes()


def test_pictures_of_one_task_differ() -> None:
    assert drawn("山", index=0).tobytes() != drawn("山", index=1).tobytes()


def test_the_night_is_darker_than_the_day() -> None:
    night, day = (drawn(prompt).convert("L").resize((1, 1)).tobytes()[0] for prompt in ("夜", "雪"))

    assert night + 80 < day


def test_a_references_colour_shines_through() -> None:
    plain, tinted = drawn("水墨山水"), drawn("水墨山水", tint=(20, 40, 220))
    blues = [picture.resize((1, 1)).tobytes()[2] for picture in (plain, tinted)]
    reds = [picture.resize((1, 1)).tobytes()[0] for picture in (plain, tinted)]

    assert blues[1] - reds[1] > blues[0] - reds[0] + 20


def test_a_watermarked_copy_differs_in_its_lower_left_corner() -> None:
    plain, marked = drawn("山"), drawn("山", watermark=True)
    corner = (0, 130, 120, 160)

    assert plain.crop(corner).tobytes() != marked.crop(corner).tobytes()


@pytest.mark.parametrize("size", [(160, 160), (90, 160), (224, 96), (300, 300)])
def test_a_picture_has_the_size_asked_for(size: tuple[int, int]) -> None:
    assert drawn("林", width=size[0], height=size[1]).size == size
