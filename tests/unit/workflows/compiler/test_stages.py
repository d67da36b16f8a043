from tests.unit.workflows.sample_blocks import batch, compiled, parameter, step
from workflows.block import RunsOn

N = [batch("n")]


def there(name, number):
    return step("DoubleThere", name, number=number)


def here(name, number):
    return step("Double", name, number=number)


def grouped(plan):
    return [stage.steps for stage in plan.stages]


def test_no_steps_make_no_stages():
    assert compiled(N, []).stages == ()


def test_a_chain_that_runs_elsewhere_travels_as_one():
    plan = compiled(N, [there("a", "$inputs.n"), there("b", "$steps.a.result"), there("c", "$steps.b.result")])
    assert grouped(plan) == [("a", "b", "c")]


def test_only_what_is_read_travels():
    plan = compiled(
        [*N, batch("unused")],
        [there("a", "$inputs.n"), there("b", "$steps.a.result"), here("c", "$steps.b.result")],
        answer="$steps.c.result",
    )
    there_stage, here_stage = plan.stages
    assert (there_stage.needs, there_stage.gives) == (("$inputs.n",), ("$steps.b.result",))
    assert (here_stage.needs, here_stage.gives) == (("$steps.b.result",), ("$steps.c.result",))


def test_an_output_of_the_middle_of_a_chain_comes_back():
    plan = compiled(
        N, [there("a", "$inputs.n"), there("b", "$steps.a.result")], first="$steps.a.*", last="$steps.b.result"
    )
    assert plan.stages[0].gives == ("$steps.a.result", "$steps.b.result")


def test_steps_of_the_router_are_stages_of_their_own():
    plan = compiled(N, [here("a", "$inputs.n"), here("b", "$steps.a.result")])
    assert grouped(plan) == [("a",), ("b",)]
    assert plan.stages[1].after == (0,)
    assert {stage.runs_on for stage in plan.stages} == {RunsOn.ROUTER}


def test_unrelated_steps_do_not_wait_for_one_another():
    plan = compiled(N, [there("a", "$inputs.n"), there("b", "$inputs.n")])
    assert grouped(plan) == [("a",), ("b",)]
    assert [stage.after for stage in plan.stages] == [(), ()]


def test_a_step_does_not_join_when_it_would_make_the_stage_wait():
    plan = compiled(
        N,
        [
            there("a", "$inputs.n"),
            here("r", "$inputs.n"),
            step("Add", "s", left="$steps.a.result", right="$steps.r.result"),
        ],
    )
    assert grouped(plan) == [("a",), ("r",), ("s",)]


def test_a_step_joins_when_all_else_it_needs_is_over_by_then():
    plan = compiled(
        N,
        [here("r", "$inputs.n"), there("a", "$steps.r.result"), step("CountThere", "c", number="$steps.a.result")],
    )
    assert grouped(plan) == [("r",), ("a", "c")]


def test_a_way_back_through_the_router_parts_a_chain():
    plan = compiled(N, [there("a", "$inputs.n"), here("r", "$steps.a.result"), there("b", "$steps.r.result")])
    assert grouped(plan) == [("a",), ("r",), ("b",)]


def test_two_chains_that_meet_stay_apart_until_then():
    plan = compiled(
        N,
        [
            there("a", "$inputs.n"),
            there("b", "$inputs.n"),
            step("Table", "t", cells={"a": "$steps.a.result", "b": "$steps.b.result"}),
        ],
    )
    assert plan.stages[2].after == (0, 1)


def test_a_gate_is_needed_by_what_it_guards():
    plan = compiled(
        N,
        [step("AtLeast", "g", number="$inputs.n", next_steps=["$steps.a"]), there("a", "$inputs.n")],
        a="$steps.a.result",
    )
    assert plan.stages[0].gives == ("$steps.g",)
    assert plan.stages[1].needs == ("$inputs.n", "$steps.g")


def test_positions_travel_where_a_list_is_collapsed():
    plan = compiled(
        N,
        [step("CountThere", "c", number="$inputs.n"), step("Gather", "g", data="$steps.c.item")],
        all="$steps.g.all",
    )
    assert plan.stages[1].needs == ("$steps.c.item", "$inputs")


def test_positions_of_inner_batches_come_back_for_nested_outputs():
    plan = compiled(
        N,
        [step("CountThere", "c", number="$inputs.n"), step("CountThere", "d", number="$steps.c.item")],
        deep="$steps.d.item",
    )
    assert plan.stages[0].gives == ("$steps.d.item", "$steps.c")


def test_a_step_that_runs_once_does_not_join_one_that_runs_on_each_element():
    plan = compiled([*N, parameter("p")], [there("once", "$inputs.p"), step("Add", "s", left="$inputs.n", right=1)])
    assert [stage.per_element for stage in plan.stages] == [False, True]
    plan = compiled(
        [*N, parameter("p")],
        [there("once", "$inputs.p"), step("CountThere", "c", number="$steps.once.result"), there("e", "$inputs.n")],
    )
    assert grouped(plan) == [("once", "c"), ("e",)]
    assert [stage.per_element for stage in plan.stages] == [False, True]
