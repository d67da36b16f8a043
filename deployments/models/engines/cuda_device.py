"""Which GPU this is, asked from the CUDA driver itself, so that no further package is needed."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

MAJOR_ATTRIBUTE = 75  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
MINOR_ATTRIBUTE = 76
NAME_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaDevice:
    """A GPU.

    Attributes:
        name: such as `NVIDIA L4`.
        compute_capability: such as `8.9`.
    """

    name: str
    compute_capability: str


def cuda_device(device_id: int) -> CudaDevice | None:
    """One of the visible GPUs; None where there is no driver or no such device.

    Source: CUDA Driver API, "Device Management".
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    handle, name = ctypes.c_int(), ctypes.create_string_buffer(NAME_BYTES)
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(handle), device_id):
        return None
    if driver.cuDeviceGetName(name, NAME_BYTES, handle):
        return None
    numbers = []
    for attribute in (MAJOR_ATTRIBUTE, MINOR_ATTRIBUTE):
        number = ctypes.c_int()
        if driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, handle):
            return None
        numbers.append(str(number.value))
    return CudaDevice(name=name.value.decode(errors="replace"), compute_capability=".".join(numbers))


def tensorrt_version() -> int | None:
    """Version of the TensorRT library, such as 101300; None where there is none."""
    try:
        library = ctypes.CDLL("libnvinfer.so.10")
    except OSError:
        return None
    return int(library.getInferLibVersion())
