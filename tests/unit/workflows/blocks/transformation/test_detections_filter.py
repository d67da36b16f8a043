import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import binary, dynamic, group, static
from tests.unit.workflows.query.values import detections, image
from workflows.blocks.transformation.detections_filter import BLOCK, DetectionsFilter, run
from workflows.errors import UndeclaredSymbolError


def prop(name):
    return dynamic("_", {"type": "ExtractDetectionProperty", "property_name": name})


def keep(*statements, **extra):
    return {"type": "DetectionsFilter", "filter_operation": group(*statements, **extra)}


def step(*operations, **extra):
    document = {"type": "DetectionsFilter", "name": "f", "predictions": "$inputs.p", "operations": list(operations)}
    return DetectionsFilter.model_validate(document | extra)


THREE = detections(
    [80, 90, 120, 110],
    [204.5, 44, 252.5, 92.5],
    [204, 174, 236, 186],
    confidence=[0.9, 0.75, 0.5],
    class_name=["plate", "car", "plate"],
)


def kept(*operations, **parameters):
    return run(THREE, step(*operations).operations, parameters)["predictions"].detection_id.tolist()


def test_detections_that_pass_are_kept():
    sure_plates = keep(
        binary(prop("class_name"), "==", static("plate")),
        binary(prop("confidence"), "(Number) >=", static(0.6)),
        operator="and",
    )
    assert kept(sure_plates) == ["d-0"]


def test_parameters_are_operands_beside_the_detection():
    area = {"type": "ExtractImageProperty", "property_name": "size"}
    share = dynamic("image", area, {"type": "Multiply", "other": 0.02})
    assert kept(keep(binary(prop("size"), "(Number) >", share)), image=image(wh=(320, 240))) == ["d-1"]


def test_a_parameter_that_was_not_given_is_undeclared():
    with pytest.raises(UndeclaredSymbolError, match="'other' is not declared; declared here: _"):
        kept(keep(binary(dynamic("other"), "==", static(0))))


def test_several_operations_may_follow_one_another():
    by_size = {"type": "SortDetections", "mode": "size", "ascending": False}
    assert kept(keep(binary(prop("class_name"), "==", static("plate"))), by_size) == ["d-0", "d-2"]


def test_zero_detections_pass():
    operations = step(keep(binary(prop("confidence"), "(Number) >", static(0)))).operations
    assert len(run(detections(), operations, {})["predictions"]) == 0


def test_the_name_of_the_detection_at_hand_is_reserved():
    with pytest.raises(ValueError, match="must not declare '_'"):
        run(THREE, step().operations, {"_": 1})


def test_the_result_must_be_detections():
    with pytest.raises(TypeError, match="must end with detections, they end with an integer"):
        kept({"type": "SequenceLength"})


def test_unknown_comparators_are_refused_with_the_document():
    with pytest.raises(ValidationError, match="comparator"):
        step(keep(binary(prop("confidence"), "~", static(1))))


def test_parameters_may_be_batches_or_not():
    assert BLOCK.batch_fields == ("predictions",)
    assert BLOCK.batch_or_scalar_fields == ("operations_parameters",)
    assert BLOCK.references["operations_parameters"].values is not None
