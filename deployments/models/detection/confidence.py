"""The threshold that a request means."""

from __future__ import annotations

import math

import numpy as np

from deployments.models.detection.thresholds import Threshold
from deployments.models.package import ModelPackage
from workflows.ports import ConfidenceMode


def resolve_confidence(package: ModelPackage, confidence: float | ConfidenceMode, default: float) -> Threshold:
    """The threshold, or one for each class of the network.

    Args:
        package: what recommends thresholds.
        confidence: a number; `default` for the model's own; `best` for what its evaluation found, by class where it
            says so, and the model's own where it found nothing.
        default: the model's own when its package names none.
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
    for class_id in package.removed_class_ids:
        thresholds.insert(class_id, math.inf)
    return np.array([*thresholds, best], dtype=np.float32)
