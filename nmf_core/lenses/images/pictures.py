"""Single pictures: samples, uploads, pictures as data sets and back."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from nmf_core.types import Array, Dataset

#: Pictures that scikit-learn brings along, by file name.
SAMPLES = {"china": "Summer palace (china.jpg)", "flower": "Dahlia (flower.jpg)"}
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 60_000_000
#: ITU-R BT.601 weights of red, green and blue in brightness, as Pillow's mode "L".
LUMA = np.array([0.299, 0.587, 0.114])


class UnreadablePicture(ValueError):
    """A file that cannot be shown as a picture; the message says why."""


def sample(name: str) -> Array:
    """Return a sample picture of scikit-learn as height × width × 3, values from 0 to 1.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    from sklearn.datasets import load_sample_image

    if name not in SAMPLES:
        raise ValueError(f"sample: no picture named {name!r}; known are {', '.join(SAMPLES)}")
    return load_sample_image(f"{name}.jpg").astype(np.float64) / 255.0


def decode(data: bytes, most: int = 640) -> Array:
    """Read an uploaded picture.

    Parameters
    ----------
    data : bytes
        A file in one of `FORMATS`; of an animation the first frame.
    most : int
        The longer side is scaled down to so many pixels.

    Returns
    -------
    ndarray of shape (height, width, 3)
        Values from 0 to 1; transparency is put on white.

    Raises
    ------
    UnreadablePicture
        If the file is no picture, damaged, or too large to open safely.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is stricter
            picture: Any = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise Image.DecompressionBombError
        picture.draft("RGB", (most, most))  # a large JPEG is decoded at a fraction of its size
        picture = ImageOps.exif_transpose(picture)
        if picture.mode.startswith("I") or picture.mode == "F":
            values = np.asarray(picture, dtype=np.float64)
            top = values.max() if values.size and values.max() > 0 else 1.0
            picture = Image.fromarray((np.clip(values / top, 0, 1) * 255).astype(np.uint8))
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        flat = Image.alpha_composite(white, layered).convert("RGB")
        flat.thumbnail((most, most), Image.Resampling.LANCZOS)
    except Image.DecompressionBombError as error:
        raise UnreadablePicture(
            f"The picture has more than {MAX_PIXELS:,} pixels, too many to open here. Make it smaller first."
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UnreadablePicture(
            f"The file could not be read as a picture. Formats that can be read: {', '.join(FORMATS)}."
        ) from error
    return np.asarray(flat, dtype=np.float64) / 255.0


def gray(picture: Array) -> Array:
    """Return the brightness of a picture, height × width."""
    return picture if picture.ndim == 2 else picture @ LUMA


def shrink(picture: Array, most: int) -> Array:
    """Return the picture scaled down, without aliasing, so that its longer side has at most so many pixels."""
    from PIL import Image

    height, width = picture.shape[:2]
    scale = most / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = picture[..., None] if picture.ndim == 2 else picture
    out = [
        np.asarray(Image.fromarray(planes[..., c].astype(np.float32), "F").resize(size, Image.Resampling.BOX))
        for c in range(planes.shape[2])
    ]
    small = np.clip(np.stack(out, axis=2).astype(np.float64), 0, 1)
    return small[..., 0] if picture.ndim == 2 else small


def as_dataset(picture: Array, name: str) -> Dataset:
    """Return a picture as a data set of its lines (height × (width · channels)), for works that run on it."""
    height = picture.shape[0]
    return Dataset.of(
        picture.reshape(height, -1),
        name,
        kind="images",
        rows=[f"line {i + 1}" for i in range(height)],
        extra={"picture_shape": tuple(picture.shape)},
    )


def of_dataset(dataset: Dataset) -> Array:
    """Return the picture that `as_dataset` stored."""
    shape = tuple(int(n) for n in dataset.extra["picture_shape"])
    return np.asarray(dataset.X, dtype=np.float64).reshape(shape)


def tiles(rows: Array, cell_shape: tuple[int, ...]) -> Array:
    """Return rows of X or H as pictures: (n, height, width) or (n, height, width, 3).

    Other numbers of channels are shown by their mean.

    Raises
    ------
    ValueError
        If the shape does not fit the rows.
    """
    rows = np.asarray(rows)
    if len(cell_shape) not in (2, 3) or int(np.prod(cell_shape)) != rows.shape[1]:
        raise ValueError(f"cell_shape: {cell_shape} does not fit rows of {rows.shape[1]} pixels")
    out = rows.reshape(len(rows), *cell_shape)
    if out.ndim == 4 and out.shape[3] != 3:
        out = out.mean(axis=3)
    return out
