from __future__ import annotations

from importlib.util import find_spec

if find_spec("torch") is not None:
    # Serving needs a torchvision that fits its torch; tests also run beside one that was built for another device.
    from training.torchvision_ops import declare_torchvision_ops

    declare_torchvision_ops()
