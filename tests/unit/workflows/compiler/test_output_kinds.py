import pytest

from tests.unit.workflows.sample_blocks import batch, compiled, step
from workflows.errors import AssumptionError, InvalidReferenceTargetError

N = [batch("number")]


def kinds_of(selector):
    return compiled(N, [step("Double", "d", number="$inputs.number")], answer=selector).outputs[0].kinds


def test_an_output_has_the_kinds_of_what_it_selects():
    assert kinds_of("$inputs.number") == ("float",)
    assert "result" in kinds_of("$steps.d.*")
    assert kinds_of("$steps.d.*")["result"] == kinds_of("$steps.d.result")


@pytest.mark.parametrize("selector", ["$inputs.nope", "$steps.nope.result", "$steps.nope.*", "$steps.d.nope", "words"])
def test_an_output_that_selects_nothing_is_reported_on_the_outputs(selector):
    with pytest.raises(InvalidReferenceTargetError) as caught:
        kinds_of(selector)
    (problem,) = caught.value.problems
    assert (problem.step, problem.block_type, problem.property_name) == ("$outputs", None, "answer")


def test_an_output_cannot_be_a_whole_step():
    with pytest.raises(AssumptionError, match=r"\$steps.d.\*"):
        kinds_of("$steps.d")
