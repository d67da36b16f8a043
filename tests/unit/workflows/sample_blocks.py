"""Toy blocks that calculate with numbers, so that the engine is tested without images or models."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, model_validator

from workflows.block import Block, BlockManifest, GoTo, RunsOn
from workflows.compiler.compile import compile_definition
from workflows.compiler.plan import Plan
from workflows.executor.local_dispatcher import LocalDispatcher
from workflows.executor.options import RunOptions
from workflows.executor.run import run_workflow
from workflows.kinds import Kind
from workflows.manifest_fields import AnyRef, Reference, StepRef
from workflows.ports import Ports, StepRun

NUMBERS = (Kind.INTEGER, Kind.FLOAT)
NumberRef = Annotated[str, Reference(NUMBERS)]


class Double(BlockManifest):
    type: Literal["toy/double@v1", "Double"]
    number: float | NumberRef = Field(validation_alias=AliasChoices("number", "value"))


class DoubleThere(Double):
    type: Literal["toy/double_there@v1", "DoubleThere"]


class DoubleLater(Double):
    type: Literal["toy/double_later@v1", "DoubleLater"]


class Add(BlockManifest):
    type: Literal["toy/add@v1", "Add"]
    left: float | NumberRef
    right: float | NumberRef = 0


class Count(BlockManifest):
    """Makes the numbers below one."""

    type: Literal["toy/count@v1", "Count"]
    number: NumberRef


class CountThere(Count):
    type: Literal["toy/count_there@v1", "CountThere"]


class Gather(BlockManifest):
    type: Literal["toy/gather@v1", "Gather"]
    data: AnyRef


class AtLeast(BlockManifest):
    """Lets numbers on that are large enough."""

    type: Literal["toy/at_least@v1", "AtLeast"]
    number: float | NumberRef
    minimum: float = 0
    next_steps: list[StepRef]


class Route(BlockManifest):
    type: Literal["toy/route@v1", "Route"]
    value: AnyRef
    cases: dict[str, StepRef]
    otherwise: list[StepRef] = []


class FirstOf(BlockManifest):
    type: Literal["toy/first_of@v1", "FirstOf"]
    data: list[AnyRef]
    default: Any = None


class Scale(BlockManifest):
    type: Literal["toy/scale@v1", "Scale"]
    number: NumberRef
    factor: Annotated[float, Field(ge=0)] | NumberRef = 1


class Share(BlockManifest):
    """What part of a whole each of its parts is."""

    type: Literal["toy/share@v1", "Share"]
    whole: NumberRef
    parts: NumberRef


class Table(BlockManifest):
    type: Literal["toy/table@v1", "Table"]
    cells: dict[str, AnyRef | float | str]


class Fail(BlockManifest):
    type: Literal["toy/fail@v1", "Fail"]
    number: float | NumberRef
    at: float = 13


class Wait(BlockManifest):
    type: Literal["toy/wait@v1", "Wait"]
    number: float | NumberRef
    seconds: float = 0.0


class Word(BlockManifest):
    type: Literal["toy/word@v1", "Word"]
    text: str | Annotated[str, Reference((Kind.STRING,))] = ""


class Liar(BlockManifest):
    type: Literal["toy/liar@v1", "Liar"]
    number: NumberRef


class Range(BlockManifest):
    """A manifest whose fields must fit together."""

    type: Literal["toy/range@v1", "Range"]
    low: float | NumberRef
    high: float | NumberRef

    @model_validator(mode="after")
    def in_order(self) -> "Range":
        if isinstance(self.low, float) and isinstance(self.high, float) and self.low > self.high:
            raise ValueError("low must not be above high")
        return self


def double(number: float) -> dict[str, float]:
    return {"result": number * 2}


async def double_later(number: float, *, step_run: StepRun) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"result": number * 2, "run": step_run.inference_id}


def add(left: float, right: float) -> dict[str, float]:
    return {"result": left + right}


def count(number: float) -> list[dict[str, Any] | None]:
    """Numbers below `number`; in the place of 7 stands nothing."""
    return [{"item": index} if index != 7 else None for index in range(int(number))]


def gather(data: list[Any]) -> dict[str, list[Any]]:
    return {"all": data}


def at_least(number: float, minimum: float, next_steps: list[str]) -> GoTo:
    return GoTo(tuple(next_steps) if number >= minimum else ())


def route(value: Any, cases: dict[str, str], otherwise: list[str]) -> GoTo:
    return GoTo((cases[str(value)],) if str(value) in cases else tuple(otherwise))


def first_of(data: list[Any], default: Any) -> dict[str, Any]:
    return {"first": next((value for value in data if value is not None), default)}


def scale(number: float, factor: float) -> dict[str, float]:
    return {"result": number * factor}


def share(whole: float, parts: list[float]) -> dict[str, list[float]]:
    return {"shares": [part / whole for part in parts]}


def table(cells: dict[str, Any]) -> dict[str, Any]:
    return {"row": cells}


def fail(number: float, at: float) -> dict[str, float]:
    if number == at:
        raise ValueError(f"{number:g} brings bad luck")
    return {"result": number}


async def wait(number: float, seconds: float) -> dict[str, float]:
    if number < 0:
        raise ValueError("cannot wait for less than nothing")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        CANCELLED.append(number)
        raise
    return {"result": number}


def word(text: str) -> dict[str, str]:
    return {"text": text}


def liar(number: float) -> dict[str, float]:
    return {"truth": number}


def spread(low: float, high: float) -> dict[str, float]:
    return {"result": high - low}


CANCELLED: list[float] = []
"""Numbers whose waiting was cut short."""

RESULT = {"result": NUMBERS}
ALL_BLOCKS = (
    Block(Double, double, outputs=RESULT),
    Block(DoubleThere, double, outputs=RESULT, runs_on=RunsOn.TRANSFORMS),
    Block(DoubleLater, double_later, outputs={**RESULT, "run": (Kind.STRING,)}, runs_on=RunsOn.OBJECT_DETECTOR),
    Block(Add, add, outputs=RESULT),
    Block(Count, count, outputs={"item": NUMBERS}, output_offset=1),
    Block(CountThere, count, outputs={"item": NUMBERS}, output_offset=1, runs_on=RunsOn.TRANSFORMS),
    Block(Gather, gather, outputs={"all": (Kind.LIST_OF_VALUES,)}, output_offset=-1),
    Block(AtLeast, at_least, flow_control=True),
    Block(Route, route, flow_control=True),
    Block(FirstOf, first_of, outputs={"first": (Kind.ANY,)}, accepts_nulls=True),
    Block(Scale, scale, outputs=RESULT, batch_fields=("number",)),
    Block(
        Share,
        share,
        outputs={"shares": (Kind.LIST_OF_VALUES,)},
        input_offsets={"parts": 1},
        dimension_reference="whole",
    ),
    Block(Table, table, outputs={"row": (Kind.DICTIONARY,)}),
    Block(Fail, fail, outputs=RESULT),
    Block(Wait, wait, outputs=RESULT, runs_on=RunsOn.TEXT_READER),
    Block(Word, word, outputs={"text": (Kind.STRING,)}),
    Block(Liar, liar, outputs=RESULT),
    Block(Range, spread, outputs=RESULT),
)
BLOCKS: Mapping[str, Block] = {identifier: block for block in ALL_BLOCKS for identifier in block.identifiers}


def batch(name: str, kind: str = "float", dimensionality: int = 1) -> dict[str, Any]:
    return {"type": "WorkflowBatchInput", "name": name, "kind": [kind], "dimensionality": dimensionality}


def parameter(name: str, default: Any = None, kind: str = "*") -> dict[str, Any]:
    return {"type": "WorkflowParameter", "name": name, "kind": [kind], "default_value": default}


def step(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, **fields}


def document(inputs: list[Any], steps: list[Any], **outputs: str) -> dict[str, Any]:
    return {
        "version": "1.0",
        "inputs": inputs,
        "steps": steps,
        "outputs": [{"type": "JsonField", "name": name, "selector": selector} for name, selector in outputs.items()],
    }


def compiled(inputs: list[Any], steps: list[Any], **outputs: str) -> Plan:
    return compile_definition(document(inputs, steps, **outputs), blocks=BLOCKS)


def no_ports(step: Any) -> Ports:
    unused = {port.name: None for port in fields(Ports)}
    return Ports(**unused | {"step_run": StepRun(inference_id=f"run of {step.name}")})


async def answers(plan: Plan, options: RunOptions | None = None, **inputs: Any) -> list[dict[str, Any]]:
    return await run_workflow(plan, inputs, LocalDispatcher(no_ports), options or RunOptions())
