"""Which colours things are drawn in, and what decides which thing gets which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from workflows.drawing.colours import parse_colour
from workflows.drawing.sizes import LARGEST_PALETTE, at_most

if TYPE_CHECKING:
    import supervision as sv

PaletteName = Literal[
    "DEFAULT",
    "CUSTOM",
    "ROBOFLOW",
    "Matplotlib Viridis",
    "Matplotlib Plasma",
    "Matplotlib Inferno",
    "Matplotlib Magma",
    "Matplotlib Cividis",
    "Matplotlib Pastel1",
    "Matplotlib Pastel2",
    "Matplotlib Paired",
    "Matplotlib Accent",
    "Matplotlib Dark2",
    "Matplotlib Set1",
    "Matplotlib Set2",
    "Matplotlib Set3",
    "Matplotlib Tab10",
    "Matplotlib Tab20",
    "Matplotlib Tab20b",
    "Matplotlib Tab20c",
]
ColourAxis = Literal["INDEX", "CLASS", "TRACK"]

_QUALITATIVE = ("Pastel", "Paired", "Accent", "Dark", "Set")
"""Maps that matplotlib writes with a capital."""


def palette(name: str, size: int, custom_colours: Sequence[str]) -> sv.ColorPalette:
    """The colours of a palette.

    Args:
        name: one of PaletteName.
        size: number of colours, for the palettes of matplotlib.
        custom_colours: the colours of the palette CUSTOM.

    Raises:
        ValueError: no such palette, CUSTOM without colours, or more of them than a palette may have.
    """
    if len(custom_colours) > LARGEST_PALETTE:
        raise ValueError(f"custom_colors brings {len(custom_colours)} colours; a palette has at most {LARGEST_PALETTE}")
    return _palette(name, at_most(size, LARGEST_PALETTE), tuple(custom_colours))


@lru_cache(maxsize=64)
def _palette(name: str, size: int, custom_colours: tuple[str, ...]) -> sv.ColorPalette:
    import supervision as sv  # late: it takes seconds, and most processes never draw

    if name not in get_args(PaletteName):
        raise ValueError(f"{name!r} is no palette; right are {', '.join(get_args(PaletteName))}")
    if name == "CUSTOM":
        if not custom_colours:
            raise ValueError("the palette CUSTOM needs at least one colour in custom_colors")
        return sv.ColorPalette([sv.Color(*parse_colour(colour)) for colour in custom_colours])
    if name == "DEFAULT":
        return sv.ColorPalette.DEFAULT
    if name == "ROBOFLOW":
        return sv.ColorPalette.ROBOFLOW
    colour_map = name.removeprefix("Matplotlib ")
    return sv.ColorPalette.from_matplotlib(
        colour_map if colour_map.startswith(_QUALITATIVE) else colour_map.lower(), size
    )


def colour_lookup(axis: str) -> sv.ColorLookup:
    """What decides which colour of the palette a detection gets: its class, position or track."""
    import supervision as sv  # late: it takes seconds, and most processes never draw

    return sv.ColorLookup(axis.lower())
