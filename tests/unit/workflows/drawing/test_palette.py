from __future__ import annotations

from typing import get_args

import pytest

from workflows.drawing.palette import ColourAxis, PaletteName, _palette, colour_lookup, palette


@pytest.mark.parametrize("name", [name for name in get_args(PaletteName) if name.startswith("Matplotlib")])
def test_palettes_of_matplotlib_have_as_many_colours_as_asked(name):
    assert len(palette(name, 5, []).colors) == 5


def test_custom_colours_are_used_in_their_order():
    colours = palette("CUSTOM", 10, ["#ff0000", "rgb(0, 255, 0)", "BLUE"])
    assert [colours.by_idx(index).as_rgb() for index in range(4)] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 0, 0),
    ]


@pytest.mark.parametrize("name", ["DEFAULT", "ROBOFLOW"])
def test_palettes_of_the_library_have_colours(name):
    assert palette(name, 10, []).colors


@pytest.mark.parametrize(("name", "colours"), [("CUSTOM", []), ("Matplotlib Jet", []), ("CUSTOM", ["pinkish"])])
def test_what_is_no_palette_is_refused(name, colours):
    with pytest.raises(ValueError, match=r"palette|colour"):
        palette(name, 10, colours)


@pytest.mark.parametrize("name", ["CUSTOM", "DEFAULT"])
def test_more_custom_colours_than_a_palette_may_have_are_refused_and_not_kept(name):
    kept = _palette.cache_info().currsize
    with pytest.raises(ValueError, match="custom_colors brings 1025 colours; a palette has at most 1024"):
        palette(name, 10, ["#ff0000"] * 1025)
    assert _palette.cache_info().currsize == kept
    assert len(palette("CUSTOM", 10, ["#ff0000"] * 1024).colors) == 1024


@pytest.mark.parametrize("axis", get_args(ColourAxis))
def test_every_axis_is_known_to_the_library(axis):
    assert colour_lookup(axis).value == axis.lower()


def test_a_palette_without_end_has_as_many_colours_as_anybody_can_tell_apart():
    assert len(palette("Matplotlib Viridis", 10**9, []).colors) == 1024
