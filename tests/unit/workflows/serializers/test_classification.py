from __future__ import annotations

import uuid

import pytest

from workflows.errors import RuntimeInputError
from workflows.serializers.classification import read_classification, write_classification

SINGLE = {
    "inference_id": "call-1",
    "time": 0.25,
    "image": {"width": 64, "height": 48},
    "predictions": [
        {"class": "cat", "class_id": 1, "confidence": 0.75},
        {"class": "dog", "class_id": 0, "confidence": 0.25},
    ],
    "top": "cat",
    "confidence": 0.75,
    "prediction_type": "classification",
    "parent_id": "image",
    "root_parent_id": "image",
}
MULTI = {
    "image": {"width": 64, "height": 48},
    "predictions": {"cat": {"confidence": 0.75, "class_id": 1}, "dog": {"confidence": 0.5, "class_id": 0}},
    "predicted_classes": ["cat"],
    "prediction_type": "classification",
    "inference_id": "call-1",
    "parent_id": "image",
    "root_parent_id": "image",
}
NOTHING = {
    "image": {"width": None, "height": None},
    "predictions": [],
    "top": "",
    "confidence": 0.0,
    "prediction_type": "classification",
    "inference_id": "call-1",
    "parent_id": "image",
    "root_parent_id": "image",
}
IDENTITIES = ("inference_id", "parent_id", "root_parent_id")


@pytest.mark.parametrize("value", [SINGLE, MULTI, NOTHING], ids=["single-label", "multi-label", "no class"])
def test_an_echo_is_what_was_sent(value):
    assert write_classification(read_classification(value, "c")) == value


def test_identities_that_were_not_sent_are_made_up():
    anonymous = {key: value for key, value in SINGLE.items() if key not in IDENTITIES}
    found = write_classification(read_classification(anonymous, "c.[1]"))
    assert (found["parent_id"], found["root_parent_id"]) == ("c.[1]", "c.[1]")
    assert str(uuid.UUID(found["inference_id"])) == found["inference_id"]


def test_several_labels_are_told_apart_from_one():
    assert read_classification(MULTI, "c").multi_label
    assert not read_classification(SINGLE, "c").multi_label


@pytest.mark.parametrize(
    "value",
    [
        "cat",
        None,
        {},
        {**SINGLE, "top": None},
        {**SINGLE, "predictions": [{"class": "cat"}]},
        {**MULTI, "predicted_classes": None},
        {**MULTI, "predicted_classes": ["cow"]},
    ],
)
def test_what_is_no_classification_is_refused(value):
    with pytest.raises(RuntimeInputError, match=r"`c\.\[0\]`"):
        read_classification(value, "c.[0]")


@pytest.mark.parametrize("class_id", [2**63, -(2**63) - 1])
def test_class_ids_of_more_than_64_bits_are_refused(class_id):
    value = {"image": {}, "predictions": [{"class": "a", "class_id": class_id, "confidence": 1}], "top": "a"}
    with pytest.raises(RuntimeInputError, match="class_id"):
        read_classification({**value, "confidence": 1}, "v")
