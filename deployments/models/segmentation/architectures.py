"""Which code reads which family of instance segmenters. A new one is one file and one row here."""

from __future__ import annotations

from deployments.models.detection.outputs import OutputRoles
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.network_output import Outputs, listed
from deployments.models.package import ModelPackage
from deployments.models.segmentation.architecture import SegmentationArchitecture
from deployments.models.segmentation.rfdetr import RFDETR_SEG
from deployments.models.segmentation.yolo26 import YOLO26_SEG
from deployments.models.segmentation.yolov5 import YOLOV5_SEG
from deployments.models.segmentation.yolov8 import YOLOV8_SEG

ARCHITECTURES: dict[str, SegmentationArchitecture] = {
    "rfdetr": RFDETR_SEG,
    "yolo26": YOLO26_SEG,
    "yolov5": YOLOV5_SEG,
    "yolov7": YOLOV5_SEG,
    "yolov8": YOLOV8_SEG,
    "yolov9": YOLOV8_SEG,
    "yolov11": YOLOV8_SEG,
    "yolov12": YOLOV8_SEG,
}
"""By the `model_architecture` of a package."""

TRIED = (RFDETR_SEG, YOLO26_SEG, YOLOV8_SEG, YOLOV5_SEG)
"""For packages that name none: the first whose outputs look like these, the strictest first."""


def choose_architecture(package: ModelPackage, outputs: Outputs) -> tuple[SegmentationArchitecture, OutputRoles]:
    """What reads the outputs of a network, and which of them.

    Raises:
        UnsupportedModelError: no code here reads it.
        ModelLoadError: the network gives something else than the architecture of its package.
    """
    declared = _declared(package)
    for architecture in TRIED if declared is None else (declared,):
        roles = architecture.find(outputs)
        if roles is not None:
            return architecture, roles
    if declared is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} names no architecture, and its outputs {listed(outputs)} fit none; set "
            f"model_architecture, or --architecture of bare weights, to one of {', '.join(ARCHITECTURES)}",
            package.model_id,
        )
    raise ModelLoadError(
        f"model {package.model_id!r} says it is {package.architecture}, which for instance segmentation gives "
        f"{declared.layout}; its network gives {listed(outputs)}",
        package.model_id,
    )


def _declared(package: ModelPackage) -> SegmentationArchitecture | None:
    if package.graph_suppresses and package.architecture != RFDETR_SEG.name:
        return YOLO26_SEG
    if package.architecture is None:
        return None
    known = ARCHITECTURES.get(package.architecture)
    if known is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} has architecture {package.architecture!r}; instance segmenters served here "
            f"are {', '.join(ARCHITECTURES)}",
            package.model_id,
        )
    return known
