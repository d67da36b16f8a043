"""From the classes that a network scores to those that are answered: some are removed, the others move up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.errors import ModelLoadError
from deployments.models.package import ModelPackage


def answered_classes(boxes: RawBoxes, package: ModelPackage, *, unnamed_is_background: bool) -> RawBoxes:
    """The boxes of classes that are answered, numbered without those that the package removes.

    Args:
        boxes: with the classes of the network.
        package: what names and removes classes.
        unnamed_is_background: whether classes beyond the names mean that there is nothing.
    """
    removed = np.array(package.removed_class_ids, dtype=np.int64)
    named = len(package.class_names) + len(removed)
    if len(removed):
        boxes = boxes.select(~np.isin(boxes.class_id, removed))
    if unnamed_is_background:
        boxes = boxes.select(boxes.class_id < named)
    if not len(removed):
        return boxes
    class_id: NDArray[np.int64] = boxes.class_id - np.searchsorted(removed, boxes.class_id)
    return replace(boxes, class_id=class_id)


def class_name(package: ModelPackage, class_id: int) -> str:
    """What an answered class is called: by its number where the package has no name for it."""
    return package.class_names[class_id] if class_id < len(package.class_names) else str(class_id)


def check_classes_are_named(package: ModelPackage, class_count: int | None) -> None:
    """Refuse a package without the name of a single class.

    Args:
        package: what names classes.
        class_count: classes that its network scores; None where its outputs do not tell.

    Raises:
        ModelLoadError: says where names belong, and how many.
    """
    if package.class_names or package.removed_class_ids:
        return
    count = "each class" if class_count is None else f"each of the {class_count} classes"
    raise ModelLoadError(
        f"model {package.model_id!r} names no classes; write class_names.txt beside its weights, with one line for "
        f"{count} that its network scores, in their order, and name the folder, or give such a file with --classes",
        package.model_id,
    )
