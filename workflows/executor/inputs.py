"""The request's values as columns: nested, repeated, named and typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from workflows.compiler.plan import REQUEST_BATCH, InputPlan, Plan, input_lineage
from workflows.definition.selectors import input_selector
from workflows.errors import RuntimeInputError
from workflows.executor.dispatcher import Column, Position
from workflows.executor.options import RunOptions
from workflows.executor.pace import Pace
from workflows.executor.parameters import typed_parameters
from workflows.executor.together import together
from workflows.kinds import Kind
from workflows.serializers.deserialize import deserialize
from workflows.serializers.detections import masks_may_take_long
from workflows.serializers.image import image_url
from workflows.serializers.mask_room import MaskRoom
from workflows.values.image import Image
from workflows.values.wording import type_in_words

_FETCHED_AT_ONCE = 8


async def assemble_inputs(plan: Plan, inputs: Mapping[str, Any], options: RunOptions, pace: Pace) -> dict[str, Column]:
    """Every input of a plan as a column, and the positions of every batch the request brings.

    Values that no input declares are ignored.

    Args:
        plan: what will run.
        inputs: name -> JSON value.
        options: limits, and how images are fetched.
        pace: asked between the elements of an input.

    Raises:
        RuntimeInputError: a value is missing, or does not fit its declaration or the steps that use it.
        DeadlineExceededError: the request's time was over.
    """
    batches = {item.name: _sent(item, inputs) for item in plan.inputs.values() if item.batch}
    size = _batch_size(batches)
    columns = {
        input_selector(item.name): Column(lineage=(), values={(): inputs.get(item.name, item.default)})
        for item in plan.inputs.values()
        if not item.batch
    }
    _check_parameters(plan, columns)
    _check_image_count(plan, batches, options)
    fetched = await _fetch_images(plan, batches, options)
    columns[REQUEST_BATCH] = Column(lineage=(REQUEST_BATCH,), values={(i,): True for i in range(size)})
    mask_room = MaskRoom()
    for item in plan.inputs.values():
        if item.batch:
            columns.update(await _batch_columns(item, batches[item.name], size, options, fetched, mask_room, pace))
    _check_pixels(columns, options)
    return columns


def _check_pixels(columns: Mapping[str, Column], options: RunOptions) -> None:
    images = {id(value): value for column in columns.values() for value in column.values.values()}
    pixels = sum(value.size_px for value in images.values() if isinstance(value, Image))
    if pixels > options.max_request_pixels:
        raise RuntimeInputError(
            f"the images of the request have {pixels} pixels together; at most {options.max_request_pixels} are "
            "accepted: send them in several requests, or smaller"
        )


def _sent(item: InputPlan, inputs: Mapping[str, Any]) -> Any:
    value = inputs.get(item.name)
    if value is None:
        raise RuntimeInputError(
            f"input {item.name!r} (kind {', '.join(item.kinds)}) is missing; send a value for it, or a list with one "
            "value for each element of the batch"
        )
    return value


def _batch_size(batches: Mapping[str, Any]) -> int:
    lengths = {name: len(value) for name, value in batches.items() if isinstance(value, list)}
    first = next(((name, length) for name, length in lengths.items() if length > 1), None)
    size = first[1] if first else 1
    for name, length in lengths.items():
        if length == 0:
            raise RuntimeInputError(f"input {name!r} is an empty list; send at least one element")
        if length not in {1, size}:
            assert first is not None  # a second length needs a first
            raise RuntimeInputError(
                f"input {name!r} has {length} elements and input {first[0]!r} has {size}; all inputs of a batch need "
                "the same number of elements, or one"
            )
    return size


def _check_parameters(plan: Plan, columns: Mapping[str, Column]) -> None:
    values = {selector: column.values[()] for selector, column in columns.items()}
    if values:
        for step in plan.steps.values():
            typed_parameters(step, values)


def _check_image_count(plan: Plan, batches: Mapping[str, Any], options: RunOptions) -> None:
    count = sum(1 for name, value in batches.items() if Kind.IMAGE in plan.inputs[name].kinds for _ in _leaves(value))
    if count > options.max_images:
        raise RuntimeInputError(
            f"the request brings {count} images; at most {options.max_images} are accepted: send them in "
            "several requests"
        )


def _check_count(item: InputPlan, count: int, options: RunOptions) -> None:
    if count > options.max_elements_per_step:
        raise RuntimeInputError(
            f"input {item.name!r} brings more than {options.max_elements_per_step} elements; send them in "
            "several requests"
        )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


async def _fetch_images(plan: Plan, batches: Mapping[str, Any], options: RunOptions) -> dict[str, bytes]:
    addresses = {
        url: name
        for name, value in batches.items()
        if Kind.IMAGE in plan.inputs[name].kinds
        for leaf in _leaves(value)
        if (url := image_url(leaf, name)) is not None
    }
    if not addresses:
        return {}
    if options.fetch is None:
        name = next(iter(addresses.values()))
        raise RuntimeInputError(f"input {name!r} is the address of an image; this server takes images as base64 only")
    fetch, turns = options.fetch, asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def get(url: str) -> bytes:
        async with turns:
            return await fetch(url)

    return dict(zip(addresses, await together([get(url) for url in addresses]), strict=True))


async def _batch_columns(
    item: InputPlan,
    value: Any,
    size: int,
    options: RunOptions,
    fetched: Mapping[str, bytes],
    mask_room: MaskRoom,
    pace: Pace,
) -> dict[str, Column]:
    lineage = input_lineage(item.name, item.dimensionality)
    values: dict[Position, Any] = {}
    levels: list[dict[Position, bool]] = [{} for _ in lineage]
    for element, position, element_id in _elements(item, value, options, levels):
        if pace.is_over():
            await pace.next_turn()
        read = partial(
            deserialize,
            element,
            item.kinds,
            name=item.name,
            element_id=element_id,
            max_pixels=options.max_pixels,
            fetched=fetched,
            mask_room=mask_room,
        )
        values[position] = await asyncio.to_thread(read) if masks_may_take_long(element) else read()
    if not (isinstance(value, list) and len(value) > 1):
        _check_count(item, size * sum(len(level) for level in levels), options)
        _repeat(values, size)
        for level in levels:
            _repeat(level, size)
    columns = {input_selector(item.name): Column(lineage=lineage, values=values)}
    for depth in range(1, item.dimensionality):
        columns[lineage[depth]] = Column(lineage=lineage[: depth + 1], values=levels[depth])
    return columns


def _repeat(values: dict[Position, Any], size: int) -> None:
    """Give every element of the batch what the only one has."""
    first = list(values.items())
    for index in range(1, size):
        values.update({(index, *position[1:]): value for position, value in first})


def _elements(
    item: InputPlan, value: Any, options: RunOptions, levels: Sequence[dict[Position, bool]]
) -> Iterator[tuple[Any, Position, str]]:
    """Each element of an input with its position and identity; the lists they stand in are noted in `levels`."""
    count = 0

    def walk(value: Any, position: Position, element_id: str) -> Iterator[tuple[Any, Position, str]]:
        nonlocal count
        levels[len(position) - 1][position] = True
        count += 1
        _check_count(item, count, options)
        if len(position) == item.dimensionality:
            yield value, position, element_id
        elif isinstance(value, list):
            for index, element in enumerate(value):
                yield from walk(element, (*position, index), f"{element_id}.[{index}]")
        else:
            raise RuntimeInputError(
                f"input {item.name!r} has dimensionality {item.dimensionality}: {element_id} must be a "
                f"list, not {type_in_words(value)}; nest lists {item.dimensionality} deep"
            )

    if not isinstance(value, list):
        yield from walk(value, (0,), item.name)
    else:
        for index, element in enumerate(value):
            yield from walk(element, (index,), f"{item.name}.[{index}]")
