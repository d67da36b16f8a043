import numpy as np
import pytest

from tests.unit.workflows.query.chains import run
from tests.unit.workflows.query.values import read_only
from workflows.errors import InvalidInputTypeError
from workflows.values.classification import Classification


def scores(names, class_ids, confidence, **fields):
    return Classification(
        class_name=read_only(names, np.str_),
        class_id=read_only(class_ids, np.int64),
        confidence=read_only(confidence, np.float64),
        **fields,
    )


SINGLE = scores(["cat", "dog"], [5, 2], [0.7, 0.2], top_class="cat", top_confidence=0.7)
MULTI = scores(["cow", "dog", "cat"], [2, 1, 0], [0.1, 0.6, 0.7], predicted_classes=("cat", "dog"))
SINGLE_NONE = scores([], [], [])
MULTI_NONE = scores(["cow", "cat"], [1, 0], [0.1, 0.2], predicted_classes=())


@pytest.mark.parametrize(
    ("name", "single", "multi", "single_none", "multi_none"),
    [
        ("top_class", "cat", ["cat", "dog"], "", []),
        ("top_class_confidence", 0.7, [0.7, 0.6], 0.0, []),
        ("top_class_confidence_single", 0.7, 0.7, 0.0, 0.0),
        ("all_classes", ["cat", "dog"], ["cat", "dog", "cow"], [], ["cat", "cow"]),
        ("all_confidences", [0.7, 0.2], [0.7, 0.6, 0.1], [], [0.2, 0.1]),
    ],
)
def test_properties_of_single_and_multi_label_results(name, single, multi, single_none, multi_none):
    values = (SINGLE, MULTI, SINGLE_NONE, MULTI_NONE)
    operation = {"type": "ClassificationPropertyExtract", "property_name": name}
    assert [run(operation, value=value) for value in values] == [single, multi, single_none, multi_none]


@pytest.mark.parametrize("value", ["cat", {"top": "cat"}, None])
def test_other_values_are_refused(value):
    with pytest.raises(InvalidInputTypeError, match="takes a classification"):
        run({"type": "ClassificationPropertyExtract", "property_name": "top_class"}, value=value)


def test_the_json_of_a_classification_is_one():
    row = {"class": "cat", "class_id": 0, "confidence": 0.7}
    value = {"image": {"width": 4, "height": 3}, "predictions": [row], "top": "cat", "confidence": 0.7}
    assert run({"type": "ClassificationPropertyExtract", "property_name": "top_class"}, value=value) == "cat"


def test_a_dictionary_that_is_no_classification_says_what_it_lacks():
    with pytest.raises(InvalidInputTypeError, match="predictions: Field required"):
        run({"type": "ClassificationPropertyExtract", "property_name": "top_class"}, value={"a": 1})
