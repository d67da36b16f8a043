from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deployments.models.classification.classification_model import ClassificationModel
from deployments.models.errors import ModelLoadError
from deployments.models.image_preprocessing import ImagePreprocessing, Normalization, ResizeMode
from deployments.models.package_layouts.contents import ClassScores, RecommendedThresholds
from tests.unit.deployments.models.builders import FakeEngine, package, tensor
from workflows.ports import PredictionOptions
from workflows.values.classification import Classification

PICTURE = np.zeros((10, 20, 3), dtype=np.uint8)
NAMES = ("bike", "bus", "car")
LOGITS = (0, math.log(2), math.log(5))  # shares 1/8, 2/8, 5/8


def constant(*scores: float, shape: tuple[int, ...] = ()) -> FakeEngine:
    return FakeEngine(lambda batch: np.tile(tensor(scores), (len(batch), 1)).reshape(len(batch), len(scores), *shape))


def model(engine: FakeEngine, **changes: Any) -> ClassificationModel:
    values = {"task_type": "classification", "architecture": "vit", "class_names": NAMES}
    return ClassificationModel(package(**values | changes), engine)


def only(classifier: ClassificationModel, **options: Any) -> Classification:
    (found,) = classifier.predict_batch([PICTURE], [PredictionOptions(**options)]).predictions
    assert isinstance(found, Classification)
    return found


def test_logits_become_shares_and_the_surest_class_is_named() -> None:
    found = only(model(constant(*LOGITS), class_scores=ClassScores.SOFTMAX), confidence=0.2)
    assert found.class_name.tolist() == ["car", "bus"]
    assert found.confidence.tolist() == [0.625, 0.25]
    assert found.top_class == "car"


@pytest.mark.parametrize("word", ["best", "default"])
def test_words_for_the_threshold_mean_a_half(word: str) -> None:
    classifier = model(
        constant(*LOGITS),
        class_scores=ClassScores.SOFTMAX,
        default_confidence=0.1,
        recommended=RecommendedThresholds(confidence=0.1),
    )
    assert only(classifier, confidence=word).class_name.tolist() == ["car"]


def test_scores_that_are_final_are_left_alone() -> None:
    found = only(model(constant(0.5, 0.25, 0.25), class_scores=ClassScores.FINAL), confidence=0.3)
    assert found.confidence.tolist() == [0.5]


@pytest.mark.parametrize(("outputs", "top"), [((0.125, 0.25, 0.625), 0.625), (LOGITS, 0.625)])
def test_a_package_that_does_not_say_is_told_by_what_its_network_gives(outputs: tuple[float, ...], top: float) -> None:
    assert only(model(constant(*outputs))).top_confidence == top


def test_a_multi_label_model_scores_every_class_by_itself() -> None:
    found = only(model(constant(0, math.log(3), -math.log(3)), task_type="multi-label-classification"), confidence=0.5)
    assert_allclose(found.confidence, [1 / 2, 3 / 4, 1 / 4], rtol=1e-6)
    assert found.predicted_classes == ("bike", "bus")


def test_a_multi_label_model_takes_the_thresholds_that_its_package_recommends() -> None:
    classifier = model(
        constant(0.5, 0.5, 0.5),
        task_type="multi-label-classification",
        class_scores=ClassScores.FINAL,
        default_confidence=0.6,
        recommended=RecommendedThresholds(confidence=0.4, per_class_confidence={"bus": 0.7}),
    )
    assert only(classifier, confidence="best").predicted_classes == ("bike", "car")
    assert only(classifier, confidence="default").predicted_classes == ()


@pytest.mark.parametrize("task_type", ["classification", "multi-label-classification"])
def test_classes_that_the_package_removes_are_not_answered(task_type: str) -> None:
    classifier = model(
        constant(0.5, 0.25, 0.25),
        task_type=task_type,
        class_scores=ClassScores.FINAL,
        class_names=("bus", "car"),
        removed_class_ids=(0,),
        recommended=RecommendedThresholds(confidence=0.2, per_class_confidence={"car": 0.9}),
    )
    assert only(classifier, confidence=0.1).class_name.tolist() == ["bus", "car"]
    if task_type != "classification":
        assert only(classifier, confidence="best").predicted_classes == ("bus",)


def test_an_empty_batch_asks_nothing_of_the_network() -> None:
    engine = constant(*LOGITS)
    classifier = model(engine, class_scores=ClassScores.SOFTMAX)
    runs = len(engine.batches)
    assert classifier.predict_batch([], []).predictions == []
    assert len(engine.batches) == runs


def test_pictures_share_a_run_and_each_has_its_threshold() -> None:
    engine = FakeEngine(lambda batch: np.stack([batch.mean(axis=(1, 2, 3)), 1 - batch.mean(axis=(1, 2, 3))], axis=1))
    classifier = model(engine, class_names=("bright", "dark"), class_scores=ClassScores.FINAL)
    pictures = [np.full((4, 4, 3), value, dtype=np.uint8) for value in (255, 0)]
    options = [PredictionOptions(confidence=threshold) for threshold in (0.5, 0.0)]
    bright, dark = classifier.predict_batch(pictures, options).predictions
    assert isinstance(bright, Classification)
    assert isinstance(dark, Classification)
    assert bright.class_name.tolist() == ["bright"]
    assert dark.class_name.tolist() == ["dark", "bright"]
    assert [len(batch) for batch in engine.batches] == [1, 2]  # the first run warms the model


def test_pictures_are_prepared_as_the_package_says() -> None:
    steps = ImagePreprocessing(
        resize_mode=ResizeMode.STRETCH,
        input_hw=(4, 4),
        normalization=Normalization(mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0)),
    )
    engine = constant(*LOGITS)
    only(model(engine, class_scores=ClassScores.SOFTMAX, preprocessing=steps))
    # black: (0 - 0.5) / 0.25, / 0.5 and / 1
    assert_allclose(engine.batches[-1][0, :, 0, 0], [-2, -1, -0.5])


def test_a_network_with_axes_of_one_behind_its_classes_will_do() -> None:
    found = only(model(constant(*LOGITS, shape=(1, 1)), class_scores=ClassScores.SOFTMAX))
    assert found.top_class == "car"


@pytest.mark.parametrize("shape", [(), (3, 2)])
def test_a_network_that_gives_something_else_is_refused(shape: tuple[int, ...]) -> None:
    engine = FakeEngine(lambda batch: np.zeros((len(batch), *shape), np.float32))
    with pytest.raises(ModelLoadError, match="a classifier gives one score for each class"):
        model(engine)


def test_classes_without_a_name_are_called_by_their_number(caplog: pytest.LogCaptureFixture) -> None:
    found = only(model(constant(0.1, 0.1, 0.8), class_names=("bike",), class_scores=ClassScores.FINAL))
    assert found.top_class == "2"
    assert [(record.class_names, record.network_classes) for record in caplog.records] == [(1, 3)]  # type: ignore[attr-defined]


def test_the_answer_says_nothing_of_the_image() -> None:
    found = only(model(constant(*LOGITS), class_scores=ClassScores.SOFTMAX))
    assert replace(found, class_name=found.class_name).image_wh is None
    assert (found.parent_id, found.inference_id) == (None, None)


def test_a_package_that_names_no_class_is_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"names no classes; write class_names\.txt"):
        model(constant(*LOGITS), class_names=())
