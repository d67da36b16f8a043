"""The name somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_LISTED = 12  # longer lists help nobody
_LONGEST_COMPARED = 64  # characters: comparing two names takes the square of their length
_MOST_COMPARED = 200


def suggest(name: str, known: Iterable[str], *, what: str, listed: int = _LISTED) -> str:
    """Words that help after an unknown name: the nearest known one, else those it is a part of, else all if few.

    Long names are like no other, and of very many known names only the first are compared.

    Args:
        name: the unknown name.
        known: the names that would be right.
        what: what the names are, in the plural, such as `inputs`.
        listed: how many names are still few.
    """
    names = list(dict.fromkeys(known))
    folded = {known_name.casefold(): known_name for known_name in names}
    near = _near(name.casefold(), folded)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    if not names:
        return f"there are no {what}"
    around = [
        known_name
        for key, known_name in folded.items()
        if 2 < len(name) <= _LONGEST_COMPARED and name.casefold() in key
    ]
    if around:
        return f"did you mean {' or '.join(repr(known_name) for known_name in around[:3])}?"
    if len(names) <= listed:
        return f"{what} here: {', '.join(names)}"
    return f"there are {len(names)} {what} and none has a similar name"


def _near(name: str, known: Iterable[str]) -> list[str]:
    if len(name) > _LONGEST_COMPARED:
        return []
    short = (known_name for known_name in known if len(known_name) <= _LONGEST_COMPARED)
    return get_close_matches(name, list(islice(short, _MOST_COMPARED)), n=1, cutoff=0.6)
