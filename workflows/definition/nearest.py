"""The name somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 12  # longer lists help nobody


def suggest(name: str, known: Iterable[str], *, what: str, listed: int = _LISTED) -> str:
    """Words that help after an unknown name: the nearest known one, else those it is a part of, else all if few.

    Args:
        name: the unknown name.
        known: the names that would be right.
        what: what the names are, in the plural, such as `inputs`.
        listed: how many names are still few.
    """
    names = list(dict.fromkeys(known))
    folded = {known_name.casefold(): known_name for known_name in names}
    near = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    if not names:
        return f"there are no {what}"
    around = [known_name for key, known_name in folded.items() if len(name) > 2 and name.casefold() in key]
    if around:
        return f"did you mean {' or '.join(repr(known_name) for known_name in around[:3])}?"
    if len(names) <= listed:
        return f"{what} here: {', '.join(names)}"
    return f"there are {len(names)} {what} and none has a similar name"
