"""Compression by NMF beside truncated SVD and JPEG at equal bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.lenses.images import blocks, codec, pictures
from nmf_core.lenses.images.quality import psnr, ssim
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest, FitResult

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A picture stored in one way.

    Attributes
    ----------
    method : str
        "NMF", "SVD" or "JPEG".
    detail : str
        "rank 24", "quality 31" …
    n_bytes : int
    psnr : float
        dB.
    ssim : float
    picture : ndarray
        Decoded, values from 0 to 1.
    """

    method: str
    detail: str
    n_bytes: int
    psnr: float
    ssim: float
    picture: Array


@dataclass(frozen=True, slots=True, eq=False)
class Compression:
    """The same picture stored in three ways in about the same number of bytes.

    Attributes
    ----------
    original : ndarray
    raw_bytes : int
        8 bits per pixel and channel, without any compression.
    layout : Layout
    coded : tuple of Coded
        NMF first.
    H : ndarray of shape (rank, n_features)
        The components: what every block is made of.
    """

    original: Array
    raw_bytes: int
    layout: blocks.Layout
    coded: tuple[Coded, ...]
    H: Array


@dataclass(frozen=True, slots=True)
class CompressionWork(StagedWork):
    """Store a picture (a data set of `pictures.as_dataset`) by NMF, truncated SVD and JPEG.

    Attributes
    ----------
    rank : int
        Of the NMF; cut to what the matrix allows.
    block : int
        Side of the blocks; 0 for lines.
    max_iter : int
    """

    rank: int = 16
    block: int = 8
    max_iter: int = 200
    NAME: ClassVar[str] = "compression"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Fit, then code three times."""
        picture = pictures.of_dataset(dataset)
        layout = blocks.Layout(picture.shape, self.block)
        matrix = Dataset.of(blocks.cut(picture, layout).astype(np.float32), "blocks")
        rank = min(self.rank, matrix.max_rank)
        request = FitRequest(rank=rank, init="nndsvda", max_iter=self.max_iter, tol=1e-4)

        def judged(method: str, detail: str, n_bytes: int, decoded: Array) -> Coded:
            decoded = np.clip(decoded, 0, 1)
            return Coded(method, detail, n_bytes, psnr(picture, decoded), ssim(picture, decoded), decoded)

        def nmf(done: tuple[Any, ...]) -> Coded:
            n_bytes, product = codec.store(done[0].W.astype(np.float64), done[0].H.astype(np.float64))
            return judged("NMF", f"rank {rank}", n_bytes, blocks.paste(product, layout))

        def svd(done: tuple[Any, ...]) -> Coded:
            best, n_bytes, product = svd_within(np.asarray(matrix.X, dtype=np.float64), done[1].n_bytes)
            return judged("SVD", f"rank {best}", n_bytes, blocks.paste(product, layout))

        def jpeg(done: tuple[Any, ...]) -> Coded:
            n_bytes, quality, decoded = codec.jpeg(picture, done[1].n_bytes)
            return judged("JPEG", f"quality {quality}", n_bytes, decoded)

        return (
            Fit("Finding the building blocks", lambda done: (matrix, request)),
            Step("Storing the factors", nmf),
            Step("Truncated SVD at equal bytes", svd),
            Step("JPEG at equal bytes", jpeg),
        )

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> Compression | None:
        """Return what has been coded so far."""
        if len(done) < 2:
            return None
        picture = pictures.of_dataset(dataset)
        layout = blocks.Layout(picture.shape, self.block)
        return Compression(picture, picture.size, layout, tuple(done[1:]), done[0].H)


def svd_within(X: Array, most: int) -> tuple[int, int, Array]:
    """Return the truncated SVD of largest rank whose quantised factors take at most so many bytes.

    Returns
    -------
    rank, n_bytes : int
    product : ndarray of X's shape
    """
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    half = np.sqrt(s)

    def coded(rank: int) -> tuple[int, Array]:
        return codec.store(U[:, :rank] * half[:rank], half[:rank, None] * Vt[:rank], signed=True)

    return _largest(coded, min(X.shape), most)


def _largest(coded: Callable[[int], tuple[int, Array]], high: int, most: int) -> tuple[int, int, Array]:
    low, best = 2, (1, *coded(1))
    while low <= high:
        middle = (low + high) // 2
        n_bytes, product = coded(middle)
        if n_bytes <= most:
            best, low = (middle, n_bytes, product), middle + 1
        else:
            high = middle - 1
    return best


@dataclass(frozen=True, slots=True)
class RateWork(StagedWork):
    """Quality over bytes: NMF and truncated SVD at several ranks, JPEG at several qualities.

    Attributes
    ----------
    ranks : tuple of int
        Rising.
    block : int
        See `CompressionWork`.
    max_iter : int
    """

    ranks: tuple[int, ...] = (2, 4, 8, 16, 24, 32, 48)
    block: int = 8
    max_iter: int = 100
    NAME: ClassVar[str] = "rate"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """SVD and JPEG first, then NMF rank by rank."""
        picture = pictures.of_dataset(dataset)
        layout = blocks.Layout(picture.shape, self.block)
        matrix = Dataset.of(blocks.cut(picture, layout).astype(np.float32), "blocks")
        ranks = self._ranks(matrix)

        def point(method: str, n_bytes: int, decoded: Array) -> dict[str, Any]:
            return {"method": method, "kB": n_bytes / 1000, "PSNR": psnr(picture, np.clip(decoded, 0, 1))}

        def svd(done: tuple[Any, ...]) -> list[dict[str, Any]]:
            U, s, Vt = np.linalg.svd(np.asarray(matrix.X, dtype=np.float64), full_matrices=False)
            half = np.sqrt(s)
            out = []
            for rank in ranks:
                n_bytes, product = codec.store(U[:, :rank] * half[:rank], half[:rank, None] * Vt[:rank], signed=True)
                out.append(point("SVD", n_bytes, blocks.paste(product, layout)))
            return out

        def jpeg(done: tuple[Any, ...]) -> list[dict[str, Any]]:
            limits = np.geomspace(0.02, 0.5, 8) * picture.size
            found = {n: decoded for n, _, decoded in (codec.jpeg(picture, int(limit)) for limit in limits)}
            return [point("JPEG", n, decoded) for n, decoded in sorted(found.items())]

        def nmf(result: FitResult) -> list[dict[str, Any]]:
            n_bytes, product = codec.store(result.W.astype(np.float64), result.H.astype(np.float64))
            return [point("NMF", n_bytes, blocks.paste(product, layout))]

        stages: list[Step | Fit] = [Step("Truncated SVD", svd), Step("JPEG", jpeg)]
        for rank in ranks:
            request = FitRequest(rank=rank, init="nndsvda", max_iter=self.max_iter, tol=1e-4)
            stages.append(
                Fit(f"NMF, rank {rank}", lambda done, request=request: (matrix, request), nmf)  # type: ignore[misc]
            )
        return tuple(stages)

    def _ranks(self, matrix: Dataset) -> tuple[int, ...]:
        return tuple(sorted({min(r, matrix.max_rank) for r in self.ranks}))

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> pd.DataFrame | None:
        """Return one row per method and size: columns method, kB, PSNR."""
        import pandas as pd

        points = [point for group in done for point in group]
        if not points:
            return None
        order = {"NMF": 0, "SVD": 1, "JPEG": 2}
        frame = pd.DataFrame(points)
        return frame.sort_values(["method", "kB"], key=lambda c: c.map(order) if c.name == "method" else c).reset_index(
            drop=True
        )
