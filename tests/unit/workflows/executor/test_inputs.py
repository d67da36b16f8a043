import base64
import threading
import time

import cv2
import numpy as np
import pytest

from tests.unit.workflows.sample_blocks import answers, batch, compiled, parameter, step
from tests.unit.workflows.ticking import TickingTime
from workflows.errors import DeadlineExceededError, RuntimeInputError
from workflows.executor import pace
from workflows.executor.inputs import assemble_inputs
from workflows.executor.options import RunOptions
from workflows.executor.pace import Pace
from workflows.serializers import detections

IMAGE = {"type": "WorkflowImage", "name": "image"}


def png(width=4, height=3):
    return base64.b64encode(cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1].tobytes()).decode()


async def columns_of(*declared, options=None, steps=(), **inputs):
    return await assemble_inputs(compiled(list(declared), list(steps)), inputs, options or RunOptions(), Pace())


async def refused(*declared, options=None, steps=(), **inputs):
    with pytest.raises(RuntimeInputError) as caught:
        await columns_of(*declared, options=options, steps=steps, **inputs)
    return caught.value.message


async def test_a_batch_has_a_value_at_each_position():
    columns = await columns_of(batch("n"), n=[1, 2])
    assert columns["$inputs.n"].values == {(0,): 1.0, (1,): 2.0}
    assert columns["$inputs.n"].lineage == ("$inputs",)
    assert list(columns["$inputs"].values) == [(0,), (1,)]


async def test_without_inputs_there_is_one_element():
    assert list((await columns_of())["$inputs"].values) == [(0,)]


@pytest.mark.parametrize("value", [5, [5]])
async def test_one_value_is_repeated_for_each_element_of_another_input(value):
    columns = await columns_of(batch("n"), batch("m"), n=value, m=[1, 2, 3])
    assert columns["$inputs.n"].values == {(0,): 5.0, (1,): 5.0, (2,): 5.0}


async def test_undeclared_values_are_ignored():
    assert "$inputs.x" not in await columns_of(batch("n"), n=1, x=2)


@pytest.mark.parametrize("inputs", [{}, {"n": None}])
async def test_a_batch_must_be_sent(inputs):
    assert "'n'" in await refused(batch("n"), **inputs)


async def test_an_empty_list_is_refused():
    assert "empty" in await refused(batch("n"), n=[])


async def test_lists_of_different_length_are_refused():
    message = await refused(batch("n"), batch("m"), n=[1, 2], m=[1, 2, 3])
    assert "'m' has 3" in message
    assert "'n' has 2" in message


async def test_nulls_in_a_list_are_kept():
    columns = await columns_of(batch("n"), n=[None, 2])
    assert columns["$inputs.n"].values == {(0,): None, (1,): 2.0}


async def test_a_value_of_the_wrong_kind_names_input_and_position():
    assert "n.[1]" in await refused(batch("n", "integer"), n=[1, "two"])


async def test_nested_lists_have_positions_on_every_level():
    columns = await columns_of(batch("x", dimensionality=3), x=[[[1, 2], []], [], [[3]]])
    assert columns["$inputs.x"].values == {(0, 0, 0): 1.0, (0, 0, 1): 2.0, (2, 0, 0): 3.0}
    assert list(columns["$batches.1.x"].values) == [(0, 0), (0, 1), (2, 0)]
    assert list(columns["$batches.2.x"].values) == [(0, 0, 0), (0, 0, 1), (2, 0, 0)]


async def test_a_nested_list_of_one_is_repeated():
    columns = await columns_of(batch("x", dimensionality=2), batch("n"), x=[[1, 2]], n=[0, 0])
    assert columns["$inputs.x"].values == {(0, 0): 1.0, (0, 1): 2.0, (1, 0): 1.0, (1, 1): 2.0}


@pytest.mark.parametrize("value", [1, [1, 2], [None, [1]]])
async def test_a_nested_input_must_be_nested_deep_enough(value):
    assert "dimensionality 2" in await refused(batch("x", dimensionality=2), x=value)


async def test_a_list_is_a_value_where_the_kind_allows_one():
    columns = await columns_of(batch("x", "list_of_values"), x=[[1, 2], [3]])
    assert columns["$inputs.x"].values == {(0,): [1, 2], (1,): [3]}


async def test_a_lone_image_is_called_as_its_input():
    columns = await columns_of(IMAGE, image=png())
    assert columns["$inputs.image"].values[(0,)].id == "image"


async def test_images_of_a_list_are_numbered_even_when_there_is_one():
    columns = await columns_of(IMAGE, image=[png()])
    assert columns["$inputs.image"].values[(0,)].id == "image.[0]"


async def test_images_of_nested_lists_are_numbered_on_every_level():
    columns = await columns_of(batch("frames", "image", 2), frames=[[png()], [png(), png()]])
    assert [image.id for image in columns["$inputs.frames"].values.values()] == [
        "frames.[0].[0]",
        "frames.[1].[0]",
        "frames.[1].[1]",
    ]


async def test_a_repeated_image_keeps_its_one_name():
    columns = await columns_of(IMAGE, batch("n"), image=png(), n=[1, 2])
    first, second = columns["$inputs.image"].values.values()
    assert first is second
    assert first.id == "image"


@pytest.mark.parametrize("value", ["AAAA", "not base64!", 5, [[png()]], {"type": "base64"}])
async def test_what_is_no_image_is_refused_even_when_no_step_uses_it(value):
    assert "image" in await refused(IMAGE, image=value)


async def test_images_are_counted_over_all_inputs():
    options = RunOptions(max_images=2)
    await columns_of(IMAGE, options=options, image=[png(), png()])
    message = await refused(IMAGE, batch("more", "image", 2), options=options, image=png(), more=[[png(), png()]])
    assert "3 images; at most 2" in message


async def test_an_image_has_a_largest_size():
    assert "12" in await refused(IMAGE, options=RunOptions(max_pixels=11), image=png(4, 3))


@pytest.mark.parametrize(
    ("value", "n"),
    [([0] * 6, 1), ([[0] * 5, [0]], 1), ([[], [], [], [], [], []], 1), ([[0, 0, 0]], [1, 2])],
)
async def test_an_input_brings_only_so_many_elements(value, n):
    dimensionality = 2 if isinstance(value[0], list) else 1
    declared = [batch("x", dimensionality=dimensionality), batch("n")]
    assert "more than 5" in await refused(*declared, options=RunOptions(max_elements_per_step=5), x=value, n=n)


async def test_images_behind_addresses_are_fetched_once():
    asked = []

    async def fetch(url):
        asked.append(url)
        return base64.b64decode(png())

    url = "https://example.com/a.png"
    columns = await columns_of(IMAGE, options=RunOptions(fetch=fetch), image=[url, {"type": "url", "value": url}])
    assert asked == [url]
    assert [image.wh for image in columns["$inputs.image"].values.values()] == [(4, 3), (4, 3)]


async def test_addresses_are_refused_where_nothing_fetches():
    assert "base64" in await refused(IMAGE, image="https://example.com/a.png")


async def test_an_address_must_be_https():
    assert "https" in await refused(IMAGE, options=RunOptions(fetch=lambda url: None), image="http://example.com/a.png")


@pytest.mark.parametrize(("sent", "expected"), [({}, 3), ({"p": 4}, 4), ({"p": None}, None)])
async def test_a_parameter_that_is_not_sent_has_its_default(sent, expected):
    columns = await columns_of(parameter("p", 3), **sent)
    assert columns["$inputs.p"].values == {(): expected}


async def test_a_parameter_is_checked_against_every_step_that_uses_it():
    steps = [
        step("Double", "d", number="$inputs.p"),
        step("Scale", "s", number="$inputs.n", factor="$inputs.p"),
    ]
    await columns_of(batch("n"), parameter("p"), steps=steps, n=1, p=2)
    message = await refused(batch("n"), parameter("p"), steps=steps, n=1, p=-2)
    assert all(part in message for part in ("'p'", "-2", "'factor'", "'s'"))


async def test_a_default_that_does_not_fit_is_refused_when_it_is_used():
    steps = [step("Double", "d", value="$inputs.p")]
    message = await refused(parameter("p"), steps=steps)
    assert "'value'" in message


async def test_a_parameter_cannot_feed_a_property_that_takes_selectors_only():
    message = await refused(parameter("p"), steps=[step("Gather", "g", data="$inputs.p")], p=[1])
    assert "WorkflowBatchInput" in message


async def test_a_parameter_inside_a_list_is_taken_as_it_is():
    (result,) = await answers(
        compiled([parameter("p")], [step("FirstOf", "f", data=["$inputs.p"], default=9)], f="$steps.f.first"), p=0
    )
    assert result == {"f": 0}


async def test_the_pixels_of_all_images_are_limited():
    options = RunOptions(max_request_pixels=24)
    await columns_of(IMAGE, options=options, image=[png(4, 3), png(4, 3)])
    message = await refused(IMAGE, options=options, image=[png(4, 3), png(13, 1)])
    assert "25 pixels together; at most 24" in message


async def test_an_image_that_is_repeated_for_each_element_counts_once():
    options = RunOptions(max_request_pixels=12)
    await columns_of(IMAGE, batch("n"), options=options, image=png(4, 3), n=[1, 2, 3])


SQUARE = [{"x": x, "y": y} for x, y in ((0, 0), (8191, 0), (8191, 8191), (0, 8191))]


async def test_the_pixels_of_masks_are_limited_over_all_inputs_and_elements(monkeypatch):
    filled = []
    monkeypatch.setattr(detections, "fill_window", lambda _, ltwh: filled.append(ltwh) or np.ones((1, 1), np.bool_))
    row = {"x": 1, "y": 1, "width": 2, "height": 2, "confidence": 1, "class": "a", "class_id": 0, "points": SQUARE}
    sent = {"image": {"width": 16_384, "height": 16_384}, "predictions": [row]}
    declared = [batch(name, "instance_segmentation_prediction") for name in "ab"]
    assert "b.[1]" in await refused(*declared, a=[sent] * 3, b=[sent] * 3)
    assert filled == [(0, 0, 8192, 8192)] * 4


@pytest.mark.parametrize(("width", "there"), [(640, False), (16_384, True)])
async def test_only_masks_that_may_take_long_are_computed_in_another_thread(monkeypatch, width, there):
    threads = []
    monkeypatch.setattr(
        detections, "fill_window", lambda *_: threads.append(threading.get_ident()) or np.ones((1, 1), np.bool_)
    )
    row = {"x": 1, "y": 1, "width": 2, "height": 2, "confidence": 1, "class": "a", "class_id": 0, "points": SQUARE}
    sent = {"image": {"width": width, "height": width}, "predictions": [row]}
    await columns_of(batch("a", "instance_segmentation_prediction"), a=sent)
    assert (threads != [threading.get_ident()]) == there


async def test_a_deadline_ends_the_reading_of_many_elements(monkeypatch):
    monkeypatch.setattr(pace, "time", TickingTime(0.01))
    inputs = {"n": list(range(1000))}
    with pytest.raises(DeadlineExceededError):
        await assemble_inputs(compiled([batch("n")], []), inputs, RunOptions(), Pace(time.time() + 1))
