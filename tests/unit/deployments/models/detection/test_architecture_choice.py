from __future__ import annotations

import logging
import re

import pytest

from deployments.models.detection.architecture_choice import choose_architecture
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, package

CANVAS = (640, 640)
ROWS = outputs_of(output0=(1, 300, 6))
COLUMNS = outputs_of(output0=(1, 84, 8400))


def test_a_package_is_taken_at_its_word() -> None:
    architecture, roles = choose_architecture(package(architecture="yolov11"), COLUMNS, CANVAS)
    assert (architecture.name, roles.positions, roles.class_count) == ("yolov8", (0,), 80)


def test_without_a_word_the_outputs_tell_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        architecture, _ = choose_architecture(package(architecture=None), COLUMNS, CANVAS)
    assert architecture.name == "yolov8"
    (record,) = caplog.records
    assert (record.model_id, record.architecture, record.outputs) == ("plates/1", "yolov8", "output0[1, 84, 8400]")


@pytest.mark.parametrize("declared", [None, "yolov8", "yolov5", "yolonas", "somebody's"])
def test_a_graph_that_drops_overlapping_boxes_itself_is_read_the_same_whatever_it_was(declared: str | None) -> None:
    architecture, _ = choose_architecture(package(architecture=declared, graph_suppresses=True), ROWS, CANVAS)
    assert architecture.name == "yolo26"


@pytest.mark.parametrize(
    ("declared", "outputs"), [("yolov10", ROWS), ("rfdetr", outputs_of(dets=(1, 300, 4), labels=(1, 300, 91)))]
)
def test_graphs_that_never_leave_overlaps_keep_their_own_decoding(declared: str, outputs: list[NetworkOutput]) -> None:
    architecture, _ = choose_architecture(package(architecture=declared, graph_suppresses=True), outputs, CANVAS)
    assert architecture.name == declared


def test_outputs_that_fit_nothing_are_refused_with_what_would_be_right() -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"output0\[1, 1000\] fit none; set model_architecture, or --architecture of"
    ):
        choose_architecture(package(architecture=None), outputs_of(output0=(1, 1000)), CANVAS)


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedModelError, match="'yolox'; object detectors served here are rfdetr, yolo26"):
        choose_architecture(package(architecture="yolox"), COLUMNS, CANVAS)


@pytest.mark.parametrize(
    ("declared", "outputs", "message"),
    [
        (
            "yolov8",
            ROWS,
            "'plates/1' says it is yolov8, which gives one tensor [batch, 4 + classes, anchors]; its network gives "
            "output0[1, 300, 6]; these look like boxes that the graph chose itself: set post_processing.fused",
        ),
        ("yolo26", COLUMNS, "network gives output0[1, 84, 8400]; these look like yolov8: set the model to it"),
        ("yolov10", COLUMNS, "these look like yolov8"),
        ("yolov5", COLUMNS, "these look like yolov8"),
        ("yolov8", outputs_of(output0=(1, 25200, 85)), "these look like yolov5"),
        ("rfdetr", outputs_of(dets=(1, 300, 4)), "its network gives dets[1, 300, 4]"),
        ("yololite", outputs_of(a=(1, 8400, 4), b=(1, 8400, 80)), "these look like yolonas"),
    ],
)
def test_a_network_that_is_something_else_is_refused_with_what_it_looks_like(
    declared: str, outputs: list[NetworkOutput], message: str
) -> None:
    with pytest.raises(ModelLoadError, match=re.escape(message)):
        choose_architecture(package(architecture=declared), outputs, CANVAS)


def test_a_graph_that_only_says_it_drops_overlapping_boxes_is_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"graph drops overlapping boxes itself .* these look like yolov8"):
        choose_architecture(package(graph_suppresses=True), COLUMNS, CANVAS)


def test_more_classes_than_anchors_are_read_where_the_canvas_says_so() -> None:
    many = outputs_of(output0=(1, 204, 84))
    for declared in ("yolov8", "yolov11", None):
        architecture, roles = choose_architecture(package(architecture=declared), many, (64, 64))
        assert (architecture.name, roles.positions, roles.class_count) == ("yolov8", (0,), 200)
    with pytest.raises(ModelLoadError, match=r"its network gives output0\[1, 204, 84\]"):
        choose_architecture(package(architecture="yolov8"), many, CANVAS)


def test_a_guess_that_has_other_classes_than_the_package_is_refused() -> None:
    doubtful = outputs_of(output0=(1, 204, 90))
    names = tuple(str(number) for number in range(200))
    with pytest.raises(UnsupportedModelError, match=r"look like yolov5 with 85 classes, and class_names\.txt has 200"):
        choose_architecture(package(architecture=None, class_names=names), doubtful, (64, 64))
    for fitting in (package(architecture=None, class_names=names[:85]), package(architecture="yolov5")):
        assert choose_architecture(fitting, doubtful, (64, 64))[0].name == "yolov5"
