"""What the image lens says about the shipped data, and must keep being able to say."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import Dataset, fit, load_dataset, staged
from nmf_core.lenses.images import claims, methods, pictures, quality
from nmf_core.lenses.images.compression import CompressionWork
from nmf_core.lenses.images.denoising import DenoisingWork
from nmf_core.lenses.images.noise import damage
from nmf_core.lenses.images.prepare import single
from nmf_core.lenses.images.recognition import RecognitionWork
from nmf_core.lenses.images.truth import FOUND, PENALISED, PLAIN, SIGNED, KnownPartsWork
from nmf_core.quality import hoyer
from nmf_core.wording import percent


@pytest.fixture(scope="module")
def faces() -> Dataset:
    return load_dataset("faces_orl")


def test_parts_of_faces_at_rank_49_are_sparser_than_those_of_pca_and_vq(faces):
    result = fit(single(faces), methods.nmf_request(49))
    rivals = staged.run(methods.RivalsWork(faces.id, 49), faces)
    comparison = methods.compare(faces, result, rivals)
    sparse = {m.name: float(np.nanmean(m.sparseness_parts)) for m in comparison.methods}
    assert sparse["NMF"] > sparse["PCA"] + 0.1
    assert sparse["NMF"] > sparse["VQ"] + 0.1
    errors = {m.name: m.error for m in comparison.methods}
    assert errors["PCA"] < errors["NMF"] < errors["VQ"]
    assert (comparison.of("PCA").parts < 0).mean() > 0.3
    assert (comparison.of("NMF").parts >= 0).all()
    assert (comparison.of("VQ").codes.sum(axis=1) == 1).all()
    told = claims.parts_claim(comparison)
    assert told.holds is True
    assert f"NMF {sparse['NMF']:.2f}" in told.text


def test_the_sparseness_slider_makes_parts_of_faces_more_local_at_a_small_price(faces):
    plain = fit(single(faces), methods.nmf_request(25, max_iter=60))
    local = fit(single(faces), methods.nmf_request(25, 0.7, max_iter=60))
    assert hoyer(local.H).min() >= 0.7 - 1e-5
    assert hoyer(plain.H).mean() < 0.5
    assert np.sqrt(local.loss) < 1.25 * np.sqrt(plain.loss)


def test_swimmer_gives_its_limbs_the_torso_is_a_ghost_and_a_penalty_chases_it_away():
    data = load_dataset("swimmer")
    known = staged.run(KnownPartsWork(data.id), data)
    assert known.names[known.shared] == "torso"
    by_name = dict(zip(known.methods, known.recoveries, strict=True))
    limbs = known.others
    assert len(limbs) == 16
    plain, penalised, signed = by_name[PLAIN], by_name[PENALISED], by_name[SIGNED]
    # Every limb position comes out of plain NMF, up to the torso that plain NMF may put anywhere.
    assert (plain.cosine_without[limbs] >= FOUND).all()
    assert plain.cosine[limbs].mean() > 0.8
    assert plain.ghost[limbs].mean() > 0.005
    # With a small penalty there is one tidy answer.
    assert (penalised.cosine >= 0.999).all()
    assert penalised.ghost[limbs].max() < 1e-3
    # Principal axes are no limbs.
    assert (signed.cosine[limbs] < 0.8).all()
    told = claims.known_claim(known)
    assert told.holds
    assert "16 of 16" in told.text
    assert "ghost" in told.text


def test_the_ghost_costs_nothing_moving_the_torso_into_a_limb_changes_no_picture():
    data = load_dataset("swimmer")
    parts = np.asarray(data.extra["true_parts"])
    W = fit(data, H=parts, update_H=False, rank=17, init="custom", W=np.ones((256, 17)), max_iter=500, tol=0.0).W
    haunted = parts.copy()
    haunted[1:5] += 0.4 * parts[0]  # the four positions of one limb, of which each picture has exactly one
    less = W.copy()
    less[:, 0] -= 0.4
    np.testing.assert_allclose(W @ parts, data.X, atol=1e-6)
    np.testing.assert_allclose(less @ haunted, W @ parts, atol=1e-6)
    assert less.min() > -1e-6


@pytest.mark.parametrize("name", ["china", "flower"])
def test_inpainting_30_percent_gains_far_more_than_3_db_over_mean_filling(name):
    picture = pictures.gray(pictures.shrink(pictures.sample(name), 160))
    data = pictures.as_dataset(picture, name)
    found = staged.run(DenoisingWork(data.id, "missing", 0.3, 0, 20, 8, 4, False, 25), data)
    start, nmf = found.restored[0], found.of("NMF on patches")
    assert start.method == "Mean filling"
    assert nmf.psnr >= start.psnr + 3
    assert nmf.ssim > start.ssim
    known = ~np.isnan(found.damaged.picture)
    np.testing.assert_array_equal(nmf.picture[known], picture[known])  # known pixels are left alone
    assert f"gains {nmf.psnr - start.psnr:.1f} dB" in claims.denoising_claim(found).text


def test_inpainting_whole_faces_gains_3_db_over_the_mean_face(faces):
    X = np.asarray(faces.X[::4], dtype=np.float32)
    hidden = np.isnan(damage(X.astype(float), "missing", 0.3, 1).picture)
    seen = np.where(hidden, np.nan, X)
    result = fit(seen, rank=20, init="random", max_iter=40, tol=1e-5)
    mean_face = np.broadcast_to(np.nanmean(seen, axis=0), X.shape)
    ours = quality.psnr(X[hidden], (result.W @ result.H)[hidden])
    assert ours >= quality.psnr(X[hidden], mean_face[hidden]) + 3


def test_doubtful_pixels_left_out_beat_the_median_filter_on_salt_and_pepper():
    picture = pictures.gray(pictures.shrink(pictures.sample("china"), 160))
    data = pictures.as_dataset(picture, "china")
    found = staged.run(DenoisingWork(data.id, "salt-and-pepper", 0.15, 0, 24, 8, 4, False, 25), data)
    assert found.of("NMF on patches").psnr > found.of("Median filter").psnr + 3
    trusting = staged.run(DenoisingWork(data.id, "salt-and-pepper", 0.15, 0, 24, 8, 4, True, 25), data)
    assert trusting.of("NMF on patches").psnr < found.of("NMF on patches").psnr - 3


def test_gaussian_noise_is_the_filters_own_ground_and_the_claim_says_so():
    picture = pictures.gray(pictures.shrink(pictures.sample("flower"), 160))
    data = pictures.as_dataset(picture, "flower")
    found = staged.run(DenoisingWork(data.id, "gaussian", 0.1, 0, 16, 8, 2, False, 30), data)
    assert found.of("NMF on patches").psnr > found.restored[0].psnr + 3
    told = claims.denoising_claim(found)
    gap = max(r.psnr for r in found.restored[2:]) - found.of("NMF on patches").psnr
    assert gap > 0.1
    assert told.holds is False
    assert f"{gap:.1f} dB worse" in told.text


def test_recognition_is_within_3_points_of_pca_and_the_claim_says_by_how_much(faces):
    found = staged.run(RecognitionWork(faces.id, "person", (20, 40), 5, 0, 50), faces)
    assert found.ranks == (20, 40)
    assert len(found.classes) == 400
    nmf, pca, vq = (found.best(name)[1] for name in ("NMF", "PCA", "VQ"))
    assert nmf > pca - 0.03
    assert nmf > 0.9
    assert vq < nmf - 0.1
    wrong, taken = found.confusions("NMF", found.best("NMF")[0])
    assert len(wrong) == round(400 * (1 - nmf))
    assert (found.classes[wrong] != found.classes[taken]).all()
    told = claims.recognition_claim(found)
    assert percent(nmf) in told.text
    assert told.holds is (None if abs(nmf - pca) < 0.001 else bool(nmf > pca))


def test_compression_at_equal_bytes_and_jpeg_wins():
    picture = pictures.shrink(pictures.sample("china"), 200)
    data = pictures.as_dataset(picture, "china")
    found = staged.run(CompressionWork(data.id, 16, 8, 80), data)
    nmf, svd, jpeg = found.coded
    assert (nmf.method, svd.method, jpeg.method) == ("NMF", "SVD", "JPEG")
    assert 0.85 * nmf.n_bytes <= svd.n_bytes <= nmf.n_bytes
    assert jpeg.n_bytes <= nmf.n_bytes
    assert nmf.n_bytes < found.raw_bytes / 4
    assert jpeg.psnr > max(nmf.psnr, svd.psnr)
    assert nmf.psnr == pytest.approx(quality.psnr(picture, nmf.picture))
    told = claims.compression_claim(found)
    assert told.holds is False
    assert f"{jpeg.psnr - nmf.psnr:.1f} dB better than NMF" in told.text


def test_spectral_materials_tell_classes_apart_and_the_claim_compares_with_clusters():
    from nmf_core.components import present
    from nmf_core.lenses.images import cube

    data = load_dataset("indian_pines")
    result = fit(single(data), rank=5, init="nndsvd", max_iter=300)
    shares = cube.abundances(present(data, result))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    table = cube.telling(shares, data.labels["ground truth"]).set_index("class")
    assert table.loc["grass, pasture", "AUC"] > 0.95
    assert "unlabelled" not in table.index
    agreement = cube.agreement(shares, single(data).X, data.labels["ground truth"])
    told = claims.cube_claim(agreement)
    assert f"{agreement.nmf:.3f}" in told.text
    assert agreement.nmf > 0.2
