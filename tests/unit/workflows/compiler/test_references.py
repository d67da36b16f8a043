import pytest

from tests.unit.workflows.sample_blocks import batch, compiled, step
from workflows.errors import (
    ExecutionGraphStructureError,
    InvalidReferenceTargetError,
    ReferenceTypeError,
)

N = [batch("number")]


def places(error):
    return [(problem.step, problem.block_type, problem.property_name) for problem in error.value.problems]


def test_a_selector_to_an_unknown_input_names_the_field_and_the_nearest_input():
    with pytest.raises(InvalidReferenceTargetError, match="did you mean 'number'") as caught:
        compiled(N, [step("Double", "d", value="$inputs.numbr")])
    assert places(caught) == [("d", "Double", "number")]  # the manifest's name, whatever alias the document used


def test_a_selector_to_an_unknown_step_names_the_field_and_the_nearest_step():
    with pytest.raises(InvalidReferenceTargetError, match="did you mean 'first'") as caught:
        compiled(
            N, [step("Double", "first", number="$inputs.number"), step("Double", "d", number="$steps.frist.result")]
        )
    assert places(caught) == [("d", "Double", "number")]


def test_an_unknown_selector_in_a_list_names_no_property():
    with pytest.raises(InvalidReferenceTargetError) as caught:
        compiled(N, [step("FirstOf", "f", data=["$inputs.number", "$inputs.nope"])])
    assert places(caught) == [("f", "FirstOf", None)]


def test_an_unknown_selector_in_an_object_names_no_property():
    with pytest.raises(InvalidReferenceTargetError) as caught:
        compiled(N, [step("Table", "t", cells={"a": "$steps.nope.result"})])
    assert places(caught) == [("t", "Table", None)]


def test_an_unknown_next_step_is_reported():
    with pytest.raises(InvalidReferenceTargetError) as caught:
        compiled(N, [step("AtLeast", "g", number="$inputs.number", next_steps=["$steps.nope"])])
    assert places(caught) == [("g", "AtLeast", None)]


def test_a_property_that_a_step_does_not_give_is_an_error_of_the_graph():
    steps = [step("Double", "d", number="$inputs.number"), step("Double", "e", number="$steps.d.results")]
    with pytest.raises(ExecutionGraphStructureError, match="did you mean 'result'") as caught:
        compiled(N, steps)
    assert places(caught) == [("e", "Double", "number")]


def test_all_properties_of_a_step_are_no_value_for_another_step():
    steps = [step("Double", "d", number="$inputs.number"), step("Gather", "e", data="$steps.d.*")]
    with pytest.raises(ExecutionGraphStructureError):
        compiled(N, steps)


def test_kinds_that_do_not_meet_are_refused_with_those_allowed():
    with pytest.raises(ReferenceTypeError, match=r"integer, float.*kind string") as caught:
        compiled([batch("word", "string")], [step("Double", "d", number="$inputs.word")])
    assert caught.value.problems is None


@pytest.mark.parametrize("kind", ["float", "integer", "*"])
def test_kinds_that_meet_are_accepted(kind):
    compiled([batch("number", kind)], [step("Double", "d", number="$inputs.number")])


def test_an_input_of_several_kinds_needs_one_that_meets():
    compiled([batch("x") | {"kind": ["string", "integer"]}], [step("Double", "d", number="$inputs.x")])


def test_an_input_of_no_kind_meets_only_what_takes_any():
    nothing = batch("number") | {"kind": []}
    compiled([nothing], [step("Gather", "g", data="$inputs.number")])
    with pytest.raises(ReferenceTypeError, match="is of no kind"):
        compiled([nothing], [step("Double", "d", number="$inputs.number")])


def test_a_value_is_no_next_step():
    steps = [
        step("Double", "d", number="$inputs.number"),
        step("AtLeast", "g", number="$inputs.number", next_steps=["$steps.d.result"]),
    ]
    with pytest.raises(ReferenceTypeError, match="whole steps"):
        compiled(N, steps)


def test_a_text_that_looks_like_a_selector_is_text_where_none_is_taken():
    plan = compiled([], [step("FirstOf", "f", data=[], default="$inputs.nope")])
    assert plan.steps["f"].literals["default"] == "$inputs.nope"
    assert plan.steps["f"].bindings == ()


def test_containers_keep_their_literals_beside_selectors():
    plan = compiled(N, [step("Table", "t", cells={"a": "$inputs.number", "b": 2.0})])
    assert plan.steps["t"].literals["cells"] == {"a": None, "b": 2.0}
    assert [(b.selector, b.field, b.key) for b in plan.steps["t"].bindings] == [("$inputs.number", "cells", "a")]
