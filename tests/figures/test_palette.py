"""Colours that colour-blind readers tell apart, on light and on dark pages."""

import itertools

import numpy as np
import pytest

from nmf_core.figures.palette import (
    COMPONENT_COLORS,
    LABEL_COLORS,
    SYMBOLS,
    component_color,
    component_colors,
    label_color,
    rgb_array,
    stepped_scale,
    with_alpha,
)

# Machado, Oliveira & Fernandes (2009), severity 1
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colors):
    c = rgb_array(colors) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    to_cone = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(np.clip(rgb @ to_cone.T, 0, None)) @ to_lab.T


def luminance(colors):
    return linear(colors) @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("colors", "least"), [(COMPONENT_COLORS, 0.07), (LABEL_COLORS, 0.035)])
def test_every_pair_differs_for_every_kind_of_sight(sight, colors, least):
    lab = oklab(np.clip(linear(colors) @ SIGHT[sight].T, 0, 1))
    apart = min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2))
    assert apart >= least


@pytest.mark.parametrize("colors", [COMPONENT_COLORS, LABEL_COLORS])
def test_every_colour_is_seen_on_white_and_on_a_dark_page(colors):
    light = luminance(colors)
    dark_page = luminance(("#0e1117",))[0]
    assert ((1.05) / (light + 0.05)).min() >= 1.7
    assert ((light + 0.05) / (dark_page + 0.05)).min() >= 1.9


def test_any_number_of_components_gets_colours_that_do_not_change():
    many = component_colors(300)
    assert len(set(many)) == 300
    assert many[:12] == COMPONENT_COLORS
    assert [component_color(i) for i in (0, 13, 299)] == [many[i] for i in (0, 13, 299)]
    assert all(len(c) == 7 and c.startswith("#") for c in component_colors(2000))


def test_groups_differ_from_components_and_have_symbols():
    assert not set(LABEL_COLORS) & set(COMPONENT_COLORS)
    assert len({label_color(i) for i in range(40)}) == 40
    assert len(set(SYMBOLS)) == len(SYMBOLS)


def test_stepped_scale_gives_whole_numbers_flat_colours():
    scale = stepped_scale(("#000000", "#ffffff", "#ff0000"))
    assert [edge for edge, _ in scale] == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1])
    assert [color for _, color in scale] == ["#000000", "#000000", "#ffffff", "#ffffff", "#ff0000", "#ff0000"]
    assert with_alpha("#0072b2", 0.5) == "rgba(0, 114, 178, 0.5)"
