"""The practice voice: eSpeak NG where its program is installed, else a tone for each syllable.

The program is called and not linked: its licence is not ours. The tones need nothing, sound the
same everywhere, and rise and fall with the text, so that one can hear what is read and how far.
"""

import math
import re
import shutil
import subprocess
from array import array
from functools import cache

from core.wire.audio import RATE, Resampler, WavError, WavReader, to_mono

_ESPEAK = ("espeak-ng", "espeak")
_ESPEAK_TIMEOUT_S = 30
_SYLLABLE = re.compile(r"[\u3400-\u9fff]|[aeiouyAEIOUY]+|\d|[^\W\d_]+?(?=[aeiouyAEIOUY]|\b)|\S")
_PAUSES = {**dict.fromkeys("，,、:：", 0.12), **dict.fromkeys("。.！!？?；;…\n", 0.25)}
_TONE_S = 0.13
_GAP_S = 0.02
_FADE = 0.015
_LOUD = 7_000
_LOWEST_HZ = 150.0
_STEPS = 13  # of a scale, over which syllables are spread
_VOICES = {"deep": 0.7, "high": 1.35}
_DEEP = re.compile(r"(?i)onyx|echo|ash|cedar|male1|uk_man|laoguo|chenjia|huang")
_HIGH = re.compile(r"(?i)fable|verse|boy|girl|kid|xuesheng|cartoon|Peppa")


def say(text: str, voice: str = "", speed: float = 1.0) -> bytes:
    """Return what a text sounds like, as samples; takes a moment, so not on a loop."""
    program = _program()
    if program is not None:
        spoken = _by_espeak(program, text, voice, speed)
        if spoken:
            return spoken
    return tones(text, voice, speed)


def tones(text: str, voice: str = "", speed: float = 1.0) -> bytes:
    """Return a tone for each syllable, and pauses where a reader makes them."""
    height = _VOICES["deep"] if _DEEP.search(voice) else 1.0
    height = _VOICES["high"] if _HIGH.search(voice) else height
    pieces = []
    for match in _SYLLABLE.finditer(text):
        pause_s = _PAUSES.get(match[0])
        if pause_s is not None:
            pieces.append(_silence(round(pause_s / speed, 3)))
        elif match[0][0].isalnum():
            step = sum(map(ord, match[0])) % _STEPS
            pieces += [_tone(step, height, round(speed, 2)), _silence(round(_GAP_S / speed, 3))]
    return b"".join(pieces) or _silence(0.2)


@cache
def _tone(step: int, height: float, speed: float) -> bytes:
    pitch = _LOWEST_HZ * height * 2 ** (step / 12)
    count = int(_TONE_S / speed * RATE)
    fade = int(_FADE * RATE)
    samples = array("h")
    for i in range(count):
        angle = 2 * math.pi * pitch * i / RATE
        wave = math.sin(angle) + 0.4 * math.sin(2 * angle) + 0.2 * math.sin(3 * angle)
        samples.append(int(_LOUD * wave * min(1.0, i / fade, (count - i) / fade)))
    return samples.tobytes()


@cache
def _silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


@cache
def _program() -> str | None:
    return next((found for name in _ESPEAK if (found := shutil.which(name))), None)


def _by_espeak(program: str, text: str, voice: str, speed: float) -> bytes:
    is_chinese = any("\u4e00" <= sign <= "\u9fff" for sign in text)
    pitch = 30 if _DEEP.search(voice) else 75 if _HIGH.search(voice) else 50
    command = [program, "-v", "cmn" if is_chinese else "en", "-s", str(int(170 * speed))]
    command += ["-p", str(pitch), "--stdin", "--stdout"]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=_ESPEAK_TIMEOUT_S, check=True
        )
        reader = WavReader()
        frames = reader.feed(done.stdout)
    except (OSError, subprocess.SubprocessError, WavError):
        return b""
    if reader.format is None:
        return b""
    resampler = Resampler(reader.format.rate)
    return resampler.feed(to_mono(frames, reader.format.channels)) + resampler.finish()
