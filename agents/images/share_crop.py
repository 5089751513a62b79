"""Crops an image to the size that social networks show with a link."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from agents.exceptions import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

SIZE = (1200, 630)
MAX_BYTES = 600 * 1024  # messengers show no larger images with a link
QUALITIES = (88, 70, 50, 30)
MAX_PIXELS = 40_000_000  # four bytes of memory each, however small the file is


def share_crop(data: bytes) -> bytes:
    """The centre of the image as a JPEG of 1200 × 630 and at most 600 KB. Returns it unchanged if it already fits.

    Raises ImageError for an image that is invalid or too large.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.size == SIZE and len(data) <= MAX_BYTES:
                image.load()
                return data
            if image.width * image.height > MAX_PIXELS:
                raise too_large(f"The image has {image.width} × {image.height} pixels")
            crop = ImageOps.fit(on_white(image), SIZE)
    except Image.DecompressionBombError as error:  # Pillow checks its own limit first
        raise too_large("The image has far too many pixels") from error
    except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises for invalid files
        raise ImageError("The image cannot be read. Try again, or use another IMAGE_MODEL.") from error
    for quality in QUALITIES:
        file = BytesIO()
        crop.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= MAX_BYTES:
            break
    return file.getvalue()


def too_large(fault: str) -> ImageError:
    return ImageError(
        f"{fault}. The maximum is {MAX_PIXELS // 1_000_000} million. Use another IMAGE_MODEL.", permanent=True
    )


def on_white(image: Pixels) -> Pixels:
    """``image`` on a white background, because JPEG has no transparency."""
    from PIL import Image

    if not image.has_transparency_data:  # saves three copies of 4 MB each
        return image.convert("RGB")
    image = image.convert("RGBA")
    background = Image.new("RGBA", image.size, "white")
    background.alpha_composite(image)
    return background.convert("RGB")
