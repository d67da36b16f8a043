from __future__ import annotations

from typing import Any

import pytest

from workflows.compiler.compile import compile_definition
from workflows.definition import document, syntax_problems
from workflows.errors import WorkflowSyntaxError

INPUTS = [{"type": "WorkflowImage", "name": "image"}, {"type": "WorkflowBatchInput", "name": "preds"}]
OPERAND = {"type": "DynamicOperand", "operand_name": "x"}


def said_of(type_: str, **fields: Any) -> dict[str | None, str | None]:
    """Property -> what is said of it."""
    steps = [{"type": type_, "name": "s", **fields}]
    with pytest.raises(WorkflowSyntaxError) as caught:
        compile_definition({"version": "1.0", "inputs": INPUTS, "steps": steps, "outputs": []})
    return {problem.property_name: problem.details for problem in caught.value.problems or ()}


def condition(*statements: Any) -> dict[str, Any]:
    return {"type": "StatementGroup", "statements": list(statements)}


def test_an_unknown_operation_gets_the_nearest_and_its_place():
    said = said_of("PropertyDefinition", data="$inputs.image", operations=[{"type": "ToString"}, {"type": "ToStrng"}])
    assert said == {"operations": "at 1: there is no type 'ToStrng'; did you mean 'ToString'?"}


def test_an_operation_like_no_other_gets_all_of_them():
    said = said_of("PropertyDefinition", data="$inputs.image", operations=[{"type": "xyzzy"}])["operations"]
    assert said is not None
    assert "types here: StringToLowerCase, StringToUpperCase" in said
    assert "TimestampToISOFormat" in said


def test_the_place_inside_a_condition_is_a_path_of_keys():
    broken = {"type": "BinaryStatement", "left_operand": OPERAND, "comparator": {"type": "(Number) =="}}
    said = said_of("ContinueIf", condition_statement=condition(broken), next_steps=[])
    assert said == {"condition_statement": "at statements.0.right_operand: is required"}


def test_what_is_missing_inside_a_property_is_not_the_property():
    said = said_of("ContinueIf", condition_statement={"type": "StatementGroup"}, next_steps=[])
    assert said == {"condition_statement": "at statements: is required"}


def test_a_wrong_literal_is_not_blamed_for_being_no_selector():
    said = said_of("LabelVisualization", image="$inputs.image", predictions="$inputs.preds", text="Clas")
    assert said == {
        "text": "'Clas' is no such value; did you mean 'Class'?; takes a selector ($inputs.<name> or "
        "$steps.<step>.<output>) of kind string as well"
    }


def test_a_selector_that_is_none_says_what_it_takes():
    said = said_of("Crop", images="image", predictions="$inputs.preds")
    assert said == {"images": "takes a selector ($inputs.<name> or $steps.<step>.<output>) of kind image; got 'image'"}


def test_a_value_out_of_range_is_repeated():
    said = said_of("ObjectDetectionModel", images="$inputs.image", model_id="a/1", confidence=3)["confidence"]
    assert said is not None
    assert said.startswith("must be less than or equal to 1, got 3; takes a selector")


def test_many_problems_of_one_property_are_counted():
    said = said_of("PropertyDefinition", data="$inputs.image", operations=list(range(300)))["operations"]
    assert said is not None
    assert said.endswith("; and 295 more")
    assert "at 4: " in said
    assert "at 5: " not in said


def test_only_the_problems_that_are_listed_are_put_into_words(monkeypatch):
    looked_up = []
    monkeypatch.setattr(syntax_problems, "suggest", lambda name, *_, **__: looked_up.append(name) or "try another")
    operations = [{"type": f"ToStrng{index}"} for index in range(300)]
    said = said_of("PropertyDefinition", data="$inputs.image", operations=operations)["operations"]
    assert said is not None
    assert said.endswith("at 4: there is no type 'ToStrng4'; try another; and 295 more")
    assert looked_up == [f"ToStrng{index}" for index in range(5)]


@pytest.mark.parametrize("tag", ["x" * 100_000, ["x" * 100_000]])
def test_a_long_type_is_shortened(tag):
    said = said_of("PropertyDefinition", data="$inputs.image", operations=[{"type": tag}])["operations"]
    assert said is not None
    assert len(said) < 1500


def test_many_steps_with_problems_are_counted_in_the_message_and_listed_each():
    steps = [{"type": "Nope", "name": f"s{index}"} for index in range(40)]
    with pytest.raises(WorkflowSyntaxError, match="and 35 more") as caught:
        compile_definition({"version": "1.0", "inputs": [], "steps": steps, "outputs": []})
    assert len(caught.value.problems or ()) == 40


def test_types_are_suggested_for_the_first_unknown_ones(monkeypatch):
    looked_up = []
    monkeypatch.setattr(document, "suggest", lambda name, *_, **__: looked_up.append(name) or "try another")
    steps = [{"type": f"Nope{index}", "name": f"s{index}"} for index in range(40)]
    with pytest.raises(WorkflowSyntaxError) as caught:
        compile_definition({"version": "1.0", "inputs": [], "steps": steps, "outputs": []})
    assert looked_up == [f"Nope{index}" for index in range(16)]
    said = [problem.details for problem in caught.value.problems or ()]
    assert said[15:17] == ["there is no block type 'Nope15'; try another", "there is no block type 'Nope16'"]


def test_a_step_without_a_name_is_called_so():
    with pytest.raises(WorkflowSyntaxError, match="a step without a name, 'name': is required"):
        compile_definition({"version": "1.0", "inputs": [], "steps": [{"type": "Crop"}], "outputs": []})
