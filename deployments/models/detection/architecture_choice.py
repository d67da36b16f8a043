"""Which architecture a package is, and whether its network gives what that architecture reads."""

from __future__ import annotations

import logging

from deployments.models.detection.architecture import DetectionArchitecture
from deployments.models.detection.architectures import (
    ARCHITECTURES,
    CHOOSE_THEMSELVES,
    architecture_by_outputs,
    is_settled,
)
from deployments.models.detection.outputs import OutputRoles
from deployments.models.detection.yolo26 import YOLO26
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.network_output import Outputs, listed
from deployments.models.package import ModelPackage

logger = logging.getLogger(__name__)


def choose_architecture(
    package: ModelPackage, outputs: Outputs, input_hw: tuple[int, int]
) -> tuple[DetectionArchitecture, OutputRoles]:
    """What decodes the outputs of a network, and which of them it reads.

    Args:
        package: what names the architecture, or does not.
        outputs: of a run of the network.
        input_hw: height and width of its canvas.

    Raises:
        UnsupportedModelError: no code here decodes it.
        ModelLoadError: the network gives something else than the architecture of its package.
    """
    guessed = architecture_by_outputs(outputs, input_hw)
    declared = _declared(package)
    architecture = declared or guessed
    if architecture is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} names no architecture, and its outputs {listed(outputs)} fit none; set "
            f"model_architecture, or --architecture of bare weights, to one of {', '.join(ARCHITECTURES)}",
            package.model_id,
        )
    if declared is None:
        logger.info(
            "the package names no architecture; its outputs tell",
            extra={"model_id": package.model_id, "architecture": architecture.name, "outputs": listed(outputs)},
        )
    roles = architecture.roles(outputs, input_hw)
    if roles is None:
        raise ModelLoadError(
            f"model {package.model_id!r} {_claim(package, architecture)}, which gives {architecture.layout}; its "
            f"network gives {listed(outputs)}{_advice(guessed)}",
            package.model_id,
        )
    if declared is None and not is_settled(architecture, outputs, input_hw):
        _check_class_count(package, architecture, roles, outputs)
    return architecture, roles


def _check_class_count(
    package: ModelPackage, guessed: DetectionArchitecture, roles: OutputRoles, outputs: Outputs
) -> None:
    named = len(package.class_names) + len(package.removed_class_ids)
    if named and named != roles.class_count:
        raise UnsupportedModelError(
            f"model {package.model_id!r} names no architecture; its outputs {listed(outputs)} look like {guessed.name} "
            f"with {roles.class_count} classes, and class_names.txt has {named}; set model_architecture to one of "
            f"{', '.join(ARCHITECTURES)}",
            package.model_id,
        )


def _declared(package: ModelPackage) -> DetectionArchitecture | None:
    if package.graph_suppresses and package.architecture not in CHOOSE_THEMSELVES:
        return YOLO26
    if package.architecture is None:
        return None
    known = ARCHITECTURES.get(package.architecture)
    if known is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} has architecture {package.architecture!r}; object detectors served here "
            f"are {', '.join(ARCHITECTURES)}",
            package.model_id,
        )
    return known


def _claim(package: ModelPackage, architecture: DetectionArchitecture) -> str:
    if architecture is YOLO26 and package.graph_suppresses:
        return "says that its graph drops overlapping boxes itself (post_processing.fused)"
    return f"says it is {package.architecture}"


def _advice(guessed: DetectionArchitecture | None) -> str:
    if guessed is None:
        return ""
    if guessed is YOLO26:
        return "; these look like boxes that the graph chose itself: set post_processing.fused, or the model to yolo26"
    return f"; these look like {guessed.name}: set the model to it, and post_processing.fused to false"
