import pytest

from tests.unit.workflows.sample_blocks import batch, compiled, parameter, step
from workflows.compiler.interface import describe_interface
from workflows.errors import WorkflowDefinitionError


def test_kinds_of_inputs_and_outputs_are_described():
    plan = compiled(
        [batch("n"), parameter("p"), {"type": "WorkflowImage", "name": "image"}],
        [step("Double", "d", number="$inputs.n"), step("Word", "w")],
        number="$steps.d.result",
        word="$steps.w.*",
    )
    described = describe_interface(plan)
    assert described["inputs"] == {"n": ["float"], "p": ["*"], "image": ["image"]}
    assert described["outputs"] == {"number": ["integer", "float"], "word": {"text": ["string"]}}
    assert described["typing_hints"] == {
        "float": "float",
        "*": "Any",
        "image": "dict",
        "integer": "int",
        "string": "str",
    }
    assert list(described["kinds_schemas"]) == ["image"]
    assert "value" in described["kinds_schemas"]["image"]["properties"]


def test_a_workflow_without_inputs_and_outputs_has_an_empty_interface():
    assert describe_interface(compiled([], [])) == {
        "inputs": {},
        "outputs": {},
        "typing_hints": {},
        "kinds_schemas": {},
    }


def test_an_echoed_input_has_no_interface():
    with pytest.raises(WorkflowDefinitionError, match="'echo'"):
        describe_interface(compiled([batch("n")], [], echo="$inputs.n"))
