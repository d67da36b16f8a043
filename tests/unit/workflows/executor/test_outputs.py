import asyncio
import time

import numpy as np
import pytest

from tests.unit.workflows.builders import detections
from tests.unit.workflows.sample_blocks import answers, batch, compiled, parameter, step
from tests.unit.workflows.ticking import TickingTime
from workflows.compiler.plan import OutputPlan, Plan
from workflows.errors import DeadlineExceededError, RuntimeLimitsCausedStepExecutionError
from workflows.executor import pace
from workflows.executor.dispatcher import Column
from workflows.executor.options import RunOptions
from workflows.executor.outputs import build_outputs
from workflows.executor.pace import Pace
from workflows.values.origin import Origin, Placement

N = [batch("n")]
COUNT = step("Count", "c", number="$inputs.n")
DEEP = step("Count", "d", number="$steps.c.item")


async def test_a_value_goes_to_its_element_and_a_scalar_to_all():
    plan = compiled([*N, parameter("p", 3)], [], n="$inputs.n", p="$inputs.p")
    assert await answers(plan, n=[1, 2]) == [{"n": 1.0, "p": 3}, {"n": 2.0, "p": 3}]


async def test_without_outputs_there_is_one_empty_result():
    assert await answers(compiled(N, []), n=[1, 2]) == [{}]


async def test_scalars_alone_make_one_result_however_many_elements_came():
    assert await answers(compiled([*N, parameter("p", 3)], [], p="$inputs.p"), n=[1, 2]) == [{"p": 3}]


async def test_deeper_values_are_nested_lists():
    assert await answers(compiled(N, [COUNT, DEEP], d="$steps.d.item"), n=[3, 1]) == [
        {"d": [[], [0], [0, 1]]},
        {"d": [[]]},
    ]


async def test_lists_keep_the_places_of_empty_neighbours_at_the_end():
    plan = compiled([batch("x", dimensionality=2)], [step("Count", "c", number="$inputs.x")], c="$steps.c.item")
    assert await answers(plan, x=[[1, 0]]) == [{"c": [[0], []]}]


async def test_an_element_without_any_parts_shows_lists_of_full_depth():
    plan = compiled(N, [COUNT, DEEP], c="$steps.c.item", d="$steps.d.item")
    assert await answers(plan, n=[0, 1]) == [{"c": [], "d": [[]]}, {"c": [0], "d": [[]]}]


async def test_all_properties_of_a_deeper_step_are_a_list_of_objects():
    plan = compiled(N, [COUNT], all="$steps.c.*")
    assert await answers(plan, n=[2, 0]) == [{"all": [{"item": 0}, {"item": 1}]}, {"all": []}]


async def test_a_batch_made_of_a_scalar_is_a_list_in_every_result():
    plan = compiled(
        [*N], [step("Double", "s", number=1), step("Count", "k", number="$steps.s.result")], k="$steps.k.item"
    )
    assert await answers(plan, n=[1, 2]) == [{"k": [0, 1]}]
    plan = compiled(
        N,
        [step("Double", "s", number=1), step("Count", "k", number="$steps.s.result")],
        k="$steps.k.item",
        n="$inputs.n",
    )
    assert await answers(plan, n=[1, 2]) == [{"k": [0, 1], "n": 1.0}, {"k": [0, 1], "n": 2.0}]


async def test_a_nested_input_is_echoed_as_it_came():
    plan = compiled([batch("x", dimensionality=2)], [], x="$inputs.x")
    assert await answers(plan, x=[[1, 2], [], [3]]) == [{"x": [1.0, 2.0]}, {"x": []}, {"x": [3.0]}]


async def test_excluded_outputs_are_left_out_and_unknown_names_ignored():
    plan = compiled(N, [], a="$inputs.n", b="$inputs.n")
    options = RunOptions(excluded_fields=frozenset({"a", "nope"}))
    assert await answers(plan, options, n=[1, 2]) == [{"b": 1.0}, {"b": 2.0}]


async def test_excluding_everything_keeps_the_number_of_results():
    plan = compiled(N, [], a="$inputs.n")
    assert await answers(plan, RunOptions(excluded_fields=frozenset({"a"})), n=[1, 2]) == [{}, {}]


async def write_all(*values, coordinates_system="own", pace=None):
    output = OutputPlan(
        name="p",
        selector="$steps.d.predictions",
        coordinates_system=coordinates_system,
        kinds=("*",),
        lineage=("$inputs",),
    )
    plan = Plan(definition_json=b"", fingerprint="", inputs={}, steps={}, stages=(), outputs=(output,))
    columns = {
        "$inputs": Column(lineage=("$inputs",), values={(at,): True for at in range(len(values))}),
        "$steps.d.predictions": Column(lineage=("$inputs",), values={(at,): value for at, value in enumerate(values)}),
    }
    results = await build_outputs(plan, columns, RunOptions(), pace or Pace())
    return [result["p"] for result in results]


async def shown(value, coordinates_system):
    (result,) = await write_all(value, coordinates_system=coordinates_system)
    return result


@pytest.mark.parametrize(("tick_s", "others"), [(0.0, 0), (1.0, 3)], ids=["quick", "slow"])
async def test_the_loop_is_let_in_between_elements_that_take_long(monkeypatch, tick_s, others):
    monkeypatch.setattr(pace, "time", TickingTime(tick_s))
    came_by = 0

    async def another():
        nonlocal came_by
        while True:
            came_by += 1
            await asyncio.sleep(0)

    running = asyncio.ensure_future(another())
    assert await write_all(1, 2, 3, 4) == [1, 2, 3, 4]
    running.cancel()
    assert came_by == others


async def test_nothing_more_is_written_after_the_deadline(monkeypatch):
    monkeypatch.setattr(pace, "time", TickingTime(1.0))
    with pytest.raises(DeadlineExceededError):
        await write_all(1, 2, pace=Pace(deadline_unix_s=time.time() - 1))


CROP = Placement(
    parent=Origin(id="d-9", left_px=40, top_px=30, width_px=300, height_px=200),
    root=Origin(id="image", left_px=40, top_px=30, width_px=300, height_px=200),
)


def on_crop(*boxes):
    parents = np.array(["d-9"] * len(boxes), dtype=np.str_)
    return detections(*boxes, image_wh=(80, 60), placement=CROP, parent_id=parents)


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"a": [value]}, lambda value: [{"b": value}]])
async def test_detections_are_moved_to_the_uploaded_image_at_any_depth(wrap):
    written = await shown(wrap(on_crop([0, 0, 10, 20])), "parent")
    while "predictions" not in written:
        written = next(iter(written.values())) if isinstance(written, dict) else written[0]
    (box,) = written["predictions"]
    assert written["image"] == {"width": 300, "height": 200}
    assert (box["x"], box["y"], box["parent_id"]) == (45.0, 40.0, "image")
    assert "parent_origin" not in box


async def test_detections_stay_where_they_are_when_asked():
    written = await shown(on_crop([0, 0, 10, 20]), "own")
    (box,) = written["predictions"]
    assert written["image"] == {"width": 80, "height": 60}
    assert (box["x"], box["y"], box["parent_id"], box["root_parent_id"]) == (5.0, 10.0, "d-9", "image")


@pytest.mark.parametrize(
    ("coordinates_system", "image"),
    [("parent", {"width": 300, "height": 200}), ("own", {"width": None, "height": None})],
)
async def test_no_detections_on_a_crop_show_the_uploaded_image_or_nothing(coordinates_system, image):
    assert await shown(on_crop(), coordinates_system) == {"image": image, "predictions": []}


async def test_an_answer_has_an_end():
    plan = compiled([parameter("p"), *N], [], p="$inputs.p", n="$inputs.n")
    options = RunOptions(max_answer_characters=1000)
    assert len(await answers(plan, options, p="x" * 300, n=[1, 2])) == 2
    with pytest.raises(RuntimeLimitsCausedStepExecutionError, match="more than the 1000 characters"):
        await answers(plan, options, p="x" * 300, n=[1, 2, 3, 4])  # repeated in each result
