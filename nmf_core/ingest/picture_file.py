"""One picture file: opened with a look at its size, and turned into grey values or colours, smaller if wanted."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from nmf_core.ingest.names import title
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "DIB")
LARGEST = 3  # a picture over the limit of pixels can be read at down to this part of its width and height


def open_picture(data: bytes | memoryview, name: str, talk: Talk, shrink: int = 1) -> Any:
    """Open a picture whose number of pixels, shrunk, lies within the limit."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own limit is stricter, and an error rather than a warning
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # UnidentifiedImageError, OSError, SyntaxError, struct.error …
        raise Refused(
            "damaged", "The picture is damaged or of an unknown kind", title(name), "Save it again as PNG or JPEG"
        ) from error
    width, height = image.size
    if width * height > talk.limits.pixels * shrink**2:
        raise Refused(
            "too-many-pixels",
            f"The picture has {width} x {height} pixels; the limit is {talk.limits.pixels // 1_000_000} MP",
            title(name),
            "Make it smaller and try again",
        )
    return image


def pixels_of(image: Any, name: str, talk: Talk, shrink: int = 1) -> Array:
    """Return grey (h × w) or colour (h × w × 3) values from 0 to 255; as bytes where the picture holds bytes."""
    from PIL import Image, ImageOps

    try:
        if shrink > 1:
            image = _reduced(image, shrink)
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            values = np.asarray(image, dtype=np.float32)
            top = float(values.max(initial=0.0))
            depths = (255.0, 65535.0, top)  # 8, 16 or more bits; fractions count up to their largest
            full = max(top, 1.0) if image.mode == "F" else next(depth for depth in depths if top <= depth)
            return np.nan_to_num(values) * (255.0 / full)
        if "A" in image.getbands() or "transparency" in image.info:
            image = image.convert("RGBA")
            if image.getextrema()[3][0] < 255:
                white = Image.new("RGBA", image.size, "white")
                white.alpha_composite(image)
                image = white
                talk.note("transparency", "Transparent pixels were put on white.")
            image = image.convert("RGB")
        if image.mode in ("1", "L"):
            return np.asarray(image.convert("L"))
        array = np.asarray(image.convert("RGB"))
    except Refused:
        raise
    except Exception as error:  # truncated files: OSError, ValueError, IndexError, zlib.error …
        raise Refused(
            "damaged", "The picture is damaged or cut off", title(name), "Save it again as PNG or JPEG"
        ) from error
    return array if is_colour(array) else array[:, :, 0]


def _reduced(image: Any, shrink: int) -> Any:
    """Return the picture with width and height divided by a whole number, each pixel a mean."""
    width = max(2, image.width // shrink)
    image.draft(image.mode, (width, max(2, image.height // shrink)))  # a JPEG is not even decoded in full
    image.load()
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode.startswith("I;16"):
        image = image.convert("I")
    factor = round(image.width / width)
    return image.reduce(factor) if factor > 1 else image


def is_colour(array: Array) -> bool:
    return bool((array[..., 0] != array[..., 1]).any() or (array[..., 1] != array[..., 2]).any())


def count_frames(image: Any, name: str) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # a damaged directory of pages: TypeError, SyntaxError, IndexError, KeyError …
        raise Refused("damaged", "The picture is damaged", title(name), "Save it again as PNG or JPEG") from error
