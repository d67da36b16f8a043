"""Whether a weights file is whole and of a kind that may be opened, found without loading it.

An ONNX file is a protobuf message: fields one after another, each with its length. Walking over the fields of the
model, and of the graph in it, touches a few hundred places of the largest file, and finds one that was cut off, one
that was overwritten, and one whose lengths lie. Pickles are never opened: they may run code.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Sequence
from pathlib import Path

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.onnx_tensors import check_tensors
from deployments.models.package_layouts.protobuf import DamagedError, fields

PICKLE_SUFFIXES = frozenset({".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npz"})
FOREIGN_STARTS: dict[bytes, str] = {
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"PK\x03\x04": "a zip archive, as PyTorch writes pickles",
    b"\x89HDF": "an HDF5 file",
    b"version https://git-lfs": "the pointer of a Git LFS file; fetch the real one with `git lfs pull`",
    b"<!DOCTYPE": "a page of HTML, as servers send in place of a file",
    b"<html": "a page of HTML, as servers send in place of a file",
}
"""What weights are not, by their first bytes."""

SAFETENSORS = ".safetensors"
WEIGHTS_SUFFIXES = (".onnx", SAFETENSORS)
MOST_HEADER_BYTES = 100_000_000
"""Of a safetensors file. Source: the format's own limit, `MAX_HEADER_SIZE` in safetensors 0.5."""

MODEL_GRAPH, MODEL_IR_VERSION = 7, 1
"""Field numbers of `ModelProto`. Source: onnx.proto, ONNX 1.17."""


def check_weights_file(path: Path) -> None:
    """Refuse weights that are cut off, damaged, of a kind that is never opened, or read files outside of their folder.

    Raises:
        ModelPackageError: says what it is, and what would be right.
    """
    if not path.is_file():
        raise ModelPackageError(_missing(path), str(path))
    wanted = "a safetensors file" if path.suffix == SAFETENSORS else "an ONNX file"
    with path.open("rb") as file:
        start = file.read(32)
        if not start:
            raise ModelPackageError(f"{path.name} is empty; it must be {wanted}", str(path))
        for mark, kind in FOREIGN_STARTS.items():
            if start.startswith(mark):
                raise ModelPackageError(f"{path.name} is {kind}; it must be {wanted}", str(path))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                if path.suffix == SAFETENSORS:
                    _check_safetensors(content)
                else:
                    _check_onnx(content)
                    check_tensors(content, path)
            except DamagedError as error:
                raise ModelPackageError(
                    f"{path.name} is no whole {wanted.split(' ', 1)[1]}: {error}; fetch or export it again", str(path)
                ) from error


def _missing(path: Path) -> str:
    others = sorted(file.name for file in path.parent.iterdir() if file.is_file()) if path.parent.is_dir() else []
    pickles = [name for name in others if Path(name).suffix.lower() in PICKLE_SUFFIXES]
    if pickles:
        return pickles_refused(pickles, path.name)
    return f"{path.name} is missing; the folder holds {', '.join(others) or 'no files'}"


def pickles_refused(names: Sequence[str], wanted: str = "weights.onnx") -> str:
    """What to tell somebody who has only weights that are never opened.

    Args:
        names: of their files.
        wanted: the file that would be right.
    """
    return f"{', '.join(names)}: weights that may run code when opened are refused; export to {wanted}"


def _check_onnx(content: mmap.mmap) -> None:
    """Refuse what is no whole `ModelProto` with a graph."""
    found: dict[int, tuple[int, int]] = {}
    for field, begin, end in fields(content, 0, len(content), "the model"):
        found[field] = (begin, end)
    if MODEL_IR_VERSION not in found or MODEL_GRAPH not in found:
        raise DamagedError("it holds no graph")
    for _ in fields(content, *found[MODEL_GRAPH], "the graph"):
        pass


def _check_safetensors(content: mmap.mmap) -> None:
    """Refuse a header that does not describe exactly the bytes behind it.

    Source: the format's description in safetensors 0.5: eight bytes of header length, a JSON header with the offsets of
    each tensor, the tensors without holes.
    """
    size = len(content)
    header_bytes = int.from_bytes(content[:8], "little")
    if size < 8 or header_bytes > MOST_HEADER_BYTES or 8 + header_bytes > size:
        raise DamagedError(f"its header claims {header_bytes} bytes, the file has {size}")
    try:
        header = json.loads(content[8 : 8 + header_bytes])
        spans = sorted(
            (int(entry["data_offsets"][0]), int(entry["data_offsets"][1]))
            for name, entry in header.items()
            if name != "__metadata__"
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise DamagedError("its header is no description of tensors") from error
    at = 0
    for begin, end in spans:
        if begin != at or end < begin:
            raise DamagedError("its header leaves holes between tensors")
        at = end
    if 8 + header_bytes + at != size:
        raise DamagedError(f"its header describes {8 + header_bytes + at} bytes, the file has {size}")
