"""The threshold that a request means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.package import ModelPackage
from workflows.ports import ConfidenceMode


def resolve_confidence(
    package: ModelPackage, confidence: float | ConfidenceMode, default: float
) -> float | NDArray[np.float32]:
    """The threshold, or one for each class.

    Args:
        package: what recommends thresholds.
        confidence: a number; `default` for the model's own; `best` for what its evaluation found, by class where it
            says so, and the model's own where it found nothing.
        default: the model's own when its package names none.

    Returns:
        A number, or (c,) float32 by class id.
    """
    if not isinstance(confidence, str):
        return float(confidence)
    own = default if package.default_confidence is None else package.default_confidence
    if confidence == "default":
        return own
    best = own if package.recommended.confidence is None else package.recommended.confidence
    if not package.recommended.per_class_confidence:
        return best
    thresholds = [package.recommended.per_class_confidence.get(name, best) for name in package.class_names]
    return np.array(thresholds, dtype=np.float32)
