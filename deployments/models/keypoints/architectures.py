"""Which code reads which family of models of key points. A new one is one file and one row here."""

from __future__ import annotations

from deployments.models.detection.outputs import OutputRoles
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.keypoints.architecture import KeypointArchitecture
from deployments.models.keypoints.yolo26 import YOLO26_POSE
from deployments.models.keypoints.yolov8 import YOLOV8_POSE
from deployments.models.network_output import Outputs, listed
from deployments.models.package import ModelPackage

ARCHITECTURES: dict[str, KeypointArchitecture] = {
    "yolo26": YOLO26_POSE,
    "yolov8": YOLOV8_POSE,
    "yolov11": YOLOV8_POSE,
    "yolov12": YOLOV8_POSE,
}
"""By the `model_architecture` of a package."""


def choose_architecture(
    package: ModelPackage, outputs: Outputs, points: int
) -> tuple[KeypointArchitecture, OutputRoles]:
    """What reads the outputs of a network, and which of them; the most common where the package names none.

    Args:
        package: what names the architecture, or does not.
        outputs: of a run of the network.
        points: key points of each object.

    Raises:
        UnsupportedModelError: no code here reads it.
        ModelLoadError: the network gives something else than the architecture of its package.
    """
    name = YOLO26_POSE.name if package.graph_suppresses else package.architecture or YOLOV8_POSE.name
    architecture = ARCHITECTURES.get(name)
    if architecture is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} has architecture {name!r}; models of key points served here are "
            f"{', '.join(ARCHITECTURES)}",
            package.model_id,
        )
    roles = architecture.find(outputs, points)
    if roles is None:
        raise ModelLoadError(
            f"model {package.model_id!r} is taken for {name} with {points} key points an object, which gives "
            f"{architecture.layout}; its network gives {listed(outputs)}",
            package.model_id,
        )
    return architecture, roles
