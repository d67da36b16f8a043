import asyncio
import threading

import pytest

from tests.unit.workflows.query.values import image
from workflows.block import RunsOn
from workflows.blocks.formatters.property_definition import BLOCK, PropertyDefinition, run
from workflows.query.language import run_chain


def step(*operations, **extra):
    document = {"type": "PropertyDefinition", "name": "p", "data": "$inputs.v", "operations": list(operations)}
    return PropertyDefinition.model_validate(document | extra)


async def test_the_output_is_what_the_chain_gives():
    assert await run("abc", step({"type": "StringToUpperCase"}).operations) == {"output": "ABC"}


async def test_without_operations_the_value_passes():
    value = object()
    assert (await run(value, step().operations))["output"] is value


async def test_encoding_leaves_the_event_loop(monkeypatch):
    threads = []

    def note_thread(*arguments):
        threads.append(threading.current_thread())
        return run_chain(*arguments)

    monkeypatch.setattr("workflows.blocks.formatters.property_definition.run_chain", note_thread)
    await run(image(), step({"type": "ConvertImageToJPEG"}).operations)
    await run(image(), step({"type": "ExtractImageProperty", "property_name": "width"}).operations)
    assert threads[0] is not threading.current_thread()
    assert threads[1] is threading.current_thread()


@pytest.mark.parametrize("identifier", ["roboflow_core/property_definition@v1", "PropertyExtraction"])
def test_every_identifier_is_accepted(identifier):
    assert step(type=identifier).type == identifier
    assert identifier in BLOCK.identifiers


def test_the_block_runs_where_the_values_are():
    assert BLOCK.runs_on is RunsOn.ROUTER
    assert BLOCK.references["data"].value is not None
    assert BLOCK.references["operations"].any() is None
    assert asyncio.iscoroutinefunction(BLOCK.run)
