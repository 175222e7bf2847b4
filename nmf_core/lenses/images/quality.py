"""How close is one picture to another: PSNR, SSIM, error map."""

from __future__ import annotations

import numpy as np

from nmf_core.types import Array


def psnr(truth: Array, picture: Array) -> float:
    """Return the peak signal-to-noise ratio in dB for values from 0 to 1: −10 log₁₀ of the mean squared error.

    Infinite for equal pictures.
    """
    error = float(np.mean((np.asarray(truth, dtype=np.float64) - np.asarray(picture, dtype=np.float64)) ** 2))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(truth: Array, picture: Array) -> float:
    """Return the mean structural similarity (Wang et al. 2004) for values from 0 to 1, height × width (× 3).

    scikit-image's, with its 7 × 7 window (smaller on pictures smaller than that; NaN below 3 pixels a side).
    """
    from skimage.metrics import structural_similarity

    side = min(truth.shape[:2])
    window = min(7, side - 1 + side % 2)
    if window < 3:
        return float("nan")
    return float(
        structural_similarity(
            np.asarray(truth, dtype=np.float64),
            np.asarray(picture, dtype=np.float64),
            data_range=1.0,
            win_size=window,
            channel_axis=2 if truth.ndim == 3 else None,
        )
    )


def error_map(truth: Array, picture: Array) -> Array:
    """Return the absolute error per pixel, height × width (the mean over colour channels)."""
    error = np.abs(np.asarray(truth, dtype=np.float64) - np.asarray(picture, dtype=np.float64))
    return error.mean(axis=2) if error.ndim == 3 else error
