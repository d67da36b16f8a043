import pytest
from pydantic import BaseModel

from workflows.kinds import DETECTION_KINDS, Kind
from workflows.manifest_fields import AnyRef, DetectionsRef, Element, FloatRef, Reference, field_references


class Manifest(BaseModel):
    type: str
    name: str
    number: float | FloatRef
    factors: list[float | FloatRef]
    names: dict[str, AnyRef]
    found: DetectionsRef
    note: str = ""


@pytest.mark.parametrize(
    ("field", "kinds", "place", "has_literal"),
    [
        ("number", (Kind.FLOAT,), "value", True),
        ("factors", (Kind.FLOAT,), "items", True),
        ("names", (Kind.ANY,), "values", True),
        ("found", DETECTION_KINDS, "value", False),
    ],
)
def test_selectors_are_found_where_they_may_stand(field, kinds, place, has_literal):
    references = field_references(Manifest)[field]
    others = {"value", "items", "values"} - {place}
    assert getattr(references, place).kinds == kinds
    assert [getattr(references, other) for other in others] == [None, None]
    assert references.any() is getattr(references, place)
    assert references.has_literal is has_literal


def test_a_field_without_selectors_has_no_reference():
    references = field_references(Manifest)["note"]
    assert references.any() is None
    assert references.has_literal


def test_type_and_name_are_no_fields_for_selectors():
    assert {"type", "name"}.isdisjoint(field_references(Manifest))


@pytest.mark.parametrize(
    ("element", "text", "fits"),
    [
        (Element.ANY_DATA, "$inputs.image", True),
        (Element.ANY_DATA, "$steps.crop.crops", True),
        (Element.ANY_DATA, "$steps.crop", False),
        (Element.STEP_OUTPUT, "$inputs.image", False),
        (Element.STEP, "$steps.crop", True),
        (Element.STEP, "$inputs.image", False),
        (Element.ANY_DATA, "plain text", False),
        (Element.ANY_DATA, 5, False),
    ],
)
def test_a_reference_knows_its_selectors(element, text, fits):
    assert Reference((), element).matches(text) is fits
