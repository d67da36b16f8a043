import pytest

from tests.unit.workflows.sample_blocks import batch, compiled, parameter, step
from workflows.errors import RuntimeLimitsCausedStepExecutionError, StepExecutionError
from workflows.executor.dispatcher import Column, StageUnit
from workflows.executor.stage import cut_units, merge_units, run_stage_here

CHAIN = [step("DoubleThere", "d", number="$inputs.n"), step("CountThere", "c", number="$steps.d.result")]


def per_element(**values):
    return Column(lineage=("$inputs",), values={(int(key[1:]),): value for key, value in values.items()})


def test_a_worker_gives_what_others_read_of_its_unit():
    plan = compiled([batch("n")], CHAIN, c="$steps.c.item")
    given = run_stage_here(plan, plan.stages[0], StageUnit(columns={"$inputs.n": per_element(p3=1.5)}))
    assert {selector: column.values for selector, column in given.items()} == {
        "$steps.c.item": {(3, 0): 0, (3, 1): 1, (3, 2): 2}
    }


def test_whoever_asks_hears_what_each_step_took():
    plan = compiled([batch("n")], CHAIN, c="$steps.c.item")
    heard = []
    unit = StageUnit(columns={"$inputs.n": per_element(p0=2)})
    run_stage_here(plan, plan.stages[0], unit, on_step=lambda *told: heard.append(told))
    assert [name for name, _ in heard] == ["d", "c"]
    assert all(milliseconds > 0 for _, milliseconds in heard)


def test_a_unit_of_null_gives_nothing():
    plan = compiled([batch("n")], CHAIN, c="$steps.c.item", d="$steps.d.result")
    given = run_stage_here(plan, plan.stages[0], StageUnit(columns={"$inputs.n": per_element(p0=None)}))
    assert given["$steps.c.item"].values == {}
    assert given["$steps.d.result"].values == {(0,): None}


def test_a_worker_stops_at_the_limit_that_travels_with_the_unit():
    plan = compiled([batch("n")], CHAIN, c="$steps.c.item")
    unit = StageUnit(columns={"$inputs.n": per_element(p0=2)}, max_elements=3)
    with pytest.raises(RuntimeLimitsCausedStepExecutionError, match="makes 4"):
        run_stage_here(plan, plan.stages[0], unit)


@pytest.mark.parametrize("kind", ["DoubleLater", "Wait"])
def test_what_waits_for_others_cannot_run_here(kind):
    plan = compiled([batch("n")], [step(kind, "d", number="$inputs.n")], d="$steps.d.result")
    with pytest.raises(StepExecutionError, match="router"):
        run_stage_here(plan, plan.stages[0], StageUnit(columns={"$inputs.n": per_element(p0=2)}))


def test_work_is_cut_along_the_batch_and_scalars_go_everywhere():
    plan = compiled(
        [batch("n"), parameter("p")],
        [step("Table", "t", cells={"n": "$inputs.n", "p": "$inputs.p"}), step("Scale", "s", number="$inputs.n")],
    )
    scalar = Column(lineage=(), values={(): 9})
    columns = {"$inputs.n": per_element(p0=1, p1=2), "$inputs.p": scalar, "$inputs": per_element(p0=True, p1=True)}
    first, second = cut_units(plan.stages[0], columns, 2, None)
    assert first.columns["$inputs.n"].values == {(0,): 1}
    assert second.columns["$inputs.n"].values == {(1,): 2}
    assert first.columns["$inputs.p"] is second.columns["$inputs.p"] is scalar
    assert "$inputs" not in first.columns


def test_work_on_scalars_is_one_unit():
    plan = compiled([batch("n"), parameter("p")], [step("DoubleThere", "d", number="$inputs.p")])
    columns = {"$inputs.n": per_element(p0=1, p1=2), "$inputs.p": Column(lineage=(), values={(): 9})}
    assert len(cut_units(plan.stages[0], columns, 2, None)) == 1


def test_answers_are_put_together_in_the_order_of_the_batch():
    plan = compiled([batch("n")], CHAIN, c="$steps.c.item")
    lineage = ("$inputs", "$steps.c")
    merged = merge_units(
        plan.stages[0],
        [
            {"$steps.c.item": Column(lineage=lineage, values={(0, 0): "a"})},
            {"$steps.c.item": Column(lineage=lineage, values={})},
            {"$steps.c.item": Column(lineage=lineage, values={(2, 0): "b", (2, 1): "c"})},
        ],
    )
    assert merged["$steps.c.item"].values == {(0, 0): "a", (2, 0): "b", (2, 1): "c"}
