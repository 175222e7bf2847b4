"""What each section found, as a sentence made from numbers: also when the usual alternative is better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.lenses.images.compression import Compression
from nmf_core.lenses.images.cube import Agreement
from nmf_core.lenses.images.denoising import Denoising
from nmf_core.lenses.images.methods import Comparison, Method
from nmf_core.lenses.images.recognition import RAW, Recognition
from nmf_core.lenses.images.truth import FOUND, PENALISED, PLAIN, SIGNED, Known
from nmf_core.wording import percent

#: Differences below these are called a tie.
DB, NMI = 0.1, 0.01
#: A relative error below this is rounding.
EXACT = 1e-4


@dataclass(frozen=True, slots=True)
class Claim:
    """A measured result.

    Attributes
    ----------
    holds : bool or None
        True: NMF did better than the alternative; False: worse; None: a tie, or nothing to compare yet.
    text : str
        One to three sentences with the numbers; may hold names from files, so escape it.
    """

    holds: bool | None
    text: str


def _sparse(method: Method) -> float:
    known = method.sparseness_parts[np.isfinite(method.sparseness_parts)]
    return float(known.mean()) if known.size else float("nan")


def parts_claim(comparison: Comparison) -> Claim:
    """Compare how local the parts are, and what that costs in error."""
    by_name = {m.name: m for m in comparison.methods}
    if not {"NMF", "PCA", "VQ"} <= set(by_name):
        return Claim(None, "The other methods have not finished yet.")
    nmf, pca, vq = by_name["NMF"], by_name["PCA"], by_name["VQ"]
    told = f"Hoyer sparseness of the parts at rank {comparison.rank}: NMF {_sparse(nmf):.2f}, " + (
        f"PCA {_sparse(pca):.2f}, VQ {_sparse(vq):.2f}"
    )
    if max(nmf.error, pca.error) < EXACT:
        cost = f"NMF and PCA both give the pictures back exactly; VQ's error is {percent(vq.error)}."
    else:
        more = nmf.error / max(pca.error, 1e-12) - 1
        cost = f"The price is error: {percent(nmf.error)} for NMF, {percent(more, 2)} more than PCA's {percent(pca.error)}; VQ's is {percent(vq.error)}."
    if _sparse(nmf) > max(_sparse(pca), _sparse(vq)):
        return Claim(True, f"NMF's parts are the most local ({told}). {cost}")
    return Claim(False, f"Here NMF's parts are not the most local ({told}). {cost}")


def known_claim(known: Known) -> Claim:
    """Say how many of the true parts came out, with and without a penalty, and for PCA."""
    others = known.others
    by_name = dict(zip(known.methods, known.recoveries, strict=True))
    plain = by_name[PLAIN]
    ghosts = "" if known.shared is None else known.names[known.shared]
    n = len(others)
    text = f"Of {n} true parts, plain NMF gives {int((plain.cosine[others] >= FOUND).sum())} with a matched cosine of {FOUND} or more"
    text += f" (mean {plain.cosine[others].mean():.3f})"
    if ghosts:
        text += (
            f", and {int((np.nan_to_num(plain.cosine_without[others]) >= FOUND).sum())} once the pixels of the {ghosts} are "
            f"left out: on average {percent(float(np.nanmean(plain.ghost[others])), 2)} of their squares lie there, its ghost"
        )
    text += "."
    if PENALISED in by_name:
        found = by_name[PENALISED].cosine[others]
        text += f" A small L1 penalty makes it {int((found >= FOUND).sum())} of {n} (mean {found.mean():.3f})."
    if SIGNED not in by_name:
        return Claim(None, text)
    signed = by_name[SIGNED].cosine[others]
    text += f" PCA finds {int((signed >= FOUND).sum())} of {n} (mean {signed.mean():.3f})."
    best = max(float(r.cosine[others].mean()) for m, r in by_name.items() if m != SIGNED)
    return Claim(best > signed.mean(), text)


def compression_claim(found: Compression) -> Claim:
    """Compare PSNR at equal bytes."""
    by_name = {c.method: c for c in found.coded}
    if not {"NMF", "SVD", "JPEG"} <= set(by_name):
        return Claim(None, "The other ways of storing have not finished yet.")
    nmf, svd, jpeg = by_name["NMF"], by_name["SVD"], by_name["JPEG"]
    gap = nmf.psnr - svd.psnr
    size = (
        f"at about {nmf.n_bytes / 1000:.1f} kB ({found.raw_bytes / nmf.n_bytes:.1f} times smaller than the raw pixels)"
    )
    against = "ties with" if abs(gap) < DB else "beats" if gap > 0 else "loses to"
    versus_svd = f"NMF {against} truncated SVD {size}: {nmf.psnr:.1f} dB against {svd.psnr:.1f} dB"
    away = jpeg.psnr - nmf.psnr
    versus_jpeg = (
        f"JPEG, made for the purpose, is {away:.1f} dB better than NMF ({jpeg.psnr:.1f} dB)"
        if away > 0
        else f"JPEG gives {jpeg.psnr:.1f} dB"
    )
    return Claim(
        nmf.psnr > max(svd.psnr, jpeg.psnr), f"{versus_svd}. {versus_jpeg}. Whoever wants small files takes JPEG."
    )


def denoising_claim(found: Denoising) -> Claim:
    """Compare NMF on patches with the best of the usual filters."""
    nmf = found.of("NMF on patches")
    rivals = [r for r in found.restored[1:] if r.method != "NMF on patches"]
    if nmf is None or not rivals:
        return Claim(None, "The filters have not finished yet.")
    start = found.restored[0]
    best = max(rivals, key=lambda r: r.psnr)
    gain = f"NMF on patches gains {nmf.psnr - start.psnr:.1f} dB over {start.method.lower()} ({start.psnr:.1f} to {nmf.psnr:.1f} dB)"
    gap = nmf.psnr - best.psnr
    rival = f"{best.method} ({best.psnr:.1f} dB)"
    if abs(gap) < DB:
        return Claim(None, f"{gain} and ties with the best filter here, {rival}.")
    if gap > 0:
        return Claim(True, f"{gain} and is {gap:.1f} dB better than the best filter here, {rival}.")
    return Claim(False, f"{gain} but is {-gap:.1f} dB worse than the best filter here, {rival}: take that one.")


def recognition_claim(found: Recognition) -> Claim:
    """Compare accuracies at each method's best rank, and say by how much NMF loses if it does."""
    if not found.ranks:
        return Claim(None, "No rank has finished yet.")
    at, nmf = found.best("NMF")
    rank, pca = found.best("PCA")
    raw = found.accuracy(RAW, 0)[0]
    n = len(found.classes)
    margin = 100 * (nmf - pca)
    told = (
        f"nearest neighbour on W is right for {percent(nmf)} of {n} held-out pictures at its best rank ({at}), PCA for {percent(pca)} "
        f"(rank {rank}), VQ's prototypes for {percent(found.best('VQ')[1])}, raw pixels for {percent(raw)}"
    )
    if not found.complete:
        return Claim(None, f"So far, with ranks still to come: {told}.")
    one = 100 / n
    if abs(margin) < one / 2:
        return Claim(None, f"NMF and PCA recognise equally well: {told}.")
    points = f"{abs(margin):.1f} percentage points ({round(abs(margin) / one)} pictures)"
    if margin > 0:
        return Claim(True, f"NMF recognises {points} more than PCA: {told}.")
    within = "within the 3 points one may call close" if margin >= -3 else "a clear loss"
    return Claim(
        False, f"NMF loses to PCA by {points}, {within}: {told}. For recognition alone, parts are no advantage."
    )


def cube_claim(found: Agreement | None) -> Claim:
    """Compare the strongest material per pixel with clusters of k-means."""
    if found is None:
        return Claim(None, "Without a ground truth there is nothing to compare with.")
    told = (
        f"normalised mutual information with the ground truth over {found.pixels:,} labelled pixels: strongest part of NMF "
        f"{found.nmf:.3f}, k-means {found.kmeans:.3f}, k-means on whitened PCA scores {found.pca:.3f}"
    )
    rival = max(found.kmeans, found.pca)
    extra = "NMF gives what clusters cannot: how much of each material a mixed pixel holds, and a spectrum for it."
    if abs(found.nmf - rival) < NMI:
        return Claim(None, f"As a map of classes NMF does about as well as the best clusters ({told}). {extra}")
    if found.nmf > rival:
        return Claim(True, f"Even as a map of classes NMF does better than clusters ({told}). {extra}")
    return Claim(False, f"As a map of classes NMF loses to clusters ({told}). {extra}")
