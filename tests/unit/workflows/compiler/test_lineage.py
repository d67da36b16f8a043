import pytest

from tests.unit.workflows.sample_blocks import batch, compiled, parameter, step
from workflows.errors import ExecutionGraphStructureError, StepInputDimensionalityError, StepInputLineageError

N = [batch("n")]
COUNT = step("Count", "c", number="$inputs.n")


def test_all_inputs_of_a_batch_share_the_lineage_of_the_request():
    plan = compiled([batch("a"), batch("b")], [step("Add", "s", left="$inputs.a", right="$inputs.b")])
    assert plan.steps["s"].lineage == plan.steps["s"].output_lineage == ("$inputs",)


def test_a_step_of_scalars_runs_once():
    plan = compiled([parameter("p")], [step("Double", "d", number="$inputs.p")])
    assert plan.steps["d"].lineage == ()
    assert plan.steps["d"].frame is None


def test_a_scalar_beside_a_batch_is_broadcast():
    plan = compiled([*N, parameter("p")], [step("Add", "s", left="$inputs.n", right="$inputs.p")])
    assert plan.steps["s"].lineage == ("$inputs",)


def test_a_step_that_makes_lists_adds_a_batch_of_its_own():
    plan = compiled(N, [COUNT])
    assert plan.steps["c"].lineage == ("$inputs",)
    assert plan.steps["c"].output_lineage == ("$inputs", "$steps.c")


def test_a_step_that_collapses_removes_the_last_batch():
    plan = compiled(N, [COUNT, step("Gather", "g", data="$steps.c.item"), step("Gather", "h", data="$steps.g.all")])
    assert plan.steps["g"].output_lineage == ("$inputs",)
    assert plan.steps["h"].output_lineage == ()


def test_a_scalar_that_is_collapsed_stays_a_scalar():
    plan = compiled([], [step("Double", "d", number=1), step("Gather", "g", data="$steps.d.result")])
    assert plan.steps["g"].output_lineage == ()


def test_a_nested_input_has_a_batch_for_each_level():
    plan = compiled([batch("x", dimensionality=3)], [step("Double", "d", number="$inputs.x")])
    assert plan.steps["d"].lineage == ("$inputs", "$batches.1.x", "$batches.2.x")


def test_values_of_different_depth_do_not_mix():
    with pytest.raises(StepInputDimensionalityError, match="collapse") as caught:
        compiled(N, [COUNT, step("Add", "s", left="$inputs.n", right="$steps.c.item")])
    assert [(p.step, p.block_type, p.property_name) for p in caught.value.problems] == [("s", "Add", None)]


def test_values_of_equal_depth_and_different_origin_do_not_mix():
    steps = [COUNT, step("Count", "other", number="$inputs.n")]
    with pytest.raises(StepInputLineageError, match="same batch"):
        compiled(N, [*steps, step("Add", "s", left="$steps.c.item", right="$steps.other.item")])


def test_two_nested_inputs_have_different_origins():
    with pytest.raises(StepInputLineageError):
        compiled(
            [batch("x", dimensionality=2), batch("y", dimensionality=2)],
            [step("Add", "s", left="$inputs.x", right="$inputs.y")],
        )


def test_values_of_one_cropper_mix():
    steps = [COUNT, step("Double", "d", number="$steps.c.item")]
    plan = compiled(N, [*steps, step("Add", "s", left="$steps.c.item", right="$steps.d.result")])
    assert plan.steps["s"].lineage == ("$inputs", "$steps.c")


def test_a_block_may_ask_for_deeper_values():
    plan = compiled(N, [COUNT, step("Share", "s", whole="$inputs.n", parts="$steps.c.item")])
    assert plan.steps["s"].lineage == ("$inputs",)
    assert {b.field: b.deeper_by for b in plan.steps["s"].bindings} == {"whole": 0, "parts": 1}


@pytest.mark.parametrize("parts", ["$inputs.n", "$steps.deep.item"])
def test_a_block_that_asks_for_deeper_values_takes_no_others(parts):
    steps = [COUNT, step("Count", "deep", number="$steps.c.item")]
    with pytest.raises(StepInputDimensionalityError, match="'parts' must be"):
        compiled(N, [*steps, step("Share", "s", whole="$inputs.n", parts=parts)])


@pytest.mark.parametrize("factor", ["$inputs.n", "$steps.d.result"])
def test_a_batch_does_not_fit_a_property_that_takes_one_value(factor):
    steps = [step("Double", "d", number="$inputs.n"), step("Scale", "s", number="$inputs.n", factor=factor)]
    with pytest.raises(ExecutionGraphStructureError, match="one value for the whole request") as caught:
        compiled(N, steps)
    assert caught.value.problems is None


def test_a_scalar_fits_a_property_that_takes_one_value():
    compiled([*N, parameter("p")], [step("Scale", "s", number="$inputs.n", factor="$inputs.p")])


@pytest.mark.parametrize("dimensionality", [0, -1])
def test_a_batch_has_at_least_one_dimension(dimensionality):
    with pytest.raises(ExecutionGraphStructureError, match="WorkflowParameter"):
        compiled([batch("n", dimensionality=dimensionality)], [])


def test_a_batch_has_at_most_sixteen_dimensions():
    plan = compiled([batch("n", dimensionality=16)], [step("Double", "d", number="$inputs.n")])
    assert len(plan.steps["d"].lineage) == 16
    with pytest.raises(ExecutionGraphStructureError, match="dimensionality 17; a batch has at most 16"):
        compiled([batch("n", dimensionality=17)], [])
