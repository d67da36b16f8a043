"""What holds for every workflow of stateless steps."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.workflows.sample_blocks import answers, batch, compiled, step

UNARY = ("Double", "DoubleThere", "DoubleLater")
numbers = st.one_of(st.none(), st.integers(min_value=-2, max_value=3))


@st.composite
def workflows(draw):
    """A random graph over one batch: calculations, lists made and collapsed, gates, here and there."""
    depth_of = {"$inputs.n": 1}
    origin_of = {"$inputs.n": "n"}
    steps = []
    for index in range(draw(st.integers(min_value=1, max_value=7))):
        name = f"s{index}"
        source = draw(st.sampled_from(sorted(depth_of)))
        depth, origin = depth_of[source], origin_of[source]
        choices = ["unary", "add", "gated"] + (["count"] if depth < 3 else []) + (["collapse"] if depth > 1 else [])
        choice = draw(st.sampled_from(choices))
        if choice == "unary":
            steps.append(step(draw(st.sampled_from(UNARY)), name, number=source))
            result = f"$steps.{name}.result"
        elif choice == "add":
            other = draw(st.sampled_from([key for key in sorted(depth_of) if origin_of[key] == origin]))
            steps.append(step("Add", name, left=source, right=other))
            result = f"$steps.{name}.result"
        elif choice == "gated":
            minimum = draw(st.integers(min_value=-2, max_value=2))
            steps.append(step("AtLeast", f"{name}g", number=source, minimum=minimum, next_steps=[f"$steps.{name}"]))
            steps.append(step(draw(st.sampled_from(UNARY)), name, number=source))
            result = f"$steps.{name}.result"
        elif choice == "count":
            steps.append(step(draw(st.sampled_from(["Count", "CountThere"])), name, number=source))
            result, depth, origin = f"$steps.{name}.item", depth + 1, f"{origin}/{name}"
        else:
            steps.append(step("Gather", f"{name}g", data=source))
            steps.append(step("FirstOf", f"{name}f", data=[f"$steps.{name}g.all"], default=[]))
            continue
        depth_of[result], origin_of[result] = depth, origin
    outputs = {f"o{index}": text for index, text in enumerate(depth_of)}
    outputs |= {s["name"]: f"$steps.{s['name']}.first" for s in steps if s["type"] == "FirstOf"}
    order = draw(st.permutations(steps))
    return compiled([batch("n", "integer")], order, **outputs)


@settings(deadline=None, max_examples=60)
@given(plan=workflows(), values=st.lists(numbers, min_size=1, max_size=4))
def test_a_batch_answers_as_its_elements_would_one_by_one(plan, values):
    together = asyncio.run(answers(plan, n=values))
    apart = [asyncio.run(answers(plan, n=[value]))[0] for value in values]
    assert together == apart


@settings(deadline=None, max_examples=60)
@given(plan=workflows())
def test_stages_wait_for_all_that_make_what_they_need(plan):
    waits_for = {}
    for stage in plan.stages:
        waits_for[stage.index] = set(stage.after).union(*(waits_for[index] for index in stage.after))
        made = {s for index in waits_for[stage.index] for s in plan.stages[index].gives}
        assert set(stage.needs) - made <= {"$inputs", "$inputs.n"}
    assert sorted(name for stage in plan.stages for name in stage.steps) == sorted(plan.steps)
