"""A practice picture: what the prompt names, painted in ink and light, under the practice seal."""

import io
import random
import re

from core.practice.painting.brush import Rgb, rough_paper
from core.practice.painting.city import draw_city
from core.practice.painting.figures import (
    draw_bamboo,
    draw_bank,
    draw_birds,
    draw_blossoms,
    draw_boat,
    draw_cat,
    draw_rainfall,
    draw_snowfall,
)
from core.practice.painting.forest import draw_forest
from core.practice.painting.palettes import choose_palette
from core.practice.painting.scenery import (
    Scene,
    draw_light,
    draw_mountains,
    draw_sea,
    draw_water,
    new_scene,
)
from core.practice.painting.seal import draw_seal, draw_watermark

# The first ground whose words occur is drawn; a prompt that names none gets mountains.
_GROUNDS = (
    ("sea", r"海|浪|岛|帆|\bsea|\bocean|\bwave|\bbeach|island|sail"),
    ("city", r"城|街|楼|镇|都市|\bcity|\btown|street|skyline|building|village"),
    ("bamboo", r"竹|熊猫|bamboo|panda"),
    ("forest", r"森林|树林|林间|林中|松林|杉|林|\bforest|\bwoods?\b|\bpines?\b|\bfir\b|jungle"),
    ("flower", r"花|梅|樱|桃|春|flower|blossom|\brose|cherry|plum|spring\b|garden"),
)
_CATS = r"猫|\bcats?\b|kitten"
_PNG_LEVEL = 2  # grain does not compress well: a higher level costs time and saves little


def draw_picture(
    prompt: str,
    *,
    width: int,
    height: int,
    seed: str,
    index: int,
    tint: Rgb | None = None,
    watermark: bool = False,
) -> bytes:
    """Return a PNG; the same for the same prompt, seed and index."""
    dice = random.Random(f"{seed}/{index}/{prompt}")
    turn = (
        dice.randrange(1000) if index == 0 else random.Random(f"{seed}/0/{prompt}").randrange(1000)
    )
    palette = choose_palette(prompt, turn + index, tint)
    scene = new_scene((width, height), palette, dice)
    snow = _names(prompt, r"雪|\bsnow|冬|winter")
    _draw_ground(scene, prompt, snow=snow)
    if _names(prompt, _CATS):
        draw_cat(scene, right=dice.random() < 0.5)
    if snow:
        draw_snowfall(scene)
    elif _names(prompt, r"雨|\brain"):
        draw_rainfall(scene)
    canvas = rough_paper(scene.canvas, dice, 0.55 if palette.is_dark else 1)
    draw_seal(canvas, dice)
    if watermark:
        draw_watermark(canvas)
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=_PNG_LEVEL)
    return file.getvalue()


def _names(prompt: str, words: str) -> bool:
    return re.search(words, prompt, re.IGNORECASE) is not None


def _draw_ground(scene: Scene, prompt: str, *, snow: bool) -> None:
    ground = next((name for name, words in _GROUNDS if _names(prompt, words)), "mountain")
    dice = scene.dice
    right = dice.random() < 0.4
    low_sun = scene.palette.name in ("sunset", "dawn")
    if ground == "sea":
        light = draw_light(scene, low=low_sun)
        draw_mountains(scene, horizon=0.56, layers=2, tall=0.14)
        draw_sea(scene, light, horizon=dice.uniform(0.54, 0.6))
        draw_birds(scene)
        draw_boat(scene, dice.uniform(0.66, 0.74), sail=True)
    elif ground == "city":
        draw_light(scene, low=low_sun)
        draw_mountains(scene, horizon=0.6, layers=2, tall=0.3, snow=snow)
        draw_city(scene, horizon=0.72)
        draw_water(scene, horizon=0.74)
        draw_boat(scene, 0.86)
    elif ground == "forest":
        draw_light(scene, low=low_sun)
        draw_mountains(scene, horizon=0.52, layers=2, tall=0.34, snow=snow)
        draw_forest(scene, snow=snow)
        draw_birds(scene, 5)
    elif ground == "bamboo":
        draw_light(scene, low=True)
        draw_mountains(scene, horizon=0.98, layers=3, tall=0.3)
        draw_bamboo(scene)
    elif ground == "flower":
        draw_light(scene, low=True)
        draw_mountains(scene, horizon=0.84, layers=3, tall=0.26, snow=snow)
        draw_water(scene, horizon=0.86)
        draw_blossoms(scene, right=right)
    else:
        draw_light(scene, low=low_sun)
        horizon = dice.uniform(0.68, 0.74)
        draw_mountains(scene, horizon=horizon, snow=snow)
        draw_water(scene, horizon=horizon)
        draw_birds(scene)
        if not _names(prompt, _CATS):
            draw_boat(scene, horizon + 0.12)
            draw_bank(scene, right=right, snow=snow)
