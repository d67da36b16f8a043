"""Walking over the fields of a protobuf message in a file, without reading what they hold.

Source: protobuf's encoding document.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

VARINT, FIXED_64, LENGTH_DELIMITED, FIXED_32 = 0, 1, 2, 5
"""Wire types."""

LONGEST_VARINT = 10
HIGHEST_FIELD = 100


class DamagedError(ValueError):
    """Where the walk over a file could not go on, or what it found that cannot be."""


def fields(content: mmap.mmap, at: int, end: int, where: str) -> Iterator[tuple[int, int, int]]:
    """(field number, begin, end of its content) for each field of a message that lies in `content[at:end]`.

    Raises:
        DamagedError: a field reaches beyond the message, or is none.
    """
    while at < end:
        tag, at = varint(content, at, end, where)
        field, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            begin, after = at, varint(content, at, end, where)[1]
        elif wire_type == LENGTH_DELIMITED:
            length, begin = varint(content, at, end, where)
            after = begin + length
        elif wire_type in (FIXED_32, FIXED_64):
            begin, after = at, at + (4 if wire_type == FIXED_32 else 8)
        else:
            raise DamagedError(f"byte {at} of {where} begins no field")
        if not 0 < field <= HIGHEST_FIELD:
            raise DamagedError(f"byte {at} of {where} begins no field")
        if after > end:
            raise DamagedError(f"field {field} of {where} claims {after - begin} bytes, {end - begin} are left")
        yield field, begin, after
        at = after


def varint(content: mmap.mmap, at: int, end: int, where: str) -> tuple[int, int]:
    """A number of variable length, and where it ends.

    Raises:
        DamagedError: it does not end.
    """
    value = 0
    for position, byte in enumerate(content[at : min(at + LONGEST_VARINT, end)]):
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return value, at + position + 1
    raise DamagedError(f"{where} ends within a number at byte {at}")


def varints(content: mmap.mmap, at: int, end: int, where: str) -> Iterator[int]:
    """The numbers that stand one after another in `content[at:end]`.

    Raises:
        DamagedError: the last does not end.
    """
    while at < end:
        value, at = varint(content, at, end, where)
        yield value
