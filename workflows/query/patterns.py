"""Regular expressions of clients: compiled once, and refused when compiling them would fill the memory."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import regex as stoppable_regex

LONGEST_UNROLLED = 20_000
"""Characters and groups of an expression whose counted repetitions are written out, as the library does."""

_TOKEN = re.compile(
    r"""(?P<repeat>\{(?P<least>\d+)(?:,\d*)?\})
    | (?P<open>\() | (?P<close>\))
    | \\. | \[\^?\]?(?:\\.|[^]\\])*\] | .""",
    re.VERBOSE | re.DOTALL,
)


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
