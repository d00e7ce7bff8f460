"""The grounds of practice pictures: sky, mountains, water, sea, forest, city."""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageOps

from core.practice.painting.brush import (
    Point,
    Rgb,
    Size,
    Stencil,
    fading,
    fractal,
    glow,
    gradient,
    mist,
    mix,
    ridge,
    under,
    wash,
)
from core.practice.painting.palettes import Palette


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture in the making. `unit` is a hundredth of its mean side."""

    canvas: Image.Image
    palette: Palette
    dice: random.Random

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return self.canvas.size

    @property
    def unit(self) -> float:
        """A hundredth of the picture's side."""
        return math.sqrt(self.canvas.width * self.canvas.height) / 100

    def layer(self, depth: float) -> Rgb:
        """Return the ink of a layer, from 0 (far) to 1 (near)."""
        return mix(self.palette.far, self.palette.near, depth**1.25)


def new_scene(size: Size, palette: Palette, dice: random.Random) -> Scene:
    """Return a scene with nothing but its sky."""
    middle = mix(palette.sky, palette.haze, 0.55)
    sky = [(0.0, palette.sky), (0.4, middle), (0.72, palette.haze), (1.0, palette.haze)]
    return Scene(gradient(size, sky), palette, dice)


def draw_light(scene: Scene, *, low: bool = False) -> Point:
    """Draw the sun or the moon with its glow, and stars at night; return where it stands."""
    width, height = scene.size
    dice, palette = scene.dice, scene.palette
    side = dice.choice((0.28, 0.72)) + dice.uniform(-0.07, 0.07)
    centre = (width * side, height * (dice.uniform(0.4, 0.48) if low else dice.uniform(0.17, 0.27)))
    radius = scene.unit * dice.uniform(5.2, 6.8)
    if palette.is_dark:
        _draw_stars(scene)
    wash(scene.canvas, glow(scene.size, centre, radius * 6, 150), palette.light, 0.75)
    disc = Stencil(scene.size)
    disc.ellipse(centre, radius, radius)
    mask = disc.done().filter(ImageFilter.GaussianBlur(scene.unit * 0.08))
    wash(scene.canvas, mask, palette.light, 0.94)
    if palette.is_dark:
        _draw_moon_seas(scene, centre, radius)
    return centre


def _draw_stars(scene: Scene) -> None:
    width, height = scene.size
    stars = Stencil(scene.size)
    for _ in range(170):
        place = (scene.dice.uniform(0, width), scene.dice.uniform(0, 1) ** 1.5 * height * 0.62)
        radius = scene.unit * scene.dice.choice((0.05, 0.07, 0.07, 0.1, 0.15))
        stars.ellipse(place, radius, radius, scene.dice.randint(90, 255))
    wash(scene.canvas, stars.done(), (250, 246, 232))


def _draw_moon_seas(scene: Scene, centre: Point, radius: float) -> None:
    seas = Stencil(scene.size)
    for _ in range(5):
        turn, out = scene.dice.uniform(0, math.tau), radius * scene.dice.uniform(0.1, 0.6)
        place = (centre[0] + math.cos(turn) * out, centre[1] + math.sin(turn) * out)
        seas.ellipse(place, radius * 0.22, radius * 0.16, 70)
    softened = seas.done().filter(ImageFilter.GaussianBlur(radius * 0.09))
    wash(scene.canvas, softened, mix(scene.palette.light, scene.palette.sky, 0.6))


def draw_mountains(
    scene: Scene, *, horizon: float, layers: int = 5, tall: float = 0.42, snow: bool = False
) -> None:
    """Draw ridges behind one another, each standing in the mist of the next."""
    width, height = scene.size
    for k in range(layers):
        depth = k / max(layers - 1, 1)
        base = height * (horizon - 0.2 * (1 - depth)) + height * 0.02
        lift = height * tall * (1 - 0.5 * depth) * scene.dice.uniform(0.8, 1.15)
        peaks = max(2, round(width / height * scene.dice.uniform(2, 3.4)))
        outline = ridge(scene.dice, width, base, lift, peaks=peaks, rough=0.3 + 0.08 * depth)
        stencil = Stencil(scene.size)
        stencil.polygon(under(outline, scene.size))
        top = min(y for _, y in outline)
        # Opaque, else the moon would shine through: the air is mixed into the ink instead.
        ink = mix(scene.palette.haze, scene.layer(depth * 0.9), 0.62 + 0.36 * depth)
        whole = stencil.done()
        body = fading(whole, top + lift * 0.15, base + lift * 0.12, 0.1 if k < layers - 1 else 0.5)
        wash(scene.canvas, body, ink)
        _draw_folds(scene, outline, base, body, snow=snow)
        if k < layers - 1:
            draw_mist(scene, base, lift)


def _draw_folds(
    scene: Scene, outline: list[Point], base: float, body: Image.Image, *, snow: bool
) -> None:
    """Draw the creases that run down from the peaks, or the snow that lies on them."""
    stencil = Stencil(scene.size)
    step = len(outline) // 64
    for at in range(step, len(outline) - step, step):
        x, y = outline[at]
        fall = base - y
        if fall < scene.unit * 3:
            continue
        slope = (outline[at + step][1] - outline[at - step][1]) * 16 / scene.size[0]
        lean = max(-0.7, min(0.7, slope)) + scene.dice.uniform(-0.25, 0.25)
        length = fall * scene.dice.uniform(0.12, 0.42)
        points = [(x, y)]
        for part in (0.4, 0.75, 1.0):
            jitter = scene.dice.uniform(-0.05, 0.05) * length
            points.append((x + lean * length * part + jitter, y + length * part))
        widths = [scene.unit * width for width in ((1.5, 1.0, 0.4) if snow else (0.9, 0.6, 0.3))]
        stencil.stroke(points, widths, scene.dice.randint(50, 150))
    creases = stencil.done().filter(ImageFilter.GaussianBlur(scene.unit * 0.28))
    bright = mix(scene.palette.haze, (255, 255, 255), 0.35 if scene.palette.is_dark else 0.6)
    mask = ImageChops.multiply(creases, body)
    wash(scene.canvas, mask, bright if snow else scene.palette.near, 0.8 if snow else 0.3)


def draw_mist(scene: Scene, base: float, lift: float) -> None:
    """Lay patches of mist along a ground line; `lift` is the height of what stands on it."""
    width = scene.size[0]
    bands = []
    for _ in range(7):
        centre = (scene.dice.uniform(0, width), base + scene.dice.uniform(-0.12, 0.2) * lift)
        wide = width * scene.dice.uniform(0.1, 0.3)
        bands.append((centre, wide, lift * scene.dice.uniform(0.05, 0.13), 190))
    wash(scene.canvas, mist(scene.size, bands), scene.palette.haze, 0.8)


def draw_water(scene: Scene, *, horizon: float) -> None:
    """Lay still water below the horizon: what stands above it, turned over and softened."""
    width, height = scene.size
    line = round(height * horizon)
    depth = height - line
    above = scene.canvas.crop((0, max(0, line - depth), width, line))
    mirrored = ImageOps.flip(above).resize((width, depth), Image.Resampling.BILINEAR)
    mirrored = mirrored.filter(ImageFilter.GaussianBlur(scene.unit * 0.45))
    shade = gradient((width, depth), [(0.0, scene.palette.haze), (1.0, scene.layer(0.35))])
    scene.canvas.paste(Image.blend(mirrored, shade, 0.48), (0, line))
    ripples = Stencil(scene.size)
    for _ in range(90):
        near = scene.dice.uniform(0, 1) ** 0.8
        y = line + depth * near + 2
        long = width * scene.dice.uniform(0.02, 0.12) * (0.4 + near)
        x = scene.dice.uniform(-long, width)
        thick = scene.unit * (0.06 + 0.16 * near)
        ripples.line([(x, y), (x + long, y)], thick, scene.dice.randint(30, 110))
    wash(scene.canvas, ripples.done(), mix(scene.palette.haze, (255, 255, 255), 0.4))
    shore = [((width * k / 5, line), width * 0.16, scene.unit * 0.7, 150) for k in range(6)]
    wash(scene.canvas, mist(scene.size, shore), scene.palette.haze, 0.55)


def draw_sea(scene: Scene, light: Point, *, horizon: float) -> None:
    """Draw an open sea: a path of light, then swells that grow towards the viewer."""
    width, height = scene.size
    line = round(height * horizon)
    depth = height - line
    top = mix(scene.palette.haze, scene.palette.far, 0.55)
    deep = mix(scene.palette.far, scene.palette.near, 0.6)
    scene.canvas.paste(gradient((width, depth), [(0.0, top), (1.0, deep)]), (0, line))
    sparks = Stencil(scene.size)
    for _ in range(150):
        near = scene.dice.uniform(0, 1) ** 1.4
        x = scene.dice.gauss(light[0], scene.unit * (2.5 + 9 * near))
        y = line + depth * near * 0.9 + 1
        long = scene.unit * (0.8 + 2.6 * near)
        sparks.line([(x - long, y), (x + long, y)], scene.unit * (0.08 + 0.2 * near), 150)
    wash(scene.canvas, sparks.done(), scene.palette.light, 0.85)
    rows = 9
    for row in range(rows):
        near = (row + 1) / rows
        _draw_swell(scene, line + depth * near**1.55, near)


def _draw_swell(scene: Scene, level: float, near: float) -> None:
    width = scene.size[0]
    turn, long = scene.dice.uniform(0, math.tau), width / (2 + 5 * (1 - near))
    rough = fractal(scene.dice, 0.9, 6)
    crest = []
    for step, wobble in enumerate(rough):
        x = width * step / (len(rough) - 1)
        rise = math.sin(x / long * math.tau + turn)
        rise += 0.6 * math.sin(x / long * 1.7 * math.tau + turn * 3)
        crest.append((x, level - scene.unit * (0.4 + 1.5 * near) * (rise * 0.55 + wobble)))
    body = Stencil(scene.size)
    body.polygon(under(crest, scene.size))
    mask = fading(body.done(), level, level + scene.unit * (5 + 12 * near), 0.15)
    wash(scene.canvas, mask, scene.layer(0.25 + 0.6 * near), 0.42)
    foam = Stencil(scene.size)
    for _ in range(7):
        start = scene.dice.randrange(len(crest) - 6)
        piece = crest[start : start + scene.dice.randint(4, 12)]
        foam.stroke(piece, [scene.unit * (0.06 + 0.16 * near)] * len(piece), 200)
    wash(scene.canvas, foam.done(), mix(scene.palette.haze, (255, 255, 255), 0.5), 0.3 + 0.3 * near)
