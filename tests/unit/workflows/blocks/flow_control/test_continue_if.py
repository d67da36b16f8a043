import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import binary, dynamic, group, static
from workflows.block import GoTo
from workflows.blocks.flow_control import continue_if
from workflows.blocks.flow_control.continue_if import BLOCK, ContinueIf
from workflows.errors import UndeclaredSymbolError
from workflows.ports import StepRun

WIDE = group(binary(dynamic("width"), "(Number) >", static(100)))


def step(**extra):
    document = {"type": "ContinueIf", "name": "gate", "condition_statement": WIDE, "next_steps": ["$steps.a"]}
    return ContinueIf.model_validate(document | extra)


def decide(width, manifest=None, step_run=None):
    manifest = manifest or step()
    return continue_if.run(
        manifest.condition_statement,
        {"width": width},
        manifest.next_steps,
        manifest.stop_delay,
        step_run=step_run or StepRun(inference_id="i"),
    )


def test_elements_go_on_where_the_condition_holds():
    assert decide(101, step(next_steps=["$steps.a", "$steps.b-2"])) == GoTo(("$steps.a", "$steps.b-2"))


def test_the_branch_ends_where_it_does_not_hold():
    assert decide(100) == GoTo(())


def test_without_next_steps_the_branch_ends_in_any_case():
    assert decide(101, step(next_steps=[])) == GoTo(())


def test_an_operand_that_was_not_given_is_undeclared():
    with pytest.raises(UndeclaredSymbolError, match="operand 'width' is not declared"):
        continue_if.run(step().condition_statement, {}, [], 0, step_run=StepRun(inference_id="i"))


def test_without_a_delay_each_element_is_judged_alone():
    same_run = StepRun(inference_id="i")
    assert [bool(decide(width, step_run=same_run).steps) for width in (50, 101, 50)] == [False, True, False]


def test_the_gate_stays_open_for_the_delay_after_it_last_held():
    same_run = StepRun(inference_id="i")
    patient = step(stop_delay=100)
    assert [bool(decide(width, patient, same_run).steps) for width in (50, 101, 50)] == [False, True, True]


def test_the_gate_closes_when_the_delay_is_over(monkeypatch):
    now_s = 1000.0
    monkeypatch.setattr(continue_if.time, "monotonic", lambda: now_s)
    same_run = StepRun(inference_id="i")
    patient = step(stop_delay=2)
    decide(101, patient, same_run)
    now_s = 1001.9
    assert decide(50, patient, same_run).steps
    now_s = 1002.0
    assert not decide(50, patient, same_run).steps


def test_another_run_remembers_nothing():
    patient = step(stop_delay=100)
    decide(101, patient)
    assert not decide(50, patient).steps


@pytest.mark.parametrize(
    "wrong",
    [
        {"condition_statement": group()},
        {"next_steps": ["a"]},
        {"next_steps": ["$inputs.x"]},
        {"stop_delay": "x"},
        {"stop_delay": -1},
        {"evaluation_parameters": {"width": 5}},
    ],
)
def test_what_makes_no_sense_is_refused_with_the_document(wrong):
    with pytest.raises(ValidationError):
        step(**wrong)


def test_it_is_flow_control_without_outputs():
    assert BLOCK.flow_control
    assert BLOCK.outputs == {}
    assert BLOCK.references["evaluation_parameters"].values is not None
