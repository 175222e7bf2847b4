"""The image lens in small: blocks, bytes, noise, quality, rebuilding, staged works, uploads."""

from __future__ import annotations

import io
import pickle
import zlib

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from nmf_core import Dataset, Stop, fit, load_dataset, staged
from nmf_core.components import present
from nmf_core.lenses.images import blocks, codec, cube, methods, noise, pictures, quality, recognition, truth
from nmf_core.lenses.images.compression import CompressionWork, RateWork, svd_within
from nmf_core.lenses.images.denoising import DenoisingWork, median_fill
from nmf_core.lenses.images.parts import ORDERS, order_of, rebuild, top_pictures, usage
from nmf_core.lenses.images.prepare import dense, single

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(17, 23), (16, 24), (17, 23, 3), (8, 8, 3)])
@pytest.mark.parametrize("block", [0, 8, 16])
def test_cut_and_paste_give_the_picture_back(shape, block):
    picture = RNG.random(shape)
    layout = blocks.Layout(shape, block)
    matrix = blocks.cut(picture, layout)
    assert matrix.shape == layout.matrix_shape
    np.testing.assert_array_equal(blocks.paste(matrix, layout), picture)


def test_the_first_row_is_the_first_block():
    picture = np.arange(16 * 16, dtype=float).reshape(16, 16)
    matrix = blocks.cut(picture, blocks.Layout((16, 16), 8))
    np.testing.assert_array_equal(matrix[0].reshape(8, 8), picture[:8, :8])
    np.testing.assert_array_equal(matrix[1].reshape(8, 8), picture[:8, 8:])


@pytest.mark.parametrize(
    ("shape", "side", "step"), [((20, 31), 8, 4), ((9, 9), 8, 3), ((8, 12), 8, 8), ((30, 30), 5, 2)]
)
def test_blended_patches_of_a_picture_are_the_picture(shape, side, step):
    picture = RNG.random(shape)
    rows = blocks.patches(picture, side, step)
    np.testing.assert_allclose(blocks.blend(rows, shape, side, step), picture, atol=1e-12)


def test_blend_averages_what_overlaps():
    rows = np.stack([np.zeros(4), np.ones(4)])
    np.testing.assert_allclose(blocks.blend(rows, (2, 3), 2, 1), [[0, 0.5, 1], [0, 0.5, 1]])


def test_quantised_factors_keep_zero_and_stay_within_half_a_level():
    W = RNG.random((50, 4)) * [1, 10, 100, 1000]
    W[0.3 * W.max(axis=0) > W] = 0
    levels, values = codec.quantise(W, axis=0)
    assert levels.dtype == np.uint8
    assert (values[W == 0] == 0).all()
    assert (np.abs(values - W) <= W.max(axis=0) / 255 / 2 + 1e-12).all()


def test_bytes_are_those_of_the_stated_rule():
    W, H = RNG.random((30, 3)), RNG.random((3, 20))
    levels_W, levels_H = codec.quantise(W, 0)[0], codec.quantise(H, 1)[0]
    packed = len(zlib.compress(levels_W.T.tobytes(), 9)) + len(zlib.compress(levels_H.tobytes(), 9))
    assert codec.size(levels_W, levels_H, signed=False) == 16 + 4 * (3 + 3) + packed
    assert codec.size(levels_W, levels_H, signed=True) == 16 + 8 * (3 + 3) + packed


def test_store_rebuilds_from_the_bytes_and_ignores_how_w_and_h_share_their_size():
    W, H = RNG.random((40, 5)), RNG.random((5, 30))
    n_bytes, product = codec.store(W, H)
    assert n_bytes < 8 * (W.size + H.size)
    np.testing.assert_allclose(product, W @ H, rtol=0.05)
    scale = np.array([1e-6, 1.0, 1e6, 3.0, 0.1])
    again, product_again = codec.store(W * scale, H / scale[:, None])
    assert abs(again - n_bytes) <= 4
    np.testing.assert_allclose(product_again, product, atol=0.02)


def test_svd_and_jpeg_stay_within_the_bytes_and_larger_would_not_fit():
    X = pictures.gray(pictures.shrink(pictures.sample("flower"), 128))
    rank, n_bytes, product = svd_within(X, 4000)
    assert n_bytes <= 4000
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    half = np.sqrt(s)
    more = codec.store(U[:, : rank + 1] * half[: rank + 1], half[: rank + 1, None] * Vt[: rank + 1], signed=True)[0]
    assert more > 4000
    np.testing.assert_allclose(product, (U[:, :rank] * s[:rank]) @ Vt[:rank], atol=0.05)
    size, quality_, decoded = codec.jpeg(X, 4000)
    assert size <= 4000
    assert 1 <= quality_ <= 100
    assert decoded.shape == X.shape
    assert quality.psnr(X, decoded) > 25
    assert codec.jpeg(X, 10)[1] == 1  # nothing fits: the smallest there is


def test_psnr_and_ssim_have_their_textbook_values():
    flat = np.full((16, 16), 0.5)
    assert quality.psnr(flat, flat + 0.1) == pytest.approx(20.0)
    assert quality.psnr(flat, flat) == float("inf")
    picture = RNG.random((16, 16))
    assert quality.ssim(picture, picture) == pytest.approx(1.0)
    assert quality.ssim(picture, 1 - picture) < 0
    assert np.isnan(quality.ssim(picture[:2], picture[:2]))
    np.testing.assert_allclose(quality.error_map(np.zeros((2, 2, 3)), np.ones((2, 2, 3)) * [0, 0.3, 0.6]), 0.3)


def test_noise_has_the_strength_asked_for():
    picture = np.full((200, 200), 0.5)
    for kind in ("gaussian", "speckle"):
        damaged = noise.damage(picture, kind, 0.1)
        scale = 0.1 if kind == "gaussian" else 0.05
        assert (damaged.picture - picture).std() == pytest.approx(scale, rel=0.03)
        assert damaged.doubtful is None
    missing = noise.damage(picture, "missing", 0.3)
    assert np.isnan(missing.picture).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_array_equal(np.isnan(missing.picture), missing.doubtful)
    salted = noise.damage(picture, "salt-and-pepper", 0.2)
    assert (salted.picture == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (salted.picture == 1).mean() == pytest.approx(0.1, abs=0.01)
    np.testing.assert_array_equal(
        noise.damage(picture, "gaussian", 0.1, 3).picture, noise.damage(picture, "gaussian", 0.1, 3).picture
    )
    with pytest.raises(ValueError, match="kind: unknown noise"):
        noise.damage(picture, "hail", 0.1)
    with pytest.raises(ValueError, match="strength"):
        noise.damage(picture, "gaussian", 1.5)


def test_median_fill_uses_known_neighbours_alone():
    picture = np.ones((7, 7))
    picture[3, 3] = np.nan
    picture[0, 0] = np.nan
    np.testing.assert_array_equal(median_fill(picture, 3), np.ones((7, 7)))
    lonely = np.full((9, 9), np.nan)
    lonely[0, 0] = 0.25
    np.testing.assert_array_equal(median_fill(lonely, 3), np.full((9, 9), 0.25))


@pytest.fixture(scope="module")
def digits():
    dataset = load_dataset("digits")
    result = fit(dataset, rank=8, max_iter=100)
    return dataset, result, present(dataset, result)


def test_usage_adds_up_and_does_not_depend_on_the_scale(digits):
    dataset, result, parts = digits
    measured = usage(parts)
    assert measured.share.sum() == pytest.approx(1)
    other = usage(present(dataset, result, scale="unit L2"))
    np.testing.assert_allclose(other.share, measured.share)
    np.testing.assert_allclose(other.pictures, measured.pictures)
    for by in ORDERS:
        assert sorted(order_of(parts, by)) == list(range(8))
    share = measured.share[order_of(parts, "usage")]
    assert (np.diff(share) <= 0).all()
    with pytest.raises(ValueError, match="order"):
        order_of(parts, "colour")


def test_top_pictures_are_those_that_hold_most_of_the_part(digits):
    _, _, parts = digits
    rows, share = top_pictures(parts, 2, 5)
    whole = parts.amounts / parts.amounts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(share, np.sort(whole[:, 2])[::-1][:5])
    np.testing.assert_allclose(whole[rows, 2], share)


def test_a_picture_is_rebuilt_from_black_to_wh_in_the_order_of_size(digits):
    dataset, result, parts = digits
    built = rebuild(dataset, parts, 7)
    assert not built.running[0].any()
    np.testing.assert_allclose(built.running[-1], (result.W @ result.H)[7], atol=1e-9)
    np.testing.assert_allclose(built.running[-1] + built.residual, dataset.X[7], atol=1e-9)
    assert (np.diff(np.linalg.norm(built.contributions, axis=1)) <= 1e-9).all()
    assert built.errors[0] == pytest.approx(1)
    some = rebuild(dataset, parts, 7, np.array([1, 4]), 1)
    assert len(some.order) == 1
    assert some.order[0] in (1, 4)
    with pytest.raises(IndexError, match="no picture"):
        rebuild(dataset, parts, dataset.shape[0])


def test_a_picture_with_missing_pixels_is_judged_on_the_known_ones():
    X = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0])
    X[1, 2] = np.nan
    dataset = Dataset.of(X, cell_shape=(2, 2))
    result = fit(dataset, rank=1, max_iter=300, tol=1e-12)
    built = rebuild(dataset, present(dataset, result), 1)
    assert np.isnan(built.original[2])
    assert built.errors[-1] < 1e-4


def test_dense_fills_missing_pixels_with_the_mean_of_their_place_and_says_so():
    X, note = dense(Dataset.of([[1.0, np.nan], [3.0, 4.0], [5.0, 6.0]]))
    np.testing.assert_allclose(X, [[1, 5], [3, 4], [5, 6]])
    assert note.startswith("1 missing")
    data = load_dataset("digits")
    assert single(data).X.dtype == np.float32
    assert single(data) is single(data)
    assert single(data).cell_shape == data.cell_shape


def works():
    face = pictures.as_dataset(pictures.gray(pictures.shrink(pictures.sample("china"), 48)), "small")
    few = load_digits()
    rows = np.arange(120)
    digits = Dataset.of(
        few.data[rows], cell_shape=(8, 8), labels={"digit": few.target[rows].astype(str)}, kind="images"
    )
    pines = load_dataset("indian_pines")
    return {
        "compression": (CompressionWork(face.id, 4, 8, 30), face),
        "rate": (RateWork(face.id, (2, 4), 8, 20), face),
        "denoising": (DenoisingWork(face.id, "missing", 0.3, 0, 6, 8, 4, False, 10), face),
        "rivals": (methods.RivalsWork(digits.id, 5), digits),
        "errors": (methods.ErrorsWork(digits.id, (2, 4), 0.0, 0, 20), digits),
        "recognition": (recognition.RecognitionWork(digits.id, "digit", (4, 8), 3, 0, 20), digits),
        "agreement": (cube.AgreementWork(pines.id, methods.nmf_request(3, max_iter=10), "ground truth"), pines),
    }


@pytest.mark.parametrize("name", list(works()))
def test_works_give_the_same_bits_however_they_are_cut(name):
    work, dataset = works()[name]
    assert work.key == pickle.loads(pickle.dumps(work)).key  # noqa: S301
    whole = staged.run(work, dataset)
    state, stops, partial = None, [], 0
    for _ in range(5000):
        chunk = work.advance(dataset, pickle.loads(pickle.dumps(state)), 0.001)  # noqa: S301
        state = chunk.state
        stops.append(chunk.progress)
        partial += work.result(dataset, state, chunk.stop) is not None
        if chunk.stop is not Stop.RUNNING:
            break
    assert chunk.stop is Stop.CONVERGED
    assert stops == sorted(stops)
    assert stops[-1] == 1.0
    assert partial >= 1
    assert same(work.result(dataset, state, chunk.stop), whole)


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if hasattr(a, "equals"):
        return a.equals(b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "__slots__"):
        return all(same(getattr(a, k), getattr(b, k)) for k in a.__slots__)
    return a == b


def test_every_setting_has_a_key_of_its_own():
    base = CompressionWork("x", 4, 8, 30)
    others = [
        CompressionWork("y", 4, 8, 30),
        CompressionWork("x", 5, 8, 30),
        CompressionWork("x", 4, 16, 30),
        RateWork("x"),
    ]
    assert len({w.key for w in (base, *others)}) == 5


def test_recognition_never_compares_a_picture_with_its_own_fold():
    classes = np.repeat([f"c{i}" for i in range(7)], [4, 5, 2, 3, 6, 1, 9])
    rows, kept, fold_of, folds = recognition.split(classes, 3, 0)
    assert len(rows) == 29  # the class of one picture is left out
    assert folds == 3
    for c in np.unique(kept):
        counts = np.bincount(fold_of[kept == c], minlength=3)
        assert counts.max() - counts.min() <= 1
    work, dataset = works()["recognition"]
    found = staged.run(work, dataset)
    for near in found.nearest.values():
        assert (found.fold_of[near] != found.fold_of).all()
    with pytest.raises(ValueError, match="two classes"):
        recognition.split(np.array(["a", "b", "c"]), 3, 0)


def test_fold_in_solves_the_least_squares_problem():
    from scipy.optimize import nnls

    H, X = RNG.random((4, 12)), RNG.random((6, 12))
    expected = np.stack([nnls(H.T, x)[0] for x in X])
    np.testing.assert_allclose(recognition.fold_in(X, H), expected, atol=1e-3)


def test_pca_errors_agree_with_pca_itself():
    X = load_digits().data[:200].astype(np.float32)
    errors = methods.pca_errors(X, (3, 10))
    for rank, error in zip((3, 10), errors, strict=True):
        assert methods.pca(X, rank).error == pytest.approx(error, rel=1e-3)


def test_quantization_is_the_nearest_prototype_and_survives_equal_pictures():
    X = load_digits().data[:200].astype(np.float32)
    vq = methods.quantization(X, 6)
    distance = ((X[:, None] - vq.parts[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(vq.codes.argmax(axis=1), distance.argmin(axis=1))
    assert methods.quantization(np.ones((8, 4), dtype=np.float32), 3).error < 1e-6


def test_matching_with_known_parts_finds_permuted_scaled_and_negated_ones():
    parts = np.eye(5)[:, :5]
    recovery = truth.recover(-3 * parts[[3, 1, 4, 0, 2]], parts)
    np.testing.assert_array_equal(recovery.component, [3, 1, 4, 0, 2])
    np.testing.assert_allclose(recovery.cosine, 1)
    fewer = truth.recover(parts[:2], parts)
    assert (fewer.component >= 0).sum() == 2
    ghost = parts[1] + parts[0]
    seen = truth.recover(np.stack([parts[0], ghost]), parts[:2], parts[0])
    assert seen.ghost[1] == pytest.approx(0.5)
    assert seen.cosine_without[1] == pytest.approx(1.0)


def test_cube_without_a_scene_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="height and width"):
        cube.image_shape(Dataset.of(np.ones((6, 3)), kind="cube"))
    with pytest.raises(ValueError, match="height and width"):
        cube.image_shape(Dataset.of(np.ones((6, 3)), kind="cube", extra={"image_shape": (2, 2)}))
    assert cube.image_shape(Dataset.of(np.ones((6, 3)), kind="cube", extra={"image_shape": (2, 3)})) == (2, 3)


def test_telling_is_the_area_under_the_curve():
    from sklearn.metrics import roc_auc_score

    shares = RNG.random((60, 3))
    classes = np.array(["a", "b", "unlabelled"] * 20)
    table = cube.telling(shares, classes).set_index("class")
    known = classes != "unlabelled"
    for name in ("a", "b"):
        expected = [roc_auc_score(classes[known] == name, shares[known, k]) for k in range(3)]
        assert table.loc[name, "AUC"] == pytest.approx(max(expected))
        assert table.loc[name, "part"] == int(np.argmax(expected))
    np.testing.assert_allclose(cube.spectral_angle(np.array([1.0, 0.0]), np.array([[2.0, 0.0], [0.0, 3.0]])), [0, 90])


def picture_bytes(image: Image.Image, kind: str = "PNG", **more) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16", "CMYK"])
def test_uploads_of_every_mode_become_colour_pictures(mode):
    values = (np.arange(40 * 30).reshape(40, 30) % 256).astype(np.uint8)
    image = Image.fromarray(values.astype(np.uint16) * 200) if mode == "I;16" else Image.fromarray(values).convert(mode)
    picture = pictures.decode(picture_bytes(image, "TIFF" if mode == "CMYK" else "PNG"))
    assert picture.shape == (40, 30, 3)
    assert 0 <= picture.min() <= picture.max() <= 1
    assert picture.std() > 0.05


def test_large_uploads_are_shrunk_turned_upright_and_put_on_white():
    wide = Image.new("RGB", (900, 300), (255, 0, 0))
    assert pictures.decode(picture_bytes(wide), 300).shape == (100, 300, 3)
    turned = Image.new("RGB", (60, 40))
    exif = turned.getexif()
    exif[0x0112] = 6
    assert pictures.decode(picture_bytes(turned, "JPEG", exif=exif)).shape == (60, 40, 3)
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert pictures.decode(picture_bytes(clear)).min() == 1.0


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", picture_bytes(Image.new("RGB", (50, 50)))[:60], b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_refused_in_a_sentence(data):
    with pytest.raises(pictures.UnreadablePicture, match="could not be read as a picture"):
        pictures.decode(data)


def test_a_bomb_is_refused_before_it_is_opened():
    for side in (9_000, 14_000):
        bomb = picture_bytes(Image.new("1", (side, side)))
        assert len(bomb) < 1_000_000
        with pytest.raises(pictures.UnreadablePicture, match="pixels, too many"):
            pictures.decode(bomb)


def test_shrinking_keeps_the_mean_and_colours():
    picture = pictures.sample("flower")
    small = pictures.shrink(picture, 64)
    assert max(small.shape[:2]) == 64
    np.testing.assert_allclose(small.mean(axis=(0, 1)), picture.mean(axis=(0, 1)), atol=0.01)
    assert pictures.shrink(small, 64) is small
    again = pictures.of_dataset(pictures.as_dataset(small, "x"))
    np.testing.assert_array_equal(again, small)
