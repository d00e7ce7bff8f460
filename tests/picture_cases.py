"""Pictures as phones and tools make them, by code: each with what is to become of it.

Upright each is 400 × 600 with a red, a green, a blue and a yellow corner (from the left above, row
by row), or the same in grey. Where metadata can stand, a place stands in it.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pillow_heif
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

pillow_heif.register_heif_opener()

SECRET = b"SECRET-PLACE-31.2304N"
SIZE = (400, 600)
COLOURS = ((220, 30, 30), (30, 160, 30), (30, 30, 220), (230, 220, 40))
_ORIENTATION, _DESCRIPTION, _GPS, _LATITUDE = 0x0112, 0x010E, 0x8825, 2

Outcome = Literal["colour", "grey", "unreadable", "pixels", "too_small", "too_narrow", "too_large"]


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and whether it is taken (as what) or refused (why)."""

    name: str
    content: bytes
    outcome: Outcome = "colour"
    has_alpha: bool = False

    @property
    def is_taken(self) -> bool:
        return self.outcome in ("colour", "grey")


def upright(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", SIZE)
    half = (SIZE[0] // 2, SIZE[1] // 2)
    for place, colour in enumerate(COLOURS):
        left, top = half[0] * (place % 2), half[1] * (place // 2)
        image.paste(colour, (left, top, left + half[0], top + half[1]))
    return image.quantize(16) if mode == "P" else image.convert(mode)


# As a camera stores it: what undoes the turn that a viewer is to make.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(orientation: int) -> Image.Image:
    image = upright()
    return image.transpose(_STORED[orientation]) if orientation in _STORED else image


def exif(orientation: object = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[_ORIENTATION] = orientation
    tags[_DESCRIPTION] = SECRET.decode()
    tags.get_ifd(_GPS)[_LATITUDE] = (31.0, 13.0, 49.0)
    return tags


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _deep_png(colour: int) -> bytes:
    """Return a PNG of 16 bits a sample: grey (0), colour (2), grey with alpha (4), RGBA (6)."""
    grey = colour in (0, 4)
    image, rows = upright("L" if grey else "RGB"), bytearray()
    width, height = SIZE
    channels = 1 if grey else 3
    flat = image.tobytes()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            at = (y * width + x) * channels
            rows += b"".join(bytes((value, 7)) for value in flat[at : at + channels])
            if colour in (4, 6):
                rows += b"\xff\xff" if x % 2 else b"\x80\x00"
    return png(width, height, 16, colour, bytes(rows))


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def _xmp(orientation: int) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-'
        b'rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        b'tiff:Orientation="%d">%s</rdf:Description></rdf:RDF></x:xmpmeta>' % (orientation, SECRET)
    )


def profile() -> bytes:
    """Return an sRGB profile with a place behind it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET


def _jpegs() -> list[Case]:
    plain = saved(upright(), "JPEG", quality=92)
    thumbnail = saved(upright().resize((60, 90)), "JPEG", comment=SECRET)
    film = b"\x00\x00\x00\x18ftypmp42" + SECRET * 9000
    return [
        *(
            Case(f"jpeg-{turn}.jpg", saved(stored(turn), "JPEG", exif=exif(turn), quality=92))
            for turn in range(1, 9)
        ),
        Case(
            "xmp-6.jpg",
            with_segments(
                saved(stored(6), "JPEG"), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _xmp(6))
            ),
        ),
        Case("comment.jpg", saved(upright(), "JPEG", comment=SECRET)),
        Case("iptc.jpg", with_segments(plain, segment(0xED, b"Photoshop 3.0\0" + SECRET))),
        Case("profile.jpg", saved(upright(), "JPEG", icc_profile=profile())),
        Case("broken-profile.jpg", saved(upright(), "JPEG", icc_profile=SECRET * 20)),
        Case("thumbnail.jpg", with_segments(plain, segment(0xE1, b"Exif\0\0" + thumbnail))),
        Case("maker.jpg", with_segments(plain, *(segment(0xE0 + n, SECRET) for n in range(2, 16)))),
        Case("motion-photo.jpg", plain + film),
        Case("progressive.jpg", saved(upright(), "JPEG", progressive=True, exif=exif())),
        Case("samsung-6.jpg", saved(stored(6), "JPEG", exif=exif(6)) + SECRET),
        Case(
            "two-pictures-6.jpg",
            saved(
                stored(6),
                "MPO",
                save_all=True,
                append_images=[upright().resize((40, 60))],
                exif=exif(6),
            ),
        ),
        Case("grey.jpg", saved(upright("L"), "JPEG", exif=exif()), "grey"),
        Case("cmyk.jpg", saved(upright("CMYK"), "JPEG", exif=exif(), quality=92)),
        Case("broken-exif.jpg", with_segments(plain, segment(0xE1, b"Exif\0\0MM\0*\xff" + SECRET))),
        Case("odd-orientation.jpg", saved(upright(), "JPEG", exif=exif(9))),
        Case("jpeg-named.png", saved(stored(8), "JPEG", exif=exif(8))),
    ]


def _pngs() -> list[Case]:
    info = PngInfo()
    info.add_text("Location", SECRET.decode())
    info.add_text("Zipped", SECRET.decode() * 50, zip=True)
    info.add_itxt("XML:com.adobe.xmp", _xmp(1).decode())
    plain = saved(upright(), "PNG", pnginfo=info)
    clear = upright("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(SIZE))
    palette = upright("P")
    return [
        *(Case(f"png-{turn}.png", saved(stored(turn), "PNG", exif=exif(turn))) for turn in (3, 6)),
        Case("texts.png", plain),
        Case("tail.png", plain + SECRET * 100),
        Case("private.png", plain[:33] + chunk(b"plAc", SECRET) + plain[33:]),
        Case("profile.png", saved(upright(), "PNG", icc_profile=profile())),
        Case("deep-grey.png", _deep_png(0), "grey"),
        Case("deep-colour.png", _deep_png(2)),
        Case("deep-grey-alpha.png", _deep_png(4), "grey", has_alpha=True),
        Case("deep-alpha.png", _deep_png(6), has_alpha=True),
        Case("palette.png", saved(palette, "PNG", pnginfo=info)),
        Case("palette-clear.png", saved(palette, "PNG", transparency=0), has_alpha=True),
        Case("grey-alpha.png", saved(clear.convert("LA"), "PNG"), "grey", has_alpha=True),
        Case("alpha.png", saved(clear, "PNG", pnginfo=info, exif=exif()), has_alpha=True),
        Case("alpha-of-nothing.png", saved(upright("RGBA"), "PNG")),
        Case(
            "animated.png",
            saved(upright(), "PNG", save_all=True, append_images=[Image.new("RGB", SIZE)]),
        ),
        Case("png-named.jpg", plain),
    ]


def _others() -> list[Case]:
    clear = upright("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(SIZE))
    black = Image.new("RGB", SIZE)
    more: dict[str, Any] = {"save_all": True, "append_images": [black]}
    sixteen = upright("L").convert("I").point(lambda value: value * 257)
    return [
        *(
            Case(f"webp-{turn}.webp", saved(stored(turn), "WEBP", exif=exif(turn), quality=95))
            for turn in (1, 5, 6)
        ),
        Case("lossless.webp", saved(upright(), "WEBP", lossless=True, xmp=_xmp(1))),
        Case("alpha.webp", saved(clear, "WEBP", lossless=True, exif=exif()), has_alpha=True),
        Case("animated.webp", saved(upright(), "WEBP", lossless=True, **more)),
        *(
            Case(f"avif-{turn}.avif", saved(stored(turn), "AVIF", exif=exif(turn), quality=90))
            for turn in (1, 6, 7)
        ),
        Case("alpha.avif", saved(clear, "AVIF", quality=95), has_alpha=True),
        *(
            Case(f"heic-{turn}.heic", saved(stored(turn), "HEIF", exif=exif(turn), quality=90))
            for turn in (1, 6, 8)
        ),
        *(
            Case(
                f"turned-{turn}.heic",
                saved(stored(turn), "HEIF", exif=exif(turn).tobytes(), quality=90),
            )
            for turn in (2, 5, 6)
        ),
        Case("several.heic", saved(upright(), "HEIF", quality=90, **more)),
        Case("heic-named.jpg", saved(stored(6), "HEIF", exif=exif(6), quality=90)),
        Case("plain.gif", saved(upright("P"), "GIF", comment=SECRET)),
        Case("animated.gif", saved(upright("P"), "GIF", **more)),
        Case("plain.bmp", saved(upright(), "BMP") + SECRET),
        Case("palette.bmp", saved(upright("P"), "BMP")),
        *(
            Case(f"tiff-{turn}.tiff", saved(stored(turn), "TIFF", exif=exif(turn)))
            for turn in (1, 6, 7)
        ),
        Case("pages.tiff", saved(upright(), "TIFF", compression="tiff_lzw", **more)),
        Case("cmyk.tiff", saved(upright("CMYK"), "TIFF")),
        Case("deep.tiff", saved(sixteen.convert("I;16"), "TIFF"), "grey"),
        Case("whole-numbers.tiff", saved(sixteen, "TIFF"), "grey"),
        Case(
            "fractions.tiff",
            saved(upright("L").convert("F").point(lambda value: value / 255), "TIFF"),
            "grey",
        ),
        Case("one-bit.tiff", saved(upright("1"), "TIFF", compression="group4"), "grey"),
    ]


def _cut(kind: str, **options: Any) -> bytes:
    noise = Image.effect_noise(SIZE, 90).convert("RGB")
    content = saved(noise, kind, **options)
    return content[: len(content) // 2]


def _refused() -> list[Case]:
    bomb_gif = saved(upright("P"), "GIF")
    bomb_bmp = saved(upright(), "BMP")
    wide, huge = struct.pack("<HH", 65535, 65535), struct.pack("<ii", 40000, 40000)
    bomb_tiff = bytearray(saved(Image.new("L", (400, 600)), "TIFF"))
    return [
        *(
            Case(f"cut.{kind.lower()}", _cut(kind), "unreadable")
            for kind in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
        ),
        Case("empty.jpg", b"", "unreadable"),
        Case("words.png", b"just some words, not a picture", "unreadable"),
        Case("page.jpg", b"<!doctype html><img src=x>", "unreadable"),
        Case("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unreadable"),
        Case("paper.pdf", b"%PDF-1.7\n1 0 obj\n", "unreadable"),
        Case("print.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 600\n", "unreadable"),
        Case("head.png", b"\x89PNG\r\n\x1a\n", "unreadable"),
        Case("start.jpg", b"\xff\xd8\xff\xe0", "unreadable"),
        Case("damaged.png", _damaged(saved(upright(), "PNG")), "unreadable"),
        Case("bomb.png", png(60_000, 60_000, 1, 0, bytes(60_000)), "pixels"),
        Case("bomb.gif", bomb_gif[:6] + wide + bomb_gif[10:], "pixels"),
        Case("bomb.bmp", bomb_bmp[:18] + huge + bomb_bmp[26:], "pixels"),
        Case("bomb.tiff", _wide_tiff(bytes(bomb_tiff)), "pixels"),
        Case("bomb.jpg", _wide_jpeg(saved(upright(), "JPEG", progressive=True)), "pixels"),
        Case("scans.jpg", _many_scans(), "unreadable"),
        Case("tiny.png", saved(Image.new("RGB", (200, 299)), "PNG"), "too_small"),
        Case("strip.jpg", saved(Image.new("RGB", (2000, 310)), "JPEG", exif=exif()), "too_narrow"),
    ]


def _damaged(content: bytes) -> bytes:
    at = content.index(b"IDAT") + 20
    return content[:at] + bytes((content[at] ^ 0xFF,)) + content[at + 1 :]


def _wide_tiff(content: bytes) -> bytes:
    """Return a TIFF with other figures for its sides."""
    changed = bytearray(content)
    at = struct.unpack_from("<I", content, 4)[0]
    for entry in range(struct.unpack_from("<H", content, at)[0]):
        place = at + 2 + 12 * entry
        if struct.unpack_from("<H", content, place)[0] in (256, 257):
            struct.pack_into("<HII", changed, place + 2, 4, 1, 100_000)
    return bytes(changed)


def _wide_jpeg(content: bytes) -> bytes:
    at = content.index(b"\xff\xc2")
    return content[: at + 5] + struct.pack(">HH", 60_000, 60_000) + content[at + 9 :]


def _many_scans() -> bytes:
    content = saved(upright(), "JPEG", progressive=True)
    first = content.index(b"\xff\xda")
    second = content.index(b"\xff", first + 2)
    while content[second + 1] in (0, *range(0xD0, 0xD8)):
        second = content.index(b"\xff", second + 2)
    return content[:first] + content[first:second] * 5000 + content[second:]


@cache
def cases() -> tuple[Case, ...]:
    """Return the whole table; to make it takes seconds."""
    return tuple([*_jpegs(), *_pngs(), *_others(), *_refused()])


# -- what is in a file that is sent ----------------------------------------------------------------


def metadata_bytes(content: bytes) -> int:
    """Return how many bytes of a JPEG or PNG tell something else than its pixels."""
    return (_png_extras if content.startswith(b"\x89PNG") else _jpeg_extras)(content)


def _png_extras(content: bytes) -> int:
    at, extra = 8, 0
    while at < len(content):
        length, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        extra += 0 if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND") else length + 12
        at += length + 12
        if name == b"IEND":
            return extra + len(content) - at
    raise AssertionError("no IEND")


def _jpeg_extras(content: bytes) -> int:
    assert content[:2] == b"\xff\xd8"
    at, extra = 2, 0
    while True:
        assert content[at] == 0xFF
        marker = content[at + 1]
        if marker == 0xD9:
            return extra + len(content) - at - 2
        length = struct.unpack_from(">H", content, at + 2)[0]
        is_plain_head = marker == 0xE0 and length == 16 and content[at + 4 : at + 9] == b"JFIF\0"
        if (0xE0 <= marker <= 0xEF or marker == 0xFE) and not is_plain_head:
            extra += length + 2
        at += length + 2
        if marker == 0xDA:
            while content[at] != 0xFF or content[at + 1] in (0, *range(0xD0, 0xD8)):
                at += 1


def corners(content: bytes) -> list[tuple[int, ...]]:
    """Return the colours in the four quarters of an upright picture."""
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == SIZE, image.size
        assert image.mode in ("RGB", "RGBA"), image.mode
        width, height = SIZE
        places = [
            (x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)
        ]
        plain = image.convert("RGB")
        pixels = [plain.getpixel(place) for place in places]
    return [pixel if isinstance(pixel, tuple) else (int(pixel or 0),) for pixel in pixels]


def problems(case: Case, content: bytes) -> list[str]:
    """Return what is wrong with that which is sent for a case that is taken."""
    found = []
    expected = upright(
        "1" if case.name == "one-bit.tiff" else "L" if case.outcome == "grey" else "RGB"
    )
    wanted = corners(saved(expected.convert("RGB"), "PNG"))
    far = max(
        abs(a - b)
        for one, other in zip(corners(content), wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    tolerance = 300 if case.name == "one-bit.tiff" else 60 if "cmyk" in case.name else 25
    if far > tolerance:
        found.append(f"not upright, or other colours: off by {far}")
    if (extra := metadata_bytes(content)) or SECRET in content:
        found.append(f"{extra} bytes of metadata")
    with Image.open(io.BytesIO(content)) as image:
        if (image.mode == "RGBA") != case.has_alpha:
            found.append(f"alpha: {image.mode}")
    return found
