from typing import Annotated, Literal

import pytest

from workflows.block import Block, BlockManifest
from workflows.kinds import Kind
from workflows.manifest_fields import FloatRef, Reference


class Scale(BlockManifest):
    """Multiply."""

    type: Literal["test/scale@v1", "Scale"]
    number: float | FloatRef
    factors: list[float | FloatRef]


class ScaleV2(Scale):
    """Multiply and add."""

    type: Literal["test/scale@v2"]
    offset: float = 0.0


def run(number, factors, offset=1.0, *, step_run):
    return {}


def test_the_first_identifier_is_the_canonical_one():
    block = Block(Scale, run)
    assert block.type == "test/scale@v1"
    assert block.identifiers == ("test/scale@v1", "Scale")


def test_positional_parameters_are_fields_and_keyword_only_ones_ports():
    block = Block(ScaleV2, run)
    assert block.parameters == ("number", "factors", "offset")
    assert block.ports == ("step_run",)


def test_a_parameter_with_a_default_may_be_missing_from_an_older_manifest():
    assert Block(Scale, run).parameters == ("number", "factors")


def test_a_parameter_that_the_manifest_does_not_have_is_refused():
    with pytest.raises(TypeError, match=r"run of test/scale@v1 takes \['sum'\]"):
        Block(Scale, lambda number, sum: {})


def test_a_port_that_does_not_exist_is_refused():
    def wants_a_clock(number, *, clock):
        return {}

    with pytest.raises(TypeError, match=r"ports that do not exist: \['clock'\]"):
        Block(Scale, wants_a_clock)


def test_a_manifest_without_identifiers_is_refused():
    def nothing():
        return {}

    with pytest.raises(TypeError, match=r"BlockManifest\.type must be a Literal"):
        Block(BlockManifest, nothing)


def test_unknown_keys_of_a_step_are_ignored():
    class Plain(BlockManifest):
        type: Literal["test/plain@v1"]
        value: Annotated[str, Reference((Kind.ANY,))]

    step = Plain.model_validate({"type": "test/plain@v1", "name": "s", "value": "$inputs.x", "usage_quota": 3})
    assert not hasattr(step, "usage_quota")
