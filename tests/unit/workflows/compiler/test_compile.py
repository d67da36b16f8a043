import json
import pickle

import orjson
import pytest

from tests.unit.workflows.sample_blocks import BLOCKS, batch, compiled, document, parameter, step
from workflows.compiler.compile import CompileLimits, compile_definition
from workflows.errors import (
    DuplicatedNameError,
    ExecutionGraphStructureError,
    InvalidReferenceTargetError,
    NotSupportedExecutionEngineError,
    WorkflowError,
    WorkflowSyntaxError,
)


def test_nothing_compiles_to_nothing():
    plan = compile_definition(document([], []), blocks=BLOCKS)
    assert (dict(plan.inputs), dict(plan.steps), plan.stages, plan.outputs) == ({}, {}, (), ())


def test_inputs_outputs_and_their_kinds_are_in_the_plan():
    plan = compiled(
        [batch("n"), parameter("p", 3, "integer")],
        [step("Double", "d", number="$inputs.n")],
        a="$steps.d.*",
        b="$inputs.p",
    )
    assert (plan.inputs["p"].batch, plan.inputs["p"].default, plan.inputs["p"].kinds) == (False, 3, ("integer",))
    assert [(o.name, o.kinds, o.lineage) for o in plan.outputs] == [
        ("a", {"result": ("integer", "float")}, ("$inputs",)),
        ("b", ("integer",), ()),
    ]


def test_another_process_compiles_the_same_plan_from_its_json():
    plan = compiled([batch("n")], [step("Double", "d", number="$inputs.n")], a="$steps.d.result")
    again = compile_definition(json.loads(plan.definition_json), blocks=BLOCKS)
    assert again.fingerprint == plan.fingerprint
    assert again.stages[0].needs == plan.stages[0].needs


def test_the_order_of_keys_is_kept_since_blocks_may_mean_something_by_it():
    definition = document([], [step("Table", "t", cells={"b": 1.0, "a": 2.0})])
    plan = compile_definition(definition, blocks=BLOCKS)
    assert list(orjson.loads(plan.definition_json)["steps"][0]["cells"]) == ["b", "a"]


def test_problems_are_found_in_the_order_of_the_contract():
    broken = document(
        [batch("n"), batch("n")],
        [step("Double", "d", number="$inputs.nope"), step("Nope", "e")],
    )
    with pytest.raises(NotSupportedExecutionEngineError):
        compile_definition(broken | {"version": "2.0"}, blocks=BLOCKS)
    with pytest.raises(WorkflowSyntaxError):
        compile_definition(broken, blocks=BLOCKS)
    broken["steps"].pop()
    with pytest.raises(DuplicatedNameError):
        compile_definition(broken, blocks=BLOCKS)
    broken["inputs"].pop()
    with pytest.raises(InvalidReferenceTargetError):
        compile_definition(broken, blocks=BLOCKS)


def test_steps_that_wait_for_one_another_are_a_cycle():
    steps = [step("Double", "a", number="$steps.b.result"), step("Double", "b", number="$steps.a.result")]
    with pytest.raises(ExecutionGraphStructureError, match="cycle") as caught:
        compile_definition(document([], steps), blocks=BLOCKS)
    assert caught.value.problems is None


def test_the_number_of_steps_has_a_limit():
    steps = [step("Double", f"d{index}", number=1) for index in range(4)]
    with pytest.raises(WorkflowSyntaxError, match="at most 3"):
        compile_definition(document([], steps), CompileLimits(max_steps=3), blocks=BLOCKS)


def test_a_document_that_is_no_json_is_refused():
    with pytest.raises(WorkflowSyntaxError, match="JSON"):
        compile_definition(document([parameter("p", default={1, 2})], []), blocks=BLOCKS)


def test_errors_survive_another_process():
    with pytest.raises(WorkflowSyntaxError) as caught:
        compile_definition(document([], [step("Nope", "e")]), blocks=BLOCKS)
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, WorkflowError)
    assert (again.message, again.problems) == (caught.value.message, caught.value.problems)


def test_a_definition_that_is_nested_without_end_is_refused():
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(WorkflowSyntaxError, match="nested too deep"):
        compile_definition({"version": "1.0", "inputs": [], "steps": deep, "outputs": []})
