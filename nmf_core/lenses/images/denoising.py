"""Denoising and inpainting by NMF on patches, beside the filters that people would use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nmf_core.lenses.images import blocks, pictures
from nmf_core.lenses.images.noise import Damaged, damage
from nmf_core.lenses.images.quality import psnr, ssim
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest

#: Tried for the filters; the setting best for PSNR is shown, which flatters them (only here is the truth known).
TV_WEIGHTS = (0.03, 0.06, 0.1, 0.15, 0.22, 0.3, 0.45)
MEDIAN_SIDES = (3, 5, 7)


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """What one method made of the damaged picture.

    Attributes
    ----------
    method : str
    detail : str
        Its setting, in words.
    psnr, ssim : float
        Against the undamaged picture.
    picture : ndarray
        Values from 0 to 1.
    """

    method: str
    detail: str
    psnr: float
    ssim: float
    picture: Array


@dataclass(frozen=True, slots=True, eq=False)
class Denoising:
    """A picture damaged on purpose, and what each method made of it.

    Attributes
    ----------
    truth : ndarray
    damaged : Damaged
    restored : tuple of Restored
        The plain filling or the damaged picture first, NMF second, then the alternatives.
    H : ndarray of shape (rank, side²)
        Patches that the picture was rebuilt from.
    side : int
    """

    truth: Array
    damaged: Damaged
    restored: tuple[Restored, ...]
    H: Array
    side: int

    def of(self, method: str) -> Restored | None:
        """Return the result of a method, or None."""
        return next((r for r in self.restored if r.method == method), None)


@dataclass(frozen=True, slots=True)
class DenoisingWork(StagedWork):
    """Damage a grey picture (a data set of `pictures.as_dataset`) and restore it.

    Attributes
    ----------
    kind, strength, seed : see `nmf_core.lenses.images.noise.damage`
    rank : int
        Number of patches in the dictionary.
    side, step : int
        Side of the patches and distance between neighbours, in pixels; patches overlap and are averaged.
    trust : bool
        True: every pixel counts. False: doubtful pixels are left out of the fit and filled from the parts.
    max_iter : int
    """

    kind: str = "missing"
    strength: float = 0.3
    seed: int = 0
    rank: int = 32
    side: int = 8
    step: int = 4
    trust: bool = False
    max_iter: int = 40
    NAME: ClassVar[str] = "denoising"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Fit the patches, blend them, run the alternatives."""
        truth = pictures.gray(pictures.of_dataset(dataset))
        side = min(self.side, *truth.shape)
        step = min(self.step, side)
        damaged = damage(truth, self.kind, self.strength, self.seed)
        left_out = None if self.trust and self.kind != "missing" else damaged.doubtful
        shown = damaged.picture if left_out is None else np.where(left_out, np.nan, damaged.picture)
        rows = blocks.patches(shown, side, step).astype(np.float32)
        # A patch without a single known pixel has nothing to say.
        rows[np.isnan(rows).all(axis=1)] = np.nanmean(rows) if np.isfinite(rows).any() else 0.0
        matrix = Dataset.of(rows, "patches")
        request = FitRequest(
            rank=min(self.rank, matrix.max_rank),
            init="random" if left_out is not None else "nndsvda",
            max_iter=self.max_iter,
            tol=1e-4,
        )

        def judged(method: str, detail: str, picture: Array) -> Restored:
            picture = np.clip(picture, 0, 1)
            return Restored(method, detail, psnr(truth, picture), ssim(truth, picture), picture)

        def nmf(done: tuple[Any, ...]) -> tuple[Restored, ...]:
            blended = blocks.blend(done[0].W @ done[0].H, truth.shape, side, step)
            kept = blended if left_out is None else np.where(left_out, blended, damaged.picture)
            detail = f"{request.rank} parts of {side} × {side} pixels"
            return (judged("NMF on patches", detail + (", masked fit" if left_out is not None else ""), kept),)

        return (
            Fit("Finding the patches", lambda done: (matrix, request)),
            Step("Blending the patches", nmf),
            Step(
                "Filters for comparison",
                lambda done: tuple(judged(*a) for a in alternatives(damaged, truth, self.kind)),
            ),
        )

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> Denoising | None:
        """Return the pictures restored so far."""
        if len(done) < 2:
            return None
        truth = pictures.gray(pictures.of_dataset(dataset))
        damaged = damage(truth, self.kind, self.strength, self.seed)
        start = np.where(np.isnan(damaged.picture), np.nanmean(damaged.picture), damaged.picture)
        name = "Mean filling" if self.kind == "missing" else "Damaged picture"
        detail = "each missing pixel gets the mean of the known ones" if self.kind == "missing" else "nothing done"
        first = Restored(name, detail, psnr(truth, start), ssim(truth, start), start)
        restored = (first, *(r for group in done[1:] for r in group))
        return Denoising(truth, damaged, restored, done[0].H, min(self.side, *truth.shape))


def alternatives(damaged: Damaged, truth: Array, kind: str) -> list[tuple[str, str, Array]]:
    """Return (method, setting, picture) of the usual filters, each with its best setting."""
    from scipy.ndimage import median_filter
    from skimage.restoration import denoise_tv_chambolle, inpaint_biharmonic

    seen = damaged.picture
    if kind == "missing":
        assert damaged.doubtful is not None
        hole = np.isnan(seen)
        biharmonic = inpaint_biharmonic(np.where(hole, 0.0, seen), hole) if hole.any() and not hole.all() else seen
        return [
            ("Median of neighbours", "of the known pixels in a 5 × 5 window", median_fill(seen, 5)),
            ("Biharmonic inpainting", "scikit-image", np.where(hole, biharmonic, seen)),
        ]
    out: list[tuple[str, str, Array]] = []
    medians = {n: median_filter(seen, n, mode="nearest") for n in MEDIAN_SIDES}
    best = max(medians, key=lambda n: psnr(truth, medians[n]))
    out.append(
        ("Median filter", f"{best} × {best} window, the best of {', '.join(map(str, MEDIAN_SIDES))}", medians[best])
    )
    if damaged.doubtful is not None:
        holes = np.where(damaged.doubtful, np.nan, seen)
        out.append(("Median at doubtful pixels", "5 × 5 window, trusted pixels kept", median_fill(holes, 5)))
    smooth = {w: denoise_tv_chambolle(seen, weight=w) for w in TV_WEIGHTS}
    weight = max(smooth, key=lambda w: psnr(truth, smooth[w]))
    out.append(("Total variation", f"weight {weight:g}, the best of {len(TV_WEIGHTS)}", smooth[weight]))
    return out


def median_fill(picture: Array, side: int) -> Array:
    """Fill NaN pixels with the median of the known ones in a window; where there is none, with the overall mean."""
    half = side // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(picture, half, constant_values=np.nan), (side, side))
    at = np.nonzero(np.isnan(picture))
    out = picture.copy()
    around = windows[at].reshape(-1, side * side)
    known = ~np.isnan(around).all(axis=1)
    filled = np.full(len(around), np.nanmean(picture) if np.isfinite(picture).any() else 0.0)
    if known.any():
        filled[known] = np.nanmedian(around[known], axis=1)
    out[at] = filled
    return out
