"""Classifications on the wire: a list of classes for single-label, a table of them for multi-label models."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workflows.errors import RuntimeInputError
from workflows.serializers.bounds import MAX_DETECTIONS, Integer, Name
from workflows.serializers.detections_json import SizeJson
from workflows.serializers.validation import first_problem
from workflows.values.classification import Classification


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore")

    image: SizeJson = SizeJson()
    parent_id: Name | None = None
    root_parent_id: Name | None = None
    inference_id: Name | None = None
    time: float | None = None
    prediction_type: Name = "classification"


class ClassScoreJson(BaseModel):
    """One class of a single-label answer."""

    model_config = ConfigDict(extra="ignore")

    class_name: Name = Field(alias="class")
    class_id: Integer
    confidence: float


class LabelScoreJson(BaseModel):
    """One class of a multi-label answer; its name is the key it stands under."""

    model_config = ConfigDict(extra="ignore")

    class_id: Integer
    confidence: float


class SingleLabelJson(_Sent):
    """What a single-label classifier says."""

    predictions: list[ClassScoreJson] = Field(max_length=MAX_DETECTIONS)
    top: Name
    confidence: float


class MultiLabelJson(_Sent):
    """What a multi-label classifier says."""

    predictions: dict[Name, LabelScoreJson] = Field(max_length=MAX_DETECTIONS)
    predicted_classes: list[Name] = Field(max_length=MAX_DETECTIONS)


_SINGLE = TypeAdapter(SingleLabelJson)
_MULTI = TypeAdapter(MultiLabelJson)


def read_classification(value: Any, element_id: str) -> Classification:
    """A classification that a client sent, in the form in which it is answered.

    Identities that it lacks are those of the input element and a fresh one for the model call.

    Raises:
        RuntimeInputError: a key is missing or holds something else.
    """
    if isinstance(value, Classification):
        return value
    multi_label = isinstance(value, dict) and isinstance(value.get("predictions"), dict)
    try:
        sent = (_MULTI if multi_label else _SINGLE).validate_python(value)
    except ValidationError as error:
        raise RuntimeInputError(
            f"`{element_id}` holds no classification: {first_problem(error)}; right is "
            '{"image", "predictions": [{"class", "class_id", "confidence"}, ...], "top", "confidence"}, or '
            '{"image", "predictions": {<class>: {"class_id", "confidence"}, ...}, "predicted_classes"}'
        ) from error
    if isinstance(sent, MultiLabelJson):
        scores: list[Any] = list(sent.predictions.values())
        names, top, top_confidence = list(sent.predictions), "", 0.0
        unknown = sorted(set(sent.predicted_classes) - set(names))
        if unknown:
            raise RuntimeInputError(f"`{element_id}` predicts classes that its predictions lack: {', '.join(unknown)}")
    else:
        scores = list(sent.predictions)
        names, top, top_confidence = [score.class_name for score in scores], sent.top, sent.confidence
    width, height = sent.image.width, sent.image.height
    return Classification(
        class_name=np.array(names, dtype=np.str_),
        class_id=np.array([score.class_id for score in scores], dtype=np.int64),
        confidence=np.array([score.confidence for score in scores], dtype=np.float64),
        top_class=top,
        top_confidence=top_confidence,
        predicted_classes=tuple(sent.predicted_classes) if isinstance(sent, MultiLabelJson) else None,
        image_wh=None if width is None or height is None else (width, height),
        parent_id=sent.parent_id or element_id,
        root_parent_id=sent.root_parent_id or element_id,
        inference_id=sent.inference_id or str(uuid.uuid4()),
        duration_s=sent.time,
        prediction_type=sent.prediction_type,
    )


def write_classification(classification: Classification) -> dict[str, Any]:
    """A classification as JSON; what is not known has no key."""
    names = classification.class_name.tolist()
    ids, scores = classification.class_id.tolist(), classification.confidence.tolist()
    width, height = classification.image_wh or (None, None)
    written: dict[str, Any] = {}
    if classification.inference_id is not None:
        written["inference_id"] = classification.inference_id
    if classification.duration_s is not None:
        written["time"] = classification.duration_s
    written["image"] = {"width": width, "height": height}
    rows = zip(names, ids, scores, strict=True)
    if classification.predicted_classes is not None:
        written["predictions"] = {name: {"confidence": score, "class_id": class_id} for name, class_id, score in rows}
        written["predicted_classes"] = list(classification.predicted_classes)
    else:
        written["predictions"] = [
            {"class": name, "class_id": class_id, "confidence": score} for name, class_id, score in rows
        ]
        written["top"] = classification.top_class
        written["confidence"] = classification.top_confidence
    written["prediction_type"] = classification.prediction_type
    if classification.parent_id is not None:
        written["parent_id"] = classification.parent_id
    if classification.root_parent_id is not None:
        written["root_parent_id"] = classification.root_parent_id
    return written
