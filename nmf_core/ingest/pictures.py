"""Pictures: one of them as a matrix, many as one row each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nmf_core.ingest.names import tidy_names, title
from nmf_core.ingest.picture_file import LARGEST, count_frames, is_colour, open_picture, pixels_of
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import every, offer_part
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

SIDES = (16, 32, 48, 64, 96, 128, 192, 256)
ROOMY = 4_000_000  # cells a set of pictures is shrunk to by default
HELD = 400_000_000  # bytes of a set of pictures that are held before it is brought to one size
_BYTES = {"1": 1, "L": 1, "I": 4, "F": 4, "I;16": 4, "I;16B": 4, "I;16L": 4}  # of a pixel, as it is held; 3 for colours


def read_picture(data: bytes | memoryview, name: str, talk: Talk) -> Raw:
    """Read one picture; a TIFF or GIF with several pages is a set of pictures."""
    with open_picture(data, name, talk, LARGEST) as image:
        frames = count_frames(image, name)
        if frames > 1:
            return _from_frames(image, frames, name, talk)
        array = pixels_of(image, name, talk, _smaller(image, name, talk))
    height, width = array.shape[:2]
    if height * width < 4 or min(height, width) < 2:
        raise Refused(
            "too-small",
            f"The picture has {width} × {height} pixels; at least 2 × 2 are needed",
            hint="Choose a larger picture",
        )
    gray = array if array.ndim == 2 else gray_of(array)
    patch = 8 if min(height, width) >= 32 else 4
    across, down = width // patch, height // patch
    options = [
        Option("rows", f"the matrix of grey values: {height} rows × {width} columns", height),
        Option("channels", f"one row per pixel, one column per colour: {height * width:,} × 3", height * width),
        Option("patches", f"one row per patch of {patch} × {patch} pixels: {across * down:,} rows", across * down),
    ]
    if array.ndim == 2:
        options.pop(1)
    if across * down < 2:
        options.pop()
    answer = talk.ask("picture_as", "How is the picture turned into a matrix?", options, "rows", required=False)
    talk.note(
        "picture",
        f"A picture of {width} × {height} pixels, taken as {next(o.label for o in options if o.value == answer)}.",
        "picture_as",
    )
    if answer == "channels":
        X = array.reshape(-1, 3) / 255.0
        return Raw(
            X,
            _grid_names(height, width),
            np.array(["red", "green", "blue"]),
            kind="cube",
            extra={"image_shape": (height, width)},
        )
    if answer == "patches":
        cut = gray[: down * patch, : across * patch].reshape(down, patch, across, patch).swapaxes(1, 2)
        rows = np.array([f"patch {i + 1}, {j + 1}" for i in range(down) for j in range(across)])
        extra = {"image_shape": (down * patch, across * patch), "patch_grid": (down, across)}
        X = cut.reshape(down * across, patch * patch) / 255.0
        return Raw(X, rows, _grid_names(patch, patch), kind="images", cell_shape=(patch, patch), extra=extra)
    rows, cols = (np.array([f"{what} {i + 1}" for i in range(k)]) for what, k in (("row", height), ("column", width)))
    return Raw(gray / 255.0, rows, cols)


def _smaller(image: Any, name: str, talk: Talk) -> int:
    """Return into how many parts a picture's sides are divided: 1, unless it is too large and that is wanted."""
    width, height = image.size
    shrink = _parts(width * height, talk.limits.pixels)
    if shrink > 1:
        text = f"The picture has {width} x {height} pixels; the limit is {talk.limits.pixels // 1_000_000} MP"
        offer = f"Read it at 1/{shrink} of its width and height: {width // shrink} × {height // shrink} pixels"
        offer_part("smaller", "too-many-pixels", text, offer, "Make it smaller", talk)
        talk.note("reduced", f"The picture was read at 1/{shrink} of its width and height.", "smaller")
    return shrink


def read_pictures(files: Sequence[str], load: Callable[[int], bytes], talk: Talk) -> Raw:
    """Read many pictures, one row each; folders become labels.

    Parameters
    ----------
    files : sequence of str
        Their names.
    load : callable (int)
        Returns the bytes of the k-th one; they are not kept.
    talk : Talk
    """
    arrays: list[Array] = []
    names: list[str] = []
    failed: list[str] = []
    shrink = _shrink(files, load, talk)
    for k, name in enumerate(files):
        talk.progress("read", k / len(files))
        try:
            with open_picture(load(k), name, talk, shrink) as image:
                arrays.append(pixels_of(image, name, talk, shrink))
            names.append(name)
        except Refused as refused:
            if refused.message.code == "too-many-pixels" or len(files) == 1:
                raise
            failed.append(title(name))
    if failed:
        talk.note(
            "pictures-failed",
            f"{len(failed)} of {len(files)} files could not be read as pictures: {', '.join(failed[:3])}.",
        )
    if shrink > 1:
        talk.note(
            "reduced",
            f"The pictures are too large to hold together: all were read at 1/{shrink} of their width and height.",
        )
    if len(arrays) < 2:
        raise Refused(
            "too-small", f"{len(arrays)} picture could be read; at least two are needed", hint="Choose more pictures"
        )
    raw = from_pictures(arrays, [title(name) for name in names], talk)
    folders = [name.replace("\\", "/").rsplit("/", 2)[-2] if "/" in name.replace("\\", "/") else "" for name in names]
    kept = [folders[i] for i in raw.extra["kept"]]
    labels = {}
    if 1 < len(set(kept)) < len(kept):
        labels["folder"] = np.array([folder[:100] for folder in kept], dtype=np.str_)
        talk.note("labels", f"The folders became labels: {len(set(kept))} of them.")
    return raw.with_(labels=labels, extra={})


def _shrink(files: Sequence[str], load: Callable[[int], bytes], talk: Talk) -> int:
    """Return by how much pictures have to be shrunk as they are read, so that all of them fit into memory."""
    total = largest = 0
    for k, name in enumerate(files):
        try:
            with open_picture(load(k), name, talk, LARGEST) as image:
                pixels = image.width * image.height
        except Refused as refused:
            if refused.message.code == "too-many-pixels":
                raise
            continue  # damaged: said when it is read
        total, largest = total + pixels * _BYTES.get(image.mode, 3), max(largest, pixels)
    return max(1, _parts(total, HELD), _parts(largest, talk.limits.pixels))


def _parts(pixels: int, limit: int) -> int:
    """Return into how many parts width and height have to be divided for the pixels to fit."""
    return math.ceil(math.sqrt(pixels / limit))


def from_pictures(arrays: list[Array], names: list[str], talk: Talk) -> Raw:
    """Bring pictures to one size and lay them out as rows; ``extra["kept"]`` tells which."""
    sizes = [a.shape[:2] for a in arrays]
    kept = list(range(len(arrays)))
    height, width = sizes[0]
    resize = False
    if len(set(sizes)) > 1:
        common, often = Counter(sizes).most_common(1)[0]
        low = (min(s[0] for s in sizes), min(s[1] for s in sizes))
        options = [
            Option("smallest", f"resize all to {low[1]} × {low[0]} pixels", len(arrays)),
            Option("drop", f"keep the {often} pictures of {common[1]} × {common[0]} pixels", often),
        ]
        if often < 2:
            options.pop()
        answer = talk.ask(
            "sizes", f"The pictures have {len(set(sizes))} different sizes. What to do?", options, "smallest"
        )
        if answer == "drop":
            kept = [i for i in kept if sizes[i] == common]
            height, width = common
        else:
            (height, width), resize = low, True
            talk.note(
                "resized", f"Pictures of {len(set(sizes))} sizes were resized to {width} × {height} pixels.", "sizes"
            )
    colour = any(a.ndim == 3 and is_colour(a) for a in arrays)
    channels = 1
    if colour:
        options = [Option("grey", "grey values", 1), Option("colour", "red, green and blue", 3)]
        channels = (
            3 if talk.ask("colour", "Use colours or grey values?", options, "grey", required=False) == "colour" else 1
        )
        talk.note(
            "colour",
            "The pictures were read in colour." if channels == 3 else "Colours were turned into grey values.",
            "colour",
        )
    cells = len(kept) * height * width * channels
    if cells > ROOMY:
        fits = [s for s in SIDES if s < max(height, width)]
        options = (
            [Option("full", f"keep {width} × {height} pixels: {cells:,} cells", cells)]
            if cells <= talk.limits.cells
            else []
        )
        for side in fits:
            w, h = _fit(width, height, side)
            if len(kept) * w * h * channels <= talk.limits.cells:
                options.append(Option(str(side), f"shrink to {w} × {h} pixels", len(kept) * w * h * channels))
        if not options:
            raise Refused(
                "too-large",
                f"{len(kept):,} pictures of {width} × {height} pixels are {cells:,} cells; the limit is {talk.limits.cells:,}",
                hint="Choose fewer or smaller pictures",
            )
        roomy = [o for o in options if o.count is not None and o.count <= ROOMY]
        default = max(roomy, key=lambda o: o.count or 0).value if roomy else options[-1].value
        answer = talk.ask("shrink", "How large should the pictures be?", options, default, required=False)
        if answer != "full":
            width, height = _fit(width, height, int(answer))
            resize = True
            talk.note("shrunk", f"The pictures were shrunk to {width} × {height} pixels.", "shrink")
    rows = []
    for i in kept:
        array = arrays[i]
        if channels == 3:
            array = array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2)
        elif array.ndim == 3:
            array = gray_of(array)
        if resize and array.shape[:2] != (height, width):
            array = _resized(array, height, width)
        rows.append(np.asarray(array, dtype=np.float32).ravel() / 255.0)
    X = np.stack(rows)
    shape = (height, width) if channels == 1 else (height, width, 3)
    cols = _grid_names(height, width)
    if channels == 3:
        cols = np.array([f"{name}, {c}" for name in cols for c in ("red", "green", "blue")])
    talk.note(
        "pictures",
        f"{len(rows):,} pictures of {width} × {height} pixels, one row each; values from 0 (black) to 1 (white).",
    )
    row_names = np.array(tidy_names([names[i] for i in kept], talk, "row", "picture "))
    return Raw(X, row_names, cols, kind="images", cell_shape=shape, extra={"kept": kept})


def gray_of(array: Array) -> Array:
    """Return the luma (ITU-R BT.601) of red, green and blue."""
    return array[..., 0] * 0.299 + array[..., 1] * 0.587 + array[..., 2] * 0.114


def _from_frames(image: Any, frames: int, name: str, talk: Talk) -> Raw:
    width, height = image.size
    most = min(5000, 4 * talk.limits.pixels // (width * height))
    step = 1
    if frames > most:
        text = f"{frames:,} pages of {width} × {height} pixels; the limit is {4 * talk.limits.pixels:,} pixels in 5,000 pages"
        if most < 2:
            raise Refused("too-many-pixels", text, hint="Save fewer pages, or smaller ones")
        step = every(-(-frames // most), frames, "page", text, talk, code="too-many-pixels")
    arrays = []
    for k in range(0, frames, step):
        try:
            image.seek(k)
            arrays.append(pixels_of(image, name, talk))
        except (EOFError, OSError, ValueError, SyntaxError):
            talk.note("pictures-failed", f"Page {k + 1} of {frames} is damaged; the pages before it were read.")
            break
    if len(arrays) < 2:
        raise Refused("damaged", "The picture is damaged", hint="Save it again as PNG")
    raw = from_pictures(arrays, [f"page {k * step + 1}" for k in range(len(arrays))], talk)
    return raw.with_(extra={})


def _fit(width: int, height: int, side: int) -> tuple[int, int]:
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resized(array: Array, height: int, width: int) -> Array:
    from PIL import Image

    image = Image.fromarray(np.clip(np.round(array), 0, 255).astype(np.uint8))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX), dtype=np.float32)


def _grid_names(height: int, width: int) -> Array:
    if math.prod((height, width)) > 4_000_000:
        return np.array([f"{i + 1}" for i in range(height * width)])
    return np.array([f"row {r + 1}, column {c + 1}" for r in range(height) for c in range(width)])
