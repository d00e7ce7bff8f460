"""The seal in each practice picture: 练习 cut into red, with PRACTICE beside it.

The two characters are drawn from strokes of our own: a font with Chinese may be missing, and a
practice picture must never pass for a real one.
"""

import math
import random

from PIL import Image, ImageDraw, ImageFont

from core.practice.painting.brush import Rgb

_RED: Rgb = (184, 38, 32)
_PAPER: Rgb = (252, 244, 232)
_FINE = 3

# Strokes on a square of 100, each a line of points.
_LIAN = (
    ((27, 6), (11, 27), (33, 29)),
    ((36, 20), (10, 54), (37, 50)),
    ((9, 86), (38, 74)),
    ((46, 20), (94, 20)),
    ((66, 5), (53, 47), (82, 47), (82, 47)),
    ((46, 47), (92, 47)),
    ((72, 33), (72, 92), (60, 84)),
    ((58, 60), (46, 82)),
    ((84, 60), (96, 80)),
)
_XI = (
    ((12, 15), (87, 15), (84, 90), (66, 80)),
    ((30, 32), (52, 46)),
    ((18, 76), (66, 55)),
)
_STROKE = 9.5


def draw_seal(canvas: Image.Image, dice: random.Random) -> None:
    """Press the seal into the lower right corner, and the word's own small seal beside it."""
    side = math.sqrt(canvas.width * canvas.height) / 100
    edge = max(round(side * 8.6), 16)
    stamp, mask = _stamp(edge, dice)
    margin = round(side * 3)
    left, top = canvas.width - margin - edge, canvas.height - margin - edge * 2
    canvas.paste(stamp, (left, top), mask)
    word = _word(edge)
    canvas.paste(word, (left - word.width - edge // 6, top + edge * 2 - word.height))


def _word(edge: int) -> Image.Image:
    font = ImageFont.load_default(max(edge * 0.29, 8))
    word = " ".join("PRACTICE")
    left, top, right, bottom = font.getbbox(word)
    wide, high = math.ceil(right - left + edge * 0.34), math.ceil(bottom - top + edge * 0.26)
    label = Image.new("RGB", (wide, high), _RED)
    at = ((wide - right + left) / 2 - left, (high - bottom + top) / 2 - top)
    ImageDraw.Draw(label).text(at, word, fill=_PAPER, font=font)
    return label


def _stamp(edge: int, dice: random.Random) -> tuple[Image.Image, Image.Image]:
    """Return the stamp's face, 练 above 习, and where it takes ink."""
    width, height = edge * _FINE, edge * 2 * _FINE
    face = Image.new("RGB", (width, height), _RED)
    draw = ImageDraw.Draw(face)
    inset = width * 0.05
    draw.rounded_rectangle(
        (inset, inset, width - inset, height - inset),
        radius=width * 0.07,
        outline=_PAPER,
        width=max(1, round(width * 0.028)),
    )
    scale = width * 0.72 / 100
    for row, strokes in enumerate((_LIAN, _XI)):
        left, top = width * 0.14, width * (0.155 + row * 0.94)
        for stroke in strokes:
            points = [(left + x * scale, top + y * scale) for x, y in stroke]
            thick = max(1, round(_STROKE * scale))
            draw.line(points, fill=_PAPER, width=thick, joint="curve")
            for x, y in points:
                draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), _PAPER)
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), width * 0.1, fill=245)
    nick = ImageDraw.Draw(mask)
    for _ in range(14):  # a worn edge
        x, y = dice.choice(((0, dice.uniform(0, height)), (width, dice.uniform(0, height))))
        size = width * dice.uniform(0.008, 0.028)
        nick.ellipse((x - size, y - size * 1.6, x + size, y + size * 1.6), fill=0)
    return face.reduce(_FINE), mask.reduce(_FINE)


def draw_watermark(canvas: Image.Image) -> None:
    """Write the mark of a watermarked copy into the lower left corner."""
    side = math.sqrt(canvas.width * canvas.height) / 100
    font = ImageFont.load_default(max(side * 2.6, 8))
    at = (side * 3, canvas.height - side * 6)
    draw = ImageDraw.Draw(canvas)
    draw.text((at[0] + 1, at[1] + 1), "AI generated · practice", fill=(20, 20, 20), font=font)
    draw.text(at, "AI generated · practice", fill=(245, 245, 245), font=font)
