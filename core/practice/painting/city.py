"""Skylines for the practice pictures, with windows that light up at night."""

from core.practice.painting.brush import Point, Stencil, fading, under, wash
from core.practice.painting.scenery import Scene, draw_mist


def draw_city(scene: Scene, *, horizon: float) -> None:
    """Draw skylines behind one another, windows lit at night."""
    width, height = scene.size
    line = height * horizon
    rows = 4
    for row in range(rows):
        depth = row / (rows - 1)
        blocks, windows = Stencil(scene.size), Stencil(scene.size)
        tall = height * (0.44 - 0.2 * depth)
        x = -scene.unit * 4
        while x < width:
            wide = scene.unit * scene.dice.uniform(3.5, 8.5) * (0.75 + 0.45 * depth)
            centre = 1 - abs((x + wide / 2) / width - 0.5) * 0.9
            high = tall * scene.dice.uniform(0.35, 1) * centre
            _draw_block(scene, blocks, windows, (x, line), wide, high)
            x += wide * scene.dice.uniform(0.75, 1.15)
        mask = fading(blocks.done(), line - tall * 0.8, line, 0.45 + 0.4 * depth)
        wash(scene.canvas, mask, scene.layer(0.15 + depth * 0.8), 0.8)
        lit = 0.9 if scene.palette.is_dark else 0.4
        ink = scene.palette.bloom if scene.palette.is_dark else scene.palette.haze
        wash(scene.canvas, windows.done(), ink, lit * (0.35 + 0.65 * depth))
        if row < rows - 1:
            draw_mist(scene, line - tall * 0.08, tall * 0.6)
    foot = Stencil(scene.size)
    foot.polygon(under([(0, line), (width, line)], scene.size))
    wash(scene.canvas, foot.done(), scene.layer(0.9))


def _draw_block(
    scene: Scene, blocks: Stencil, windows: Stencil, foot: Point, wide: float, high: float
) -> None:
    x, y = foot
    top = y - high
    blocks.polygon([(x, y), (x, top), (x + wide, top), (x + wide, y)])
    roof = scene.dice.random()
    if roof < 0.3:  # a hipped roof with lifted eaves
        eave = wide * 0.16
        blocks.polygon(
            [
                (x - eave, top - eave * 0.5),
                (x + wide * 0.2, top - eave * 1.5),
                (x + wide * 0.8, top - eave * 1.5),
                (x + wide + eave, top - eave * 0.5),
                (x + wide, top + eave * 0.4),
                (x, top + eave * 0.4),
            ]
        )
    elif roof < 0.5:
        blocks.line([(x + wide / 2, top), (x + wide / 2, top - high * 0.22)], scene.unit * 0.16)
    elif roof < 0.65:
        blocks.polygon([(x, top), (x + wide, top), (x + wide * 0.7, top - wide * 0.5)])
    gap = scene.unit * 1.05
    columns, floors = int(wide / gap) - 1, int(high / gap) - 1
    for column in range(columns):
        for floor in range(floors):
            if scene.dice.random() < 0.3:
                at = (x + gap * (column + 0.85), top + gap * (floor + 0.9))
                windows.polygon(
                    [
                        at,
                        (at[0] + gap * 0.42, at[1]),
                        (at[0] + gap * 0.42, at[1] + gap * 0.5),
                        (at[0], at[1] + gap * 0.5),
                    ],
                    scene.dice.randint(110, 255),
                )
