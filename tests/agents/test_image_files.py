"""The crop of an image for social previews, and the built-in cover."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from agents.exceptions import ModelError
from agents.images import cover
from agents.images import share_crop as crop_module
from agents.images.cover import draw_cover
from agents.images.generate import file_suffix
from agents.images.share_crop import share_crop

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 100
WEBP = b"RIFF\x64\0\0\0WEBPVP8 " + b"\0" * 100


# The crop for social previews


def coloured(width: int, height: int, *, noise: bool = False) -> bytes:
    """A PNG: red on the left, blue on the right; or noise that does not compress."""
    chance = random.Random(1)
    half = width // 2
    row = b"\0" + b"\xff\0\0" * half + b"\0\0\xff" * (width - half)
    rows = b"".join(b"\0" + chance.randbytes(3 * width) if noise else row for _ in range(height))
    return png(width, height, zlib.compress(rows, 1))


def png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


@pytest.mark.parametrize(("width", "height"), [(1536, 1024), (1792, 1024), (1024, 1024), (200, 900)])
def test_the_crop_has_its_size_for_any_image(width: int, height: int) -> None:
    crop = share_crop(coloured(width, height))
    assert file_suffix(crop) == ".jpg"
    assert opened(crop).size == (1200, 630)
    assert len(crop) <= crop_module.MAX_BYTES


def redness(image: Image.Image, row: int) -> int:
    pixel = image.getpixel((600, row))
    assert isinstance(pixel, tuple)
    return pixel[0]


def test_the_crop_is_the_undistorted_centre_of_the_image() -> None:
    """Of 500 × 2000 pixels, 500 × 262.5 are left: 20 white lines in the middle become 48 of 630."""
    white, black = b"\0" + b"\xff" * 1500, b"\0" + b"\0" * 1500
    rows = b"".join(white if row < 500 or 990 <= row < 1010 else black for row in range(2000))
    crop = opened(share_crop(png(500, 2000, zlib.compress(rows))))
    assert all(redness(crop, row) < 10 for row in (0, 280, 350, 629))
    assert all(redness(crop, row) > 245 for row in range(300, 331))


def test_transparency_becomes_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(file, "PNG")
    assert opened(share_crop(file.getvalue())).getpixel((600, 300)) == (255, 255, 255)


def test_a_detailed_crop_is_compressed_to_the_size_limit() -> None:
    crop = share_crop(coloured(1536, 1024, noise=True))
    assert opened(crop).size == (1200, 630)
    assert len(crop) <= crop_module.MAX_BYTES


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        PNG,
        PNG[:10],
        JPEG,
        JPEG[:3],
        WEBP,
        WEBP[:14],
        b"RIFF\x64\0\0\0WEBPVP8X" + b"\0" * 40,
        coloured(300, 200)[:200],
        png(300, 200, b"garbage"),
        png(1200, 630, b"garbage"),
    ],
)
def test_an_invalid_image_is_reported(image: bytes) -> None:
    with pytest.raises(ModelError, match="image cannot be read"):
        share_crop(image)


@pytest.mark.parametrize("size", [8_000, 30_000])
def test_an_image_with_too_many_pixels_is_not_decoded(size: int) -> None:
    with pytest.raises(ModelError, match="The maximum is 40 million"):
        share_crop(png(size, size, b""))


def test_the_built_in_cover_needs_no_crop() -> None:
    cover = draw_cover("Rooftop gardens", seed="1")
    assert share_crop(cover) == cover


# The built-in cover

TITLES = [
    "Sleep",
    "Rooftop gardens: what the evidence says",
    "Lợi ích của vườn trên mái nhà đối với thành phố",
    "Как города переживают жару и что говорят измерения",
    "Κήποι στις στέγες",
    '#import "x"; "quoted" $x$ @foo <b> \\ [x] #read("/etc/passwd")',
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
    "x" * 120,
    "word " * 60,
    "A title with a 🌱 and a 👩\u200d🌾 in it",
    "日本語の題名",
    "\u200b",
    "",
]


def test_a_cover_of_any_title_has_its_size() -> None:
    for title in TITLES:
        cover = draw_cover(title, seed=title)
        assert file_suffix(cover) == ".png"
        assert struct.unpack(">II", cover[16:24]) == (1200, 630)
        assert len(cover) < 300_000


def test_the_cover_depends_on_title_and_seed() -> None:
    assert draw_cover("Title", seed="1") == draw_cover("Title", seed="1")
    assert draw_cover("Title", seed="1") != draw_cover("Title", seed="2")
    assert draw_cover("Title", seed="1") != draw_cover("Other", seed="1")


def test_a_title_is_never_run_as_code() -> None:
    shown = cover._displayable('#panic("no") "quoted" \\ $x$')
    assert shown == '#panic("no") "quoted" \\ $x$'


def test_text_without_a_font_is_left_out_of_the_cover() -> None:
    assert cover._displayable("Grow 🌱 more") == "Grow more"
    assert cover._displayable("ᠮᠣᠩᠭᠣᠯ") == ""
