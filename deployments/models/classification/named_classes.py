"""From scores to the classes that are answered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workflows.values.classification import Classification

Scores = NDArray[np.float32]

DIGITS = 4


def best_class(scores: Scores, names: tuple[str, ...], threshold: float) -> Classification:
    """The answer of a single-label classifier: classes that score at least the threshold, surest first, and the first.

    Scores are rounded to 4 digits after the comparison; of equal ones the class with the smaller number comes first.
    Nothing is named where no class scores enough.

    Args:
        scores: (c,) float32.
        names: of all c classes.
        threshold: a score equal to it passes.
    """
    listed = [(round(score, DIGITS), class_id) for class_id, score in enumerate(scores.tolist()) if score >= threshold]
    listed.sort(key=lambda pair: -pair[0])
    confidence, class_id = ([pair[column] for pair in listed] for column in (0, 1))
    return Classification(
        class_name=np.array([names[each] for each in class_id], dtype=np.str_),
        class_id=np.array(class_id, dtype=np.int64),
        confidence=np.array(confidence, dtype=np.float64),
        top_class=names[int(class_id[0])] if listed else "",
        top_confidence=float(confidence[0]) if listed else 0.0,
    )


def all_classes(scores: Scores, names: tuple[str, ...], threshold: float | Scores) -> Classification:
    """The answer of a multi-label classifier: every class with its score as it is, and those that apply.

    Args:
        scores: (c,) float32.
        names: of all c classes.
        threshold: for all classes, or (c,) by class; a score equal to it passes.
    """
    applying = np.flatnonzero(scores >= np.float32(threshold))
    return Classification(
        class_name=np.array(names, dtype=np.str_),
        class_id=np.arange(len(names)),
        confidence=scores.astype(np.float64),
        predicted_classes=tuple(names[class_id] for class_id in applying.tolist()),
    )
