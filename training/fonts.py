"""The typefaces that renders are set in, all under licences that allow it; `training/README.md` lists them.

Faces of three families are kept out of training (`HELD_OUT`), so that evaluation can show unseen lettering.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

ROOTS = (Path("/usr/share/fonts"), Path(__file__).parent / ".fonts" / "node_modules" / "@fontsource")
WEB_WEIGHTS = ("latin-400-normal.woff", "latin-500-normal.woff", "latin-600-normal.woff", "latin-700-normal.woff")
ABSENT = ("/noto/", "/urw-base35/", "/droid/", "MathTeXGyre")  # symbols, other scripts, or not in that table
ONE_CASE = ("Bebas",)
HELD_OUT = ("Lato-", "DejaVuSerif", "saira-condensed")
PLATE_LIKE = (
    *("condensed", "Condensed", "Narrow-Bold.", "oswald", "overpass", "share-tech", "pathway", "B612Mono-Bold."),
    *("B612-Bold.", "LiberationSans-Bold.", "FreeSansBold.", "LiberationMono-Bold.", "CondBold", "Bebas"),
    *("Roboto-Medium.", "Roboto-Bold.", "Inconsolata", "OpenSans-Semibold.", "Cantarell-Bold", "DejaVuSans-Bold."),
)
HANGUL = ("NanumBarunGothicBold.", "NanumGothicBold.", "NanumSquareB.", "NanumSquareRoundB.")


@lru_cache(maxsize=1)
def _faces() -> tuple[str, ...]:
    found = [path for root in ROOTS if root.exists() for path in root.rglob("*")]
    return tuple(
        sorted(
            str(path)
            for path in found
            if path.suffix.lower() in {".ttf", ".otf"} or path.name.endswith(WEB_WEIGHTS)
            if not any(part in str(path) for part in ABSENT)
        )
    )


def _held_out(face: str) -> bool:
    return any(name in face for name in HELD_OUT)


@lru_cache(maxsize=2)
def plate_faces(unseen: bool = False) -> tuple[str, ...]:
    """Upright faces that resemble the lettering of plates; `unseen` gives those kept out of training."""
    upright = [face for face in _faces() if "Italic" not in face and "Oblique" not in face]
    chosen = tuple(face for face in upright if any(name in face for name in PLATE_LIKE) and _held_out(face) == unseen)
    if not chosen:
        raise FileNotFoundError(f"no typefaces under {', '.join(map(str, ROOTS))}: see training/README.md, Typefaces")
    return chosen


@lru_cache(maxsize=2)
def word_faces(unseen: bool = False) -> tuple[str, ...]:
    """Faces for ordinary print; `unseen` gives those kept out of training."""
    latin = (face for face in _faces() if "nanum" not in face.lower() and not any(name in face for name in ONE_CASE))
    return tuple(face for face in latin if _held_out(face) == unseen)


@lru_cache(maxsize=1)
def hangul_faces() -> tuple[str, ...]:
    """Faces that hold the syllables of Korean plates."""
    return tuple(face for face in _faces() if any(name in face for name in HANGUL))


@lru_cache(maxsize=800)
def face_at(path: str, size_px: int) -> ImageFont.FreeTypeFont:
    """A typeface at a size, cached: opening one costs more than drawing with it."""
    return ImageFont.truetype(path, size_px)
