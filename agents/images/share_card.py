"""The 1200 × 630 picture that social networks show with a link to the article."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from agents.exceptions import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

CARD = (1200, 630)
CARD_BYTES = 600 * 1024  # messengers show no larger picture with a link
CARD_QUALITIES = (88, 70, 50, 30)
MOST_PIXELS = 40_000_000  # a picture takes four bytes each in memory, however small its file is


def share_crop(picture: bytes) -> bytes:
    """The middle of ``picture`` as a JPEG of 1200 × 630 and at most 600 KB; what has that size and weight stays as it is.

    Raises ImageError for what is no picture, or too large a one.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(picture), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.size == CARD and len(picture) <= CARD_BYTES:
                image.load()
                return picture
            if image.width * image.height > MOST_PIXELS:
                raise too_large(f"The picture has {image.width} × {image.height} dots")
            card = ImageOps.fit(on_white(image), CARD)
    except Image.DecompressionBombError as error:  # Pillow's own bound, which it looks at first
        raise too_large("The picture has far too many dots") from error
    except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises for hostile bytes
        raise ImageError("The picture cannot be read. Try again, or use another IMAGE_MODEL.") from error
    for quality in CARD_QUALITIES:
        file = BytesIO()
        card.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= CARD_BYTES:
            break
    return file.getvalue()


def too_large(fault: str) -> ImageError:
    return ImageError(
        f"{fault}, and {MOST_PIXELS // 1_000_000} million are the most. Use another IMAGE_MODEL.", permanent=True
    )


def on_white(image: Pixels) -> Pixels:
    """``image`` with what is transparent in it shown on white: JPEG knows no transparency.

    Most have nothing transparent, and are spared three copies of 4 MB each.
    """
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    sheet = Image.new("RGBA", image.size, "white")
    sheet.alpha_composite(image)
    return sheet.convert("RGB")
