"""Elements that compute where other requests wait."""

import asyncio
import time

import pytest

from tests.unit.workflows.query.chains import condition, dynamic, unary
from tests.unit.workflows.sample_blocks import batch, document, no_ports
from tests.unit.workflows.ticking import TickingTime
from workflows.blocks.formatters import property_definition
from workflows.compiler.compile import compile_definition
from workflows.errors import DeadlineExceededError, OperationError, StepExecutionError
from workflows.executor import pace
from workflows.executor.local_dispatcher import LocalDispatcher
from workflows.executor.options import RunOptions
from workflows.executor.run import run_workflow
from workflows.query import time_limit
from workflows.values import time_left

STEPS = (
    {
        "type": "PropertyDefinition",
        "name": "s",
        "data": "$inputs.text",
        "operations": [{"type": "SequenceApply", "operations": [{"type": "StringToLowerCase"}] * 10}],
    },
    {
        "type": "ContinueIf",
        "name": "s",
        "evaluation_parameters": {"_": "$inputs.text"},
        "condition_statement": condition(unary(dynamic("_"), "Exists")).model_dump(),
        "next_steps": [],
    },
)


@pytest.fixture
def clock(monkeypatch):
    """A hundredth of a second passes between two looks."""
    ticking = TickingTime(0.01)
    monkeypatch.setattr(pace, "time", ticking)
    monkeypatch.setattr(time_limit, "time", ticking)
    monkeypatch.setattr(time_left, "time", ticking)
    return ticking


async def run(one_step, options=None, **inputs):
    declared = [batch("text", "list_of_values"), batch("n", "integer")]
    plan = compile_definition(document(declared, [one_step], n="$inputs.n"))
    return await run_workflow(plan, inputs, LocalDispatcher(no_ports), options or RunOptions())


@pytest.mark.parametrize("one_step", STEPS, ids=["waits", "plain"])
async def test_the_loop_is_let_in_between_elements(clock, one_step):
    running = asyncio.ensure_future(run(one_step, text=[["A"]], n=[0] * 10))
    turns = 0
    while not running.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(await running) == 10
    assert turns > 15


@pytest.mark.parametrize("one_step", STEPS, ids=["waits", "plain"])
async def test_elements_that_take_no_time_are_one_turn(one_step):
    came_by = []
    asyncio.get_running_loop().call_soon(came_by.append, "loop")
    await run(one_step, text=[["A"]], n=[0])
    assert came_by == []


async def test_a_deadline_ends_a_single_element(clock):
    options = RunOptions(deadline_unix_s=time.time() + 1)
    with pytest.raises(DeadlineExceededError):
        await run(STEPS[0], options, text=[["A"] * 1000], n=[0] * 8)
    assert clock.looks < 150


async def test_all_elements_together_have_one_limit(clock):
    with pytest.raises(OperationError, match=r"step 's'.* took longer than 2 s"):
        await run(STEPS[0], text=[["A"] * 10], n=[0] * 1000)
    assert clock.looks < 5000  # a limit for each element would be 110,000


async def test_the_first_failure_stops_elements_that_have_not_begun(clock, monkeypatch):
    asked = []
    monkeypatch.setattr(property_definition, "run_chain", lambda _, value: asked.append(value) or 1 / 0)
    with pytest.raises(StepExecutionError):
        await run(STEPS[0], text=[["A"]], n=[0] * 8)
    assert len(asked) == 1
