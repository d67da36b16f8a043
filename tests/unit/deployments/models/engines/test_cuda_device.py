from __future__ import annotations

import onnxruntime as ort
import pytest

from deployments.models.engines.cuda_device import cuda_device

HAS_CUDA = "CUDAExecutionProvider" in ort.get_available_providers()


def test_a_device_that_is_not_there_is_none() -> None:
    assert cuda_device(4096) is None


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_CUDA, reason="this build of ONNX Runtime has no CUDA provider")
def test_a_gpu_says_its_name_and_what_it_can_compute() -> None:
    device = cuda_device(0)
    assert device is not None
    assert device.name
    assert float(device.compute_capability) >= 5
