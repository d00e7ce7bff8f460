"""The hours, seasons and moods a practice picture can be painted in."""

import re
from dataclasses import dataclass, replace

from core.practice.painting.brush import Rgb, mix


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture, from the sky's top to the nearest ink."""

    name: str
    sky: Rgb
    haze: Rgb  # the sky above the horizon, and mist
    far: Rgb
    near: Rgb
    light: Rgb  # sun or moon
    bloom: Rgb  # blossoms, lanterns, sails
    is_dark: bool = False


def _palette(name: str, inks: str) -> Palette:
    rgb = [bytes.fromhex(ink) for ink in inks.split()]
    sky, haze, far, near, light, bloom = ((ink[0], ink[1], ink[2]) for ink in rgb)
    return Palette(name, sky, haze, far, near, light, bloom, is_dark=name == "night")


_PALETTES = {
    name: _palette(name, inks)
    for name, inks in (
        ("ink", "ded8cb f3eee2 a8b0b0 22282e c44834 b23e3a"),
        ("jade", "bed2cc eef0e2 8eb4ac 123a3c faf6e2 d66054"),
        ("dawn", "a4b8d6 fadecc aaaac4 2c3054 ffecce e27676"),
        ("sunset", "564674 faac66 c47068 281830 ffe296 ec5c42"),
        ("night", "091026 2e4268 34486c 050914 f6f0d6 ffca74"),
        ("snow", "c6d0dc f0f3f6 becad6 3a4656 faf4ea c8403e"),
        ("spring", "bad0dc faece8 a4beb0 2a4842 fff6e6 ec8496"),
        ("autumn", "d6c4a4 f8e6c4 ce9e6c 4c281c f0743a ce4824"),
        ("rain", "78868e bcc6c8 88989e 1e2a32 e0e4de be5a4c"),
    )
}

# The first whose words occur decides; night comes first, so that snow may fall in it.
_WORDS = (
    ("night", r"夜|晚上|星空|银河|月|\bnight|\bstar|\bmoon|midnight|galaxy"),
    ("sunset", r"落日|夕阳|日落|黄昏|晚霞|傍晚|sunset|\bdusk\b|evening|twilight"),
    ("dawn", r"日出|清晨|黎明|朝霞|早晨|sunrise|\bdawn\b|morning"),
    ("snow", r"雪|冬|冰|\bsnow|winter|\bice\b|frozen"),
    ("rain", r"雨|\brain|storm|monsoon"),
    ("autumn", r"秋|枫|autumn|\bfall\b|maple"),
    ("spring", r"春|樱|桃花|spring\b|cherry|sakura|peach"),
    ("jade", r"竹|茶|荷|湖|绿|bamboo|\btea\b|lotus|\blake|green|jade"),
    ("ink", r"水墨|墨|国画|\bink\b|brush|calligraph"),
)
_UNSAID = ("ink", "jade", "dawn", "sunset", "spring", "autumn")


def choose_palette(prompt: str, turn: int, tint: Rgb | None) -> Palette:
    """Return the palette a prompt names, or one by `turn`; a reference's colour shines through."""
    named = next((n for n, words in _WORDS if re.search(words, prompt, re.IGNORECASE)), None)
    palette = _PALETTES[named or _UNSAID[turn % len(_UNSAID)]]
    if tint is None:
        return palette
    return replace(
        palette,
        sky=mix(palette.sky, tint, 0.4),
        haze=mix(palette.haze, tint, 0.25),
        far=mix(palette.far, tint, 0.5),
        near=mix(palette.near, mix(tint, (0, 0, 0), 0.7), 0.5),
    )
