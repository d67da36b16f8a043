from tests.unit.workflows.sample_blocks import batch, compiled, parameter, step
from workflows.compiler.interface import describe_interface


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


def test_an_output_that_repeats_an_input_is_described_as_that_input():
    assert describe_interface(compiled([batch("n")], [], echo="$inputs.n"))["outputs"] == {"echo": ["float"]}


def test_an_input_of_no_declared_kind_has_the_kinds_that_its_readers_take():
    plan = compiled(
        [parameter("p")],
        [step("Double", "d", number="$inputs.p"), step("FirstOf", "f", data=["$inputs.p"])],
        echo="$inputs.p",
    )
    described = describe_interface(plan)
    assert described["inputs"] == {"p": ["integer", "float"]}
    assert described["outputs"] == {"echo": ["integer", "float"]}


def test_an_input_that_is_read_as_anything_stays_anything():
    plan = compiled([parameter("p")], [step("FirstOf", "f", data=["$inputs.p"])])
    assert describe_interface(plan)["inputs"] == {"p": ["*"]}
