"""A prepared built-in data set as a short text for an address: which data, and which steps with which options.

What the steps learned is left out: the same steps on the same data learn the same again.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from nmf_core.ingest.prepare import prepare
from nmf_core.ingest.steps import REGISTRY, Step, step_from_json
from nmf_core.types import Dataset, Kind

LONGEST = 1500  # characters; longer addresses are cut by some programs
_UNPACKED, _MOST_STEPS = 50_000, 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make a data set again.

    Attributes
    ----------
    source : str
        Name of a built-in data set.
    options : mapping
        Its options.
    steps : tuple of Step
        In order; what they have learned does not matter.
    kind : str or None
        What the rows are, if it was changed.
    cell_shape : tuple of int or None
        Shape of one row as a picture, if it was given.
    """

    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    kind: Kind | None = None
    cell_shape: tuple[int, ...] | None = None

    def then(self, steps: Iterable[Step], kind: Kind | None, cell_shape: tuple[int, ...] | None) -> Recipe:
        """Return the recipe with more steps."""
        return replace(
            self, steps=(*self.steps, *steps), kind=kind or self.kind, cell_shape=cell_shape or self.cell_shape
        )

    def encode(self) -> str:
        """Return the recipe as text of letters, digits, ``-`` and ``_``; empty when it would be too long for an address."""
        values: dict[str, Any] = {"from": self.source}
        if self.options:
            values["options"] = dict(self.options)
        if self.steps:
            values["steps"] = [_short(step) for step in self.steps]
        if self.kind:
            values["kind"] = self.kind
        if self.cell_shape:
            values["shape"] = list(self.cell_shape)
        packed = zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 9)
        text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
        return text if len(text) <= LONGEST else ""

    @classmethod
    def decode(cls, text: str) -> Recipe:
        """Read what `encode` wrote; an address is a stranger's text, so all of it is checked.

        Raises
        ------
        ValueError
            When the text is no recipe; the sentence says what is wrong.
        """
        if len(text) > LONGEST:
            raise ValueError("recipe: too long")
        try:
            worker = zlib.decompressobj()
            plain = worker.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), _UNPACKED)
            if worker.unconsumed_tail or not worker.eof:
                raise ValueError("recipe: too long, or cut off")
            values = json.loads(plain)
        except (binascii.Error, zlib.error, UnicodeDecodeError, RecursionError) as error:
            raise ValueError("recipe: damaged") from error
        if not isinstance(values, dict) or set(values) - {"from", "options", "steps", "kind", "shape"}:
            raise ValueError("recipe: unknown fields")
        source, options, steps = values.get("from"), values.get("options", {}), values.get("steps", [])
        kind, shape = values.get("kind"), values.get("shape")
        if not isinstance(source, str) or not isinstance(options, dict):
            raise ValueError("recipe: names no data set")
        if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in options.values()):
            raise ValueError("recipe: options must be numbers")
        if not isinstance(steps, list) or len(steps) > _MOST_STEPS:
            raise ValueError(f"recipe: expected up to {_MOST_STEPS} steps")
        if kind is not None and kind not in get_args(Kind):
            raise ValueError(f"recipe: unknown kind {kind!r}")
        if shape is not None and not (
            isinstance(shape, list) and 2 <= len(shape) <= 3 and all(type(s) is int and 0 < s < 1e6 for s in shape)
        ):
            raise ValueError("recipe: shape must hold two or three whole numbers")
        made = tuple(step_from_json(step) for step in steps)
        return cls(source, options, made, kind, None if shape is None else tuple(shape))

    def make(self, load: Callable[..., Dataset]) -> Dataset:
        """Load the data and apply the steps.

        Raises
        ------
        ValueError, KeyError
            When there are no such data, or a step cannot be used on them.
        """
        dataset = load(self.source, **self.options)
        if not self.steps and self.kind is None and self.cell_shape is None:
            return dataset
        made = prepare(dataset, self.steps, kind=self.kind, cell_shape=self.cell_shape).dataset
        return made.with_(name=f"{dataset.name} (prepared)")


def _short(step: Step) -> dict[str, Any]:
    """Return a step as plain values without the ones that are the default."""
    values = step.to_json(with_learned=False)
    usual = REGISTRY[step.NAME]().to_json()
    return {key: value for key, value in values.items() if key == "step" or usual.get(key) != value}
