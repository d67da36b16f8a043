"""Which classes an image belongs to, as a classifier sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classification:
    """Scores of n classes for one image, and which of them apply.

    A single-label classifier names one class, the best; a multi-label classifier names any number of them.

    Attributes:
        class_name: (n,) str; strongest first for a single-label classifier, the model's own order for multi-label.
        class_id: (n,) int64.
        confidence: (n,) float64, 0 to 1.
        top_class: the best class of a single-label classifier, empty when it named none; empty for multi-label.
        top_confidence: its score, 0 when it named none.
        predicted_classes: classes that apply, for a multi-label classifier; None for a single-label one.
        image_wh: size of the image they belong to; None when unknown.
        parent_id: identity of the image; None when unknown.
        root_parent_id: identity of the uploaded image; None when unknown.
        inference_id: the model call that made them; None when unknown.
        duration_s: time the model took, the wire's `time`; None when unknown.
        prediction_type: the wire's `prediction_type`.
    """

    class_name: NDArray[np.str_]
    class_id: NDArray[np.int64]
    confidence: NDArray[np.float64]
    top_class: str = ""
    top_confidence: float = 0.0
    predicted_classes: tuple[str, ...] | None = None
    image_wh: tuple[int, int] | None = None
    parent_id: str | None = None
    root_parent_id: str | None = None
    inference_id: str | None = None
    duration_s: float | None = None
    prediction_type: str = "classification"

    def __post_init__(self) -> None:
        count = len(self.class_name)
        for name in ("class_id", "confidence"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"{name} must have {count} rows as class_name has, got {len(getattr(self, name))}")

    @property
    def multi_label(self) -> bool:
        """Whether any number of classes may apply."""
        return self.predicted_classes is not None

    def predicted_confidence(self) -> tuple[float, ...]:
        """Scores of `predicted_classes`, in their order; the top class's score for a single-label classifier."""
        if self.predicted_classes is None:
            return (self.top_confidence,) if self.top_class else ()
        by_name = dict(zip(self.class_name.tolist(), self.confidence.tolist(), strict=True))
        return tuple(by_name[name] for name in self.predicted_classes)
