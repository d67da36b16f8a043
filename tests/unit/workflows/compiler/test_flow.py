import pytest

from tests.unit.workflows.sample_blocks import batch, compiled, parameter, step
from workflows.compiler.flow import describe_lineage
from workflows.errors import ControlFlowDefinitionError, ExecutionGraphStructureError

N = [batch("n")]
COUNT = step("Count", "c", number="$inputs.n")


def gate(name, number, *targets):
    return step("AtLeast", name, number=number, next_steps=[f"$steps.{target}" for target in targets])


def double(name, number="$inputs.n"):
    return step("Double", name, number=number)


def test_a_step_knows_every_gate_in_front_of_it():
    plan = compiled(N, [gate("g", "$inputs.n", "d"), gate("h", "$inputs.n", "d", "e"), double("d"), double("e")])
    assert plan.steps["d"].gates == ("g", "h")
    assert plan.steps["e"].gates == ("h",)


def test_targets_in_an_object_are_gates_too():
    plan = compiled(
        [batch("n", "*")],
        [
            step("Route", "r", value="$inputs.n", cases={"1": "$steps.d"}, otherwise=["$steps.e"]),
            double("d"),
            double("e"),
        ],
    )
    assert plan.steps["d"].gates == plan.steps["e"].gates == ("r",)


def test_a_step_runs_after_its_gates():
    assert list(compiled(N, [double("d"), gate("g", "$inputs.n", "d")]).steps) == ["g", "d"]


def test_a_target_may_be_named_once_only():
    with pytest.raises(ExecutionGraphStructureError, match="more than once"):
        compiled(N, [gate("g", "$inputs.n", "d", "d"), double("d")])


@pytest.mark.parametrize("target", ["g", "d"])
def test_a_gate_cannot_open_what_it_reads(target):
    with pytest.raises(ExecutionGraphStructureError, match="cycle"):
        compiled(N, [double("d"), gate("g", "$steps.d.result", target)])


def test_a_gate_on_images_may_guard_what_was_made_of_them():
    plan = compiled(N, [COUNT, gate("g", "$inputs.n", "d"), double("d", "$steps.c.item")])
    assert plan.steps["d"].lineage == ("$inputs", "$steps.c")


def test_a_gate_on_parts_cannot_guard_the_whole():
    with pytest.raises(ControlFlowDefinitionError, match="'g' decides whether step 'd'"):
        compiled(N, [COUNT, gate("g", "$steps.c.item", "d"), double("d")])


def test_a_gate_on_other_parts_cannot_guard():
    other = step("Count", "other", number="$inputs.n")
    with pytest.raises(ControlFlowDefinitionError):
        compiled(N, [COUNT, other, gate("g", "$steps.other.item", "d"), double("d", "$steps.c.item")])


def test_gates_on_two_levels_of_one_lineage_combine():
    plan = compiled(
        N, [COUNT, gate("g", "$inputs.n", "d"), gate("h", "$steps.c.item", "d"), double("d", "$steps.c.item")]
    )
    assert plan.steps["d"].gates == ("g", "h")


def test_a_gate_on_a_batch_makes_a_step_of_scalars_part_of_it():
    plan = compiled([*N, parameter("p")], [gate("g", "$inputs.n", "d"), double("d", "$inputs.p")])
    assert plan.steps["d"].output_lineage == ("$inputs",)


def test_gates_on_unrelated_batches_cannot_guard_one_step_of_scalars():
    other = step("Count", "other", number="$inputs.n")
    with pytest.raises(ControlFlowDefinitionError):
        compiled(
            N,
            [COUNT, other, gate("g", "$steps.c.item", "d"), gate("h", "$steps.other.item", "d"), double("d", 1)],
        )


def test_a_gate_of_scalars_may_guard_anything():
    plan = compiled([*N, parameter("p")], [gate("g", "$inputs.p", "d"), double("d")])
    assert plan.steps["d"].lineage == ("$inputs",)


def test_a_lineage_is_told_in_words_that_stand_in_the_document():
    assert describe_lineage(()) == "a single value"
    assert describe_lineage(("$inputs",)) == "1 dimension ($inputs)"
    assert describe_lineage(("$inputs", "$batches.1.a.b")) == "2 dimensions ($inputs, level 2 of $inputs.a.b)"
