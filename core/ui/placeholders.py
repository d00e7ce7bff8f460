"""Small drawings: the shape of a picture, to scale."""

import base64

from core.ui.session import text

# A drop of ink on a seal. Drawn here: a favicon by icon name would be fetched from abroad.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect x="1" y="1" width="30" height="30" rx="7" fill="#a63d2f"/>'
    '<path d="M16 5.5c3.6 5 7 8.6 7 13a7 7 0 0 1-14 0c0-4.4 3.4-8 7-13z" fill="#fdfcf9"/>'
    '<path d="M12.4 18.5a3.6 3.6 0 0 0 3.6 3.9" fill="none" stroke="#a63d2f" stroke-width="1.6" '
    'stroke-linecap="round"/></svg>'
)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 32">'
    f"{ICON[ICON.index('<rect') : -len('</svg>')]}"
    '<text x="42" y="23" font-size="19" font-weight="600" fill="#b4493a" '
    'font-family="Source Sans, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif">'
    # In plain ASCII: else Streamlit asks a list of all emoji whether this is one, and loads it.
    "&#22696;&#28789; Inkling</text></svg>"
)

_BOX = 20
_LINE = 2


def ratio_label(ratio: str) -> str:
    """Return a label that shows a ratio as a small frame of that shape, and names it.

    The frame has no name of its own: the ratio would be read twice.
    """
    return ratio_words(ratio) if ratio == "auto" else f"![]({ratio_picture(ratio)}) {ratio}"


def ratio_words(ratio: str) -> str:
    """Return a ratio as a line of text has it; one that Kling chooses is named so."""
    return text("images.ratio_auto") if ratio == "auto" else ratio


def ratio_picture(ratio: str) -> str:
    """Return a frame of that shape as an SVG data URL, readable on light and dark."""
    width, height = ratio_size(ratio, _BOX - _LINE)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_BOX}" height="{_BOX}">'
        f'<rect x="{(_BOX - width) / 2:.1f}" y="{(_BOX - height) / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="2" fill="none" stroke="#8a8a8a" stroke-width="{_LINE}"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def ratio_size(ratio: str, longest: float) -> tuple[float, float]:
    """Return width and height of a frame of that ratio whose longer side is `longest`.

    It is a square where a request leaves the ratio open.
    """
    across, down = (int(part) for part in (ratio if ":" in ratio else "1:1").split(":"))
    scale = longest / max(across, down)
    return across * scale, down * scale
