"""Firs for the practice pictures: rows of them, with mist between."""

from core.practice.painting.brush import Point, Stencil, fading, fractal, mix, under, wash
from core.practice.painting.scenery import Scene, draw_mist


def draw_forest(scene: Scene, *, snow: bool = False) -> None:
    """Draw rows of firs, each in front of the mist of the last."""
    width, height = scene.size
    rows = 5
    for row in range(rows):
        depth = row / (rows - 1)
        ground = height * (0.6 + 0.36 * depth)
        tall = scene.unit * (16 + 34 * depth)
        trees, caps = Stencil(scene.size), Stencil(scene.size)
        x = -tall * 0.2
        while x < width + tall * 0.2:
            size = tall * scene.dice.uniform(0.55, 1.1)
            clearing = depth > 0.6 and abs(x / width - 0.5) < 0.14 + 0.1 * depth
            if not clearing:
                _draw_fir(scene, trees, caps, (x, ground + scene.unit * 3), size)
            x += tall * scene.dice.uniform(0.16, 0.4)
        floor = [(p[0], ground + p[1] * scene.unit * 3) for p in _rolling(scene, width)]
        trees.polygon(under(floor, scene.size))
        mask = fading(trees.done(), ground - tall * 0.75, ground + scene.unit * 9, 0.3)
        wash(scene.canvas, mask, scene.layer(depth), 0.55 + 0.42 * depth)
        if snow:
            bright = mix(scene.palette.haze, (255, 255, 255), 0.6)
            wash(scene.canvas, caps.done(), bright, 0.3 + 0.5 * depth)
        if row < rows - 1:
            draw_mist(scene, ground - tall * 0.05, tall)


def _rolling(scene: Scene, width: int) -> list[Point]:
    heights = fractal(scene.dice, 0.7, 5)
    return [(width * k / (len(heights) - 1), height) for k, height in enumerate(heights)]


def _draw_fir(scene: Scene, trees: Stencil, caps: Stencil, foot: Point, tall: float) -> None:
    x, y = foot
    trees.line([(x, y), (x, y - tall)], tall * 0.022)
    tiers = 9
    for tier in range(tiers):
        share = tier / tiers
        top = y - tall * (1 - share * 0.86)
        reach = tall * (0.03 + 0.2 * share) * scene.dice.uniform(0.75, 1.2)
        drop = tall * 0.15
        left, right = (
            (x - reach, top + drop),
            (x + reach * scene.dice.uniform(0.8, 1.2), top + drop),
        )
        trees.polygon([(x, top - tall * 0.03), right, (x, top + drop * 0.7), left])
        caps.line([(x, top), ((x + left[0]) / 2, top + drop * 0.5)], tall * 0.012, 200)
