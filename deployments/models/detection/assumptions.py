"""What is taken for granted of a package that does not say everything, told in the log when its model is made."""

from __future__ import annotations

import logging

from deployments.models.detection.architecture import DetectionArchitecture
from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.package import ModelPackage

logger = logging.getLogger(__name__)


def say_what_was_assumed(
    package: ModelPackage,
    architecture: DetectionArchitecture,
    class_count: int | None,
    steps: ImagePreprocessing,
    input_hw: tuple[int, int],
) -> None:
    """Log how pictures are prepared where the package leaves that open, and class names that do not fit.

    Args:
        package: what was read.
        architecture: how its boxes are decoded.
        class_count: classes that the network scores; None where its outputs do not tell.
        steps: what is done to pictures.
        input_hw: size of the network's canvas.
    """
    if not package.preprocessing.complete:
        logger.info(
            "the package leaves the preparation of pictures to the architecture",
            extra={
                "model_id": package.model_id,
                "architecture": architecture.name,
                "resize_mode": str(steps.resize_mode),
                "padding_value": steps.padding_value,
                "input_hw": list(input_hw),
            },
        )
    named = len(package.class_names) + len(package.removed_class_ids)
    fits = class_count is None or named == class_count
    if architecture.unnamed_is_background:
        fits = class_count is not None and 0 < named <= class_count
    if not fits:
        logger.warning(
            "class names do not fit the network; classes without a name are called by their number",
            extra={"model_id": package.model_id, "class_names": named, "network_classes": class_count},
        )
