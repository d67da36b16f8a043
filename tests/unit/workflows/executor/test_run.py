import asyncio
import time

import pytest

from tests.unit.workflows import sample_blocks
from tests.unit.workflows.sample_blocks import answers, batch, compiled, no_ports, parameter, step
from workflows.errors import (
    ClientCausedStepExecutionError,
    DeadlineExceededError,
    RuntimeLimitsCausedStepExecutionError,
    StepExecutionError,
)
from workflows.executor.local_dispatcher import LocalDispatcher
from workflows.executor.options import RunOptions
from workflows.executor.run import run_workflow

N = [batch("n")]
COUNT = step("Count", "c", number="$inputs.n")


def gate(name, number, minimum, *targets):
    return step("AtLeast", name, number=number, minimum=minimum, next_steps=[f"$steps.{target}" for target in targets])


@pytest.fixture(autouse=True)
def nothing_cancelled():
    sample_blocks.CANCELLED.clear()


class TestValues:
    async def test_steps_run_on_each_element(self):
        plan = compiled(
            N,
            [step("Double", "d", number="$inputs.n"), step("Add", "s", left="$steps.d.result", right="$inputs.n")],
            s="$steps.s.result",
        )
        assert await answers(plan, n=[1, 2]) == [{"s": 3}, {"s": 6}]

    async def test_scalars_are_broadcast(self):
        plan = compiled(
            [*N, parameter("p")], [step("Add", "s", left="$inputs.n", right="$inputs.p")], s="$steps.s.result"
        )
        assert await answers(plan, n=[1, 2], p=10) == [{"s": 11}, {"s": 12}]

    async def test_a_parameter_arrives_as_the_manifest_understands_it(self):
        plan = compiled([parameter("p")], [step("Double", "d", number="$inputs.p")], d="$steps.d.result")
        assert await answers(plan, p="4") == [{"d": 8.0}]

    async def test_selectors_in_containers_are_filled_in(self):
        plan = compiled(
            [*N, parameter("p")],
            [step("Table", "t", cells={"n": "$inputs.n", "p": "$inputs.p", "three": 3.0})],
            t="$steps.t.row",
        )
        assert await answers(plan, n=[1, 2], p="x") == [
            {"t": {"n": 1.0, "p": "x", "three": 3.0}},
            {"t": {"n": 2.0, "p": "x", "three": 3.0}},
        ]
        assert plan.steps["t"].literals["cells"] == {"n": None, "p": None, "three": 3.0}

    async def test_waiting_blocks_share_the_ports_of_one_run_of_the_step(self):
        plan = compiled(N, [step("DoubleLater", "d", number="$inputs.n")], d="$steps.d.*")
        assert await answers(plan, n=[1, 2]) == [
            {"d": {"result": 2.0, "run": "run of d"}},
            {"d": {"result": 4.0, "run": "run of d"}},
        ]

    async def test_stages_that_travel_give_the_same_as_those_that_stay(self):
        chain = [step("CountThere", "c", number="$steps.d.result"), step("DoubleThere", "e", number="$steps.c.item")]
        plan = compiled(
            N, [step("DoubleThere", "d", number="$inputs.n"), *chain], e="$steps.e.result", d="$steps.d.result"
        )
        assert await answers(plan, n=[1, 0, 1.5]) == [
            {"e": [0, 2], "d": 2.0},
            {"e": [], "d": 0.0},
            {"e": [0, 2, 4], "d": 3.0},
        ]

    async def test_deeper_values_arrive_as_lists(self):
        plan = compiled(N, [COUNT, step("Share", "s", whole="$inputs.n", parts="$steps.c.item")], s="$steps.s.shares")
        assert await answers(plan, n=[2, 4]) == [{"s": [0.0, 0.5]}, {"s": [0.0, 0.25, 0.5, 0.75]}]


class TestCollapse:
    PLAN = (COUNT, step("Gather", "g", data="$steps.c.item"))

    async def test_the_innermost_dimension_becomes_a_list(self):
        assert await answers(compiled(N, [*self.PLAN], g="$steps.g.all"), n=[2, 1]) == [{"g": [0, 1]}, {"g": [0]}]

    async def test_no_elements_give_null(self):
        assert await answers(compiled(N, [*self.PLAN], g="$steps.g.all"), n=[0, 1]) == [{"g": None}, {"g": [0]}]

    async def test_elements_that_are_all_null_give_an_empty_list(self):
        steps = [*self.PLAN[:1], gate("gate", "$steps.c.item", 99, "d"), step("Double", "d", number="$steps.c.item")]
        plan = compiled(N, [*steps, step("Gather", "g", data="$steps.d.result")], g="$steps.g.all")
        assert await answers(plan, n=[2, 0]) == [{"g": []}, {"g": None}]

    async def test_null_elements_are_left_out(self):
        (result,) = await answers(compiled(N, [*self.PLAN], c="$steps.c.item", g="$steps.g.all"), n=9)
        assert result == {"c": [0, 1, 2, 3, 4, 5, 6, None, 8], "g": [0, 1, 2, 3, 4, 5, 6, 8]}

    async def test_the_batch_itself_becomes_one_list(self):
        plan = compiled(N, [step("Gather", "g", data="$inputs.n")], g="$steps.g.all")
        assert await answers(plan, n=[1, None, 3]) == [{"g": [1.0, 3.0]}]

    async def test_a_batch_of_nothing_but_nulls_gives_null(self):
        steps = [step("Gather", "g", data="$inputs.n"), step("FirstOf", "f", data=["$steps.g.all"], default=-1)]
        plan = compiled(N, steps, g="$steps.g.all", f="$steps.f.first")
        assert await answers(plan, n=[None, None]) == [{"g": None, "f": -1}]

    async def test_a_batch_that_a_gate_stops_as_a_whole_gives_null(self):
        steps = [gate("gate", "$inputs.n", 5, "g"), step("Gather", "g", data="$inputs.n")]
        assert await answers(compiled(N, steps, g="$steps.g.all"), n=[1, 2]) == [{"g": None}]

    async def test_the_list_of_the_batch_is_repeated_beside_its_elements(self):
        plan = compiled(N, [step("Gather", "g", data="$inputs.n")], g="$steps.g.all", n="$inputs.n")
        assert await answers(plan, n=[1, 2]) == [{"g": [1.0, 2.0], "n": 1.0}, {"g": [1.0, 2.0], "n": 2.0}]

    async def test_twice_gives_a_list_of_lists(self):
        plan = compiled(N, [*self.PLAN, step("Gather", "h", data="$steps.g.all")], h="$steps.h.all")
        assert await answers(plan, n=[2, 1]) == [{"h": [[0, 1], [0]]}]

    async def test_a_single_value_becomes_a_list_of_one(self):
        plan = compiled(
            [], [step("Double", "d", number=2), step("Gather", "g", data="$steps.d.result")], g="$steps.g.all"
        )
        assert await answers(plan) == [{"g": [4.0]}]

    async def test_nested_input_is_collapsed_level_by_level(self):
        plan = compiled(
            [batch("x", dimensionality=3)],
            [step("Gather", "g", data="$inputs.x"), step("Gather", "h", data="$steps.g.all")],
            g="$steps.g.all",
            h="$steps.h.all",
        )
        assert await answers(plan, x=[[[1, 2], []], []]) == [
            {"g": [[1.0, 2.0], None], "h": [[1.0, 2.0]]},
            {"g": [], "h": None},
        ]

    async def test_gated_elements_are_left_out(self):
        steps = [*self.PLAN, gate("gate", "$inputs.n", 2, "g")]
        assert await answers(compiled(N, steps, g="$steps.g.all"), n=[2, 1]) == [{"g": [0, 1]}, {"g": []}]


class TestNulls:
    async def test_a_null_element_gives_null(self):
        plan = compiled(N, [step("Double", "d", number="$inputs.n")], d="$steps.d.result", all="$steps.d.*")
        assert await answers(plan, n=[None, 1]) == [
            {"d": None, "all": {"result": None}},
            {"d": 2.0, "all": {"result": 2.0}},
        ]

    async def test_a_null_element_has_no_parts(self):
        plan = compiled(N, [COUNT], c="$steps.c.item", all="$steps.c.*")
        assert await answers(plan, n=[None, 1]) == [{"c": [], "all": []}, {"c": [0], "all": [{"item": 0}]}]

    async def test_a_null_part_stays_in_its_place(self):
        plan = compiled(N, [COUNT, step("Double", "d", number="$steps.c.item")], d="$steps.d.result", all="$steps.d.*")
        (result,) = await answers(plan, n=8)
        assert result["d"] == [0, 2, 4, 6, 8, 10, 12, None]
        assert result["all"][6:] == [{"result": 12}, {"result": None}]

    async def test_a_block_that_accepts_nulls_sees_them(self):
        plan = compiled(
            [batch("a"), batch("b")],
            [step("FirstOf", "f", data=["$inputs.a", "$inputs.b"], default=-1)],
            f="$steps.f.first",
        )
        assert await answers(plan, a=[1, None, None], b=[2, 3, None]) == [{"f": 1.0}, {"f": 3.0}, {"f": -1}]

    async def test_a_null_parameter_is_a_value(self):
        plan = compiled([parameter("p")], [step("Table", "t", cells={"p": "$inputs.p"})], t="$steps.t.row")
        assert await answers(plan) == [{"t": {"p": None}}]


class TestGates:
    async def test_a_block_that_accepts_nulls_puts_its_default_where_a_gate_stops_an_element(self):
        steps = [gate("g", "$inputs.n", 5, "f"), step("FirstOf", "f", data=["$inputs.n"], default=-1)]
        assert await answers(compiled(N, steps, f="$steps.f.first"), n=[6, 1]) == [{"f": 6.0}, {"f": -1}]

    async def test_a_single_value_is_there_for_a_block_that_accepts_nulls_whatever_the_gate_says(self):
        steps = [gate("g", "$inputs.n", 5, "f"), step("FirstOf", "f", data=["$inputs.n", "$inputs.p"], default=-1)]
        plan = compiled([*N, parameter("p")], steps, f="$steps.f.first")
        assert await answers(plan, n=[6, 1], p=3) == [{"f": 6.0}, {"f": 3}]

    async def test_a_block_that_accepts_nulls_and_reads_single_values_alone_does_not_run_behind_a_closed_gate(self):
        steps = [gate("g", "$inputs.p", 5, "f"), step("FirstOf", "f", data=["$inputs.p"], default=-1)]
        assert await answers(compiled([parameter("p")], steps, f="$steps.f.first"), p=1) == [{"f": None}]

    async def test_an_element_goes_on_only_where_the_gate_lets_it(self):
        plan = compiled(
            N,
            [
                gate("g", "$inputs.n", 5, "d"),
                step("Double", "d", number="$inputs.n"),
                step("Double", "e", number="$steps.d.result"),
                step("FirstOf", "f", data=["$steps.d.result"], default="small"),
            ],
            d="$steps.d.result",
            e="$steps.e.result",
            f="$steps.f.first",
        )
        assert await answers(plan, n=[6, 4]) == [
            {"d": 12.0, "e": 24.0, "f": 12.0},
            {"d": None, "e": None, "f": "small"},
        ]

    async def test_gates_combine(self):
        plan = compiled(
            [batch("n"), batch("m")],
            [gate("g", "$inputs.n", 1, "d"), gate("h", "$inputs.m", 1, "d"), step("Double", "d", number="$inputs.n")],
            d="$steps.d.result",
        )
        assert await answers(plan, n=[1, 1, 0], m=[1, 0, 1]) == [{"d": 2.0}, {"d": None}, {"d": None}]

    async def test_a_gate_behind_a_closed_gate_is_closed(self):
        plan = compiled(
            N,
            [gate("g", "$inputs.n", 5, "h"), gate("h", "$inputs.n", 0, "d"), step("Double", "d", number="$inputs.n")],
            d="$steps.d.result",
        )
        assert await answers(plan, n=[6, 4]) == [{"d": 12.0}, {"d": None}]

    async def test_branches_are_joined_by_a_block_that_accepts_nulls(self):
        plan = compiled(
            [batch("word", "string"), *N],
            [
                step("Route", "r", value="$inputs.word", cases={"a": "$steps.d"}, otherwise=["$steps.e"]),
                step("Double", "d", number="$inputs.n"),
                step("Add", "e", left="$inputs.n", right=100),
                step("FirstOf", "f", data=["$steps.d.result", "$steps.e.result"]),
            ],
            d="$steps.d.result",
            e="$steps.e.result",
            f="$steps.f.first",
        )
        assert await answers(plan, word=["a", "b"], n=[1, 2]) == [
            {"d": 2.0, "e": None, "f": 2.0},
            {"d": None, "e": 102.0, "f": 102.0},
        ]

    async def test_a_gate_on_the_whole_guards_its_parts(self):
        plan = compiled(
            N, [COUNT, gate("g", "$inputs.n", 2, "d"), step("Double", "d", number="$steps.c.item")], d="$steps.d.result"
        )
        assert await answers(plan, n=[2, 1, 0]) == [{"d": [0, 2]}, {"d": [None]}, {"d": []}]

    async def test_a_closed_gate_in_front_of_what_makes_parts_gives_none(self):
        plan = compiled(N, [gate("g", "$inputs.n", 2, "c"), COUNT], c="$steps.c.item")
        assert await answers(plan, n=[1, 2]) == [{"c": []}, {"c": [0, 1]}]

    async def test_a_gate_on_parts_leaves_their_places(self):
        plan = compiled(
            N,
            [COUNT, gate("g", "$steps.c.item", 1, "d"), step("Double", "d", number="$steps.c.item")],
            d="$steps.d.result",
        )
        assert await answers(plan, n=[3, 0]) == [{"d": [None, 2, 4]}, {"d": []}]

    @pytest.mark.parametrize(("p", "expected"), [(1, [{"d": 2.0}, {"d": 4.0}]), (0, [{"d": None}, {"d": None}])])
    async def test_a_gate_of_scalars_opens_and_closes_for_all(self, p, expected):
        plan = compiled(
            [*N, parameter("p")],
            [gate("g", "$inputs.p", 1, "d"), step("Double", "d", number="$inputs.n")],
            d="$steps.d.result",
        )
        assert await answers(plan, n=[1, 2], p=p) == expected

    async def test_what_reads_a_scalar_step_that_did_not_run_does_not_run(self):
        plan = compiled(
            [parameter("p")],
            [
                gate("g", "$inputs.p", 1, "d"),
                step("Double", "d", number="$inputs.p"),
                step("Double", "e", number="$steps.d.result"),
                step("FirstOf", "f", data=["$steps.d.result"], default="closed"),
            ],
            d="$steps.d.result",
            e="$steps.e.result",
            f="$steps.f.first",
        )
        assert await answers(plan, p=0) == [{"d": None, "e": None, "f": "closed"}]

    async def test_a_gate_on_a_batch_guards_a_step_of_scalars_for_each_element(self):
        plan = compiled(
            [*N, parameter("p")],
            [gate("g", "$inputs.n", 2, "d"), step("Double", "d", number="$inputs.p")],
            d="$steps.d.result",
        )
        assert await answers(plan, n=[2, 1], p=5) == [{"d": 10.0}, {"d": None}]

    async def test_a_guarded_stage_that_travels_runs_for_its_elements_only(self):
        plan = compiled(
            N,
            [
                gate("g", "$inputs.n", 2, "c"),
                step("CountThere", "c", number="$inputs.n"),
                step("DoubleThere", "d", number="$steps.c.item"),
            ],
            d="$steps.d.result",
        )
        assert await answers(plan, n=[2, 1, 3]) == [{"d": [0, 2]}, {"d": []}, {"d": [0, 2, 4]}]

    async def test_outputs_of_a_gate_are_an_empty_object(self):
        plan = compiled(N, [gate("g", "$inputs.n", 0)], g="$steps.g.*")
        assert await answers(plan, n=[1, 2]) == [{"g": {}}, {"g": {}}]


class TestFailures:
    async def test_a_block_that_raises_is_named(self):
        plan = compiled(N, [step("Fail", "f", number="$inputs.n")], f="$steps.f.result")
        with pytest.raises(StepExecutionError, match="13 brings bad luck") as caught:
            await answers(plan, n=[1, 13])
        (problem,) = caught.value.problems
        assert (problem.step, problem.block_type, problem.property_name) == ("f", "Fail", None)
        assert problem.details == "13 brings bad luck"
        assert "sample_blocks.py" in problem.traceback
        assert "/" not in problem.traceback
        assert caught.value.inner_type == "ValueError"

    async def test_a_block_that_gives_other_outputs_than_declared_is_named(self):
        plan = compiled(N, [step("Liar", "l", number="$inputs.n")], l="$steps.l.result")
        with pytest.raises(StepExecutionError, match="must answer result, and answered truth"):
            await answers(plan, n=1)

    async def test_the_first_failure_stops_the_rest(self):
        plan = compiled(
            N,
            [step("Wait", "slow", number="$inputs.n", seconds=60), step("Fail", "f", number="$inputs.n")],
            slow="$steps.slow.result",
        )
        with pytest.raises(StepExecutionError, match="bad luck"):
            await answers(plan, n=[13, 1])
        assert sorted(sample_blocks.CANCELLED) == [1.0, 13.0]
        assert len(asyncio.all_tasks()) == 1

    async def test_a_failing_element_stops_the_other_elements(self):
        plan = compiled(N, [step("Wait", "w", number="$inputs.n", seconds=60)], w="$steps.w.result")
        with pytest.raises(StepExecutionError, match="less than nothing"):
            await answers(plan, n=[5, -1])
        assert len(asyncio.all_tasks()) == 1

    async def test_what_a_failed_step_would_have_fed_never_starts(self):
        plan = compiled(
            N,
            [step("Fail", "f", number="$inputs.n"), step("Wait", "w", number="$steps.f.result", seconds=60)],
            w="$steps.w.result",
        )
        with pytest.raises(StepExecutionError):
            await answers(plan, n=13)
        assert sample_blocks.CANCELLED == []

    async def test_a_failed_model_call_is_told_where_it_happened(self):
        class Ports:
            @property
            def step_run(self):
                return self

            @property
            def inference_id(self):
                raise ClientCausedStepExecutionError("no such model", None, None, None, 404)

        plan = compiled(N, [step("DoubleLater", "d", number="$inputs.n")], d="$steps.d.result")
        with pytest.raises(ClientCausedStepExecutionError) as caught:
            await run_workflow(plan, {"n": 1}, LocalDispatcher(lambda _: Ports()), RunOptions())
        assert caught.value.status == 404
        assert [(p.step, p.details) for p in caught.value.problems] == [("d", "no such model")]

    async def test_errors_of_the_serving_pass_unwrapped(self):
        class QueueIsFull(Exception):
            pass

        class Ports:
            @property
            def step_run(self):
                return self

            @property
            def inference_id(self):
                raise QueueIsFull

        plan = compiled(N, [step("DoubleLater", "d", number="$inputs.n")], d="$steps.d.result")
        dispatcher = LocalDispatcher(lambda _: Ports())
        with pytest.raises(QueueIsFull):
            await run_workflow(plan, {"n": [1, 2]}, dispatcher, RunOptions(passed_through=(QueueIsFull,)))
        with pytest.raises(StepExecutionError):
            await run_workflow(plan, {"n": [1, 2]}, dispatcher, RunOptions())


class TestTimes:
    class Listening(LocalDispatcher):
        def __init__(self):
            super().__init__(no_ports)
            self.heard = []

        def step_done(self, step, compute_ms):
            assert compute_ms > 0
            self.heard.append(step.name)

    async def heard_of(self, *steps, **inputs):
        dispatcher = self.Listening()
        plan = compiled(N, list(steps), **{each["name"]: f"$steps.{each['name']}.*" for each in steps})
        await run_workflow(plan, inputs, dispatcher, RunOptions())
        return sorted(dispatcher.heard)

    async def test_steps_that_run_here_tell_their_time_once(self):
        here = [step("Double", "plain", number="$inputs.n"), step("Wait", "waiting", number="$inputs.n")]
        there = step("DoubleThere", "there", number="$inputs.n")
        assert await self.heard_of(*here, there, n=[1, 2]) == ["plain", "waiting"]

    async def test_a_step_that_waits_for_its_port_leaves_the_telling_to_the_port(self):
        assert await self.heard_of(step("DoubleLater", "later", number="$inputs.n"), n=[1]) == []

    async def test_a_step_without_elements_tells_its_time_too(self):
        steps = [step("Count", "c", number="$inputs.n"), step("DoubleLater", "later", number="$steps.c.item")]
        assert await self.heard_of(*steps, n=[0]) == ["c", "later"]


class TestLimits:
    @pytest.mark.parametrize("kind", ["Count", "CountThere"])
    async def test_a_step_may_make_only_so_many_elements_for_the_whole_request(self, kind):
        plan = compiled(N, [step(kind, "c", number="$inputs.n")], c="$steps.c.item")
        options = RunOptions(max_elements_per_step=5)
        assert len(await answers(plan, options, n=[2, 3])) == 2
        with pytest.raises(RuntimeLimitsCausedStepExecutionError, match=r"makes 6 elements.*at most 5") as caught:
            await answers(plan, options, n=[3, 3])
        assert [p.step for p in caught.value.problems] == ["c"]

    async def test_elements_are_limited_even_when_only_what_follows_is_read(self):
        plan = compiled(
            N,
            [step("CountThere", "c", number="$inputs.n"), step("DoubleThere", "d", number="$steps.c.item")],
            d="$steps.d.result",
        )
        with pytest.raises(RuntimeLimitsCausedStepExecutionError):
            await answers(plan, RunOptions(max_elements_per_step=5), n=[3, 3])


class TestTime:
    PLAN = (step("Wait", "w", number="$inputs.n", seconds=60),)

    async def test_a_run_ends_at_its_deadline_and_leaves_nothing_behind(self):
        plan = compiled(N, [*self.PLAN], w="$steps.w.result")
        started = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            await answers(plan, RunOptions(deadline_unix_s=time.time() + 0.05), n=[1, 2])
        assert time.monotonic() - started < 5
        assert sorted(sample_blocks.CANCELLED) == [1.0, 2.0]
        assert len(asyncio.all_tasks()) == 1

    async def test_a_deadline_in_the_past_starts_nothing(self):
        plan = compiled(N, [*self.PLAN], w="$steps.w.result")
        with pytest.raises(DeadlineExceededError):
            await answers(plan, RunOptions(deadline_unix_s=time.time() - 1), n=1)
        assert sample_blocks.CANCELLED == []

    async def test_a_cancelled_run_cancels_its_steps(self):
        plan = compiled(N, [*self.PLAN], w="$steps.w.result")
        running = asyncio.ensure_future(answers(plan, n=[1, 2]))
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert sorted(sample_blocks.CANCELLED) == [1.0, 2.0]
        assert len(asyncio.all_tasks()) == 1

    async def test_elements_and_independent_steps_wait_at_the_same_time(self):
        waits = [step("Wait", name, number="$inputs.n", seconds=0.1) for name in "abc"]
        plan = compiled(N, waits, a="$steps.a.result")
        started = time.monotonic()
        await answers(plan, n=[1, 2, 3])
        assert time.monotonic() - started < 0.3  # one after another would take 0.9 s


async def test_ports_are_made_once_for_each_run_of_a_step():
    made = []

    def ports_for(planned):
        made.append(planned.name)
        return no_ports(planned)

    plan = compiled(N, [step("DoubleLater", "d", number="$inputs.n")], d="$steps.d.result")
    await run_workflow(plan, {"n": [1, 2, 3]}, LocalDispatcher(ports_for), RunOptions())
    assert made == ["d"]
