"""What stands and flies before the grounds: boats, birds, branches, bamboo, a cat, weather."""

import math
from itertools import pairwise

from core.practice.painting.brush import Point, Stencil, arc, mix, under, wash
from core.practice.painting.scenery import Scene


def draw_birds(scene: Scene, count: int = 7) -> None:
    """Draw a loose flock far away."""
    width, height = scene.size
    flock = Stencil(scene.size)
    middle = (width * scene.dice.uniform(0.3, 0.7), height * scene.dice.uniform(0.14, 0.3))
    for _ in range(count):
        x = middle[0] + scene.dice.gauss(0, scene.unit * 8)
        y = middle[1] + scene.dice.gauss(0, scene.unit * 3)
        span = scene.unit * scene.dice.uniform(0.8, 1.6)
        lift = span * scene.dice.uniform(0.25, 0.5)
        for side in (-1, 1):
            wing = arc((x, y), (x + side * span, y - lift), -side * 0.25, 6)
            flock.stroke(wing, [scene.unit * w for w in (0.24, 0.22, 0.2, 0.17, 0.13, 0.1, 0.06)])
    ink = scene.palette.haze if scene.palette.is_dark else scene.palette.near
    wash(scene.canvas, flock.done(), ink, 0.8)


def draw_boat(scene: Scene, level: float, *, sail: bool = False) -> None:
    """Draw a small boat with its boatman, or with a sail."""
    width, height = scene.size
    x, y = width * scene.dice.uniform(0.35, 0.65), height * level
    size = scene.unit * 7.5
    hull, cloth = Stencil(scene.size), Stencil(scene.size)
    deck = arc((x - size, y - size * 0.16), (x + size, y - size * 0.2), 0.08)
    keel = arc((x + size * 0.8, y + size * 0.1), (x - size * 0.75, y + size * 0.1), 0.05)
    hull.polygon([*deck, *keel])
    if sail:
        mast = (x, y - size * 2.1)
        hull.line([(x, y - size * 0.1), mast], size * 0.05)
        cloth.polygon(
            [mast, *arc(mast, (x + size * 0.95, y - size * 0.3), -0.16), (x, y - size * 0.3)]
        )
        cloth.polygon(
            [mast, *arc(mast, (x - size * 0.7, y - size * 0.32), 0.1), (x, y - size * 0.32)]
        )
    else:
        cover = arc((x - size * 0.35, y - size * 0.08), (x + size * 0.35, y - size * 0.1), -0.55)
        hull.polygon(cover)
        at = x + size * 0.62
        hull.line([(at, y - size * 0.15), (at, y - size * 0.55)], size * 0.13)
        hull.ellipse((at, y - size * 0.66), size * 0.07, size * 0.08)
        brim = y - size * 0.68
        hull.polygon([(at - size * 0.2, brim), (at, brim - size * 0.16), (at + size * 0.2, brim)])
        hull.line(
            [(at + size * 0.08, y - size * 0.8), (at + size * 0.5, y + size * 0.25)], size * 0.03
        )
    shadow = Stencil(scene.size)
    shadow.ellipse((x, y + size * 0.16), size * 0.95, size * 0.07, 120)
    wash(scene.canvas, shadow.done(), scene.palette.near, 0.6)
    wash(scene.canvas, cloth.done(), mix(scene.palette.bloom, scene.palette.light, 0.25), 0.92)
    wash(scene.canvas, hull.done(), mix(scene.palette.near, (0, 0, 0), 0.25), 0.95)


def draw_bank(scene: Scene, *, right: bool, snow: bool = False) -> None:
    """Draw a bank in a lower corner, with a leaning pine and reeds."""
    width, height = scene.size

    def place(x: float, y: float) -> Point:
        return (width - x if right else x, height - y)

    bank, pale = Stencil(scene.size), Stencil(scene.size)
    edge = [
        place(-scene.unit * 2, scene.unit * 17),
        place(width * 0.1, scene.unit * 14),
        place(width * 0.22, scene.unit * 8.5),
        place(width * 0.34, scene.unit * 5),
        place(width * 0.46, scene.unit * 1.6),
        place(width * 0.52, -scene.unit),
    ]
    bank.polygon([place(-scene.unit * 2, -scene.unit * 2), *edge])
    foot = place(width * 0.11, scene.unit * 12)
    lean = -1 if right else 1
    trunk = [
        foot,
        (foot[0] - lean * scene.unit * 2, foot[1] - scene.unit * 9),
        (foot[0] + lean * scene.unit * 1.5, foot[1] - scene.unit * 17),
        (foot[0] + lean * scene.unit * 7, foot[1] - scene.unit * 24),
        (foot[0] + lean * scene.unit * 9, foot[1] - scene.unit * 31),
    ]
    bank.stroke(trunk, [scene.unit * w for w in (2.6, 2.1, 1.6, 1.0, 0.5)])
    for at, reach in ((1, -7), (2, 11), (2, -6), (3, 9), (3, -9), (4, 5), (4, -5)):
        start = trunk[at]
        end = (
            start[0] + lean * scene.unit * reach,
            start[1] - scene.unit * scene.dice.uniform(0, 3),
        )
        bank.stroke(
            arc(start, end, 0.12, 5), [scene.unit * w for w in (0.8, 0.7, 0.5, 0.4, 0.3, 0.2)]
        )
        _draw_needles(scene, bank, pale, end)
    for _ in range(46):
        x = scene.dice.uniform(0.02, 0.5)
        y = scene.unit * (16 - 32 * x) - scene.unit
        blade = place(width * x, y)
        tip = (blade[0] + scene.unit * scene.dice.uniform(-1.6, 1.6), blade[1] - scene.unit * 3.2)
        bank.line(arc(blade, tip, 0.15, 4), scene.unit * 0.14, 220)
    wash(scene.canvas, bank.done(), mix(scene.palette.near, (0, 0, 0), 0.2), 0.97)
    if snow:
        pale.line(edge, scene.unit * 0.7, 230)
        wash(scene.canvas, pale.done(), mix(scene.palette.haze, (255, 255, 255), 0.6), 0.85)


def _draw_needles(scene: Scene, bank: Stencil, pale: Stencil, centre: Point) -> None:
    for _ in range(5):
        x = centre[0] + scene.unit * scene.dice.uniform(-4.5, 4.5)
        y = centre[1] + scene.unit * scene.dice.uniform(-1.2, 0.8)
        for step in range(13):
            turn = math.pi * (1.08 + 0.84 * step / 12)
            reach = scene.unit * scene.dice.uniform(1.8, 2.8)
            tip = (x + math.cos(turn) * reach * 1.25, y + math.sin(turn) * reach * 0.75)
            bank.line([(x, y), tip], scene.unit * 0.15, 235)
        pale.ellipse((x, y - scene.unit * 1.6), scene.unit * 1.7, scene.unit * 0.3, 210)


def draw_blossoms(scene: Scene, *, right: bool) -> None:
    """Draw a branch that reaches in from a side, in flower, with petals in the air."""
    width, height = scene.size
    across = -1 if right else 1
    start = (width * (1.03 if right else -0.03), height * scene.dice.uniform(0.3, 0.42))
    wood, back, front, hearts = (Stencil(scene.size) for _ in range(4))
    twigs: list[tuple[Point, float]] = []

    def grow(at: Point, turn: float, long: float, thick: float, depth: int) -> None:
        end = (at[0] + across * math.cos(turn) * long, at[1] - math.sin(turn) * long)
        points = arc(at, end, scene.dice.uniform(-0.14, 0.14), 8)
        tapered = [thick * (1 - 0.4 * k / 8) * scene.dice.uniform(0.9, 1.12) for k in range(9)]
        wood.stroke(points, tapered)
        if depth >= 2:
            twigs.extend((point, thick) for point in points[2::2])
        if depth < 4:
            grow(end, turn + scene.dice.uniform(-0.35, 0.25), long * 0.74, thick * 0.62, depth + 1)
            for part in scene.dice.sample(points[3:-1], 2):
                side = scene.dice.choice((-1, 1)) * scene.dice.uniform(0.5, 1.0)
                grow(part, turn + side, long * 0.52, thick * 0.45, depth + 1)

    grow(start, scene.dice.uniform(-0.05, 0.3), min(width, height * 1.3) * 0.3, scene.unit * 2.3, 0)
    for point, _ in scene.dice.sample(twigs, min(len(twigs), 96)):
        x = point[0] + scene.unit * scene.dice.uniform(-1, 1)
        y = point[1] + scene.unit * scene.dice.uniform(-1, 1)
        _draw_flower(scene, back, front, hearts, (x, y), scene.unit * scene.dice.uniform(1.1, 2.1))
    for _ in range(26):
        at = (scene.dice.uniform(0, width), height * scene.dice.uniform(0.35, 0.97))
        front.ellipse(at, scene.unit * 0.45, scene.unit * 0.26, 200)
    bloom = scene.palette.bloom
    wash(scene.canvas, wood.done(), mix(scene.palette.near, (30, 16, 14), 0.4), 0.95)
    wash(scene.canvas, back.done(), mix(bloom, (255, 255, 255), 0.12), 0.88)
    wash(scene.canvas, front.done(), mix(bloom, (255, 255, 255), 0.5), 0.85)
    wash(scene.canvas, hearts.done(), (246, 206, 92), 0.95)


def _draw_flower(
    scene: Scene, back: Stencil, front: Stencil, hearts: Stencil, at: Point, radius: float
) -> None:
    turn = scene.dice.uniform(0, math.tau)
    for petal in range(5):
        angle = turn + math.tau * petal / 5
        x, y = at[0] + math.cos(angle) * radius * 0.62, at[1] + math.sin(angle) * radius * 0.62
        back.ellipse((x, y), radius * 0.52, radius * 0.52)
        front.ellipse((x - radius * 0.06, y - radius * 0.08), radius * 0.36, radius * 0.36)
    for dot in range(6):
        angle = turn + math.tau * dot / 6
        tip = (at[0] + math.cos(angle) * radius * 0.36, at[1] + math.sin(angle) * radius * 0.36)
        hearts.line([at, tip], radius * 0.06)
        hearts.ellipse(tip, radius * 0.08, radius * 0.08)


def draw_bamboo(scene: Scene) -> None:
    """Draw stalks in three depths, with leaves hanging from their joints."""
    width, height = scene.size
    for depth, count in ((0.25, 9), (0.55, 6), (0.95, 3)):
        stalks, leaves = Stencil(scene.size), Stencil(scene.size)
        for k in range(count):
            x = width * (k + scene.dice.uniform(0.1, 0.9)) / count
            if depth > 0.9 and abs(x / width - 0.5) < 0.18:
                x += width * 0.3 * (1 if x > width / 2 else -1)
            thick = scene.unit * (0.7 + 2.1 * depth)
            lean = scene.dice.uniform(-0.06, 0.06)
            y, joint = height * 1.02, scene.unit * (9 + 8 * depth)
            while y > -joint:
                end = (x + lean * joint, y - joint * 0.965)
                stalks.line([(x, y), end], thick)
                stalks.line(
                    [(end[0] - thick * 0.62, end[1]), (end[0] + thick * 0.62, end[1])], thick * 0.16
                )
                if y < height * 0.8 and scene.dice.random() < 0.7:
                    _draw_leaves(scene, stalks, leaves, end, depth)
                x, y = end[0], y - joint
        wash(scene.canvas, stalks.done(), scene.layer(depth), 0.5 + 0.42 * depth)
        wash(scene.canvas, leaves.done(), scene.layer(min(1.0, depth * 1.08)), 0.5 + 0.44 * depth)


def _draw_leaves(
    scene: Scene, stalks: Stencil, leaves: Stencil, joint: Point, depth: float
) -> None:
    side = scene.dice.choice((-1, 1))
    reach = scene.unit * (4 + 7 * depth)
    tip = (joint[0] + side * reach, joint[1] - reach * scene.dice.uniform(0.1, 0.6))
    stalks.line(arc(joint, tip, 0.1 * side, 6), scene.unit * 0.2)
    for _ in range(scene.dice.randint(3, 6)):
        turn = scene.dice.uniform(0.15, 1.15)
        long = scene.unit * (3 + 5.5 * depth) * scene.dice.uniform(0.7, 1.1)
        end = (tip[0] + side * math.cos(turn) * long, tip[1] + math.sin(turn) * long)
        upper, lower = arc(tip, end, 0.1, 7), arc(tip, end, -0.1, 7)
        leaves.polygon([*upper, *reversed(lower)], scene.dice.randint(170, 255))


def draw_cat(scene: Scene, *, right: bool) -> None:
    """Draw a cat that sits on a low wall and looks away into the picture."""
    width, height = scene.size
    wall, cat = Stencil(scene.size), Stencil(scene.size)
    top = height * 0.86
    stones = [
        (x * width / 24, top + scene.unit * scene.dice.uniform(-0.35, 0.35)) for x in range(25)
    ]
    wall.polygon(under(stones, scene.size))
    x, u = width * (0.62 if right else 0.27), scene.unit * 1.5
    face = -1 if right else 1

    def at(dx: float, dy: float) -> Point:
        return (x + face * dx * u, top - dy * u)

    body = [
        *arc(at(-6.6, -0.4), at(-1.2, 12.4), 0.2, 20),
        at(2.4, 12.0),
        at(3.2, 8.6),
        at(3.5, 5.4),
        at(3.7, 2.4),
        at(4.3, -0.4),
    ]
    cat.polygon(body)
    cat.ellipse(at(-2.6, 3.2), 4.3 * u, 3.9 * u)
    cat.ellipse(at(3.9, 0.0), 1.3 * u, 0.65 * u)
    cat.ellipse(at(0.9, 14.0), 3.7 * u, 3.15 * u)
    for base, tip in (((-2.4, 15.0), (-2.3, 19.6)), ((1.4, 16.4), (3.6, 19.9))):
        first, second = at(*base), at(base[0] + 3.1, base[1] + (0.9 if base[0] < 0 else -1.4))
        cat.polygon([first, at(*tip), second])
    tail = [at(-5.4, 0.8), at(-8.8, -0.5), at(-10.6, -3.4), at(-9.2, -6.4), at(-7.4, -6.2)]
    curve = [p for a, b in pairwise(tail) for p in arc(a, b, 0.1 * face, 6)]
    cat.stroke(curve, [u * (1.35 - 0.7 * k / len(curve)) for k in range(len(curve))])
    near = mix(scene.palette.near, (0, 0, 0), 0.25)
    wash(scene.canvas, wall.done(), mix(near, scene.palette.far, 0.28))
    rim = Stencil(scene.size)
    rim.line(stones, scene.unit * 0.18, 120)
    wash(scene.canvas, rim.done(), scene.palette.light, 0.6)
    wash(scene.canvas, cat.done(), mix(near, (0, 0, 0), 0.45))


def draw_snowfall(scene: Scene) -> None:
    """Let snow fall: many small flakes, few large ones."""
    width, height = scene.size
    flakes = Stencil(scene.size)
    for _ in range(300):
        size = scene.unit * (0.1 + 0.42 * scene.dice.random() ** 3)
        at = (scene.dice.uniform(0, width), scene.dice.uniform(0, height))
        flakes.ellipse(at, size, size, scene.dice.randint(110, 240))
    wash(scene.canvas, flakes.done(), (252, 252, 255), 0.9)


def draw_rainfall(scene: Scene) -> None:
    """Let rain fall aslant."""
    width, height = scene.size
    drops = Stencil(scene.size)
    for _ in range(420):
        x, y = scene.dice.uniform(0, width * 1.1), scene.dice.uniform(-0.1, 1) * height
        long = scene.unit * scene.dice.uniform(3, 8)
        drops.line(
            [(x, y), (x - long * 0.22, y + long)], scene.unit * 0.12, scene.dice.randint(60, 150)
        )
    wash(scene.canvas, drops.done(), (236, 240, 242), 0.8)
