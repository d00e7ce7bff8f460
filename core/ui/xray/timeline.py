"""A stream drawn on a line: when bytes came, where it paused, what kept it open. SVG, no script."""

from collections.abc import Sequence
from html import escape

from core.providers.http.kept_exchange import Exchange
from core.wire.event_frames import EventFrame

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BASE, _TOP = 900, 120, 10, 10, 86, 14
# Cinnabar, ink and grey, as seen on paper and on dark alike.
_BYTES, _FIRST, _KEPT, _PAUSE, _INK = "#c84e3a", "#4d8a6a", "#7d8a96", "#7d8a9633", "#8a8078"
_TICKS = 6


def timeline_svg(
    exchange: Exchange,
    frames: Sequence[EventFrame],
    pauses: Sequence[tuple[float, float]],
    title: str,
) -> str:
    """Return the picture: a stroke for each chunk as high as it is long, pauses as bands."""
    end = max([exchange.duration_s, *(at for at, _ in exchange.chunks)], default=0.0) or 1e-6
    most = max((size for _, size in exchange.chunks), default=1)

    def x(seconds: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(seconds / end, 0.0), 1.0)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        *(
            f'<rect x="{x(a):.1f}" y="{_TOP}" width="{x(b) - x(a):.1f}" '
            f'height="{_BASE - _TOP}" fill="{_PAUSE}"/>'
            for a, b in pauses
        ),
        f'<path d="M{_LEFT} {_BASE}H{_WIDTH - _RIGHT}" stroke="{_INK}"/>',
    ]
    # Strokes at the same place are one: thousands of chunks are a few hundred strokes.
    strokes: dict[int, int] = {}
    for at, size in exchange.chunks:
        place = round(x(at))
        strokes[place] = max(strokes.get(place, 0), size)
    for place, size in strokes.items():
        height = max(4.0, (_BASE - _TOP) * (size / most) ** 0.5)
        parts.append(f'<path d="M{place} {_BASE}v-{height:.1f}" stroke="{_BYTES}"/>')
    for frame in frames:
        if frame.is_keep_alive and frame.at_s is not None:
            circle = f'cx="{x(frame.at_s):.1f}" cy="{_BASE - 4}" r="4"'
            parts.append(f'<circle {circle} fill="{_KEPT}"/>')
    if exchange.first_byte_s is not None:
        at = x(exchange.first_byte_s)
        parts.append(f'<path d="M{at:.1f} {_TOP}V{_BASE}" stroke="{_FIRST}" stroke-width="2"/>')
    for number in range(_TICKS + 1):
        seconds = end * number / _TICKS
        anchor = "start" if number == 0 else "end" if number == _TICKS else "middle"
        parts.append(
            f'<text x="{x(seconds):.1f}" y="{_BASE + 20}" font-size="13" fill="{_INK}" '
            f'font-family="sans-serif" text-anchor="{anchor}">{seconds:.3g} s</text>'
        )
    return "".join([*parts, "</svg>"])
