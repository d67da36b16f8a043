"""The name somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 12  # longer lists help nobody


def suggest(name: str, known: Iterable[str], *, what: str) -> str:
    """Words that help after an unknown name: the nearest known one, else all when they are few.

    Args:
        name: the unknown name.
        known: the names that would be right.
        what: what the names are, in the plural, such as `inputs`.
    """
    names = list(dict.fromkeys(known))
    folded = {known_name.casefold(): known_name for known_name in names}
    near = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    if not names:
        return f"there are no {what}"
    if len(names) <= _LISTED:
        return f"{what} here: {', '.join(names)}"
    return f"there are {len(names)} {what} and none has a similar name"
