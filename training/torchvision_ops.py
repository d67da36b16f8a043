"""Let a torchvision wheel built for CUDA import beside a CPU build of torch of the same release.

Its operators cannot load without libtorch_cuda. torchvision tolerates that, except that it registers fake kernels for
two of them (`nms`, `qnms` in 0.28) unconditionally. Declaring their schemas first is enough, and is left alone where
the real operators load. Call before anything imports torchvision; docTR does.
"""

from __future__ import annotations

import torch

_DECLARED: list[torch.library.Library] = []  # torch forgets the declarations of a collected Library


def declare_torchvision_ops() -> None:
    """Declare the operators that torchvision insists on, where they are missing."""
    for name in ("nms", "qnms"):
        try:
            torch._C._dispatch_has_kernel_for_dispatch_key(f"torchvision::{name}", "Meta")
        except RuntimeError:
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _DECLARED.append(library)
