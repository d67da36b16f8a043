"""Regular expressions of clients: compiled once, and refused when compiling them would fill the memory or take long."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import regex as stoppable_regex

LONGEST_UNROLLED = 20_000
"""Characters and groups of an expression whose counted repetitions are written out, as the library does."""

LONGEST_TOGETHER = 25_000
"""Characters of all different expressions of a definition, repetitions written out; a thousand compile in 30 ms."""
_OF_EACH = 100  # compiling the shortest takes as long as so many characters of a long one

_TOKEN = re.compile(
    r"""(?P<repeat>\{(?P<least>\d+)(?:,\d*)?\})
    | (?P<open>\() | (?P<close>\))
    | \\. | \[\^?\]?(?:\\.|[^]\\])*\] | .""",
    re.VERBOSE | re.DOTALL,
)


class PatternRoom:
    """Counts the expressions of one definition while it is validated; a pydantic context under `PATTERN_ROOM`."""

    def __init__(self) -> None:
        self._left = LONGEST_TOGETHER
        self._seen: set[str] = set()

    def take(self, pattern: str) -> None:
        """Count an expression that is about to be compiled, unless the definition has it elsewhere as well.

        Raises:
            ValueError: the definition's expressions are too long together.
        """
        if pattern not in self._seen and self._left >= 0:
            self._seen.add(pattern)
            self._left -= len(pattern) + _OF_EACH
            if self._left >= 0:
                self._left -= max(int(min(LONGEST_UNROLLED, unrolled_length(pattern))) - len(pattern), 0)
        if self._left < 0:
            raise ValueError(
                f"the regular expressions of the definition are too long together; at most {LONGEST_TOGETHER} "
                f"characters are accepted, {_OF_EACH} more counted for each: write shorter ones, or fewer"
            )


PATTERN_ROOM = "pattern_room"


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The expression, ready for searches that can be stopped.

    Raises:
        ValueError: it is no regular expression, or too large when its repetitions are written out.
    """
    try:
        re.compile(pattern)  # what this one refuses and the stoppable library takes would be a language of its own
        length = unrolled_length(pattern)
        if length > LONGEST_UNROLLED:
            raise ValueError(
                f"its counted repetitions stand for about {length:.0e} characters; at most {LONGEST_UNROLLED} are "
                "accepted: write + or * instead"
            )
        return stoppable_regex.compile(pattern)
    except (re.error, stoppable_regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from error


def unrolled_length(pattern: str) -> float:
    """How long a valid expression is when `x{3}` is written as `xxx`; infinite when it is longer than any number."""
    lengths = [0.0]  # of the groups that are open
    last = 0.0  # of what a repetition repeats
    for token in _TOKEN.finditer(pattern):
        if token["repeat"]:
            repeated = last * max(float(token["least"]), 1.0)
            lengths[-1] += repeated - last if repeated < float("inf") else repeated
            last = repeated
        elif token["open"]:
            lengths.append(0.0)
        elif token["close"] and len(lengths) > 1:
            last = lengths.pop() + 1.0
            lengths[-1] += last
        else:
            last = 1.0
            lengths[-1] += last
    return sum(lengths)
