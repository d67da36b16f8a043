"""Steps that a package names and a family of detectors does not take: what its networks were trained with instead."""

from __future__ import annotations

from dataclasses import replace

from deployments.models.image_preprocessing import IMAGENET_STATISTICS, LETTERBOX_GREY, ImagePreprocessing, ResizeMode

KEEPS_ASPECT_RATIO = frozenset({ResizeMode.LETTERBOX, ResizeMode.LETTERBOX_REFLECT_EDGES, ResizeMode.FIT_LONGER_EDGE})


def of_yolo(steps: ImagePreprocessing) -> ImagePreprocessing:
    """What a package calls `fit-longer-edge` is a grey letterbox for every YOLO."""
    if steps.resize_mode is ResizeMode.FIT_LONGER_EDGE:
        return replace(steps, resize_mode=ResizeMode.LETTERBOX, padding_value=LETTERBOX_GREY)
    return steps


def of_rfdetr(steps: ImagePreprocessing) -> ImagePreprocessing:
    """RF-DETR stretches whatever else would keep the aspect ratio, and takes values from 0 to 1 before normalization.

    Its backbone wants the statistics of ImageNet: they count where the package has no words for others.
    """
    return replace(
        steps,
        resize_mode=ResizeMode.STRETCH if steps.resize_mode in KEEPS_ASPECT_RATIO else steps.resize_mode,
        scaling_factor=255.0 if steps.scaling_factor is None else steps.scaling_factor,
        normalization=steps.normalization if steps.normalization is not None or steps.complete else IMAGENET_STATISTICS,
    )
