"""Ink, water and paper for the practice pictures: gradients, soft-edged shapes, mist, grain.

Pillow draws hard edges; shapes are drawn at twice the size and reduced, which also is how a
thousand of them stay cheap: all marks of one colour share one stencil.
"""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Rgb = tuple[int, int, int]
Point = tuple[float, float]
Size = tuple[int, int]

_FINE = 2
_COARSE = 8  # mist and glow have no detail: an eighth of the size is enough


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """Return the colour that lies `share` of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def gradient(size: Size, stops: Sequence[tuple[float, Rgb]]) -> Image.Image:
    """Return a vertical gradient through `stops`, which go from 0 (top) to 1 (bottom)."""
    column = Image.new("RGB", (1, 256))
    for y in range(256):
        place = y / 255
        upper = max((stop for stop in stops if stop[0] <= place), key=lambda stop: stop[0])
        lower = min((stop for stop in stops if stop[0] >= place), key=lambda stop: stop[0])
        span = lower[0] - upper[0]
        share = (place - upper[0]) / span if span else 0
        column.putpixel((0, y), mix(upper[1], lower[1], share))
    return column.resize(size, Image.Resampling.BICUBIC)


class Stencil:
    """A mask that shapes are drawn on, with soft edges once it is done."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._mask = Image.new("L", (size[0] * _FINE, size[1] * _FINE), 0)
        self._draw = ImageDraw.Draw(self._mask)

    def polygon(self, points: Sequence[Point], ink: int = 255) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * _FINE, y * _FINE) for x, y in points], fill=ink)

    def ellipse(self, centre: Point, rx: float, ry: float, ink: int = 255) -> None:
        """Fill an ellipse."""
        x, y = centre[0] * _FINE, centre[1] * _FINE
        rx, ry = rx * _FINE, ry * _FINE
        self._draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=ink)

    def line(self, points: Sequence[Point], width: float, ink: int = 255) -> None:
        """Draw a line with round joints."""
        scaled = [(x * _FINE, y * _FINE) for x, y in points]
        self._draw.line(scaled, fill=ink, width=max(1, round(width * _FINE)), joint="curve")

    def stroke(self, points: Sequence[Point], widths: Sequence[float], ink: int = 255) -> None:
        """Draw a brush stroke whose width changes along its way."""
        for (a, b), width in zip(pairwise(points), widths, strict=False):
            self.line((a, b), width, ink)
            self.ellipse(a, width / 2, width / 2, ink)
        self.ellipse(points[-1], widths[-1] / 2, widths[-1] / 2, ink)

    def done(self) -> Image.Image:
        """Return the mask, smoothed."""
        return self._mask.reduce(_FINE)


def wash(canvas: Image.Image, mask: Image.Image, ink: Rgb, strength: float = 1) -> None:
    """Lay an even colour through a mask."""
    if strength < 1:
        mask = mask.point([round(level * strength) for level in range(256)])
    canvas.paste(ink, (0, 0), mask)


def fading(mask: Image.Image, top: float, bottom: float, low: float) -> Image.Image:
    """Return the mask thinned from full at `top` to `low` at `bottom` (pixels from above)."""
    column = Image.new("L", (1, mask.height))
    for y in range(mask.height):
        share = min(max((y - top) / max(bottom - top, 1), 0), 1)
        share = share * share * (3 - 2 * share)
        column.putpixel((0, y), round(255 * (1 - share * (1 - low))))
    return ImageChops.multiply(mask, column.resize(mask.size, Image.Resampling.NEAREST))


def mist(size: Size, bands: Sequence[tuple[Point, float, float, int]]) -> Image.Image:
    """Return a mask of soft ellipses: centre, half width, half height, ink."""
    width, height = size[0] // _COARSE + 1, size[1] // _COARSE + 1
    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    for (x, y), rx, ry, ink in bands:
        x, y, rx, ry = x / _COARSE, y / _COARSE, rx / _COARSE, ry / _COARSE
        draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=ink)
    softness = max(size) / _COARSE / 28
    return mask.filter(ImageFilter.GaussianBlur(softness)).resize(size, Image.Resampling.BICUBIC)


def glow(size: Size, centre: Point, radius: float, ink: int) -> Image.Image:
    """Return a mask of light that falls off from its centre."""
    diameter = max(2, round(radius * 2 / _COARSE))
    spot = ImageChops.invert(Image.radial_gradient("L")).resize((diameter, diameter))
    # Pillow's gradient still has 76 of 255 in the middle of each side.
    falls = [max(0, level - 78) / 177 for level in range(256)]
    spot = spot.point([round(ink * fall * fall) for fall in falls])
    mask = Image.new("L", (size[0] // _COARSE + 1, size[1] // _COARSE + 1), 0)
    corner = (round((centre[0] - radius) / _COARSE), round((centre[1] - radius) / _COARSE))
    mask.paste(spot, corner)
    return mask.resize(size, Image.Resampling.BICUBIC)


def ridge(
    dice: random.Random, width: int, base: float, height: float, *, peaks: int, rough: float
) -> list[Point]:
    """Return a mountain's outline from left to right: pointed peaks under fractal noise."""
    tops = []
    for k in range(peaks):
        at = (k + dice.uniform(-0.1, 1.1)) * width / peaks
        left, right = (width / peaks * dice.uniform(0.35, 1.5) for _ in range(2))
        tops.append((at, left, right, height * dice.uniform(0.25, 1), dice.uniform(0.95, 1.9)))
    noise = fractal(dice, rough)
    points = []
    for step, wobble in enumerate(noise):
        x = width * step / (len(noise) - 1)
        lift = 0.0
        for at, left, right, tall, pointed in tops:
            slope = 1 - (at - x) / left if x < at else 1 - (x - at) / right
            lift = max(lift, tall * max(0.0, slope) ** pointed)
        points.append((x, base - lift - wobble * (0.35 * height + 0.65 * lift)))
    return points


def fractal(dice: random.Random, rough: float, levels: int = 8) -> list[float]:
    """Return 2**levels + 1 heights around 0 by midpoint displacement."""
    heights = [dice.uniform(-rough, rough) / 2, dice.uniform(-rough, rough) / 2]
    reach = rough
    for _ in range(levels):
        between = [(a + b) / 2 + dice.uniform(-reach, reach) for a, b in pairwise(heights)]
        paired = [h for pair in zip(heights, between, strict=False) for h in pair]
        heights = [*paired, heights[-1]]
        reach *= 0.52
    return heights


def under(points: Sequence[Point], size: Size) -> list[Point]:
    """Return the area below an outline."""
    return [(0, size[1]), *points, (size[0], size[1])]


def rough_paper(canvas: Image.Image, dice: random.Random, strength: float) -> Image.Image:
    """Return the picture on paper: fine grain, wider blotches, darker edges."""
    width, height = canvas.size
    grain = _noise(dice, (width // 2 + 1, height // 2 + 1), 46 * strength)
    blotch = _noise(dice, (width // 64 + 2, height // 64 + 2), 58 * strength)
    tooth = Image.blend(
        grain.resize(canvas.size, Image.Resampling.BILINEAR),
        blotch.resize(canvas.size, Image.Resampling.BICUBIC),
        0.45,
    )
    lit = ImageChops.overlay(canvas, Image.merge("RGB", (tooth, tooth, tooth)))
    edge = Image.radial_gradient("L").resize(canvas.size, Image.Resampling.BICUBIC)
    edge = edge.point([round(max(0, level - 150) * 0.42) for level in range(256)])
    lit.paste((24, 20, 22), (0, 0), edge)
    return lit


def _noise(dice: random.Random, size: Size, reach: float) -> Image.Image:
    # Not Image.effect_noise, which cannot be seeded.
    even = Image.frombytes("L", size, dice.randbytes(size[0] * size[1]))
    return even.point([round(128 + (level / 127.5 - 1) * reach) for level in range(256)])


def arc(start: Point, end: Point, bend: float, steps: int = 14) -> list[Point]:
    """Return a curve between two points that bulges sideways by `bend` of their distance."""
    (ax, ay), (bx, by) = start, end
    points = []
    for step in range(steps + 1):
        t = step / steps
        swell = math.sin(math.pi * t) * bend
        points.append(
            (ax + (bx - ax) * t - (by - ay) * swell, ay + (by - ay) * t + (bx - ax) * swell)
        )
    return points
