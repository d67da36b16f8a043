"""Whether the tensors of an ONNX file hold what they claim, and lie in the folder of their model.

A tensor says how large it is and where its values are: in the file, or in another one beside it. Both are written by
whoever made the file. A size that nothing stands behind would be allocated before anybody notices, and another file
could be any on this machine.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.protobuf import DamagedError, fields, varint, varints

TENSOR_IN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
"""Message -> number of a field -> message in it, along every way to a tensor. Source: onnx.proto, ONNX 1.17."""

ELEMENTS_A_BYTE = 4
"""The smallest element has two bits."""

DEEPEST = 64
LARGEST_DIMENSION = 2**63


@dataclass(slots=True)
class _Tensor:
    name: str = ""
    dims: list[int] = field(default_factory=list)
    is_external: bool = False
    external: dict[str, str] = field(default_factory=dict)


def check_tensors(content: mmap.mmap, path: Path) -> None:
    """Refuse tensors that claim more than there is, or keep their values outside of the folder.

    Args:
        content: of the file, whose outer fields are known to be whole.
        path: of the file.

    Raises:
        DamagedError: a message in it is cut off or lies about its size.
        ModelPackageError: a tensor points to a file outside of the folder, or to none.
    """
    for begin, end in _tensors(content):
        tensor = _read(content, begin, end)
        elements = math.prod(tensor.dims)
        there = _external_bytes(tensor, path) if tensor.is_external else end - begin
        if any(length >= LARGEST_DIMENSION for length in tensor.dims) or elements > there * ELEMENTS_A_BYTE:
            raise DamagedError(f"tensor {tensor.name!r} claims {elements} elements, and {there} bytes are there")


def external_files(path: Path) -> frozenset[str]:
    """What an ONNX file calls the files that it keeps tensors in; none when it is damaged."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            tensors = (_read(content, begin, end) for begin, end in _tensors(content))
            return frozenset(tensor.external.get("location", "") for tensor in tensors if tensor.is_external)
    except (DamagedError, ValueError):  # mmap has a ValueError for an empty file
        return frozenset()


def _tensors(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Begin and end of every tensor: the weights, and constants in nodes, functions and inner graphs."""
    waiting = [("model", 0, len(content), 0)]
    while waiting:
        kind, begin, end, depth = waiting.pop()
        if depth > DEEPEST:
            raise DamagedError(f"its graphs are nested more than {DEEPEST} deep")
        inner = TENSOR_IN[kind]
        for number, at, after in fields(content, begin, end, f"a {kind}"):
            what = inner.get(number)
            if what == "tensor":
                yield at, after
            elif what is not None:
                waiting.append((what, at, after, depth + 1))


def _read(content: mmap.mmap, begin: int, end: int) -> _Tensor:
    tensor = _Tensor()
    for number, at, after in fields(content, begin, end, "a tensor"):
        match number:
            case 1:  # dims
                # One number, or all of them packed: the same bytes.
                tensor.dims.extend(varints(content, at, after, "a tensor"))
            case 8:  # name
                tensor.name = _text(content, at, after)
            case 13:  # external_data
                key, value = _entry(content, at, after)
                tensor.external[key] = value
            case 14:  # data_location
                tensor.is_external = varint(content, at, after, "a tensor")[0] == 1
            case _:
                pass
    return tensor


def _entry(content: mmap.mmap, begin: int, end: int) -> tuple[str, str]:
    found = {number: _text(content, at, after) for number, at, after in fields(content, begin, end, "an entry")}
    return found.get(1, ""), found.get(2, "")


def _text(content: mmap.mmap, begin: int, end: int) -> str:
    return content[begin:end].decode(errors="replace")


def _external_bytes(tensor: _Tensor, path: Path) -> int:
    """How many bytes another file has for a tensor."""
    location = tensor.external.get("location", "")
    pure = PurePosixPath(location.replace("\\", "/"))
    folder = path.parent.resolve()
    outside = pure.is_absolute() or ".." in pure.parts or ":" in location or "\0" in location
    if outside or not (folder / pure).resolve().is_relative_to(folder):
        raise ModelPackageError(
            f"{path.name} keeps tensor {tensor.name!r} in {location!r}, outside of the model's folder; its values must "
            "be in the file, or in one beside it",
            str(path),
        )
    if not location or not (folder / pure).is_file():
        raise ModelPackageError(
            f"{path.name} keeps tensor {tensor.name!r} in {location!r}, and its folder has no such file",
            str(path),
        )
    size = (folder / pure).stat().st_size
    try:
        offset = int(tensor.external.get("offset", "0"))
        length = int(tensor.external.get("length", str(size - offset)))
    except ValueError as error:
        raise DamagedError(f"tensor {tensor.name!r} has no numbers for its place in {location!r}") from error
    if offset < 0 or length < 0 or offset + length > size:
        raise DamagedError(
            f"tensor {tensor.name!r} takes {length} bytes from byte {offset} on of {location!r}, which has {size}"
        )
    return length
