"""Operations on the results of classifiers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from workflows.errors import InvalidInputTypeError, RuntimeInputError
from workflows.kinds import Kind
from workflows.query.operation import Names, Operation, expect
from workflows.serializers.classification import read_classification
from workflows.values.classification import Classification


class ClassificationPropertyExtract(Operation):
    """Gives the classes of a classification or their scores; lists, where the classifier is multi-label."""

    takes: ClassVar = (Kind.CLASSIFICATION_PREDICTION,)
    gives: ClassVar = (Kind.STRING, Kind.LIST_OF_VALUES, Kind.FLOAT_ZERO_TO_ONE)

    type: Literal["ClassificationPropertyExtract"]
    property_name: Literal[
        "top_class", "top_class_confidence", "top_class_confidence_single", "all_classes", "all_confidences"
    ]

    def apply(self, value: Any, names: Names) -> Any:
        found = expect(_as_classification(value), Classification, "a classification")
        if self.property_name == "top_class":
            return found.top_class if found.predicted_classes is None else list(found.predicted_classes)
        if self.property_name == "top_class_confidence":
            return list(found.predicted_confidence()) if found.multi_label else found.top_confidence
        if self.property_name == "top_class_confidence_single":
            return max(found.predicted_confidence(), default=0.0) if found.multi_label else found.top_confidence
        # Classes of a multi-label model come in the order of their ids, so that lists of several images line up.
        order = np.argsort(found.class_id, kind="stable") if found.multi_label else slice(None)
        column = found.class_name if self.property_name == "all_classes" else found.confidence
        return column[order].tolist()


def _as_classification(value: Any) -> Any:
    """`value`, or the classification that it is the JSON of: values of the kind `*` come as they were sent."""
    if not isinstance(value, dict):
        return value
    try:
        return read_classification(value, "value")
    except RuntimeInputError as error:
        raise InvalidInputTypeError(
            f"takes a classification, got a dictionary that is none: {error.message}"
        ) from error
