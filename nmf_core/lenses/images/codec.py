"""What a factorization costs to store: factors quantised to 8 bits, and the bytes they take."""

from __future__ import annotations

import io
import zlib

import numpy as np

from nmf_core.types import Array

#: The rule, for people; `size` is what it says.
RULE = (
    "Each column of W and each row of H is stored as 8-bit whole numbers with one 32-bit scale (two if signed), "
    "then packed with zlib, plus 16 bytes of header. Quality is measured on the picture rebuilt from those bytes."
)
HEADER = 16


def quantise(factor: Array, axis: int) -> tuple[Array, Array]:
    """Return 8-bit levels and the factor they stand for.

    Parameters
    ----------
    factor : ndarray of shape (n, m)
    axis : int
        Values along this axis share one scale: 0 for columns of W, 1 for rows of H.

    Returns
    -------
    levels : ndarray of uint8
    values : ndarray of float
        ``low + levels · (high − low) / 255`` with low = min(0, smallest), so that zero stays zero for factors ≥ 0.
    """
    low = np.minimum(factor.min(axis=axis, keepdims=True), 0.0)
    step = (factor.max(axis=axis, keepdims=True) - low) / 255.0
    step = np.where(step > 0, step, 1.0)
    levels = np.clip(np.rint((factor - low) / step), 0, 255).astype(np.uint8)
    return levels, low + levels * step


def size(levels_W: Array, levels_H: Array, *, signed: bool) -> int:
    """Return the bytes of quantised factors under `RULE`."""
    scales = 2 if signed else 1
    # Values of one component lie next to each other, so that runs of zeros pack well.
    packed = [zlib.compress(np.ascontiguousarray(part).tobytes(), 9) for part in (levels_W.T, levels_H)]
    return HEADER + 4 * scales * (levels_W.shape[1] + levels_H.shape[0]) + sum(map(len, packed))


def store(W: Array, H: Array, *, signed: bool = False) -> tuple[int, Array]:
    """Return the bytes that W and H take and the product of the quantised factors.

    Each pair of components is first balanced (equal largest values), which changes nothing in WH but uses the levels of
    both factors well.
    """
    top_W, top_H = np.abs(W).max(axis=0), np.abs(H).max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.sqrt(np.where((top_W > 0) & (top_H > 0), top_H / top_W, 1.0))
    levels_W, W_ = quantise(W * share, axis=0)
    levels_H, H_ = quantise(H / share[:, None], axis=1)
    return size(levels_W, levels_H, signed=signed), W_ @ H_


def jpeg(picture: Array, most: int) -> tuple[int, int, Array]:
    """Return the best JPEG (Pillow, optimised) of at most so many bytes.

    Returns
    -------
    n_bytes, quality : int
        If even quality 1 takes more bytes, that one is returned.
    picture : ndarray
        Decoded, values from 0 to 1.
    """
    from PIL import Image

    source = Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))

    def encode(quality: int) -> bytes:
        buffer = io.BytesIO()
        # Full colour resolution once there are bytes for it: halved, it would cap the quality.
        source.save(buffer, "JPEG", quality=quality, optimize=True, subsampling=0 if quality > 90 else 2)
        return buffer.getvalue()

    low, high, best = 2, 100, encode(1)
    quality = 1
    while low <= high:
        middle = (low + high) // 2
        data = encode(middle)
        if len(data) <= most:
            quality, best, low = middle, data, middle + 1
        else:
            high = middle - 1
    decoded = np.asarray(Image.open(io.BytesIO(best)), dtype=np.float64) / 255.0
    return len(best), quality, decoded
