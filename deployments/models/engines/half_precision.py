"""Networks in single precision as networks in half precision, for devices that run them faster."""

from __future__ import annotations

from pathlib import Path


class HalfPrecisionError(RuntimeError):
    """The network cannot be brought to half precision here."""


def to_half_precision(weights: Path) -> bytes:
    """The network of an ONNX file in half precision, as a file; its inputs and outputs stay in single precision.

    Operations that lose too much (resizing, suppressing boxes, sorting) stay in single precision.

    Raises:
        HalfPrecisionError: the package `onnx` is not installed, or the file is no such network.
    """
    try:
        import onnx  # needed for this alone
        from google.protobuf.message import DecodeError
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ModuleNotFoundError as error:
        raise HalfPrecisionError(
            f"the package {error.name!r} is not installed; install it, or put weights.fp16.onnx into the model package"
        ) from error
    try:
        network = convert_float_to_float16(onnx.load(str(weights)), keep_io_types=True)
    except (ValueError, DecodeError) as error:
        raise HalfPrecisionError(f"{weights.name} does not convert: {error}") from error
    return bytes(network.SerializeToString())
